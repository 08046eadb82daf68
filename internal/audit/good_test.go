package audit

import "testing"

func TestGoodPlanIsClean(t *testing.T) {
	v := PlanVerdict(goodFleet(), goodPlan())
	show(t, v.Findings)
	if !v.Clean() {
		t.Fatalf("a good plan has %d findings", len(v.Findings))
	}
	for _, l := range v.Laws {
		if l.Checked == 0 && l.Law != 8 {
			t.Errorf("law %d was not asked of a plan that every law bears on", l.Law)
		}
	}
}

func TestGoodJournalIsClean(t *testing.T) {
	v := Facts(goodJournal())
	show(t, v.Findings)
	if !v.Clean() {
		t.Fatalf("a good journal has %d findings", len(v.Findings))
	}
	if !v.Finished {
		t.Error("the campaign has finished and the verdict does not say so")
	}
	for _, l := range v.Laws {
		if l.Checked == 0 {
			t.Errorf("law %d was not asked of a journal that every law bears on", l.Law)
		}
	}
}
