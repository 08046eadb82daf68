package whatif_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/whatif"
)

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// fleetOf has pools of hosts with 8 GiB each and so many instances of 1 GiB on each, of tenants by turns.
func fleetOf(pools, hosts, each, tenants int) *fleet.Fleet {
	f := &fleet.Fleet{Evenkeel: fleet.SchemaV1, Regions: []fleet.Region{{ID: "north"}}, Sites: []fleet.Site{{ID: "n1", Region: "north", Timezone: "Europe/Berlin"}}}
	for t := range tenants {
		f.Tenants = append(f.Tenants, fleet.Tenant{ID: fmt.Sprint("t", t), Contacts: []fleet.Contact{{Email: "ops@tenant.example"}}})
	}
	n := 0
	for p := range pools {
		pool := fmt.Sprint("p", p)
		f.Pools = append(f.Pools, fleet.Pool{ID: pool, Site: "n1"})
		for h := range hosts {
			id := fmt.Sprintf("%s-h%02d", pool, h)
			f.Hosts = append(f.Hosts, fleet.Host{ID: id, Pools: []string{pool}, Hypervisor: fleet.KVM, MemoryMiB: 8192, NICMbps: 10000})
			for k := range each {
				f.Instances = append(f.Instances, fleet.Instance{ID: fmt.Sprintf("%s-v%d", id, k), Host: id, Tenant: fmt.Sprint("t", n%tenants), MemoryMiB: 1024})
				n++
			}
		}
	}
	return f
}

func input(f *fleet.Fleet) planner.Input {
	return planner.Input{Fleet: f, Policy: plan.DefaultPolicy(), Campaign: "spring", Now: now, Revision: 1}
}

