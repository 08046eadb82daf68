// Package sim practises campaigns in a seeded world and virtual time. It turns
// the very Pump, chores and drivers' contract that production turns; only the
// world, the clock, the goroutines' order and the channel are simulated. After
// each run the auditor judges the journal, and the world's own record, which
// the product cannot write, is judged beside it.
//
// The same seed gives the same run to the byte. Start reading at Run; fleet.go
// draws fleets and plans, actors.go crashes, operators and mail servers;
// scheduler.go is the virtual time.
package sim
