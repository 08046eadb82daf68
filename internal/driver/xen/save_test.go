package xen

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

var gen = driver.Fence{Campaign: "c", Revision: 1, Turn: "t", Step: "s", Attempt: 1, Generation: 2}

func TestSaveRestore(t *testing.T) {
	cfg, h, _ := fakeHosts(t)
	d := newDriver(t, cfg)
	h.guest("web")
	h.put("etc/xen/auto/web.cfg", "name = \"web\"\n")
	for range 2 {
		if err := d.Save(in(t, 20*time.Second), gen, h.host, "web"); err != nil {
			t.Fatal(err)
		}
	}
	if h.count("save") != 1 || !h.has("save/web.save") || h.has("save/web.save.part") || h.has("etc/xen/auto/web.cfg") {
		t.Errorf("calls %q", h.read("calls"))
	}
	for range 2 {
		if err := d.Restore(in(t, 20*time.Second), gen, h.host, "web"); err != nil {
			t.Fatal(err)
		}
	}
	if h.count("restore") != 1 || h.read("history/web") != "saved\nresumed" || h.has("save/web.save") || h.has("save/web.save.restoring") || !h.has("etc/xen/auto/web.cfg") {
		t.Errorf("calls %q, history %q", h.read("calls"), h.read("history/web"))
	}
	mustCode(t, d.Save(in(t, 20*time.Second), gen, h.host, "nobody"), driver.CodeNotFound)
	mustCode(t, d.Restore(in(t, 20*time.Second), gen, h.host, "nobody"), driver.CodeNotFound)
	stale := gen
	stale.Generation = 1
	mustCode(t, d.Save(in(t, 20*time.Second), stale, h.host, "web"), driver.CodeRefused)
}

// Each call over SSH and each tool costs a dom0, so a plain save or restore is one call, and the tools that
// it needs.
func TestSaveRestoreInOneCall(t *testing.T) {
	cfg, h, _ := fakeHosts(t)
	d := newDriver(t, cfg)
	h.guest("web")
	if err := d.Save(in(t, 20*time.Second), gen, h.host, "web"); err != nil {
		t.Fatal(err)
	}
	if n := h.asked(); n != 1 || h.count("list") != 2 || h.count("") != 3 {
		t.Errorf("%d calls; tools %q", n, h.read("calls"))
	}
	h.remove("calls")
	if err := d.Restore(in(t, 20*time.Second), gen, h.host, "web"); err != nil {
		t.Fatal(err)
	}
	if n := h.asked(); n != 1 || h.count("list") != 2 || h.count("") != 4 {
		t.Errorf("%d calls; tools %q", n, h.read("calls"))
	}
}

// What an earlier version saved, with a SHA-256 beside it, is judged by that.
func TestRestoreOfAnEarlierVersionsImage(t *testing.T) {
	for name, c := range map[string]struct {
		sum  func(image string) string
		code string
	}{
		"whole":       {func(i string) string { return fmt.Sprintf("%d %x\n", len(i), sha256.Sum256([]byte(i))) }, ""},
		"another sum": {func(i string) string { return fmt.Sprintf("%d %x\n", len(i), sha256.Sum256([]byte("x"+i))) }, driver.CodeSaveDamaged},
		"cut short":   {func(i string) string { return fmt.Sprintf("%d %x\n", len(i)+1, sha256.Sum256([]byte(i))) }, driver.CodeSaveDamaged},
		"half a line": {func(i string) string { return fmt.Sprintf("%d", len(i)) }, driver.CodeSaveDamaged},
		"empty":       {func(string) string { return "" }, driver.CodeSaveDamaged},
		"half of now": {func(string) string { return "cksum 17\n" }, driver.CodeSaveDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, h, _ := fakeHosts(t)
			d := newDriver(t, cfg)
			h.guest("web")
			if err := d.Save(in(t, 20*time.Second), gen, h.host, "web"); err != nil {
				t.Fatal(err)
			}
			image, err := os.ReadFile(h.root + "/save/web.save")
			if err != nil {
				t.Fatal(err)
			}
			h.put("save/web.save.sum", c.sum(string(image)))
			err = d.Restore(in(t, 20*time.Second), gen, h.host, "web")
			if c.code != "" {
				mustCode(t, err, c.code)
			} else if err != nil {
				t.Error(err)
			}
			if ran := strings.Contains(h.read("history/web"), "resumed"); ran != (c.code == "") {
				t.Errorf("let run: %v", ran)
			}
		})
	}
}

