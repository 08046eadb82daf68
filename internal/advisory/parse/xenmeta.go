package parse

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/version"
)

// xenMeta reads the .meta file that xenbits.xen.org publishes beside a Xen Security Advisory. It is
// made for those who build Xen: for each branch of which trees patches exist, which they are, at
// which commit they apply and after which other advisories' patches. It does not say which releases
// are affected, nor which release has the fix. So all that it gives is under investigation, branch
// by branch, and of other branches it says nothing.
func (d *document) xenMeta(root *node) []advisory.Advisory {
	number := d.xsa(root.object["XSA"])
	a := advisory.Advisory{ID: number, Format: advisory.FormatXenMeta}
	supported, trees := d.texts(root, "SupportedVersions"), d.texts(root, "Trees")
	recipes := root.object["Recipes"]
	if recipes == nil || recipes.object == nil {
		found, at := "nothing", root.at
		if recipes != nil {
			found, at = recipes.show(), recipes.at
		}
		d.wrong(at, "Recipes", found, "an object with a recipe for each branch")
		return nil
	}
	var patched []string
	for _, branch := range recipes.keys {
		n := recipes.object[branch]
		if n.object == nil || !isName(branch) {
			d.wrong(n.at, n.path, n.show(), "a recipe for a branch such as 4.15: an object with Recipes")
			continue
		}
		if v, child, ok := d.text(n, "XenVersion"); ok && v != branch {
			d.wrong(child.at, child.path, child.show(), "the branch that the recipe is under, "+quote(branch))
		}
		patched = append(patched, d.branch(&a, n, branch)...)
	}
	a.Gaps = append(a.Gaps, xenGaps(number, recipes.keys, supported, trees, patched)...)
	return []advisory.Advisory{a}
}

func (d *document) xsa(n *node) string {
	number, isNumber := n.value.(json.Number)
	i, err := strconv.Atoi(number.String())
	if !isNumber || err != nil || i < 1 {
		d.wrong(n.at, n.path, n.show(), "the number of an XSA, such as 372")
		return ""
	}
	return "XSA-" + strconv.Itoa(i)
}

// branch reads the recipes of one branch, one for each tree, and gives the trees.
func (d *document) branch(a *advisory.Advisory, n *node, branch string) []string {
	trees := n.object["Recipes"]
	if trees == nil || trees.object == nil {
		found, at := "nothing", n.at
		if trees != nil {
			found, at = trees.show(), trees.at
		}
		d.wrong(at, under(n.path, "Recipes"), found, "an object with a recipe for each tree, such as xen")
		return nil
	}
	for _, tree := range trees.keys {
		r := trees.object[tree]
		if r.object == nil || !isName(tree) {
			d.wrong(r.at, r.path, r.show(), "an object with StableRef, Prereqs and Patches")
			continue
		}
		d.recipe(a, r, branch, tree)
	}
	return trees.keys
}

var commit = regexp.MustCompile(`^[0-9a-f]{7,64}$`)

// recipe reads what is to be done to one tree of one branch.
func (d *document) recipe(a *advisory.Advisory, n *node, branch, tree string) {
	ref := d.must(n, "StableRef", "the commit that the patches apply to")
	if ref != "" && !commit.MatchString(ref) {
		d.wrong(n.object["StableRef"].at, n.object["StableRef"].path, n.object["StableRef"].show(), "a commit: hexadecimal digits")
	}
	var before []string
	for _, p := range d.list(n, "Prereqs") {
		before = append(before, d.xsa(p))
	}
	pkg := packageOfTree(tree)
	patches := d.texts(n, "Patches")
	for _, p := range patches {
		a.Payloads = append(a.Payloads, advisory.Payload{Kind: "patch", Name: p, Component: pkg, Branch: branch, Base: ref, Requires: before})
	}
	if len(patches) == 0 {
		a.Gaps = append(a.Gaps, "the recipe for "+tree+" of branch "+branch+" names no patch")
	}
	e := advisory.Affected{Ecosystem: version.Upstream, Package: pkg, Status: advisory.StatusUnknown,
		Why: a.ID + " patches " + tree + " for branch " + branch + " of Xen, at its commit " + ref + "; in which release it is fixed the document does not say"}
	if pkg == "xen" {
		if e.Ranges = releasesOf(branch); e.Ranges == nil {
			a.Gaps = append(a.Gaps, e.Why)
			return
		}
	}
	a.Affected = append(a.Affected, e)
}

var branchOfXen = regexp.MustCompile(`^([0-9]{1,4})\.([0-9]{1,4})$`)

// releasesOf gives the releases of a branch: 4.15 is 4.15.0 and all that follow, before 4.16. Those
// of master are not made yet: nil.
func releasesOf(branch string) []advisory.Range {
	m := branchOfXen.FindStringSubmatch(branch)
	if m == nil {
		return nil
	}
	minor, _ := strconv.Atoi(m[2])
	return []advisory.Range{{Type: "ECOSYSTEM", Events: []advisory.Event{{Introduced: branch}, {Limit: m[1] + "." + strconv.Itoa(minor+1)}}}}
}

// packageOfTree names the project whose tree it is. Xen's older QEMU is a fork of its own.
func packageOfTree(tree string) string {
	switch tree {
	case "qemu", "qemuu", "qemu-xen", "qemu-upstream":
		return "qemu"
	case "qemut", "qemu-traditional", "qemu-xen-traditional":
		return "qemu-xen-traditional"
	}
	return tree
}

// xenGaps says what the file as a whole leaves open.
func xenGaps(id string, branches, supported, trees, patched []string) (gaps []string) {
	gaps = append(gaps, "it names patches for branches, not the releases that are affected or fixed")
	has := setOf(branches)
	for _, v := range supported {
		if !has[v] {
			gaps = append(gaps, "branch "+v+" was supported and gets no patch: whether it is affected the document does not say")
		}
	}
	has = setOf(patched)
	for _, t := range trees {
		if !has[t] {
			gaps = append(gaps, "the tree "+t+" is named and gets no patch")
		}
	}
	if len(supported) > 0 {
		gaps = append(gaps, "of branches other than "+strings.Join(supported, ", ")+" "+id+" says nothing")
	}
	return gaps
}

func setOf(names []string) map[string]bool {
	set := map[string]bool{}
	for _, n := range names {
		set[n] = true
	}
	return set
}
