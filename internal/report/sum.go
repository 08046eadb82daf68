package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// sum counts what the lines say.
func (b *book) sum() {
	r := b.r
	t := &r.Totals
	b.sumHosts()
	touched, tenants := map[string]bool{}, map[string]bool{}
	var blackouts []int64
	for _, a := range r.Acts {
		touched[a.Instance] = true
		if a.Tenant != "" {
			tenants[a.Tenant] = true
		}
		moved := a.Kind == "move" || a.Kind == "home"
		switch {
		case a.Result == Failed && moved:
			t.MovesFailed++
		case a.Result == Done && moved:
			t.Moves++
		case a.Result == Done:
			t.Stops++
			t.StopMaxMs = max(t.StopMaxMs, a.Ms)
		}
		if a.Result == Done && a.Ms < 0 {
			t.NotMeasured++
		}
		if a.Result == Done && moved && a.Ms >= 0 {
			blackouts = append(blackouts, a.Ms)
		}
	}
	t.InstancesTouched, t.TenantsTouched = len(touched), len(tenants)
	if n := len(blackouts); n > 0 {
		slices.Sort(blackouts)
		t.BlackoutMedianMs, t.BlackoutMaxMs = (blackouts[(n-1)/2]+blackouts[n/2])/2, blackouts[n-1]
	}
}

// sumHosts counts each host once, whatever turns it has: held where one is, open where one is, done where
// all that were needed are.
func (b *book) sumHosts() {
	t := &b.r.Totals
	states, rebooted, short := map[string][]HostState{}, map[string]bool{}, map[string]bool{}
	for i := range b.r.Hosts {
		h := &b.r.Hosts[i]
		if h.Wave == 0 {
			continue // no turn
		}
		state := h.State
		if state == HostDropped && h.Code == execution.CodeInstead { // its reboot is what counts
			state = ""
		}
		states[h.Host] = append(states[h.Host], state)
		// A turn that was dropped although its host was not at the target leaves the host short of it.
		short[h.Host] = short[h.Host] || state == HostDropped && h.Code != execution.CodeReached
		rebooted[h.Host] = rebooted[h.Host] || h.BootAfter != "" && h.BootAfter != h.BootBefore
		if h.Tactic == plan.LivePatch && h.State == HostDone {
			t.Patched++
		}
	}
	t.HostsPlanned = len(states)
	for host, of := range states {
		switch {
		case slices.Contains(of, HostHeld):
			t.HostsHeld++
		case slices.ContainsFunc(of, func(s HostState) bool { return s != HostDone && s != HostDropped && s != "" }):
			t.HostsOpen++
		case short[host], !slices.Contains(of, HostDone):
			t.HostsDropped++
		default:
			t.HostsDone++
		}
		if rebooted[host] {
			t.Rebooted++
		}
	}
}

// Headline is the report in one sentence.
func (r *Report) Headline() string {
	t := r.Totals
	words := []string{
		fmt.Sprintf("hosts %d/%d done", t.HostsDone, t.HostsPlanned),
		fmt.Sprintf("instances %d/%d running", t.InstancesRunning, t.InstancesBefore),
		fmt.Sprintf("notices %d/%d accepted", t.NoticesAccepted, t.NoticesAsked),
		"promises " + r.PromiseCounts(),
	}
	return strings.Join(words, ", ")
}

// PromiseCounts tells how the promises came out, the most pressing first.
func (r *Report) PromiseCounts() string {
	var words []string
	for _, o := range Outcomes {
		if n := r.Totals.Promises[o]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, o))
		}
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

// Phase is the campaign's state for people.
func (r *Report) Phase() string {
	if r.State == Finished && r.Why != "" {
		return "finished (" + r.Why + ")"
	}
	return string(r.State) + because(r.Why)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// ms writes milliseconds for people; -1 is 'not measured'.
func ms(n int64) string {
	if n < 0 {
		return "not measured"
	}
	return span(time.Duration(n) * time.Millisecond)
}

// span writes a duration with two units at most: 340 ms, 4.2 s, 3 m 5 s, 2 h 10 m, 3 d 4 h.
func span(d time.Duration) string {
	if d < 0 {
		return "-" + span(-d)
	}
	two := func(n int64, big string, m int64, small string) string {
		if m == 0 {
			return strconv.FormatInt(n, 10) + " " + big
		}
		return fmt.Sprintf("%d %s %d %s", n, big, m, small)
	}
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < 59950*time.Millisecond:
		return strings.TrimSuffix(strconv.FormatFloat(d.Seconds(), 'f', 1, 64), ".0") + " s"
	case s < 3600:
		return two(s/60, "m", s%60, "s")
	case s < 86400:
		return two(s/3600, "h", s%3600/60, "m")
	}
	return two(s/86400, "d", s%86400/3600, "h")
}