// The controller is killed in mid-save: the save goes on, and the next controller joins it.
func TestSaveSurvivesItsCaller(t *testing.T) {
	cfg, h, _ := fakeHosts(t)
	h.guest("web")
	h.put("slow", "1.5")
	kill := caller(t, call{Config: cfg, Instance: "web", From: h.host, Save: true})
	h.waitFor("a save under way", func() bool { return h.has("save/web.save.part") })
	kill()
	if h.has("save/web.save") {
		t.Fatal("it was not slow enough")
	}
	next := gen
	next.Attempt, next.Generation = 2, 3
	if err := newDriver(t, cfg).Save(in(t, 20*time.Second), next, h.host, "web"); err != nil {
		t.Fatal(err)
	}
	if h.count("save ") != 1 || !h.has("save/web.save") {
		t.Errorf("calls %q", h.read("calls"))
	}
}

func TestSaveRefusals(t *testing.T) {
	cfg, h, _ := fakeHosts(t)
	d := newDriver(t, cfg)
	h.guest("big")
	h.put("dom/big", "3 900000000 -b---- 00000000-0000-4000-8000-000000000001\n")
	err := d.Save(in(t, 20*time.Second), gen, h.host, "big")
	mustCode(t, err, driver.CodeNoRoom)
	if !strings.Contains(err.Error(), "needs 928125064 MiB") || h.count("save") != 0 {
		t.Errorf("%v; calls %q", err, h.read("calls"))
	}
	h.guest("web")
	h.put("save-fails", "")
	mustCode(t, d.Save(in(t, 20*time.Second), gen, h.host, "web"), driver.CodeFailed)
	if h.has("save/web.save") || h.has("save/web.save.part") || !h.has("dom/web") {
		t.Error("a failed save left something behind")
	}
	// Its answers cannot be read: that is not 'absent'.
	h.put("broken", "")
	mustCode(t, d.Save(in(t, 20*time.Second), gen, h.host, "web"), driver.CodeUnreachable)
}

// What is missing or damaged is named, and nothing is booted afresh.
func TestRestoreNamesWhatIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(*fakeHost)
		code string
	}{
		"missing":   {func(h *fakeHost) { h.remove("save/web.save") }, driver.CodeSaveMissing},
		"cut short": {func(h *fakeHost) { h.put("save/web.save", "half") }, driver.CodeSaveDamaged},
		"a byte is another": {func(h *fakeHost) {
			h.put("save/web.save", strings.Replace(h.read("save/web.save"), "web", "wex", 1)+"\n")
		}, driver.CodeSaveDamaged},
		"no sum":              {func(h *fakeHost) { h.remove("save/web.save.sum") }, driver.CodeSaveDamaged},
		"never whole":         {func(h *fakeHost) { h.remove("save/web.save"); h.put("save/web.save.part", "half") }, driver.CodeSaveDamaged},
		"restored once":       {func(h *fakeHost) { h.remove("save/web.save"); h.put("save/web.save.restoring", "old") }, driver.CodeSaveDamaged},
		"xl cannot restore":   {func(h *fakeHost) { h.put("restore-fails", "") }, driver.CodeFailed},
		"half of it is there": {func(h *fakeHost) { h.put("dom/web--incoming", "8 128 --p--- 00000000-0000-4000-8000-000000000001\n") }, driver.CodeRefused},
		"booted afresh":       {func(h *fakeHost) { h.put("dom/web", "8 128 r----- 00000000-0000-4000-8000-000000000001\n") }, driver.CodeFailed},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, h, _ := fakeHosts(t)
			d := newDriver(t, cfg)
			h.guest("web")
			if err := d.Save(in(t, 20*time.Second), gen, h.host, "web"); err != nil {
				t.Fatal(err)
			}
			c.harm(h)
			mustCode(t, d.Restore(in(t, 20*time.Second), gen, h.host, "web"), c.code)
			if h.count("create") != 0 || strings.Contains(h.read("history/web"), "resumed") {
				t.Errorf("it was started: %q", h.read("calls"))
			}
			if name == "xl cannot restore" {
				h.remove("restore-fails")
				if err := d.Restore(in(t, 20*time.Second), gen, h.host, "web"); err != nil {
					t.Errorf("the image was as good as before: %v", err)
				}
			}
		})
	}
}

