package audit

import "testing"

// What each journal is asked is asked as ever, and what they break together is found beside it, counted once.
func TestJournals(t *testing.T) {
	two := sideBySide(false, 1, permitBeside("a", "h1"), permitBeside("b", "h1"))
	v, a, b, beside := Journals(two...), Facts(two[0]), Facts(two[1]), Beside(two...)
	if len(beside.Findings) == 0 || len(a.Findings) == 0 {
		t.Fatalf("the fixture breaks nothing: beside %d, alone %d", len(beside.Findings), len(a.Findings))
	}
	if got, want := len(v.Findings), len(a.Findings)+len(b.Findings)+len(beside.Findings); got != want {
		t.Errorf("findings %d, want %d", got, want)
	}
	for i, l := range v.Laws {
		if want := a.Laws[i].Checked + b.Laws[i].Checked + beside.Laws[i].Checked; l.Checked != want {
			t.Errorf("law %d: checked %d, want %d", l.Law, l.Checked, want)
		}
		if want := a.Laws[i].Broken + b.Laws[i].Broken + beside.Laws[i].Broken; l.Broken != want {
			t.Errorf("law %d: broken %d, want %d", l.Law, l.Broken, want)
		}
	}
	for i := 1; i < len(v.Findings); i++ {
		if before(&v.Findings[i], &v.Findings[i-1]) {
			t.Errorf("finding %d is out of order", i)
		}
	}
	if v.Finished {
		t.Error("finished, and neither campaign is")
	}
}
