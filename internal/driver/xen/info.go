package xen

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// info is what `xl info` says (tools/xl/xl_info.c). What it does not say is zero.
type info struct {
	host     string
	machine  string // architecture as dom0's uname -m
	version  string // number of the release, such as 4.17.5; empty when it names no release
	said     string // xen_version as it was printed: a live patch may change what follows the number
	buildID  string // lower case
	caps     []string
	totalMiB int64
	freeMiB  int64
	cpus     int
	threads  int // per core
}

// release is the number of a release, and of a candidate for one: 4.17.5, 4.18-rc3. Distributions and
// live patches add to it (4.13.5-9.38, 4.17.5-lp1); 4.20-unstable is no release.
var release = regexp.MustCompile(`^([0-9]+\.[0-9]+(?:\.[0-9]+)*(?:-rc[0-9]+)?)(.*)$`)

// parseInfo reads the lines KEY : VALUE. Free memory, total memory and virt_caps have to be there.
func parseInfo(out string) (info, error) {
	said := map[string]string{}
	for _, line := range strings.Split(out, "\n") {
		key, value, ok := strings.Cut(line, ":")
		key = strings.TrimSpace(key)
		if _, twice := said[key]; ok && !twice {
			said[key] = strings.TrimSpace(value)
		}
	}
	i := info{host: said["host"], machine: said["machine"], said: said["xen_version"], caps: strings.Fields(said["virt_caps"])}
	if m := release.FindStringSubmatch(i.said); m != nil && !strings.HasPrefix(m[2], "-unstable") && !strings.HasPrefix(m[2], "-pre") {
		i.version = m[1]
	}
	if id := strings.ToLower(said["build_id"]); isHex(id) {
		i.buildID = id
	}
	for _, n := range []struct {
		key  string
		into *int64
	}{{"total_memory", &i.totalMiB}, {"free_memory", &i.freeMiB}} {
		v, err := strconv.ParseInt(said[n.key], 10, 64)
		if err != nil || v < 0 || v > math.MaxInt64>>20 {
			return info{}, fmt.Errorf("xl info: %s is %q, expected MiB as a number", n.key, said[n.key])
		}
		*n.into = v
	}
	if _, has := said["virt_caps"]; !has {
		return info{}, fmt.Errorf("xl info: no line virt_caps")
	}
	i.cpus, i.threads = small(said["nr_cpus"]), small(said["threads_per_core"])
	return i, nil
}

// small reads a small number; 0 when it is none.
func small(s string) int {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0
	}
	return int(n)
}

// isHex: a build id, of which the linker makes 8 bytes or more.
func isHex(s string) bool {
	return len(s) >= 16 && len(s)%2 == 0 && strings.Trim(s, "0123456789abcdef") == ""
}
