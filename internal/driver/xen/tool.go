package xen

import (
	"context"
	"fmt"
	"net/url"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/ssh"
)

// address is where a host's dom0 is reached: its ssh field, else what its URI says.
func address(h driver.Host) (string, error) {
	if h.SSH != "" {
		return h.SSH, nil
	}
	u, err := url.Parse(h.URI)
	if err != nil || u.Host == "" {
		return "", &driver.Error{Code: driver.CodeUnsupported, Why: fmt.Sprintf("host %s: %q names no address", h.ID, h.URI), Next: "give the host a uri such as xen+ssh://root@ADDRESS/, or an ssh address"}
	}
	if u.User != nil && u.User.Username() != "" {
		return u.User.Username() + "@" + u.Host, nil
	}
	return "root@" + u.Host, nil
}

// call runs one short command on a host's dom0, bounded by CallTimeout.
func (d *Driver) call(ctx context.Context, h driver.Host, argv ...string) (ssh.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.CallTimeout)
	defer cancel()
	return d.long(ctx, h, nil, argv...)
}

// long runs one command on a host's dom0 until it ends or ctx does. An exit code other than 0 is no
// error here.
func (d *Driver) long(ctx context.Context, h driver.Host, stdin []byte, argv ...string) (ssh.Result, error) {
	at, err := address(h)
	if err != nil {
		return ssh.Result{}, err
	}
	return d.ssh.Run(ctx, at, findTools+ssh.Quote(argv...), stdin)
}

// findTools makes the tools of the Xen that runs known to the shell: SSH gives a short PATH, and Debian
// keeps xen-livepatch in a folder for each version of Xen.
const findTools = `{ read -r v </sys/hypervisor/version/major && read -r w </sys/hypervisor/version/minor; } 2>/dev/null; export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/lib/xen-$v.$w/bin:/usr/lib/xen/bin:/usr/libexec/xen/bin"; `
