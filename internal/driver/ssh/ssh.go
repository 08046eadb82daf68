// Package ssh runs commands on hosts over SSH with pinned host keys; drivers
// use it for what a hypervisor's own interface cannot tell or do.
//
// It never accepts an unknown or changed host key, never asks for a password,
// and never reads anybody's own SSH configuration: key file and known_hosts
// file are named by the operator. Each call ends soon after its context does.
// Start reading at Pool.Run.
package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// Config says how hosts are reached.
type Config struct {
	KeyFile        string        // private key, not encrypted
	KnownHostsFile string        // OpenSSH's format; read again at each new connection
	DialTimeout    time.Duration // for connecting and the handshake; 10 s when zero
}

// maxOutput bounds what is kept of a command's output: the last bytes of each stream.
const maxOutput = 8 << 20

// Result is what a command came to.
type Result struct {
	Stdout, Stderr string // the last 8 MiB of each
	Exit           int    // exit code
}

// Pool keeps one connection per address open. It is safe for concurrent use.
type Pool struct {
	cfg Config

	mu     sync.Mutex
	shared map[string]*client
	closed bool
}

// client is one connection. It is closed once it is retired and nobody uses it.
type client struct {
	ssh     *ssh.Client
	users   int
	retired bool
}

// New makes a pool; it opens nothing yet.
func New(cfg Config) *Pool {
	if cfg.DialTimeout <= 0 {
		cfg.DialTimeout = 10 * time.Second
	}
	return &Pool{cfg: cfg, shared: map[string]*client{}}
}

// Configured tells whether keys were named at all.
func (p *Pool) Configured() bool { return p.cfg.KeyFile != "" && p.cfg.KnownHostsFile != "" }

// Close gives all connections back; commands under way end with an error.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for a, c := range p.shared {
		c.retired = true
		go c.ssh.Close()
		delete(p.shared, a)
	}
	return nil
}

// Run runs one command line at address (user@host[:port]) and waits for its end. A command that ends
// with another exit code than 0 is no error here: the caller reads Result.Exit.
//
// When the connection breaks, or ctx ends, the command may still be running on the host; the error
// then has code unreachable or deadline.
func (p *Pool) Run(ctx context.Context, address, command string, stdin []byte) (Result, error) {
	for attempt := 0; ; attempt++ {
		c, fresh, err := p.client(ctx, address)
		if err != nil {
			return Result{}, err
		}
		res, started, err := run(ctx, c.ssh, command, stdin)
		if err != nil {
			p.retire(address, c)
			err = explain(ctx, address, err)
			var e *driver.Error
			if errors.As(err, &e) && fresh { // it has just shaken hands; one kept from earlier tells nothing
				e.Awake = true
			}
		}
		p.release(c)
		// A connection kept from earlier may be dead by now. As long as the command was not
		// handed over, a fresh one may be tried.
		if err != nil && !started && !fresh && attempt == 0 && ctx.Err() == nil {
			continue
		}
		return res, err
	}
}

// run carries out one command on a connection; started tells whether the host may have begun it.
func run(ctx context.Context, c *ssh.Client, command string, stdin []byte) (Result, bool, error) {
	type answer struct {
		res     Result
		started bool
		err     error
	}
	done := make(chan answer, 1)
	begun := make(chan struct{})
	go func() {
		var a answer
		a.res, a.started, a.err = session(c, command, stdin, begun)
		done <- a
	}()
	select {
	case a := <-done:
		return a.res, a.started, a.err
	case <-ctx.Done():
		select {
		case <-begun:
			return Result{}, true, ctx.Err()
		default:
			return Result{}, false, ctx.Err()
		}
	}
}

func session(c *ssh.Client, command string, stdin []byte, begun chan<- struct{}) (Result, bool, error) {
	s, err := c.NewSession()
	if err != nil {
		return Result{}, false, err
	}
	defer s.Close()
	var stdout, stderr tail
	s.Stdout, s.Stderr = &stdout, &stderr
	if stdin != nil {
		s.Stdin = bytes.NewReader(stdin)
	}
	close(begun)
	err = s.Run(command)
	res := Result{Stdout: stdout.String(), Stderr: stderr.String()}
	var exit *ssh.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit) && exit.Signal() == "":
		res.Exit, err = exit.ExitStatus(), nil
	case errors.As(err, &exit):
		res.Exit, err = 128, nil
		res.Stderr += "\nended by signal " + exit.Signal()
	}
	return res, true, err
}

// Dial opens a connection from the host itself, e.g. to a UNIX socket there. The connection holds
// its own SSH connection, which is closed with it.
func (p *Pool) Dial(ctx context.Context, address, network, target string) (net.Conn, error) {
	c, err := p.dial(ctx, address)
	if err != nil {
		return nil, err
	}
	type answer struct {
		conn net.Conn
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		conn, err := c.Dial(network, target)
		done <- answer{conn, err}
	}()
	select {
	case a := <-done:
		if a.err != nil {
			c.Close()
			return nil, &driver.Error{Code: driver.CodeUnreachable, Retry: true,
				Why: fmt.Sprintf("%s cannot be opened through SSH at %s", target, address), Next: "see whether the service runs there", Err: a.err}
		}
		return tunnel{a.conn, c}, nil
	case <-ctx.Done():
		c.Close()
		return nil, explain(ctx, address, ctx.Err())
	}
}

// tunnel closes the SSH connection together with what runs through it.
type tunnel struct {
	net.Conn
	under io.Closer
}

func (t tunnel) Close() error {
	err := t.Conn.Close()
	return errors.Join(err, t.under.Close())
}

// client gives the shared connection to address, opening one if there is none.
func (p *Pool) client(ctx context.Context, address string) (c *client, fresh bool, err error) {
	p.mu.Lock()
	if c := p.shared[address]; c != nil {
		c.users++
		p.mu.Unlock()
		return c, false, nil
	}
	p.mu.Unlock()
	conn, err := p.dial(ctx, address)
	if err != nil {
		return nil, false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c = &client{ssh: conn, users: 1}
	if _, taken := p.shared[address]; taken || p.closed {
		c.retired = true // somebody was faster: this one serves its caller and goes
	} else {
		p.shared[address] = c
	}
	return c, true, nil
}

// retire takes a connection out of use for new callers; those on it may end their work.
func (p *Pool) retire(address string, c *client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.retired = true
	if p.shared[address] == c {
		delete(p.shared, address)
	}
}

func (p *Pool) release(c *client) {
	p.mu.Lock()
	c.users--
	last := c.retired && c.users == 0
	p.mu.Unlock()
	if last {
		go c.ssh.Close() // a dead peer may make Close wait
	}
}

// tail keeps the last maxOutput bytes.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > 2*maxOutput {
		t.b = append(t.b[:0], t.b[len(t.b)-maxOutput:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	if len(t.b) > maxOutput {
		return string(t.b[len(t.b)-maxOutput:])
	}
	return string(t.b)
}
