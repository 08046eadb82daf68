package advisory

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/plan"
)

func TestEmbargo(t *testing.T) {
	now := time.Date(2015, 3, 1, 12, 0, 0, 0, time.UTC)
	past, march5, march10, march20 := now.Add(-time.Hour), now.Add(4*24*time.Hour), now.Add(9*24*time.Hour), now.Add(19*24*time.Hour)
	doc := func(id, source string, public time.Time, deploy string) Advisory {
		return Advisory{ID: id, Source: source, Disclosure: public, EmbargoDeploy: deploy}
	}
	six := []Advisory{doc("XSA-119", "119.meta", march10, ""), doc("XSA-120", "120.meta", march10, ""), doc("XSA-121", "121.meta", march10, "yes"),
		doc("XSA-122", "122.meta", march10, "yes"), doc("XSA-123", "123.meta", march10, "mitigations"), doc("XSA-124", "124.meta", march10, "")}
	fixes := []string{"XSA-119", "XSA-120", "XSA-121", "XSA-122", "XSA-123", "XSA-124"}
	for _, tt := range []struct {
		name                 string
		target               plan.Target
		as                   []Advisory
		disclosure, finishBy time.Time
		deploy               string
		conflicts            []string // words of each
		sources              int      // sentences of Why
	}{
		{name: "nobody says anything", as: []Advisory{doc("a", "", time.Time{}, "")}},
		{name: "all is public", as: []Advisory{doc("a", "", past, "no")}, disclosure: past},
		{name: "six on one day, the strictest word", target: plan.Target{Fixes: fixes}, as: six, disclosure: march10, deploy: "mitigations", sources: 6},
		{name: "one that the target does not fix", target: plan.Target{Fixes: fixes[:2]}, as: six, disclosure: march10, sources: 2},
		{name: "three days: named after the last, over by the first", as: []Advisory{doc("a", "", march10, "yes"), doc("b", "", march5, ""), doc("c", "", march20, "yes")},
			disclosure: march20, finishBy: march5, deploy: "yes", sources: 3},
		{name: "three days, one forbids: nothing before the last", as: []Advisory{doc("a", "", march10, "no"), doc("b", "", march5, "mitigations"), doc("c", "", march20, "yes")},
			disclosure: march20, deploy: "no", sources: 3},
		{name: "what a public one said does not bind", as: []Advisory{doc("a", "", past, "no"), doc("b", "", march10, "yes")}, disclosure: march10, deploy: "yes", sources: 1},
		{name: "the target's own date and word", target: plan.Target{ID: "t", Disclosure: march10, EmbargoDeploy: "no"}, as: []Advisory{doc("a", "", time.Time{}, "")}, disclosure: march10, deploy: "no", sources: 1},
		{name: "the target's word on the documents' date", target: plan.Target{ID: "t", EmbargoDeploy: "no"}, as: []Advisory{doc("a", "", march10, "yes")}, disclosure: march10, deploy: "no", sources: 1},
		{name: "the target is earlier than a document", target: plan.Target{ID: "t", Disclosure: march5}, as: []Advisory{doc("a", "a.json", march10, "")}, disclosure: march10, finishBy: march5, sources: 2,
			conflicts: []string{"target t says that all is public from 2015-03-05T12:00Z on, a (a.json) says 2015-03-10T12:00Z"}},
		{name: "two documents on one", as: []Advisory{doc("XSA-123", "123.meta", march10, ""), {ID: "CVE-2015-2151", Aliases: []string{"XSA-123"}, Source: "cve.json", Published: past}}, disclosure: march10, sources: 1,
			conflicts: []string{"XSA-123 (123.meta) says that it is public from 2015-03-10T12:00Z on, CVE-2015-2151 (cve.json) says 2015-03-01T11:00Z: the later counts"}},
		{name: "a record of several is no contradiction of each", as: []Advisory{doc("CVE-1", "", march10, ""), {ID: "DSA-1", Upstream: []string{"CVE-1", "CVE-2"}, Disclosure: march20}}, disclosure: march20, finishBy: march10, sources: 2},
		{name: "a withdrawn document does not count", as: []Advisory{{ID: "a", Disclosure: march10, Withdrawn: past}, doc("b", "", march5, "")}, disclosure: march5, sources: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Embargo(&tt.target, tt.as, now)
			if !got.Disclosure.Equal(tt.disclosure) || got.Deploy != tt.deploy || !got.FinishBy.Equal(tt.finishBy) || len(got.Why) != tt.sources || len(got.Conflicts) != len(tt.conflicts) {
				t.Fatalf("%+v", got)
			}
			for i, want := range tt.conflicts {
				if !strings.Contains(got.Conflicts[i], want) {
					t.Errorf("%q lacks %q", got.Conflicts[i], want)
				}
			}
		})
	}
}

// One more document never loosens the terms, and the order of documents changes nothing.
func TestEmbargoOnlyTightens(t *testing.T) {
	now := time.Date(2015, 3, 1, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		draw := rapid.Custom(func(t *rapid.T) Advisory {
			return Advisory{ID: rapid.StringMatching(`a[0-9]{1,3}`).Draw(t, "id"), Disclosure: now.Add(time.Duration(rapid.IntRange(-3, 9).Draw(t, "day")) * 24 * time.Hour),
				EmbargoDeploy: rapid.SampledFrom([]string{"", "yes", "mitigations", "no"}).Draw(t, "deploy")}
		})
		as := rapid.SliceOfN(draw, 1, 6).Draw(t, "as")
		less, more := Embargo(&plan.Target{}, as[1:], now), Embargo(&plan.Target{}, as, now)
		if more.Disclosure.Before(less.Disclosure) || strictness[more.Deploy] < strictness[less.Deploy] {
			t.Fatalf("looser with one more: %+v, then %+v", less, more)
		}
		other := Embargo(&plan.Target{}, append(append([]Advisory{}, as[1:]...), as[0]), now)
		if !other.Disclosure.Equal(more.Disclosure) || other.Deploy != more.Deploy || !other.FinishBy.Equal(more.FinishBy) {
			t.Fatalf("another order, other terms: %+v, %+v", more, other)
		}
		if !more.FinishBy.IsZero() && (!more.FinishBy.After(now) || !more.FinishBy.Before(more.Disclosure)) {
			t.Fatalf("to be over by %s, public from %s on", more.FinishBy, more.Disclosure)
		}
	})
}
