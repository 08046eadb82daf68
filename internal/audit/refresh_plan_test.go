package audit

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// inPlaceMutants break one thing in refreshPlan, or in patchPlan where patch is set; each code named
// must be among what is found.
var inPlacePlanMutants = []struct {
	name  string
	law   int
	codes []string
	patch bool
	spoil func(p *plan.Plan)
}{
	{"a live patch moves somebody", 1, one("live-patch-disturbs"), true, func(p *plan.Plan) {
		p.Moves = append(p.Moves, plan.Move{Instance: "a2", From: "a", To: "b", Turn: "c", Start: at("2026-03-11 02:01"), End: at("2026-03-11 02:03")})
	}},
	{"an update ahead of a turn that reboots", 10, one("update-ahead"), false, func(p *plan.Plan) { p.Turns[2].Tactic = plan.Suspend }},
	{"an update that ends in its turn", 10, one("update-times"), false, func(p *plan.Plan) { p.Turns[2].UpdateBy = at("2026-03-11 02:01") }},
	{"no update ahead", 10, one("no-update-times"), false, func(p *plan.Plan) { p.Turns[2].UpdateFrom, p.Turns[2].UpdateBy = time.Time{}, time.Time{} }},
	{"an update before the canary has soaked", 6, one("canary-not-soaked"), false, func(p *plan.Plan) { p.Turns[1].UpdateFrom = at("2026-03-01 00:30") }},
	{"an update under embargo", 9, one("under-embargo"), false, func(p *plan.Plan) {
		p.Target.EmbargoDeploy, p.Target.Disclosure = "no", at("2026-03-01 00:45")
	}},
	{"a move onto a host that is updated later", 6, one("onto-old-process"), false, func(p *plan.Plan) { p.Turns[1].UpdateBy = at("2026-03-10 02:40") }},
	{"a second move", 5, one("refreshed-twice"), false, func(p *plan.Plan) {
		p.Moves = append(p.Moves, plan.Move{Instance: "a1", From: "b", To: "c", Turn: "b", Start: at("2026-03-10 02:51"), End: at("2026-03-10 02:53")})
		s := *slotOf(p, "b/b1")
		s.ID, s.Instance, s.Tenant = "b/a1", "a1", "acme"
		p.Slots = append(p.Slots, s)
	}},
	{"one is forgotten", 7, one("not-refreshed"), false, func(p *plan.Plan) {
		p.Moves = slices.DeleteFunc(p.Moves, func(m plan.Move) bool { return m.Instance == "own" })
		p.Slots = slices.DeleteFunc(p.Slots, func(s plan.Slot) bool { return s.Instance == "own" })
	}},
}
