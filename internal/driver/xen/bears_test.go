package xen

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// As many images are written at once as dom0 has processors, up to a bound; who waits in vain has begun nothing.
func TestHeavyActsAreBounded(t *testing.T) {
	h := driver.Host{ID: "x1", URI: "xen+ssh://root@x1.example/"}
	for cpus, most := range map[int]int{0: 1, 1: 1, 3: 3, 64: heavyMost} {
		d := New(Config{})
		d.noteCPUs(h, []endDomain{{name: "Domain-0", vcpus: cpus}, {name: "g1", id: 1, vcpus: 7}})
		var done []func()
		for range most {
			end, err := d.heavy(in(t, 20*time.Second), h, "saving")
			if err != nil {
				t.Fatal(err)
			}
			done = append(done, end)
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := d.heavy(over, h, "saving"); code(err) != driver.CodeDeadline {
			t.Errorf("%d processors: one more than %d is begun: %v", cpus, most, err)
		}
		var waiting sync.WaitGroup
		for range 2 * heavyMost { // each in its turn
			waiting.Go(func() {
				end, err := d.heavy(t.Context(), h, "restoring")
				if err != nil {
					t.Error(err)
					return
				}
				end()
			})
		}
		for _, end := range done {
			end()
		}
		waiting.Wait()
		if b := d.bears(h); b.busy != 0 {
			t.Errorf("%d processors: %d are left", cpus, b.busy)
		}
		if end, err := d.heavy(over, driver.Host{ID: "x2", URI: "xen+ssh://root@x2.example/"}, "saving"); err != nil {
			t.Errorf("another host waits for this one: %v", err)
		} else {
			end()
		}
	}
}

// Two guests that are saved at once on a dom0 with one processor are saved one after the other.
func TestSavesOfOneHostTakeTurns(t *testing.T) {
	cfg, h, _ := fakeHosts(t)
	d := newDriver(t, cfg)
	names := []string{"web", "db"}
	for _, name := range names {
		h.guest(name)
	}
	h.put("slow", "0.3")
	var both sync.WaitGroup
	for _, name := range names {
		both.Go(func() {
			if err := d.Save(in(t, 20*time.Second), gen, h.host, name); err != nil {
				t.Error(err)
			}
		})
	}
	overlap := false
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && (!h.has("save/web.save") || !h.has("save/db.save")); time.Sleep(10 * time.Millisecond) {
		overlap = overlap || h.has("save/web.save.part") && h.has("save/db.save.part")
	}
	both.Wait()
	if overlap || h.count("save") != 2 {
		t.Errorf("overlap %v; tools %q", overlap, h.read("calls"))
	}
}
