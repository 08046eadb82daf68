// Package truth_test holds Assess, and the parsers before it, against a truth table that was
// labelled by hand: testdata/table.yaml, over the documents in testdata/docs.
package truth_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/advisory/parse"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// row is one pair: what the documents say of one host and its guests.
type row struct {
	ID     string
	Docs   []string
	Target *plan.Target
	Stale  string // how old facts may be; a day when empty
	Host   fleet.Host
	Guests []fleet.Instance
	Want   map[string]advisory.Verdict // by guest, and `host`
	Says   []string                    // parts of the host's evidence
	Why    string
}

// now is when all rows are judged, and when facts without a moment were read.
var now = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func TestTruth(t *testing.T) {
	rows := readTable(t)
	guests, used, verdicts := 0, map[string]bool{}, map[advisory.Verdict]int{}
	for _, r := range rows {
		guests += len(r.Guests)
		verdicts[r.Want["host"]]++
		for _, doc := range r.Docs {
			used[doc] = true
		}
		t.Run(r.ID, func(t *testing.T) { r.check(t) })
	}
	t.Logf("%d pairs of documents and host, with %d guests, over %d documents; hosts by label: %v", len(rows), guests, len(used), verdicts)
	if len(rows) < 60 {
		t.Errorf("%d pairs, expected 60 at least", len(rows))
	}
	for _, v := range advisory.Verdicts {
		if verdicts[v] < 10 {
			t.Errorf("only %d hosts are labelled %s, expected 10 at least: a judge that never says it would hardly be seen", verdicts[v], v)
		}
	}
	for _, path := range documents(t) {
		if name := filepath.Base(path); !used[name] {
			t.Errorf("no row uses the document %s", name)
		}
	}
}

func readTable(t *testing.T) []row {
	t.Helper()
	src, err := os.ReadFile("testdata/table.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	if err := yaml.UnmarshalWithOptions(src, &rows, yaml.Strict()); err != nil {
		t.Fatal(yaml.FormatError(err, false, true))
	}
	seen := map[string]bool{}
	for _, r := range rows {
		if seen[r.ID] || r.ID == "" || r.Why == "" || len(r.Docs) == 0 && r.Target == nil {
			t.Fatalf("the row %q must have an id of its own, documents or a target, and a reason", r.ID)
		}
		seen[r.ID] = true
		labelled := []string{"host"}
		for _, g := range r.Guests {
			labelled = append(labelled, g.ID)
		}
		for id, v := range r.Want {
			if !slices.Contains(labelled, id) || !slices.Contains(advisory.Verdicts, v) {
				t.Fatalf("the row %s wants %q of %q, expected a verdict of one of %v", r.ID, v, id, labelled)
			}
		}
		if len(r.Want) != len(labelled) {
			t.Fatalf("the row %s labels %d, expected each of %v", r.ID, len(r.Want), labelled)
		}
	}
	return rows
}

func documents(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/docs/*")
	if err != nil || len(paths) < 25 {
		t.Fatalf("%d documents, expected 25 at least (%v)", len(paths), err)
	}
	return paths
}

// check judges the row and compares with its labels.
func (r *row) check(t *testing.T) {
	var as []advisory.Advisory
	for _, doc := range r.Docs {
		src, err := os.ReadFile(filepath.Join("testdata/docs", doc))
		if err != nil {
			t.Fatal(err)
		}
		read, mistakes := parse.Parse(doc, src)
		if len(mistakes) > 0 {
			t.Fatal(mistakes)
		}
		as = append(as, read...)
	}
	stale := 24 * time.Hour
	if r.Stale != "" {
		var err error
		if stale, err = time.ParseDuration(r.Stale); err != nil {
			t.Fatal(err)
		}
	}
	got := advisory.Assess(r.fleet(), r.Target, as, stale, now)
	host, ok := got.Host("host")
	if !ok {
		t.Fatal("there is no verdict on the host")
	}
	evidence := strings.Join(host.Evidence, "\n")
	if host.Verdict != r.Want["host"] {
		r.disagree(t, "the host", r.Want["host"], host.Verdict, host.Evidence)
	}
	for _, part := range r.Says {
		if !strings.Contains(evidence, part) {
			t.Errorf("the host's evidence does not say %q:\n%s", part, evidence)
		}
	}
	for _, g := range r.Guests {
		v, ok := got.Instance(g.ID)
		if !ok {
			t.Errorf("there is no verdict on %s", g.ID)
		} else if v.Verdict != r.Want[g.ID] {
			r.disagree(t, g.ID, r.Want[g.ID], v.Verdict, v.Evidence)
		}
	}
}

func (r *row) disagree(t *testing.T, of string, want, got advisory.Verdict, evidence []string) {
	t.Helper()
	from := strings.Join(r.Docs, ", ")
	if r.Target != nil {
		from += fmt.Sprintf(" target %s", r.Target.ID)
	}
	t.Errorf("%s by %s: labelled %s, judged %s\n  label:    %s\n  evidence: %s", of, strings.TrimSpace(from), want, got, r.Why, strings.Join(evidence, "\n            "))
}

// fleet is the row's host and guests in a fleet of one pool.
func (r *row) fleet() *fleet.Fleet {
	h := r.Host
	h.ID, h.Pools = "host", []string{"pool"}
	f := &fleet.Fleet{
		Evenkeel: fleet.SchemaV1, Taken: now,
		Regions: []fleet.Region{{ID: "region"}}, Sites: []fleet.Site{{ID: "site", Region: "region"}}, Pools: []fleet.Pool{{ID: "pool", Site: "site"}},
		Hosts: []fleet.Host{h},
	}
	for _, g := range r.Guests {
		g.Host = "host"
		f.Instances = append(f.Instances, g)
	}
	return f
}
