package cli

import (
	"strings"
	"testing"
)

const factsFleet = `evenkeel: fleet/v1
taken: 2026-03-01T08:00:00Z
regions: [{id: r}]
sites: [{id: s, region: r}]
pools: [{id: p, site: s}]
hosts:
  - id: known
    pools: [p]
    hypervisor: kvm
    memory_mib: 1024
    ecosystem: Debian:12
    arch: x86_64
    cpu: {vendor: amd, family: 25, model: 17, microcode: "0xa1"}
    config: {smt: "off"}
    seen: 2026-03-01T07:59:00Z
    software:
      installed: {linux-image-amd64: 6.1.159-1, qemu: "2"}
      booted: {linux-image-amd64: 6.1.158-1}
      running: {qemu: "1"}
      live_patches: [{name: one, component: linux, state: applied}, {name: two, component: linux, state: transition}]
      looked:
        booted: {at: 2026-03-01T07:58:00Z, how: uname -v over SSH}
  - id: bare
    pools: [p]
    hypervisor: kvm
    memory_mib: 1024
    software: {live_patches: [], looked: {installed: {}}}
instances:
  - {id: a, host: known, memory_mib: 8, running: {qemu: "1"}, looked: {at: 2026-03-01T07:57:00Z, how: QMP query-version}}
  - {id: b, host: known, memory_mib: 8, running: {qemu: "1"}}
  - {id: c, host: known, memory_mib: 8}
`

// columns takes the spaces of a table's columns together.
func columns(out string) string {
	var lines []string
	for _, l := range strings.Split(out, "\n") {
		lines = append(lines, strings.Join(strings.Fields(l), " "))
	}
	return strings.Join(lines, "\n")
}

func TestFleetShowSaysWhenAndHow(t *testing.T) {
	show := func(args ...string) string {
		code, out, errs := fleetRun(t, &App{In: strings.NewReader(factsFleet)}, append([]string{"show", "-"}, args...)...)
		if code != ExitNothing {
			t.Fatalf("exit %d: %s", code, errs)
		}
		return columns(out)
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--host", "known"}, []string{
			"ecosystem Debian:12\n", "machine x86_64 amd family 25 model 17 microcode 0xa1\n", "settings smt off\n",
			"installed linux-image-amd64 6.1.159-1, qemu 2 2026-03-01 07:59:00 UTC with the rest\n",
			"booted linux-image-amd64 6.1.158-1 2026-03-01 07:58:00 UTC uname -v over SSH\n",
			"live patches linux one applied, linux two transition 2026-03-01 07:59:00 UTC with the rest\n",
			"2026-03-01 07:57:00 UTC, QMP query-version live\n", "b known - - running 8 MiB qemu 1 with its host live\n", "c known - - running 8 MiB - - live\n",
		}},
		{[]string{"--host", "bare"}, []string{
			"ecosystem not known\n", "machine not known\n", "installed none 2026-03-01 08:00:00 UTC with the rest\n",
			"booted not looked at - -\n", "running not looked at - -\n", "live patches none 2026-03-01 08:00:00 UTC with the rest\n",
		}},
		{nil, []string{
			"linux-image-amd64 6.1.158-1, qemu 1; linux one applied, linux two transition; installed linux-image-amd64 6.1.159-1, qemu 2\n",
			"\nnot looked at: booted on 1 host, running on 1 host\n",
		}},
	} {
		out := show(c.args...)
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%v: %q is not in\n%s", c.args, want, out)
			}
		}
	}
}
