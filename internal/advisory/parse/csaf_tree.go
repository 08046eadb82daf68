package parse

import "github.com/gocsaf/csaf/v3/csaf"

// csafProduct is one product as the tree gives it.
type csafProduct struct {
	id, name, cpe, purl string
	csafTrail
	link  *csafLink // how it is put together of two others; nil: it stands for itself
	twice bool      // the tree gives it twice, with different things said of it
}

// csafTrail is what the branches on the way to a product say.
type csafTrail struct {
	vendor, product, version, span, arch string
	level                                bool // it is narrowed by what is no version: a patch level, a service pack
}

// csafLink is a relationship of products, such as a component on its platform.
type csafLink struct {
	category            csaf.RelationshipCategory
	component, platform string // ids of products
}

// tree reads product_tree.
func (c *csafReader) tree(root *node) {
	tree := c.child(root, "product_tree", "an object with branches, full_product_names or relationships")
	if tree == nil {
		return
	}
	c.branches(tree, csafTrail{})
	for _, n := range c.objects(tree, "full_product_names", "an object with name and product_id") {
		c.product(n, nil, csafTrail{}, nil)
	}
	for _, n := range c.objects(tree, "relationships", "an object with full_product_name and two references") {
		full := c.child(n, "full_product_name", "an object with name and product_id")
		if full == nil {
			continue // it defines no product
		}
		c.product(full, nil, csafTrail{}, &csafLink{
			category:  csaf.RelationshipCategory(c.word(n, "category")),
			component: c.word(n, "product_reference"), platform: c.word(n, "relates_to_product_reference"),
		})
	}
	for _, n := range c.objects(tree, "product_groups", "an object with group_id and product_ids") {
		c.groups[c.word(n, "group_id")] = c.texts(n, "product_ids")
	}
}

func (c *csafReader) branches(n *node, trail csafTrail) {
	for _, b := range c.objects(n, "branches", "a branch: an object with category and name") {
		here, name := trail, c.word(b, "name")
		switch csaf.BranchCategory(c.word(b, "category")) {
		case csaf.CSAFBranchCategoryVendor:
			here.vendor = name
		case csaf.CSAFBranchCategoryProductName:
			here.product = name
		case csaf.CSAFBranchCategoryProductVersion:
			here.version, here.span = name, ""
		case csaf.CSAFBranchCategoryProductVersionRange:
			here.version, here.span = "", name
		case csaf.CSAFBranchCategoryArchitecture:
			here.arch = name
		case csaf.CSAFBranchCategoryPatchLevel, csaf.CSAFBranchCategoryServicePack, csaf.CSAFBranchCategoryHostName,
			csaf.CSAFBranchCategoryLanguage, csaf.CSAFBranchCategoryLegacy, csaf.CSAFBranchCategorySpecification:
			here.level = true
		}
		if p := c.child(b, "product", "an object with name and product_id"); p != nil {
			c.product(p, b, here, nil)
		}
		c.branches(b, here)
	}
}

// product reads one full product name. Its identification stands in it; some generators put it
// beside it, into the branch.
func (c *csafReader) product(n, branch *node, trail csafTrail, link *csafLink) {
	p := csafProduct{id: c.must(n, "product_id", "the product's id"), name: c.word(n, "name"), csafTrail: trail, link: link}
	if p.id == "" {
		return
	}
	helper := c.child(n, "product_identification_helper", "an object with cpe or purl")
	if helper == nil && branch != nil {
		helper = c.child(branch, "product_identification_helper", "an object with cpe or purl")
	}
	if helper != nil {
		p.cpe, p.purl = c.word(helper, "cpe"), c.word(helper, "purl")
	}
	if old := c.products[p.id]; old != nil {
		old.twice = old.twice || !old.same(&p)
		return
	}
	c.products[p.id] = &p
}

// same: two definitions of one product say the same.
func (p *csafProduct) same(q *csafProduct) bool {
	if (p.link == nil) != (q.link == nil) || p.link != nil && *p.link != *q.link {
		return false
	}
	return p.name == q.name && p.cpe == q.cpe && p.purl == q.purl && p.csafTrail == q.csafTrail
}

// named gives the products that an element speaks of, by product_ids and group_ids; all is true when
// it names none, so that it speaks of all.
func (c *csafReader) named(n *node) (ids []string, all bool) {
	ids = c.texts(n, "product_ids")
	groups := c.texts(n, "group_ids")
	for _, g := range groups {
		ids = append(ids, c.groups[g]...)
	}
	return ids, len(ids) == 0 && len(groups) == 0
}
