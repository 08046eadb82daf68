// Package execution is the run of one campaign as a value.
//
// Decide(state, now) returns the facts that should be recorded next; Apply
// folds one fact into the state; Outstanding(state, now) lists the chores that
// should be in flight. It never does IO, reads a clock, draws a random number
// or starts a goroutine: the engine stores facts first and only then starts
// chores, so a kill -9 anywhere loses nothing.
//
// Start reading at fact.go (what the journal holds), then state.go. What is
// decided: decide.go (in which order), permit.go (may a turn begin), turn.go
// (one turn), empty.go, reboot.go and back.go (its steps), place.go (where to,
// bound late), refuse.go and room.go (where not to), forecast.go and lastplace.go
// (who is placed first, and who leaves a place to whom), unproven.go (moves whose end nobody read), stock.go (the end), child.go (a
// campaign that takes another one's place) and doubled.go (whom that one left
// without proof), reached.go (turns that are not needed any more), canary.go (a
// canary is judged again once it has soaked), revert.go (a failed one is taken
// back), forced.go (a person closes what cannot end), deferred.go (a live patch, and a reboot later), cameback.go (what a host
// came back as), cohort.go (migrations that begin to fail).
// What is folded: apply.go, apply_guest.go, seen.go, tell.go. What others make
// of it: status.go, snapshot.go (the fleet as it is now).
package execution
