// Package execution is the run of one campaign as a value.
//
// Decide(state, now) returns the facts that should be recorded next; Apply
// folds one fact into the state; Outstanding(state) lists the chores that
// should be in flight. It never does IO, reads a clock, draws a random number
// or starts a goroutine: the engine stores facts first and only then starts
// chores, so a kill -9 anywhere loses nothing.
//
// Start reading at fact.go (what the journal holds), then state.go, decide.go,
// chores.go; place.go binds destinations late.
package execution
