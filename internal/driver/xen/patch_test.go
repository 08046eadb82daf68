package xen

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/ssh"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

func patchOf(name string, payload []byte) driver.Patch {
	return driver.Patch{Name: name, Component: "xen", Payload: payload}
}

// lp1 patches Xen, lp2 is stacked on it, rep2 stands on Xen itself.
func lp1() driver.Patch { return patchOf("lp1", payloadOf(buildXen, buildXen, build1, "")) }
func lp2() driver.Patch { return patchOf("lp2", payloadOf(buildXen, build1, build2, "")) }
func rep2() driver.Patch {
	p := patchOf("rep2", payloadOf(buildXen, buildXen, build2, ""))
	p.Replace = true
	return p
}

func codeOf(err error) string {
	var e *driver.Error
	if errors.As(err, &e) {
		return e.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func states(o driver.PatchOutcome) string {
	var s []string
	for _, p := range o.Patches {
		s = append(s, p.Name+" "+p.State)
	}
	return strings.Join(s, ", ")
}

// TestPatches goes through situations and says what must have been done to the host, no more and no less.
func TestPatches(t *testing.T) {
	for name, c := range map[string]struct {
		x     fakeXen
		first []driver.Patch // applied before, by the driver
		spoil func(x *fakeXen)
		want  []driver.Patch
		undo  []string // instead of want
		code  string
		done  string // of the second act
		shows string
		log   string
	}{
		"apply":           {want: []driver.Patch{lp1()}, done: "upload lp1, apply lp1", shows: "lp1 applied"},
		"stacked":         {want: []driver.Patch{lp1(), lp2()}, done: "upload lp1, apply lp1, upload lp2, apply lp2", shows: "lp1 applied, lp2 applied"},
		"apply again":     {first: []driver.Patch{lp1(), lp2()}, want: []driver.Patch{lp1(), lp2()}, shows: "lp1 applied, lp2 applied"},
		"one is missing":  {first: []driver.Patch{lp1()}, want: []driver.Patch{lp1(), lp2()}, done: "upload lp2, apply lp2", shows: "lp1 applied, lp2 applied"},
		"after a reboot":  {first: []driver.Patch{lp1()}, spoil: (*fakeXen).reboot, want: []driver.Patch{{Name: "lp1"}}, code: driver.CodePatchMissing},
		"again after it":  {first: []driver.Patch{lp1()}, spoil: (*fakeXen).reboot, want: []driver.Patch{lp1()}, done: "upload lp1, apply lp1", shows: "lp1 applied"},
		"replace":         {first: []driver.Patch{lp1()}, want: []driver.Patch{rep2()}, done: "upload rep2, replace rep2", shows: "lp1 loaded, rep2 applied"},
		"replaced before": {first: []driver.Patch{lp1()}, spoil: func(x *fakeXen) { _, _ = x.on(1).apply(context.Background(), []driver.Patch{rep2()}) }, want: []driver.Patch{rep2()}, shows: "lp1 loaded, rep2 applied"},
		"reverted, with data": {first: []driver.Patch{patchOf("d", payloadOf(buildXen, buildXen, build1, "counter"))},
			spoil: func(x *fakeXen) { x.change(actRevert, x.find("d")) }, want: []driver.Patch{patchOf("d", payloadOf(buildXen, buildXen, build1, "counter"))},
			done: "unload d, upload d, apply d", shows: "d applied"},
		"reverted, with data, no payload at hand": {first: []driver.Patch{patchOf("d", payloadOf(buildXen, buildXen, build1, "counter"))},
			spoil: func(x *fakeXen) { x.change(actRevert, x.find("d")) }, want: []driver.Patch{{Name: "d"}}, code: driver.CodePatchState, shows: "d loaded", log: "Please unload"},
		"uploaded by an earlier controller": {spoil: func(x *fakeXen) { x.upload("lp1", lp1().Payload, nil) }, want: []driver.Patch{{Name: "lp1"}}, done: "upload lp1, apply lp1", shows: "lp1 applied"},
		"the one below is gone": {first: []driver.Patch{lp1(), lp2()}, spoil: func(x *fakeXen) { x.find("lp1").applied = false }, want: []driver.Patch{lp1(), lp2()},
			code: driver.CodePatchDependency, shows: "lp1 loaded, lp2 applied"},
		"another hash":                   {want: []driver.Patch{func() driver.Patch { p := lp1(); p.SHA256 = strings.Repeat("0", 64); return p }()}, code: driver.CodePatchHash},
		"another build":                  {want: []driver.Patch{patchOf("w", payloadOf(buildOther, buildOther, build1, ""))}, code: driver.CodePatchBuild},
		"the target names another build": {want: []driver.Patch{func() driver.Patch { p := lp1(); p.BuildID = buildOther; return p }()}, code: driver.CodePatchBuild},
		"a build that cannot be read":    {spoil: func(x *fakeXen) { x.build = "" }, want: []driver.Patch{lp1()}, code: driver.CodePatchBuild},
		"text":                           {want: []driver.Patch{patchOf("t", []byte("no ELF"))}, code: driver.CodePatchInvalid},
		"cut off":                        {want: []driver.Patch{patchOf("t", lp1().Payload[:100])}, code: driver.CodePatchInvalid},
		"no depends":                     {want: []driver.Patch{patchOf("t", payloadOf(buildXen, "", build1, ""))}, code: driver.CodePatchInvalid},
		"orphan":                         {want: []driver.Patch{lp2()}, code: driver.CodePatchDependency},
		"under another":                  {first: []driver.Patch{lp1()}, want: []driver.Patch{patchOf("rep2", rep2().Payload)}, code: driver.CodePatchDependency, done: "upload rep2", shows: "lp1 applied, rep2 loaded", log: "rep2: check against lp1 build-id failed"},
		"another symbol":                 {x: fakeXen{symbols: map[string]string{build1: "Error 2: No such file or directory"}}, want: []driver.Patch{lp1()}, code: driver.CodePatchSymbol},
		"a symbol twice":                 {x: fakeXen{symbols: map[string]string{build1: "Error 17: File exists"}}, want: []driver.Patch{lp1()}, code: driver.CodePatchExists},
		"somebody is faster": {spoil: func(x *fakeXen) {
			x.before = func() { x.upload("lp1", payloadOf(buildXen, buildXen, build2, ""), nil) }
		}, want: []driver.Patch{lp1()}, code: driver.CodePatchExists, done: "upload lp1", shows: "lp1 loaded"},
		"another name":                  {first: []driver.Patch{lp1()}, want: []driver.Patch{patchOf("lp1b", payloadOf(buildXen, build1, build1, ""))}, code: driver.CodePatchExists, shows: "lp1 applied"},
		"busy for a moment":             {x: fakeXen{busy: 3}, want: []driver.Patch{lp1()}, done: "upload lp1, apply lp1", shows: "lp1 applied"},
		"busy for ever":                 {x: fakeXen{busy: 99}, want: []driver.Patch{lp1()}, code: driver.CodePatchBusy},
		"others are at it":              {first: []driver.Patch{lp1()}, spoil: func(x *fakeXen) { x.find("lp1").pending = true }, want: []driver.Patch{lp1()}, code: driver.CodePatchBusy, shows: "lp1 transition"},
		"revert":                        {first: []driver.Patch{lp1(), lp2()}, undo: []string{"lp1", "lp2"}, done: "revert lp2, unload lp2, revert lp1, unload lp1"},
		"revert of nothing":             {undo: []string{"lp1"}},
		"revert below another":          {first: []driver.Patch{lp1(), lp2()}, undo: []string{"lp1"}, code: driver.CodePatchBusy, shows: "lp1 applied, lp2 applied", log: "can't unload. Top is lp2"},
		"the list cannot be read":       {spoil: func(x *fakeXen) { x.listFails = true }, want: []driver.Patch{lp1()}, code: driver.CodeFailed},
		"an answer is lost, and done":   {x: fakeXen{lose: 2}, want: []driver.Patch{lp1()}, done: "upload lp1, apply lp1", shows: "lp1 applied"},
		"an answer is lost, not done":   {x: fakeXen{lose: 2, loseBefore: true}, want: []driver.Patch{lp1()}, code: driver.CodeUnreachable, done: "upload lp1", shows: "lp1 loaded"},
		"an older controller":           {x: fakeXen{generation: 9}, want: []driver.Patch{lp1()}, code: driver.CodeRefused},
		"of Linux":                      {want: []driver.Patch{{Name: "k", Component: "linux"}}, code: driver.CodeUnsupported},
		"a name that the list garbles":  {want: []driver.Patch{patchOf("a b", lp1().Payload)}, code: driver.CodeRefused},
		"named twice":                   {want: []driver.Patch{lp1(), lp1()}, code: driver.CodeRefused},
		"replaces what it was put upon": {want: []driver.Patch{lp1(), rep2()}, code: driver.CodeRefused},
	} {
		t.Run(name, func(t *testing.T) {
			x := &c.x
			x.build = buildXen
			if len(c.first) > 0 {
				if o, err := x.on(1).apply(context.Background(), c.first); err != nil || o.Already {
					t.Fatalf("before: %+v %v", o, err)
				}
				x.calls = nil
			}
			if c.spoil != nil {
				c.spoil(x)
			}
			if name == "replaced before" {
				x.calls = nil
			}
			var o driver.PatchOutcome
			var err error
			if c.undo != nil {
				o, err = x.on(2).revert(context.Background(), c.undo)
			} else {
				o, err = x.on(2).apply(context.Background(), c.want)
			}
			if got := codeOf(err); got != c.code {
				t.Errorf("code %q (%v), want %q", got, err, c.code)
			}
			if got := strings.Join(x.calls, ", "); got != c.done {
				t.Errorf("done: %s\nwant: %s", got, c.done)
			}
			if got := states(o); got != c.shows {
				t.Errorf("the list shows %s, want %s", got, c.shows)
			}
			if o.Already != (err == nil && c.done == "") {
				t.Errorf("already: %v", o.Already)
			}
			if (o.Patches == nil) != x.listFails {
				t.Errorf("patches %#v", o.Patches)
			}
			if c.log != "" && !slices.ContainsFunc(o.Log, func(l string) bool { return strings.Contains(l, c.log) }) {
				t.Errorf("Xen's log %q lacks %q", o.Log, c.log)
			}
			var e *driver.Error
			if errors.As(err, &e) && (e.Why == "" || e.Next == "") {
				t.Errorf("%+v does not say why and what next", e)
			}
		})
	}
}

// TestPatchAnyFault: whatever is lost on the way and whoever is killed, calling again comes to the
// end, and each payload is applied once.
func TestPatchAnyFault(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := &fakeXen{build: buildXen}
		want := []driver.Patch{lp1(), lp2()}
		for n := int64(1); ; n++ {
			x.busy = rapid.IntRange(0, 2).Draw(t, "busy")
			x.lose, x.loseBefore = rapid.IntRange(0, 5).Draw(t, "lose"), rapid.Bool().Draw(t, "before")
			ctx, cancel := context.WithCancel(context.Background())
			p, left := x.on(n), rapid.IntRange(1, 12).Draw(t, "killed after")
			inner := p.run
			p.run = func(ctx context.Context, stdin []byte, argv ...string) (ssh.Result, error) {
				if left--; left == 0 {
					cancel() // as a kill: nothing more is sent
				}
				return inner(ctx, stdin, argv...)
			}
			o, err := p.apply(ctx, want)
			cancel()
			if err == nil {
				if states(o) != "lp1 applied, lp2 applied" {
					t.Fatalf("done, and the list shows %s", states(o))
				}
				break
			}
			if n > 300 {
				t.Fatalf("still %v", err)
			}
		}
		for _, a := range []string{"apply lp1", "apply lp2"} {
			if n := count(x.calls, a); n != 1 {
				t.Fatalf("%q was done %d times: %q", a, n, x.calls)
			}
		}
	})
}

