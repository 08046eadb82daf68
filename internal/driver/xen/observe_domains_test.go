package xen

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// As long as the same domains run, their configurations are asked for once; what the list itself says of
// them is always of now.
func TestConfigurationsAreAskedForOnce(t *testing.T) {
	w := newWorld(t)
	list := strings.Join(strings.SplitAfter(sample(t, "list-v.txt"), "\n")[:4], "") // dom0, g1, h1
	w.put("/world/list-v", list)
	w.put("/world/list-l", strings.ReplaceAll(sample(t, "list-l.json"), "/etc/os-release", w.root+"/etc/os-release"))
	d, h := New(Config{}), driver.Host{ID: "x1", URI: "xen+ssh://root@x1.example/"}
	look := func() *seen {
		t.Helper()
		before := d.knownDomains(h)
		s := &seen{}
		s.At = time.Now()
		var err error
		if s.answer, err = parseAnswer(w.ask("", "domains="+before.lines)); err != nil {
			t.Fatal(err)
		}
		if err := s.read(before); err != nil {
			t.Fatal(err)
		}
		d.keepDomains(h, s)
		s.observe(h)
		return s
	}
	first := look()
	if first.asBefore || len(first.Instances) != 2 {
		t.Fatalf("%v %+v", first.asBefore, first.Instances)
	}
	w.put("/world/list-l", "not asked for")
	w.put("/world/list-v", strings.Replace(list, "-b----", "--p---", 1))
	second := look()
	if want := strings.Replace(briefs(first), "g1 running", "g1 paused", 1); !second.asBefore || briefs(second) != want {
		t.Errorf("%v: got\n%s\nwant\n%s", second.asBefore, briefs(second), want)
	}
	if strings.Join(second.Missing, "; ") != strings.Join(first.Missing, "; ") || len(second.Instances[0].Facts.Disks) != len(first.Instances[0].Facts.Disks) {
		t.Errorf("missing %q, then %q", first.Missing, second.Missing)
	}
	// One that was started again is another domain, and so is one of another boot.
	for name, change := range map[string]func(){
		"started again": func() { w.put("/world/list-v", strings.Replace(list, " 1   128", " 7   128", 1)) },
		"another boot": func() {
			w.put("/world/list-v", list)
			w.put("/proc/sys/kernel/random/boot_id", "0c98686c-5a11-41d6-9104-642e9f255ffb\n")
		},
	} {
		change()
		w.put("/world/list-l", "[\n]\n")
		if s := look(); s.asBefore {
			t.Errorf("%s: it was taken for what was before", name)
		}
		if k := d.knownDomains(h); k.lines != "" {
			t.Errorf("%s: a look that lacks configurations is remembered: %q", name, k.lines)
		}
		w.put("/world/list-v", list)
		w.put("/world/list-l", sample(t, "list-l.json"))
		look()
	}
}
