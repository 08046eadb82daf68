// Package witness watches a lab from outside and counts what really happened: ticks of guests, boots of
// hosts, the QEMU builds that run. It is what a test or a demo compares the product's own report with.
//
// It never talks to libvirt, to a host's services or to the product: it reads the serial logs, the lab's
// own record of boots, the hosts' package databases and /proc of this machine. It changes nothing.
// Start reading at Follow (over time) and Count (now against a mark).
package witness

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Lab is a lab as its state folder describes it (lab.json, written by 'up').
type Lab struct {
	Dir         string `json:"-"`
	TickMS      int    `json:"tick_ms"`
	QEMUFixed   string `json:"qemu_fixed"`
	FixedSHA256 string `json:"qemu_fixed_sha256"`
	Hosts       []struct {
		Name string `json:"name"`
	} `json:"hosts"`
}

// Boot is one boot of a host, as the lab wrote it down outside the host's reach.
type Boot struct {
	Host   string `json:"host"`
	BootID string `json:"boot_id"`
	UnixMS int64  `json:"unix_ms"`
	QEMU   string `json:"qemu"` // installed at boot
}

// Open reads the description of the lab in dir.
func Open(dir string) (*Lab, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "lab.json"))
	if err != nil {
		return nil, fmt.Errorf("no lab in %s: %w", dir, err)
	}
	l := &Lab{Dir: dir}
	if err := json.Unmarshal(raw, l); err != nil {
		return nil, fmt.Errorf("%s/lab.json: %w", dir, err)
	}
	if len(l.Hosts) == 0 || l.TickMS <= 0 {
		return nil, fmt.Errorf("%s/lab.json names no hosts or no tick", dir)
	}
	return l, nil
}

func (l *Lab) serialDir(host string) string { return filepath.Join(l.Dir, host, "serial") }

// boots are all boots of a host, oldest first.
func (l *Lab) boots(host string) ([]Boot, error) {
	raw, err := os.ReadFile(filepath.Join(l.Dir, host, "boots"))
	if err != nil {
		return nil, err
	}
	var all []Boot
	for line := range bytes.Lines(raw) {
		var b Boot
		if err := json.Unmarshal(line, &b); err != nil {
			return nil, fmt.Errorf("%s/boots: %w", host, err)
		}
		all = append(all, b)
	}
	return all, nil
}

// installed is the version of qemu-system-x86 in the host's own package database.
func (l *Lab) installed(host string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(l.Dir, host, "upper/var/lib/dpkg/status"))
	if os.IsNotExist(err) { // the host's packages were never touched: those of the base layer
		var cache []byte
		if cache, err = os.ReadFile(filepath.Join(l.Dir, "cache")); err == nil {
			raw, err = os.ReadFile(filepath.Join(strings.TrimSpace(string(cache)), "base/var/lib/dpkg/status"))
		}
	}
	if err != nil {
		return "", err
	}
	sc, pkg, whole := bufio.NewScanner(bytes.NewReader(raw)), "", false
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		k, v, _ := strings.Cut(sc.Text(), ": ")
		switch {
		case k == "Package":
			pkg, whole = v, false
		case k == "Status":
			whole = v == "install ok installed"
		case k == "Version" && pkg == "qemu-system-x86" && whole:
			return v, nil
		}
	}
	return "", sc.Err()
}

// tenants adds the tenants of a host's guests, as their definitions on its disk name them.
func (l *Lab) tenants(host string, into map[string]string) error {
	paths, err := filepath.Glob(filepath.Join(l.Dir, host, "upper/etc/libvirt/qemu/*.xml"))
	if err != nil {
		return err
	}
	for _, p := range paths {
		raw, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		var dom struct {
			Name     string `xml:"name"`
			Instance struct {
				Tenant string `xml:"tenant,attr"`
			} `xml:"metadata>instance"`
		}
		if err := xml.Unmarshal(raw, &dom); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		into[dom.Name] = dom.Instance.Tenant
	}
	return nil
}

// pid is the host's PID 1 as this machine sees it; 0 when the host is off.
func (l *Lab) pid(host string) int {
	raw, err := os.ReadFile(filepath.Join(l.Dir, host, "pid"))
	if err != nil {
		return 0
	}
	p, start, _ := strings.Cut(strings.TrimSpace(string(raw)), " ")
	stat, err := os.ReadFile("/proc/" + p + "/stat")
	if err != nil {
		return 0
	}
	// the name of a process may hold blanks; what follows its closing bracket starts at field 3
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 20 || fields[19] != start {
		return 0 // another process has the number now
	}
	n, err := strconv.Atoi(p)
	if err != nil {
		return 0
	}
	return n
}
