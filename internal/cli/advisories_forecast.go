package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/feed"
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// forecast is how a document's harm could be mended, and how long that would take.
type forecast struct {
	Target  string   `json:"target,omitempty"` // the id of the target it is made with
	Drafted bool     `json:"drafted"`          // from the advisory itself
	Notes   []string `json:"notes,omitempty"`  // what could not be drafted or planned, and why
	File    string   `json:"file,omitempty"`   // where the draft was saved
	Ways    []way    `json:"ways"`
}

// way is what one choice of tactics would come to.
type way struct {
	Tactics   []plan.Tactic `json:"tactics"` // that were allowed
	Hosts     int           `json:"hosts"`   // with a turn
	ByTactic  []tacticCount `json:"by_tactic,omitempty"`
	Waves     int           `json:"waves"`
	Start     time.Time     `json:"start,omitzero"`
	End       time.Time     `json:"end,omitzero"` // expected
	DurationS int64         `json:"duration_s"`
	// Untouched, Blip and Outage are the instances on the hosts with a turn, by what they suffer.
	Untouched int            `json:"untouched"`
	Blip      int            `json:"blip"`
	Outage    int            `json:"outage"`
	Tenants   int            `json:"tenants"` // to tell
	Blocked   []plan.Blocked `json:"blocked"`
}

type tacticCount struct {
	Tactic plan.Tactic `json:"tactic"`
	Hosts  int         `json:"hosts"`
}

// forecast plans with the operator's target, or with one drafted from the document.
func (w *advisoriesWatch) forecast(d feed.Document, now time.Time) *forecast {
	out := &forecast{Ways: []way{}}
	t, as := w.target, append(slices.Clone(w.named), d.Advisories...)
	if t == nil {
		t, out.Notes = advisory.Draft(w.fleet, d.Advisories)
		out.Drafted, as = true, d.Advisories
	}
	if t == nil {
		return out
	}
	out.Target = t.ID
	if out.Drafted {
		if notes := w.checkDraft(t); len(notes) > 0 {
			out.Notes = append(out.Notes, notes...)
			return out
		}
		if w.in.drafts != "" {
			file, note := w.saveDraft(t, d, now)
			if out.File = file; note != "" {
				out.Notes = append(out.Notes, note)
			}
		}
	}
	if out.Drafted {
		t = asIfComplete(t)
	}
	a := advisory.Assess(w.fleet, t, as, w.policy.StaleAfter.Std(), now)
	ways, notes := w.ways(planner.Input{Fleet: w.fleet, Target: t, Assessment: a, Policy: *w.policy, Campaign: "forecast", Now: now, Revision: 1})
	out.Ways, out.Notes = ways, append(out.Notes, notes...)
	return out
}

// asIfComplete gives a draft an update for each cohort, which no advisory names and without which
// nothing can be planned. The forecast alone uses it, with the policy's own time for an update.
func asIfComplete(t *plan.Target) *plan.Target {
	out := *t
	out.Cohorts = slices.Clone(t.Cohorts)
	for i := range out.Cohorts {
		out.Cohorts[i].Update.Command = []string{"update"}
	}
	return &out
}

// ways plans with all tactics of the policy, then with each alone where that gives something else.
func (w *advisoriesWatch) ways(in planner.Input) (out []way, notes []string) {
	whole, err := planWay(in)
	if err != nil {
		return []way{}, []string{"it cannot be planned: " + err.Error()}
	}
	out = []way{whole}
	for _, t := range w.policy.Tactics {
		if t == plan.Hold || len(w.policy.Tactics) == 1 {
			continue
		}
		alone := in
		alone.Policy.Tactics = []plan.Tactic{t}
		x, err := planWay(alone)
		switch {
		case err != nil:
			notes = append(notes, "by "+string(t)+" alone it cannot be planned: "+err.Error())
		case x.Hosts == 0 && whole.Hosts > 0:
			notes = append(notes, fmt.Sprintf("by %s alone no host could have a turn: %s", t, firstBlocked(x.Blocked)))
		case x.Hosts > 0 && !(len(whole.ByTactic) == 1 && whole.ByTactic[0].Tactic == t && x.Hosts == whole.Hosts):
			out = append(out, x)
		}
	}
	return out, notes
}

func firstBlocked(list []plan.Blocked) string {
	if len(list) == 0 {
		return "none needs it"
	}
	return list[0].Why
}

func planWay(in planner.Input) (way, error) {
	p, err := planner.Propose(in)
	if err != nil {
		return way{}, err
	}
	x := way{Tactics: in.Policy.Tactics, Hosts: p.Counts.Hosts, Waves: p.Counts.Waves, Tenants: p.Counts.Tenants, Blocked: p.Blocked}
	if x.Blocked == nil {
		x.Blocked = []plan.Blocked{}
	}
	turns := map[string]bool{}
	for _, t := range p.Turns {
		turns[t.Host] = true
		if x.Start.IsZero() || t.Start.Before(x.Start) {
			x.Start = t.Start
		}
		if t.End.After(x.End) {
			x.End = t.End
		}
		i := slices.IndexFunc(x.ByTactic, func(c tacticCount) bool { return c.Tactic == t.Tactic })
		if i < 0 {
			i, x.ByTactic = len(x.ByTactic), append(x.ByTactic, tacticCount{Tactic: t.Tactic})
		}
		x.ByTactic[i].Hosts++
	}
	x.DurationS = int64(x.End.Sub(x.Start) / time.Second)
	worst := map[string]plan.Class{}
	for _, s := range p.Slots {
		if worst[s.Instance] != plan.ClassOutage {
			worst[s.Instance] = s.Class
		}
	}
	for _, i := range in.Fleet.Instances {
		switch {
		case worst[i.ID] == plan.ClassOutage:
			x.Outage++
		case worst[i.ID] == plan.ClassBlip:
			x.Blip++
		case turns[i.Host]:
			x.Untouched++
		}
	}
	return x, nil
}

