package plan

import "github.com/evenkeel/evenkeel/internal/form"

// ParseTarget reads a target file, YAML or JSON, and gives every mistake in it.
func ParseTarget(name string, src []byte) (*Target, form.Mistakes) {
	t := &Target{}
	tree, mistakes := form.ParseYAML(name, src)
	mistakes = append(mistakes, (&form.Decoder{}).Decode(tree, "", t)...)
	if tree.Whole() {
		c := &checker{name: name, at: tree}
		c.target(t)
		mistakes = append(mistakes, form.Beyond(mistakes, c.mistakes)...)
	}
	return t, mistakes.Sort()
}

// ParsePolicy reads a policy file over DefaultPolicy, so that only what it names changes, and gives
// every mistake in it.
func ParsePolicy(name string, src []byte) (*Policy, form.Mistakes) {
	p := DefaultPolicy()
	tree, mistakes := form.ParseYAML(name, src)
	mistakes = append(mistakes, (&form.Decoder{Overlay: true}).Decode(tree, "", &p)...)
	if tree.Whole() {
		c := &checker{name: name, at: tree}
		c.home(&p, tree.Has("bring_home"))
		c.policy(&p)
		mistakes = append(mistakes, form.Beyond(mistakes, c.mistakes)...)
	}
	return &p, mistakes.Sort()
}

// checker gathers what is wrong in a text whose parts each have the right shape.
type checker struct {
	name     string
	at       form.Positions
	mistakes form.Mistakes
}

func (c *checker) wrong(path, found, expected string) {
	c.mistakes = append(c.mistakes, form.Wrong(c.name, c.at, path, found, expected))
}
