package picture_test

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/picture"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

var update = flag.Bool("update", false, "write docs/plan.svg anew")

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

var zones = []string{"Europe/Berlin", "America/New_York", "Asia/Singapore"}

// regions is a fleet of so many regions with two sites each, with hosts of ten instances of which every fiftieth is pinned.
func regions(n, hosts int) *fleet.Fleet {
	f := &fleet.Fleet{Evenkeel: fleet.SchemaV1, Tenants: []fleet.Tenant{{ID: "acme", Contacts: []fleet.Contact{{Email: "ops@acme.example"}}}}}
	for r, region := range []string{"europe", "america", "asia"}[:n] {
		f.Regions = append(f.Regions, fleet.Region{ID: region})
		for _, s := range []string{"a", "b"} {
			site := region + "-" + s
			f.Sites = append(f.Sites, fleet.Site{ID: site, Region: region, Timezone: zones[r]})
			f.Pools = append(f.Pools, fleet.Pool{ID: site, Site: site})
			for h := range hosts {
				id := fmt.Sprintf("%s-%02d", site, h)
				f.Hosts = append(f.Hosts, fleet.Host{ID: id, Pools: []string{site}, Hypervisor: fleet.KVM, MemoryMiB: 64 << 10, NICMbps: 25000})
				for k := range 10 {
					i := fleet.Instance{ID: fmt.Sprintf("%s-v%d", id, k), Host: id, Tenant: "acme", MemoryMiB: 4096}
					if len(f.Instances)%50 == 49 {
						i.Pinned = "its licence"
					}
					f.Instances = append(f.Instances, i)
				}
			}
		}
	}
	return f
}

func planned(t interface{ Fatal(...any) }, f *fleet.Fleet, change func(*plan.Policy)) *plan.Plan {
	in := planner.Input{Fleet: f, Policy: plan.DefaultPolicy(), Campaign: "spring", Now: now, Revision: 1}
	if change != nil {
		change(&in.Policy)
	}
	p, err := planner.Propose(in)
	if err != nil {
		t.Fatal(err)
	}
	p.Fleet = f
	return &p
}

func drawn(t interface{ Fatal(...any) }, p *plan.Plan) []byte {
	var b bytes.Buffer
	zone := func(site string) *time.Location {
		for _, s := range p.Fleet.Sites {
			if s.ID == site {
				loc, _ := time.LoadLocation(s.Timezone)
				return loc
			}
		}
		return nil
	}
	if err := picture.Plan(&b, p, zone); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestDocs: the picture in docs/ is what is drawn of a plan of three regions today.
func TestDocs(t *testing.T) {
	got := drawn(t, planned(t, regions(3, 20), func(p *plan.Policy) { p.MaxAwayPercent = 15 }))
	const path = "../../docs/plan.svg"
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("docs/plan.svg is not what is drawn now: go test ./internal/picture -update, and look at it")
	}
}

type rect struct {
	class      string
	x, y, w, h float64
	words      string // of its title
}

// rects reads a picture back.
func rects(t *rapid.T, svg []byte) (out []rect, texts []string) {
	title, in := "", ""
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return out, texts
		}
		if err != nil {
			t.Fatalf("no XML: %v\n%s", err, svg)
		}
		switch e := token.(type) {
		case xml.StartElement:
			in = e.Name.Local
			if in != "rect" {
				continue
			}
			r := rect{words: title}
			for _, a := range e.Attr {
				n, _ := strconv.ParseFloat(a.Value, 64)
				switch a.Name.Local {
				case "class":
					r.class = a.Value
				case "x":
					r.x = n
				case "y":
					r.y = n
				case "width":
					r.w = n
				case "height":
					r.h = n
				}
			}
			out = append(out, r)
		case xml.CharData:
			switch in {
			case "title":
				title = string(e)
			case "text":
				texts = append(texts, string(e))
			}
		case xml.EndElement:
			if in = ""; e.Name.Local == "g" {
				title = ""
			}
		}
	}
}

// TestAnyPlan: whatever is planned, each wave of each site is drawn once, within the scale, later ones to the right,
// and inside a slot where somebody was promised one.
func TestAnyPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := regions(rapid.IntRange(1, 3).Draw(t, "regions"), rapid.IntRange(0, 6).Draw(t, "hosts"))
		p := planned(t, f, func(p *plan.Policy) {
			p.MaxAwayPercent = rapid.SampledFrom([]int{5, 50, 100}).Draw(t, "away")
			p.Canary, p.BringHome = rapid.Bool().Draw(t, "canary"), rapid.Bool().Draw(t, "home")
			if rapid.Bool().Draw(t, "always") {
				p.Windows = []plan.WindowRule{{Always: true}}
			}
			if rapid.Bool().Draw(t, "deadline") {
				p.FinishBy = now.Add(time.Duration(rapid.IntRange(1, 300).Draw(t, "hours")) * time.Hour)
			}
		})
		type key struct {
			site   string
			wave   int
			tactic plan.Tactic
		}
		want := map[key]int{}
		for _, turn := range p.Turns {
			want[key{turn.Site, turn.Wave, turn.Tactic}]++
		}
		all, texts := rects(t, drawn(t, p))
		waves, slots := 0, 0
		lastX := map[string]float64{}
		for _, r := range all {
			if r.class == "slot" && r.h > 12 {
				slots++
			}
			if r.words == "" || !strings.HasSuffix(r.class, " worst") {
				continue
			}
			waves++
			if r.x < 189.9 || r.x+r.w > 963 {
				t.Errorf("%s lies outside the scale: %+v", r.words, r)
			}
			site, _, _ := strings.Cut(r.words, ",")
			if r.x < lastX[site] {
				t.Errorf("%s lies left of an earlier one", r.words)
			}
			lastX[site] = r.x
		}
		if waves != len(want) {
			t.Errorf("%d waves are drawn, want %d", waves, len(want))
		}
		if (slots > 0) != (len(p.Slots) > 0) {
			t.Errorf("%d slots are drawn of %d", slots, len(p.Slots))
		}
		for _, s := range f.Sites {
			hosts := 0
			for k, n := range want {
				if k.site == s.ID {
					hosts += n
				}
			}
			if line := fmt.Sprintf("%d  ·  ", hosts); hosts > 0 && !strings.Contains(strings.Join(texts, "\n"), line) {
				t.Errorf("no row says %q", line)
			}
		}
	})
}