// checkDraft reads a draft as a target's file is read: one that could not be read again is none.
func (w *advisoriesWatch) checkDraft(t *plan.Target) (notes []string) {
	_, mistakes := plan.ParseTarget("draft", form.Encode(t))
	for _, m := range mistakes {
		notes = append(notes, "the draft is not usable: "+m.String())
	}
	return notes
}

// saveDraft writes a draft, and the document where it is not a file of its own. What is there
// already is left alone.
func (w *advisoriesWatch) saveDraft(t *plan.Target, d feed.Document, now time.Time) (file, note string) {
	if err := os.MkdirAll(w.in.drafts, 0o755); err != nil {
		return "", "the draft was not saved: " + err.Error()
	}
	name := fileName(t.ID)
	copied := *t
	copied.Advisories = []string{w.besideDraft(name, d)}
	var text bytes.Buffer
	fmt.Fprintf(&text, "# Drafted on %s from %s\n", utcMoment(now), printable(oneLine(d.Name)))
	text.WriteString("# by evenkeel advisories watch: what the advisory names, and nothing else. Before planning, say how\n" +
		"# hosts are updated (update), and look at matches, versions and the remedy of each cohort.\n")
	text.Write(form.Encode(&copied))
	path := filepath.Join(w.in.drafts, name+".target.yaml")
	switch err := writeNew(path, text.Bytes()); {
	case errors.Is(err, fs.ErrExist):
		return "", "the draft was not saved: " + path + " is there already, and is left as it is"
	case err != nil:
		return "", "the draft was not saved: " + err.Error()
	}
	return path, ""
}

// besideDraft gives the path of the document, relative to the draft.
func (w *advisoriesWatch) besideDraft(name string, d feed.Document) string {
	if _, err := os.Stat(d.Name); err == nil {
		document, err1 := filepath.Abs(d.Name)
		folder, err2 := filepath.Abs(w.in.drafts)
		if rel, err := filepath.Rel(folder, document); errors.Join(err, err1, err2) == nil {
			return rel
		}
	}
	ending := ".yaml"
	switch first := bytes.TrimSpace(d.Body); {
	case bytes.HasPrefix(first, []byte("<")):
		ending = ".xml"
	case bytes.HasPrefix(first, []byte("{")), bytes.HasPrefix(first, []byte("[")):
		ending = ".json"
	}
	file := name + "-" + d.SHA256[:12] + ending // the digest: another of that name is another document
	if err := writeNew(filepath.Join(w.in.drafts, file), d.Body); err != nil && !errors.Is(err, fs.ErrExist) {
		return d.Name
	}
	return file
}

// fileName makes an id the name of a file, whatever the id holds.
func fileName(id string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r) {
			return r
		}
		return '-'
	}, id)
	return strings.TrimLeft(name[:min(len(name), 100)], ".")
}

// writeNew writes a file that must not be there yet.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(path)
	}
	return err
}

func (p *page) forecast(f *forecast) {
	by := "by the target " + f.Target
	if f.Drafted {
		by = "by a target drafted from it"
	}
	if f.Target == "" {
		by = "no target could be drafted"
	}
	p.field("forecast", by)
	for _, x := range f.Ways {
		p.way(x)
	}
	for _, n := range f.Notes {
		p.line("    %s", oneLine(n))
	}
	if f.File != "" {
		p.field("draft", f.File)
	}
}

func (p *page) way(x way) {
	words := make([]string, len(x.Tactics))
	for i, t := range x.Tactics {
		words[i] = string(t)
	}
	name := "with " + strings.Join(words, ", ")
	if x.Hosts == 0 {
		p.line("    %s: no host can have a turn; %s", name, blockedWords(x.Blocked))
		return
	}
	var by []string
	for _, c := range x.ByTactic {
		by = append(by, fmt.Sprintf("%s %d", c.Tactic, c.Hosts))
	}
	p.line("    %s: %s in %s (%s), %s", name, counted(x.Hosts, "host"), counted(x.Waves, "wave"), strings.Join(by, ", "), blockedWords(x.Blocked))
	p.line("      %s to %s, %s", utcMoment(x.Start), utcMoment(x.End), time.Duration(x.DurationS)*time.Second)
	p.line("      instances: %d moved alive (blip), %d stopped or saved (outage), %d untouched; tenants to tell: %d", x.Blip, x.Outage, x.Untouched, x.Tenants)
}

func blockedWords(list []plan.Blocked) string {
	if len(list) == 0 {
		return "nothing blocked"
	}
	return fmt.Sprintf("%d blocked: %s", len(list), oneLine(list[0].Why))
}
