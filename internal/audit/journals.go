package audit

import "sort"

// Journals judges campaigns that were open at once: each by its own journal, and all of them beside each other.
// It is finished when each of them is.
func Journals(journals ...[]Fact) Verdict {
	all := Beside(journals...)
	all.Finished = len(journals) > 0
	heirs := handedOver(journals)
	for _, facts := range journals {
		v := Facts(facts)
		all.Finished = all.Finished && v.Finished
		all.Findings = append(all.Findings, v.Findings...)
		for i, l := range v.Laws {
			all.Laws[i].Checked += l.Checked
			all.Laws[i].Broken += l.Broken
		}
	}
	all.Findings = append(all.Findings, heirs.Findings...)
	for i, l := range heirs.Laws {
		all.Laws[i].Checked += l.Checked
		all.Laws[i].Broken += l.Broken
	}
	sort.SliceStable(all.Findings, func(i, j int) bool { return before(&all.Findings[i], &all.Findings[j]) })
	return all
}
