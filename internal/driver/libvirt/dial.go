package libvirt

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	golibvirt "github.com/digitalocean/go-libvirt"

	"github.com/evenkeel/evenkeel/internal/driver"
)

const defaultSocket = "/var/run/libvirt/libvirt-sock"

// address is a libvirt URI taken apart.
type address struct {
	transport string // unix, tcp, tls, ssh
	user      string
	host      string // host:port for tcp and tls; host[:port] for ssh
	socket    string // unix, ssh
	pki       string // folder with certificates, for tls
	open      golibvirt.ConnectURI
}

// parseURI reads qemu[+unix|+tcp|+tls|+ssh]://[user@][host][:port]/system[?socket=|pkipath=].
func parseURI(uri string) (address, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return address{}, fmt.Errorf("%q is no URI", uri)
	}
	kind, transport, named := strings.Cut(u.Scheme, "+")
	if kind == "" || u.Opaque != "" {
		return address{}, fmt.Errorf("%q is no libvirt URI: expected e.g. qemu+tls://host/system", uri)
	}
	a := address{transport: transport, user: u.User.Username(), open: golibvirt.RemoteURI(u), socket: u.Query().Get("socket"), pki: u.Query().Get("pkipath")}
	if !named {
		a.transport = "unix"
		if u.Host != "" {
			a.transport = "tls"
		}
	}
	if a.socket == "" {
		a.socket = defaultSocket
	}
	port := map[string]string{"tcp": "16509", "tls": "16514"}[a.transport]
	switch a.transport {
	case "unix":
		return a, nil
	case "tcp", "tls":
		if p := u.Port(); p != "" {
			port = p
		}
		a.host = net.JoinHostPort(u.Hostname(), port)
	case "ssh":
		a.host = u.Host
	default:
		return address{}, fmt.Errorf("%q: transport %s is not supported; expected unix, tcp, tls or ssh", uri, a.transport)
	}
	if u.Hostname() == "" {
		return address{}, fmt.Errorf("%q names no host", uri)
	}
	return a, nil
}

// dial connects and opens the hypervisor within the pool's timeout and ctx.
func (p *pool) dial(ctx context.Context, uri string) (*conn, error) {
	a, err := parseURI(uri)
	if err != nil {
		return nil, &driver.Error{Code: driver.CodeRefused, Why: err.Error(), Next: "correct the host's uri in the fleet file"}
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	nc, err := p.connect(ctx, a)
	if err != nil {
		return nil, err
	}
	w := &watched{Conn: nc, gone: make(chan struct{})}
	c := &conn{l: golibvirt.NewWithDialer(fixed{w}), socket: w, timeout: p.timeout}
	err = order(ctx, c, func(l *golibvirt.Libvirt) error { return l.ConnectToURI(a.open) })
	if err != nil {
		c.drop()
		return nil, err
	}
	return c, nil
}

func (p *pool) connect(ctx context.Context, a address) (net.Conn, error) {
	var d net.Dialer
	switch a.transport {
	case "unix":
		return d.DialContext(ctx, "unix", a.socket)
	case "tcp":
		return d.DialContext(ctx, "tcp", a.host)
	case "ssh":
		to := a.host
		if a.user != "" {
			to = a.user + "@" + a.host
		}
		return p.ssh.Dial(ctx, to, "unix", a.socket)
	}
	return dialTLS(ctx, a)
}
