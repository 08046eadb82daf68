package libvirt

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	golibvirt "github.com/digitalocean/go-libvirt"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// monitorTimeout bounds one question to a guest's monitor; a healthy one answers in milliseconds.
const monitorTimeout = 3 * time.Second

// build asks a guest's own monitor for the QEMU build that it runs on, as its package names it, like
// 1:7.2+dfsg-7+deb12u15.
func build(ctx context.Context, c *conn, dom golibvirt.Domain) (string, error) {
	doc, err := call(ctx, c, min(monitorTimeout, c.timeout), func(l *golibvirt.Libvirt) (string, error) {
		return l.QEMUDomainMonitorCommand(dom, `{"execute":"query-version"}`, 0)
	})
	if err != nil {
		return "", err
	}
	return parseVersion(doc)
}

// parseVersion reads query-version's answer. Its package field is free text of whoever built QEMU;
// empty in a build from source, which then goes by its upstream number.
func parseVersion(doc string) (string, error) {
	var v struct {
		Return *struct {
			QEMU struct {
				Major, Minor, Micro int
			} `json:"qemu"`
			Package string `json:"package"`
		} `json:"return"`
	}
	if err := json.Unmarshal([]byte(doc), &v); err != nil || v.Return == nil {
		return "", fmt.Errorf("the monitor answered %.80q to query-version", doc)
	}
	if p := packageVersion(v.Return.Package); p != "" {
		return p, nil
	}
	q := v.Return.QEMU
	return fmt.Sprintf("%d.%d.%d", q.Major, q.Minor, q.Micro), nil
}

// packageVersion finds the package's version in 'Debian 1:7.2+dfsg-7+deb12u15', or in
// 'QEMU emulator version 7.2.18 (Debian 1:7.2+dfsg-7+deb12u15)', or in 'qemu-kvm-8.2.0-11.el9'.
func packageVersion(text string) string {
	if i := strings.LastIndexByte(text, '('); i >= 0 {
		text = strings.TrimSuffix(strings.TrimSpace(text[i+1:]), ")")
	}
	words := strings.Fields(text)
	if len(words) == 0 {
		return ""
	}
	last := words[len(words)-1]
	if rest, ok := strings.CutPrefix(last, "qemu-kvm-"); ok {
		return rest
	}
	if !strings.ContainsAny(last[:1], "0123456789") {
		return ""
	}
	return last
}

// buildOf gives the build of a live guest. While a job holds the guest its monitor must not be
// asked (the question would wait for the job); then the answer of an earlier look at the same life
// of the guest serves, for a process cannot change its build.
func (d *Driver) buildOf(ctx context.Context, h driver.Host, e end) (string, error) {
	key := guest{uri: h.URI, uuid: string(e.uuid[:]), id: e.dom.ID}
	if e.job.active() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if v, ok := d.builds[key]; ok {
			return v, nil
		}
		return "", fmt.Errorf("a job is under way")
	}
	var v string
	err := d.conns.with(ctx, h.URI, func(c *conn) (err error) {
		v, err = build(ctx, c, e.dom)
		return err
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		delete(d.builds, key)
		return "", err
	}
	d.builds[key] = v
	return v, nil
}

// forget drops the builds of guests that no longer live on a host.
func (d *Driver) forget(uri string, alive map[guest]bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for g := range d.builds {
		if g.uri == uri && !alive[g] {
			delete(d.builds, g)
		}
	}
}
