package audit

// homeOf is the host on which an instance is to be when all is over, by a policy that brings all home or by the plan's last
// move of it, where that is a way home; "" where neither says so.
func (r *run) homeOf(id string) (home string) {
	if returns(&r.plan.Policy) {
		return r.ran[id]
	}
	if !settles(&r.plan.Policy) {
		return ""
	}
	for i := range r.plan.Moves { // in the order of their starts
		if m := &r.plan.Moves[i]; m.Instance == id {
			if home = ""; m.Home {
				home = m.To
			}
		}
	}
	return home
}

// asFound asks at the end of a campaign whether a pool is worse off than it was found, where policy does not let
// instances simply stay (law 7). It is asked where all that was planned could be: each turn done, nobody moved, added or
// taken away by others, and nobody named to people as staying away.
func (t *trial) asFound(r *run, f *Fact) {
	if !returns(&r.plan.Policy) && !settles(&r.plan.Policy) || r.plan.Supersedes != "" || !t.wentAsPlanned(r) {
		return
	}
	found := r.stand(func(id string) string { return r.instances[id].Host })
	ends := r.stand(func(id string) string { return t.guest(id).host })
	for _, pool := range pools(found) {
		in := ends[pool].worse(found[pool])
		t.must(in == "" || r.plannedWorse(pool), 7, "pool-worse", Subject{Campaign: r.id, Pool: pool, Seq: f.Seq}, f.At, "more ways home, or the instances named that could not go",
			"pool %s is left worse off than it was found: %s", pool, in)
	}
}

// wentAsPlanned: nothing that others did, or that people were told of, bears on where instances are.
func (t *trial) wentAsPlanned(r *run) bool {
	for _, tr := range r.turns {
		if tr.plan != nil && !tr.done {
			return false
		}
	}
	for id := range t.guests {
		g := t.guest(id)
		if r.instances[id] == nil || g.external != "" || g.act != nil || g.doubt != nil || g.memory != r.instances[id].MemoryMiB || r.names(id) {
			return false
		}
	}
	return true
}

// plannedWorse: the plan as forecast leaves a pool worse off too, which was judged with the plan.
func (r *run) plannedWorse(pool string) bool {
	to := map[string]string{}
	for i := range r.plan.Moves { // in the order of their starts
		to[r.plan.Moves[i].Instance] = r.plan.Moves[i].To
	}
	at := func(id string) string {
		if h, moves := to[id]; moves {
			return h
		}
		return r.instances[id].Host
	}
	was := func(id string) string { return r.instances[id].Host }
	return r.stand(at)[pool].worse(r.stand(was)[pool]) != ""
}
