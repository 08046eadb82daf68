package xen

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/drivertest"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// labPatches are the lab's payloads for the build that a host runs, by name.
func (l *xenLab) labPatches(build string) map[string]driver.Patch {
	l.t.Helper()
	var about struct {
		Payloads []struct {
			Name, Xen, File, SHA256 string
			BuildID                 string `json:"build_id"`
			BindsTo                 string `json:"binds_to"`
		}
	}
	src, err := os.ReadFile(filepath.Join(l.dir, "lab.json"))
	if err == nil {
		err = json.Unmarshal(src, &about)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	version := ""
	for _, p := range about.Payloads {
		if p.Name == "good" && p.BindsTo == build {
			version = p.Xen
		}
	}
	out := map[string]driver.Patch{}
	for _, p := range about.Payloads {
		if p.Xen != version {
			continue
		}
		payload, err := os.ReadFile(p.File)
		if err != nil {
			l.t.Fatal(err)
		}
		out[p.Name] = driver.Patch{Name: p.Name, Component: "xen", Payload: payload, SHA256: p.SHA256}
	}
	if len(out) == 0 {
		l.t.Fatalf("the lab has no payloads for build %q", build)
	}
	return out
}

// patchHost is the first host, with no payload in its hypervisor.
func (l *xenLab) patchHost(d *Driver) (driver.Host, map[string]driver.Patch) {
	l.t.Helper()
	h := l.hosts[0]
	p := d.patcher(driver.Fence{Generation: 1}, h)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := p.look(ctx); err != nil {
		l.t.Fatal(err)
	}
	all := l.labPatches(p.build)
	var names []string
	for name := range all {
		names = append(names, name)
	}
	for range names { // whatever an earlier test left, in whatever order
		for _, name := range names {
			_, _ = l.on(h.ID, "xen-livepatch revert "+name+" || true; xen-livepatch unload "+name+" || true")
		}
		if out, err := l.on(h.ID, "xen-livepatch list"); err == nil && strings.Contains(out, "Nothing to list") {
			return h, all
		}
	}
	l.t.Fatal("the hypervisor's list of live patches could not be emptied")
	return h, nil
}

// TestLabPatchRows: each situation of the real tool comes to its code, with Xen's own lines. The steps
// are taken one by one, past the checks that keep most of them from happening at all.
func TestLabPatchRows(t *testing.T) {
	l := theLab(t)
	d := l.driver()
	l.clear()
	h, all := l.patchHost(d)
	with := func(name string) []byte { return all[name].Payload }
	for _, row := range []struct {
		what    string
		do      action
		name    string
		payload []byte
		code    string
		said    string // the tool's own words, or Xen's
		shows   string // the list afterwards
	}{
		{"another build", actUpload, "wrongbuild", with("wrongbuild"), driver.CodePatchBuild, "check against hypervisor build-id failed", ""},
		{"cut off", actUpload, "truncated", with("truncated"), driver.CodePatchInvalid, "Error 22", ""},
		{"not ELF", actUpload, "notelf", with("notelf"), driver.CodePatchInvalid, "Error 22", ""},
		{"no .livepatch.depends", actUpload, "nodepends", with("nodepends"), driver.CodePatchInvalid, "is missing", ""},
		{"an unknown symbol", actUpload, "unknown", with("unknown"), driver.CodePatchSymbol, "Error 2", ""},
		{"apply what is not there", actApply, "good", nil, driver.CodePatchMissing, "Failed to get status", ""},
		{"replace by what is not there", actReplace, "good", nil, driver.CodePatchMissing, "Failed to get status", ""},
		{"upload", actUpload, "good", with("good"), "", "", "good loaded"},
		{"a name that is there", actUpload, "good", with("good"), driver.CodePatchExists, "Error 17", "good loaded"},
		{"a symbol that is there", actUpload, "twin", with("twin"), driver.CodePatchExists, "Error 17", "good loaded"},
		{"apply", actApply, "good", nil, "", "", "good applied"},
		{"apply again", actApply, "good", nil, "", "", "good applied"},
		{"unload while applied", actUnload, "good", nil, driver.CodePatchState, "wrong state", "good applied"},
		{"stack", actUpload, "stacked", with("stacked"), "", "", "good applied, stacked loaded"},
		{"apply on top", actApply, "stacked", nil, "", "", "good applied, stacked applied"},
		{"revert below another", actRevert, "good", nil, driver.CodePatchBusy, "Error 16", "good applied, stacked applied"},
		{"revert the top", actRevert, "stacked", nil, "", "", "good applied, stacked loaded"},
		{"revert again", actRevert, "stacked", nil, "", "", "good applied, stacked loaded"},
		{"revert the last", actRevert, "good", nil, "", "", "good loaded, stacked loaded"},
		{"apply without what is below", actApply, "stacked", nil, driver.CodePatchDependency, "build-id failed", "good loaded, stacked loaded"},
		{"unload", actUnload, "stacked", nil, "", "", "good loaded"},
		{"apply once more", actApply, "good", nil, "", "", "good applied"},
		{"one that replaces", actUpload, "replacement", with("replacement"), "", "", "good applied, replacement loaded"},
		{"apply what must replace", actApply, "replacement", nil, driver.CodePatchDependency, "build-id failed", "good applied, replacement loaded"},
		{"replace", actReplace, "replacement", nil, "", "", "good loaded, replacement applied"},
		{"take it back", actRevert, "replacement", nil, "", "", "good loaded, replacement loaded"},
		{"clear", actUnload, "replacement", nil, "", "", "good loaded"},
		{"clear all", actUnload, "good", nil, "", "", ""},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		p := d.patcher(driver.Fence{Generation: 1}, h)
		err := p.look(ctx)
		if err == nil {
			err = p.act(ctx, step{row.do, row.name}, row.payload)
		}
		cancel()
		out := p.outcome(false)
		if got := codeOf(err); got != row.code {
			t.Errorf("%s: code %q (%v), want %q", row.what, got, err, row.code)
		}
		if err != nil && row.said != "" && !strings.Contains(err.Error()+strings.Join(out.Log, "\n"), row.said) {
			t.Errorf("%s: %v, log %q: the words %q are lost", row.what, err, out.Log, row.said)
		}
		if got := states(out); got != row.shows || out.Patches == nil {
			t.Errorf("%s: the list shows %q, want %q", row.what, got, row.shows)
		}
		t.Logf("%s: %v %q", row.what, err, out.Log)
	}
	if left, err := l.on(h.ID, "ls /run/evenkeel-patch.* /tmp/evenkeel-patch.* 2>/dev/null | wc -l"); err != nil || left != "0" {
		t.Errorf("%s payload files are left on the host (%v)", left, err)
	}
}

// TestLabPatchConformance runs the suite of driver.Patcher on a real hypervisor.
func TestLabPatchConformance(t *testing.T) {
	l := theLab(t)
	d := l.driver()
	l.clear()
	h, all := l.patchHost(d)
	// Earlier tests may have left a newer hypervisor in its /boot, which it would come up with.
	l.must("power", "boot-old", h.ID)
	t.Cleanup(func() { l.must("power", "well", h.ID) })
	sum := drivertest.RunPatches(t, drivertest.PatchLab{
		Driver: d, Host: h, Limit: 10 * time.Minute, RebootWithin: 15 * time.Minute,
		First: all["good"], Stacked: all["stacked"], Replacing: all["replacement"], OtherBuild: all["wrongbuild"],
		Truth: func(t *testing.T) (on []string) {
			out, err := l.on(h.ID, "xen-livepatch list")
			if err != nil {
				t.Fatal(err, out)
			}
			list, err := parsePayloads(" " + out) // on trims
			if err != nil {
				t.Fatal(err)
			}
			top := ""
			for _, p := range list {
				if p.State == fleet.PatchApplied {
					on, top = append(on, p.Name), p.Name
				}
			}
			// The code that runs says so itself: each payload gives the hypervisor another name.
			extra, err := l.on(h.ID, "xl info | sed -n 's/^xen_extra *: *//p'")
			if err != nil || top != "" && !strings.HasSuffix(extra, "-"+top) || top == "" && strings.Contains(extra, "-") {
				t.Errorf("xl info says xen_extra %q (%v), and the list %v", extra, err, on)
			}
			return on
		},
	})
	if len(sum.Skipped) > 0 {
		t.Errorf("skipped %q: a real hypervisor is tried on all", sum.Skipped)
	}
}