// The host's dom0 was cut off between the restore and letting it run: the next call lets it run.
func TestRestoreLetsRun(t *testing.T) {
	cfg, h, _ := fakeHosts(t)
	h.guest("web")
	h.put("dom/web", "8 128 --p--- 00000000-0000-4000-8000-000000000001\n")
	h.put("save/web.save.restoring", "the image")
	if err := newDriver(t, cfg).Restore(in(t, 20*time.Second), gen, h.host, "web"); err != nil {
		t.Fatal(err)
	}
	if h.count("restore") != 0 || h.read("history/web") != "resumed" || h.has("save/web.save.restoring") {
		t.Errorf("calls %q", h.read("calls"))
	}
}

func TestStopStart(t *testing.T) {
	cfg, h, _ := fakeHosts(t)
	d := newDriver(t, cfg)
	h.guest("web")
	for range 2 {
		if err := d.Stop(in(t, 20*time.Second), gen, h.host, "web"); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := d.Start(in(t, 20*time.Second), gen, h.host, "web"); err != nil {
			t.Fatal(err)
		}
	}
	if h.count("create") != 1 || h.count("destroy") != 0 || h.count("shutdown") != 1 {
		t.Errorf("calls %q", h.read("calls"))
	}
	h.put("deaf", "")
	mustCode(t, d.Stop(in(t, 300*time.Millisecond), gen, h.host, "web"), driver.CodeDeadline)
	if !h.has("dom/web") {
		t.Error("it was ended by force")
	}
	mustCode(t, d.Stop(in(t, 20*time.Second), gen, h.host, "nobody"), driver.CodeNotFound)
	mustCode(t, d.Start(in(t, 20*time.Second), gen, h.host, "nobody"), driver.CodeNotFound)
	h.put("dom/bare", "4 128 -b---- 00000000-0000-4000-8000-000000000004\n")
	mustCode(t, d.Stop(in(t, 20*time.Second), gen, h.host, "bare"), driver.CodeRefused)
	h.put("etc/xen/odd.cfg", "name = \"web2\"\n")
	mustCode(t, d.Start(in(t, 20*time.Second), gen, h.host, "odd"), driver.CodeRefused)
	for _, half := range []string{"two--incoming", "two--migratedaway"} {
		h.put("etc/xen/two.cfg", "name = \"two\"\n")
		h.put("dom/"+half, "5 128 --p--- 00000000-0000-4000-8000-000000000005\n")
		mustCode(t, d.Start(in(t, 20*time.Second), gen, h.host, "two"), driver.CodeRefused)
		h.remove("dom/" + half)
	}
	mustCode(t, d.Stop(in(t, time.Second), gen, h.host, "../web"), driver.CodeRefused)
}

func (h *fakeHost) remove(file string) {
	h.t.Helper()
	if err := removeFile(h.root + "/" + file); err != nil {
		h.t.Fatal(err)
	}
}