func compare(t *rapid.T, in planner.Input) whatif.Comparison {
	t.Helper()
	c, err := whatif.Compare(in, whatif.Ways(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func row(t *testing.T, c whatif.Comparison, name string) whatif.Row {
	t.Helper()
	for _, r := range c.Rows {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no row %q", name)
	return whatif.Row{}
}

// TestTrade: what each way costs is what it must cost on a fleet that is easy to reckon.
func TestTrade(t *testing.T) {
	c, err := whatif.Compare(input(fleetOf(1, 40, 4, 8)), whatif.Ways(), nil)
	if err != nil {
		t.Fatal(err)
	}
	asked, bound, home := row(t, c, "as asked"), row(t, c, "bound"), row(t, c, "bring home")
	if asked.TenantsTouched != 8 || asked.TouchedPercent != 100 || asked.TenantsStopped != 0 || asked.Blocked != 0 {
		t.Errorf("as asked: %+v", asked)
	}
	if bound.FinishS >= asked.FinishS || bound.Best || !bound.Measure || bound.ExposedVMHours >= asked.ExposedVMHours {
		t.Errorf("all that capacity allows is not sooner: %+v, as asked %+v", bound, asked)
	}
	if home.Moves != 2*160 || home.MostEach < 2 {
		t.Errorf("there and back: %+v", home)
	}
	stay, settle := asked, row(t, c, "settle")
	if stay.PoolsWorse == 0 || settle.PoolsWorse > 0 || home.PoolsWorse > 0 || settle.Moves <= stay.Moves || settle.Moves >= home.Moves {
		t.Errorf("pools worse off, and moves: %d and %d to stay, %d and %d to settle, %d and %d there and back", stay.PoolsWorse, stay.Moves, settle.PoolsWorse, settle.Moves, home.PoolsWorse, home.Moves)
	}
	if saved := row(t, c, "saved, not moved"); saved.Stops != 160 || saved.TenantsStopped != 8 || saved.Moves != 0 {
		t.Errorf("saved, not moved: %+v", saved)
	}
	if more := row(t, c, "twice away"); more.FinishS >= asked.FinishS || !strings.Contains(more.What, "10 %") {
		t.Errorf("twice as many away: %+v, as asked %+v", more, asked)
	}
}

// TestDeadline: each way that is named to meet a deadline does so when it is done, and half of it does not.
func TestDeadline(t *testing.T) {
	in := input(fleetOf(2, 30, 4, 8))
	in.Policy.FinishBy = now.Add(84 * time.Hour)
	c, err := whatif.Compare(in, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := c.Deadline
	if d == nil || d.Past == 0 || d.LateS <= 0 || len(d.Ways) != 3 {
		t.Fatalf("deadline %+v", d)
	}
	free := in
	free.Policy.FinishBy = time.Time{}
	if p, err := planner.Propose(free); err != nil || int64(p.End.Sub(in.Policy.FinishBy).Seconds()) != d.LateS {
		t.Errorf("late by %d s, without the deadline it ends %s, %v", d.LateS, p.End, err)
	}
	for _, r := range d.Ways {
		if r.End.After(d.At) {
			t.Errorf("%s: over %s, after %s", r.Words, r.End, d.At)
		}
	}
	away := -1
	for _, r := range d.Ways {
		if r.Price == "less room while it lasts" {
			_, _ = fmt.Sscanf(r.Words, "let %d %% of a pool", &away)
		}
	}
	if away < 0 {
		t.Fatalf("no way takes more hosts at once: %+v", d.Ways)
	}
	for percent, blocked := range map[int]bool{away: false, away - 1: true} {
		in.Policy.MaxAwayPercent = percent
		if p, err := planner.Propose(in); err != nil || (len(p.Blocked) > 0) != blocked {
			t.Errorf("%d %% away, %d were named: %d blocked, %v", percent, away, len(p.Blocked), err)
		}
	}
}

// TestAnyComparison: nothing is changed of what is compared, the same comes out twice, no row that is marked as
// the best is beaten, and exposure is what counting each instance's minutes gives.
func TestAnyComparison(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := fleetOf(rapid.IntRange(1, 2).Draw(t, "pools"), rapid.IntRange(1, 5).Draw(t, "hosts"), rapid.IntRange(0, 8).Draw(t, "each"), rapid.IntRange(1, 4).Draw(t, "tenants"))
		in := input(f)
		in.Policy.BringHome = rapid.Bool().Draw(t, "home")
		if rapid.Bool().Draw(t, "deadline") {
			in.Policy.FinishBy = now.Add(time.Duration(rapid.IntRange(1, 200).Draw(t, "hours")) * time.Hour)
		}
		before := fmt.Sprintf("%+v %+v", *f, in.Policy)
		c, again := compare(t, in), compare(t, in)
		if after := fmt.Sprintf("%+v %+v", *f, in.Policy); after != before {
			t.Fatalf("the input has changed:\n%s\n%s", before, after)
		}
		a, _ := json.Marshal(c)
		if b, _ := json.Marshal(again); !bytes.Equal(a, b) {
			t.Errorf("not the same twice:\n%s\n%s", a, b)
		}
		for _, r := range c.Rows {
			for _, o := range c.Rows {
				if r.Best && !o.Measure && o.Blocked <= r.Blocked && o.FinishS < r.FinishS && o.TenantsTouched <= r.TenantsTouched && o.TenantsStopped <= r.TenantsStopped && o.MostEach <= r.MostEach && o.PoolsWorse <= r.PoolsWorse {
					t.Errorf("%s is beaten by %s: %+v, %+v", r.Name, o.Name, r, o)
				}
			}
		}
		asked := c.Rows[0]
		if want := minutes(t, in, lastEnd(c)) / 60; math.Abs(want-asked.ExposedVMHours) > 0.02*want+0.2 {
			t.Errorf("exposed %v VM-hours, counted %v", asked.ExposedVMHours, want)
		}
		readable(t, c)
	})
}

func lastEnd(c whatif.Comparison) time.Time {
	last := c.Now
	for _, r := range c.Rows {
		if r.End.After(last) {
			last = r.End
		}
	}
	if c.Deadline != nil && c.Deadline.End.After(last) {
		last = c.Deadline.End
	}
	return last
}

// minutes counts the exposed minutes of all instances until the end, minute by minute.
func minutes(t *rapid.T, in planner.Input, end time.Time) (n float64) {
	p, err := planner.Propose(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range in.Fleet.Instances {
		for at := in.Now; at.Before(end); at = at.Add(time.Minute) {
			host := i.Host
			for _, m := range p.Moves {
				if m.Instance == i.ID && !m.End.After(at) {
					host = m.To
				}
			}
			fixed := false
			for _, turn := range p.Turns {
				fixed = fixed || turn.Host == host && !turn.End.After(at)
			}
			if fixed {
				break // it came to the fix
			}
			n++
		}
	}
	return n
}

// readable: the table says something of each way and fits a terminal, and the picture is XML with a bar for each that is shown.
func readable(t *rapid.T, c whatif.Comparison) {
	var table, picture bytes.Buffer
	if err := errors.Join(whatif.Table(&table, c), whatif.Picture(&picture, c)); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(table.String()) {
		if len(line) > 101 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
	bars, shown := 0, 0
	for _, r := range c.Rows {
		if !strings.Contains(table.String(), r.Name) {
			t.Errorf("%s is not in the table", r.Name)
		}
		if r.SameAs == "" && r.Turns > 0 {
			shown++
		}
	}
	for d := xml.NewDecoder(&picture); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "rect" && e.Attr[0].Value != "paper" {
			bars++
		}
	}
	if bars--; bars != shown { // one stands beside its meaning
		t.Errorf("%d bars for %d ways", bars, shown)
	}
}