func count(in []string, s string) (n int) {
	for _, c := range in {
		if c == s {
			n++
		}
	}
	return n
}

// TestDecideApply is the table of the pure function.
func TestDecideApply(t *testing.T) {
	a, b, bare := lp1(), lp2(), driver.Patch{Name: "lp1"}
	is := func(kv ...string) (l []fleet.LivePatch) {
		for i := 0; i < len(kv); i += 2 {
			l = append(l, fleet.LivePatch{Name: kv[i], Component: "xen", State: kv[i+1]})
		}
		return l
	}
	for name, c := range map[string]struct {
		list  []fleet.LivePatch
		want  []driver.Patch
		fresh bool
		do    step
		code  string
	}{
		"nothing is wanted":        {list: is("z", "applied"), do: step{do: actDone}},
		"absent":                   {want: []driver.Patch{a}, do: step{actUpload, "lp1"}},
		"absent, no payload":       {want: []driver.Patch{bare}, code: driver.CodePatchMissing},
		"loaded by us":             {list: is("lp1", "loaded"), want: []driver.Patch{a}, fresh: true, do: step{actApply, "lp1"}},
		"loaded before":            {list: is("lp1", "loaded"), want: []driver.Patch{a}, do: step{actUnload, "lp1"}},
		"loaded, no payload":       {list: is("lp1", "loaded"), want: []driver.Patch{bare}, do: step{actApply, "lp1"}},
		"loaded, replaces":         {list: is("lp1", "applied", "rep2", "loaded"), want: []driver.Patch{rep2()}, fresh: true, do: step{actReplace, "rep2"}},
		"on its way":               {list: is("lp1", "transition"), want: []driver.Patch{a}, do: step{actWait, "lp1"}},
		"applied":                  {list: is("lp1", "applied"), want: []driver.Patch{a}, do: step{do: actDone}},
		"the first of two":         {list: is("lp1", "applied"), want: []driver.Patch{a, b}, do: step{actUpload, "lp2"}},
		"the second of two only":   {list: is("lp2", "applied"), want: []driver.Patch{a, b}, code: driver.CodePatchDependency},
		"of another component":     {list: []fleet.LivePatch{{Name: "lp1", Component: "linux", State: "applied"}}, want: []driver.Patch{a}, do: step{actUpload, "lp1"}},
		"a replacer under another": {list: is("lp2", "applied"), want: []driver.Patch{rep2(), b}, do: step{actUpload, "rep2"}},
	} {
		got, err := decideApply(c.list, c.want, map[string]bool{"lp1": c.fresh, "rep2": c.fresh})
		if got != c.do || codeOf(err) != c.code {
			t.Errorf("%s: %v %v, want %v %s", name, got, err, c.do, c.code)
		}
	}
	if got := decideRevert(is("a", "applied", "b", "loaded"), []string{"a", "b", "c"}); got != (step{actUnload, "b"}) {
		t.Errorf("revert: %v", got)
	}
}
