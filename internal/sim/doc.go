// Package sim practises campaigns in a seeded world and virtual time. It turns
// the very Pump, chores and drivers' contract that production turns; only the
// world, the clock, the goroutines' order and the channel are simulated. After
// each run the auditor judges the journal, and the world's own record, which
// the product cannot write, is judged beside it.
//
// The same seed gives the same run to the byte. Start reading at Run; fleets.go
// and xen_fleets.go draw fleets and plans, actors.go crashes, operators and mail
// servers; child.go lets a child campaign take its parent's place, also because
// migrations began to fail; truth.go holds a journal to what the world knows;
// churn.go changes a large fleet under
// a campaign and counts which promises stand. scheduler.go is the virtual time.
package sim
