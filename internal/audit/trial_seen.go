package audit

import "time"

// world folds what was seen of hosts and what others did.
func (t *trial) world(f *Fact) {
	switch f.Kind {
	case "host-seen":
		if f.Seen != nil {
			t.see(f)
		}
	case "host-lost":
		m := t.machine(f.Host)
		m.lost, m.said[f.Code] = true, f.Seq
	case "external":
		t.external(f)
	}
}

// see takes a look at a host in. What an act of ours has in flight is left to that act's own end.
func (t *trial) see(f *Fact) {
	m, v := t.machine(f.Host), f.Seen
	s := Subject{Host: f.Host, Seq: f.Seq}
	t.must(!v.At.After(f.At), 10, "seen-ahead", s, f.At, "a look no later than its fact", "fact %d records a look at %s of %s", f.Seq, f.Host, clock(v.At))
	t.boots(m, v, f, s)
	m.view, m.lost = v, false
	t.seenSoaked(f)
	shown := map[string]bool{}
	for i := range v.Instances {
		in := &v.Instances[i]
		shown[in.ID] = true
		t.sighted(f, in)
	}
	if len(v.Missing) > 0 {
		return // a look that could not read all proves no absence
	}
	var missing []*guest
	for id := range m.on {
		if g := t.guest(id); !shown[id] && g.act == nil && g.changed.Before(v.At) && (g.host == f.Host || g.doubt != nil) {
			missing = append(missing, g)
		}
	}
	for _, g := range missing {
		if g.missed[f.Host]++; g.missed[f.Host] < looksToMiss {
			continue
		}
		if g.doubt != nil {
			t.learn(g, f.Host, "absent")
			continue
		}
		t.settle(g, "", "absent")
	}
}

// sighted takes in one instance of a look.
func (t *trial) sighted(f *Fact, in *Sighting) {
	g := t.guest(in.ID)
	delete(g.missed, f.Host)
	if in.State == "running" && !in.Incoming {
		t.glimpsed(g, f, f.Seen.At)
	}
	if g.act != nil || in.Incoming || f.Seen.At.Before(g.changed) {
		return
	}
	if g.doubt != nil {
		t.learn(g, f.Host, in.State)
		return
	}
	if in.State != "running" && g.host != f.Host && g.host != "" {
		return // defined here, and known to be elsewhere
	}
	t.hold(g)
	g.memory = in.MemoryMiB
	if len(in.Running) > 0 {
		g.runs = in.Running
	}
	t.settle(g, f.Host, in.State)
	if in.State == "running" && (g.external == "gone" || g.external == "stopped") {
		g.external = ""
	}
}

// learn takes in what a look shows at one end of a move in doubt; looks at both ends since then that
// show it running at one of them end the doubt.
func (t *trial) learn(g *guest, host, state string) {
	d := g.doubt
	d.ends[host] = state
	t.holdInDoubt(g)
	from, to := d.ends[d.from], d.ends[d.to]
	if from == "" || to == "" {
		return
	}
	d.split = from == "running" && to == "running"
	switch {
	case d.split:
	case from == "running":
		t.sure(g, d.from, from)
	case to == "running":
		t.sure(g, d.to, to)
	case to != "absent":
		t.sure(g, d.to, to)
	default:
		t.sure(g, d.from, from)
	}
}

// holdInDoubt: a move in doubt takes memory at both its ends, but where a look shows that it does not run.
func (t *trial) holdInDoubt(g *guest) {
	var ends []string
	for _, h := range []string{g.doubt.from, g.doubt.to} {
		if s := g.doubt.ends[h]; s != "stopped" && s != "absent" {
			ends = append(ends, h)
		}
	}
	t.hold(g, ends...)
}

// sure ends a doubt, if there is one: the instance is on a host, in a state.
func (t *trial) sure(g *guest, host, state string) {
	if g.doubt != nil {
		delete(g.doubt.turn.doubts, g.id)
		g.seenAt = [2]glimpse{} // what was seen of two copies is on record, and says nothing of the one that is left
	}
	g.doubt = nil
	t.settle(g, host, state)
}

// boots asks law 5: with two reboot orders in one turn, the host must not have booted twice. Once the turn is
// done, a further boot is none of its: it was proven by a later one, and orders name the boot that they end.
func (t *trial) boots(m *machine, v *View, f *Fact, s Subject) {
	tr := m.turn
	if tr == nil || v.BootID == "" || contains(tr.boots, v.BootID) {
		return
	}
	tr.boots = append(tr.boots, v.BootID)
	s.Turn = tr.id
	t.must(len(tr.boots) <= 2 || tr.orders < 2, 5, "rebooted-twice", s, f.At, "one reboot for one turn",
		"host %s shows its boot id number %d in turn %s, %d reboots were ordered", m.id, len(tr.boots), tr.id, tr.orders)
}

// glimpsed asks law 5: an instance seen running here, then there, then here again, with no act of
// ours or others between, runs in two places.
func (t *trial) glimpsed(g *guest, f *Fact, at time.Time) {
	first, second := g.seenAt[0], g.seenAt[1]
	if at.Before(second.at) {
		return // a look that took long tells of an earlier moment, not of a return
	}
	if g.act != nil || g.changed.After(first.at) || g.doubt != nil {
		first = glimpse{} // in our hands, or on record as in doubt: what we do to it then is judged
	}
	twice := first.host == f.Host && second.host != "" && second.host != f.Host
	t.must(!twice, 5, "two-places", Subject{Host: f.Host, Instance: g.id, Seq: f.Seq}, f.At, "one host on which it runs",
		"%s was seen running on %s at %s, on %s at %s, and on %s at %s", g.id, first.host, clock(first.at), second.host, clock(second.at), f.Host, clock(at))
	if second.host == f.Host {
		g.seenAt[1].at = at
		return
	}
	g.seenAt = [2]glimpse{second, {f.Host, at}}
}

// external takes in what others did; it is not judged, only our reaction to it.
func (t *trial) external(f *Fact) {
	if f.Instance == "" {
		return
	}
	g := t.guest(f.Instance)
	g.seenAt = [2]glimpse{}
	if g.act != nil || g.state == "unknown" {
		return // it was in our hands: what became of it is for us to find out
	}
	g.external = f.Code
	switch f.Code {
	case "gone":
		t.settle(g, "", "absent")
	case "stopped":
		t.settle(g, g.host, "stopped")
	case "appeared", "moved":
		to := f.To
		if to == "" {
			to = f.Host
		}
		if to != "" {
			t.settle(g, to, "running")
		}
	}
}
