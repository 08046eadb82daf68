package xen

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// sample reads what a tool of a real host printed.
func sample(t testing.TB, name string) string {
	t.Helper()
	src, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

func TestParseInfo(t *testing.T) {
	const few = "virt_caps : pv\ntotal_memory : 10\nfree_memory : 1\n"
	for name, c := range map[string]struct {
		out  string
		want info
		err  string
	}{
		"a real host": {out: sample(t, "info-4.17.5.txt"), want: info{host: "h1", machine: "x86_64", version: "4.17.5", said: "4.17.5", buildID: buildRunning,
			caps: []string{"pv", "hvm", "hap", "shadow", "gnttab-v1", "gnttab-v2"}, totalMiB: 1279, freeMiB: 491, cpus: 1, threads: 1}},
		"few lines":       {out: few, want: info{caps: []string{"pv"}, totalMiB: 10, freeMiB: 1}},
		"no capability":   {out: "virt_caps              :\ntotal_memory : 10\nfree_memory : 1", want: info{caps: []string{}, totalMiB: 10, freeMiB: 1}},
		"live-patched":    {out: few + "xen_version : 4.17.5-lp1", want: info{caps: []string{"pv"}, totalMiB: 10, freeMiB: 1, said: "4.17.5-lp1", version: "4.17.5"}},
		"of XCP-ng":       {out: few + "xen_version : 4.13.5-9.38", want: info{caps: []string{"pv"}, totalMiB: 10, freeMiB: 1, said: "4.13.5-9.38", version: "4.13.5"}},
		"candidate":       {out: few + "xen_version : 4.18-rc3", want: info{caps: []string{"pv"}, totalMiB: 10, freeMiB: 1, said: "4.18-rc3", version: "4.18-rc3"}},
		"no release":      {out: few + "xen_version : 4.20-unstable", want: info{caps: []string{"pv"}, totalMiB: 10, freeMiB: 1, said: "4.20-unstable"}},
		"the first word":  {out: few + "free_memory : 99999", want: info{caps: []string{"pv"}, totalMiB: 10, freeMiB: 1}},
		"no build id":     {out: few + "build_id : \nnr_cpus : many", want: info{caps: []string{"pv"}, totalMiB: 10, freeMiB: 1}},
		"odd build id":    {out: few + "build_id : 39a640e6f141231923508739$(reboot)", want: info{caps: []string{"pv"}, totalMiB: 10, freeMiB: 1}},
		"no free memory":  {out: "virt_caps : pv\ntotal_memory : 10", err: "free_memory"},
		"negative memory": {out: "virt_caps : pv\ntotal_memory : 10\nfree_memory : -3", err: "free_memory"},
		"no virt_caps":    {out: "total_memory : 10\nfree_memory : 1", err: "virt_caps"},
		"nothing":         {err: "total_memory"},
	} {
		got, err := parseInfo(c.out)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, expected an error on %s", name, err, c.err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v; expected %+v", name, got, err, c.want)
		}
	}
}

func FuzzParseInfo(f *testing.F) {
	f.Add("virt_caps : pv hvm\ntotal_memory : 10\nfree_memory : 1\nxen_version : 4.17.5\nbuild_id : 39a640e6f1412319235087391df9f1c5e13ae920")
	f.Add(":\n: :\nxen_version : 4.\nfree_memory:1e9")
	f.Fuzz(func(t *testing.T, out string) {
		i, err := parseInfo(out)
		if err != nil {
			return
		}
		if i.freeMiB < 0 || i.totalMiB < 0 || i.cpus < 0 || i.buildID != "" && !isHex(i.buildID) || !strings.HasPrefix(i.said, i.version) {
			t.Fatalf("%+v", i)
		}
	})
}
