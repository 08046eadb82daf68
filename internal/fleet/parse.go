package fleet

import "github.com/evenkeel/evenkeel/internal/form"

// Parse reads the YAML form (or the same as one JSON document) and gives every mistake in it. With
// mistakes, the fleet holds what could be read and must not be used for more than to look at.
func Parse(name string, src []byte) (*Fleet, form.Mistakes) {
	f := &Fleet{}
	tree, mistakes := form.ParseYAML(name, src)
	whole := tree.Whole()
	mistakes = append(mistakes, (&form.Decoder{}).Decode(tree, "", f)...)
	if whole { // of a torn text, what refers to the missing parts would all seem unknown
		mistakes = append(mistakes, form.Beyond(mistakes, check(name, tree, f))...)
	}
	return f, mistakes.Sort()
}
