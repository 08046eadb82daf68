package libvirt

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	golibvirt "github.com/digitalocean/go-libvirt"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/hostfacts"
)

// monitorTimeout bounds one question to a guest's monitor; a healthy one answers in milliseconds.
const monitorTimeout = 3 * time.Second

// build is the QEMU that a guest runs on.
type build struct {
	pkg      string // as its package names it, like 1:7.2+dfsg-7+deb12u15; empty in a build from source
	upstream string // like 7.2.18
	at       time.Time
}

// askBuild asks a guest's own monitor for the QEMU build that it runs on.
func askBuild(ctx context.Context, c *conn, dom golibvirt.Domain) (build, error) {
	doc, err := call(ctx, c, min(monitorTimeout, c.timeout), func(l *golibvirt.Libvirt) (string, error) {
		return l.QEMUDomainMonitorCommand(dom, `{"execute":"query-version"}`, 0)
	})
	if err != nil {
		return build{}, err
	}
	return parseVersion(doc)
}

// parseVersion reads query-version's answer. Its package field is free text of whoever built QEMU.
func parseVersion(doc string) (build, error) {
	var v struct {
		Return *struct {
			QEMU struct {
				Major, Minor, Micro int
			} `json:"qemu"`
			Package string `json:"package"`
		} `json:"return"`
	}
	if err := json.Unmarshal([]byte(doc), &v); err != nil || v.Return == nil {
		return build{}, fmt.Errorf("the monitor answered %.80q to query-version", doc)
	}
	q := v.Return.QEMU
	return build{pkg: hostfacts.PackageVersion(v.Return.Package), upstream: fmt.Sprintf("%d.%d.%d", q.Major, q.Minor, q.Micro)}, nil
}

// buildOf gives the build of a live guest. While a job holds the guest its monitor must not be
// asked (the question would wait for the job); then the answer of an earlier look at the same life
// of the guest serves, for a process cannot change its build. at is the time of this look.
func (d *Driver) buildOf(ctx context.Context, h driver.Host, e end, at time.Time) (build, error) {
	key := guest{uri: h.URI, uuid: string(e.uuid[:]), id: e.dom.ID}
	if e.job.active() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if v, ok := d.builds[key]; ok {
			return v, nil
		}
		return build{}, fmt.Errorf("a job is under way")
	}
	var v build
	err := d.conns.with(ctx, h.URI, func(c *conn) (err error) {
		v, err = askBuild(ctx, c, e.dom)
		return err
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		delete(d.builds, key)
		return build{}, err
	}
	v.at = at
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
