package audit

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// handed are the journals of campaign winter, which told oak of h1/i1 and was told to end, and of spring, which takes
// its place and keeps that promise. change may spoil either.
func handed(change func(p *plan.Plan, winter, spring *[]Fact)) [][]Fact {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	promise := plan.Slot{ID: "h1/i1", Turn: "h1", Instance: "i1", Tenant: "oak", Class: plan.ClassOutage, Start: noon.Add(200 * time.Hour), End: noon.Add(202 * time.Hour)}
	p := plan.Plan{Campaign: "winter", Turns: []plan.Turn{{ID: "h1", Host: "h1"}}, Slots: []plan.Slot{promise}}
	fj, _ := json.Marshal(fleet.Fleet{Hosts: []fleet.Host{{ID: "h1"}}, Instances: []fleet.Instance{{ID: "i1", Host: "h1", Tenant: "oak"}}, Tenants: []fleet.Tenant{{ID: "oak"}}})
	first, _ := json.Marshal(p)
	winter := []Fact{
		{At: noon, Kind: "campaign-applied", Campaign: "winter", Plan: first, Fleet: fj},
		{At: noon, Kind: "notice-asked", Campaign: "winter", Notice: "n1", NoticeKind: "scheduled", Tenant: "oak", Slots: []string{"h1/i1"}},
		{At: noon.Add(time.Minute), Kind: "notice-accepted", Campaign: "winter", Notice: "n1"},
		{At: noon.Add(2 * time.Hour), Kind: "campaign-aborted", Campaign: "winter", Code: "superseded", Why: "spring", Slots: []string{"h1/i1"}},
		{At: noon.Add(2 * time.Hour), Kind: "turn-dropped", Campaign: "winter", Turn: "h1", Host: "h1", Code: "superseded", Why: "spring"},
		{At: noon.Add(2 * time.Hour), Kind: "campaign-finished", Campaign: "winter", Code: "superseded"},
	}
	p.Campaign, p.Supersedes = "spring", "winter"
	p.Slots = slices.Clone(p.Slots)
	p.Slots[0].Told = noon.Add(time.Minute)
	spring := []Fact{
		{At: noon.Add(time.Hour), Kind: "campaign-applied", Campaign: "spring", Fleet: fj},
		{At: noon.Add(3 * time.Hour), Kind: "parent-ended", Campaign: "spring", Code: "superseded", Why: "winter is over"},
	}
	change(&p, &winter, &spring)
	spring[0].Plan, _ = json.Marshal(p)
	for _, facts := range [][]Fact{winter, spring} {
		for i := range facts {
			facts[i].Seq = int64(i + 1)
		}
	}
	return [][]Fact{spring, winter}
}

// handedCases are what a parent and its child may show together; codes is what must be found.
var handedCases = map[string]struct {
	change func(p *plan.Plan, winter, spring *[]Fact)
	codes  string
}{
	"as it should be": {func(*plan.Plan, *[]Fact, *[]Fact) {}, "[]"},
	"nobody told it":  {func(_ *plan.Plan, winter, _ *[]Fact) { *winter = slices.Delete(*winter, 2, 3) }, "[handed-untold]"},
	"told later": {func(_ *plan.Plan, winter, _ *[]Fact) {
		(*winter)[2].At = (*winter)[2].At.Add(time.Hour)
	}, "[handed-untold]"},
	"told of another hour":                         {func(p *plan.Plan, _, _ *[]Fact) { p.Slots[0].Start = p.Slots[0].Start.Add(time.Hour) }, "[handed-untold]"},
	"told of less":                                 {func(p *plan.Plan, _, _ *[]Fact) { p.Slots[0].Class = plan.ClassBlip }, "[handed-untold]"},
	"told of a shorter one":                        {func(p *plan.Plan, _, _ *[]Fact) { p.Slots[0].WorstMs = 1 }, "[handed-untold]"},
	"handed over to a child that promises it anew": {func(p *plan.Plan, _, _ *[]Fact) { p.Slots[0].Told = time.Time{} }, "[handed-to-nobody]"},
	"another tenant":                               {func(p *plan.Plan, _, _ *[]Fact) { p.Slots[0].Tenant = "elm" }, "[handed-untold]"},
	"taken back": {func(_ *plan.Plan, winter, _ *[]Fact) {
		*winter = append(*winter, Fact{At: (*winter)[5].At, Kind: "notice-asked", Campaign: "winter", Notice: "n2", NoticeKind: "cancelled", Tenant: "oak", Slots: []string{"h1/i1"}})
	}, "[handed-cancelled]"},
	"taken back, and the child knows": {func(_ *plan.Plan, winter, spring *[]Fact) {
		*winter = append(*winter, Fact{At: (*winter)[5].At, Kind: "notice-asked", Campaign: "winter", Notice: "n2", NoticeKind: "cancelled", Tenant: "oak", Slots: []string{"h1/i1"}})
		(*winter)[3].Slots, (*spring)[1].Slots = nil, []string{"h1/i1"}
	}, "[]"},
	"begun by the parent": {func(_ *plan.Plan, winter, _ *[]Fact) {
		(*winter)[4].Kind = "turn-permitted"
	}, "[handed-used]"},
	"kept by another turn of the parent": {func(_ *plan.Plan, winter, _ *[]Fact) {
		*winter = append(*winter, Fact{At: (*winter)[5].At, Kind: "slot-passed", Campaign: "winter", Turn: "h1", Instance: "i1", To: "h2", Slots: []string{"h1/i1"}})
	}, "[handed-used]"},
}

func TestHandedOver(t *testing.T) {
	for name, c := range handedCases {
		codes := []string{}
		for _, f := range handedOver(handed(c.change)).Findings {
			codes = append(codes, f.Code)
		}
		if got := fmt.Sprint(codes); got != c.codes {
			t.Errorf("%s: found %s, want %s", name, got, c.codes)
		}
	}
	if len(Journals(handed(handedCases["taken back"].change)...).Findings) <= len(Journals(handed(handedCases["as it should be"].change)...).Findings) {
		t.Error("Journals does not ask it")
	}
}
