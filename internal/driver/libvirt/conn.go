package libvirt

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	golibvirt "github.com/digitalocean/go-libvirt"

	"github.com/evenkeel/evenkeel/internal/driver/ssh"
)

// conn is one connection to a libvirtd, used by one caller at a time.
type conn struct {
	l       *golibvirt.Libvirt
	socket  *watched
	timeout time.Duration // of one short call
	parked  time.Time     // when it was given back
}

// watched is a network connection that tells when it has ended.
type watched struct {
	net.Conn
	once sync.Once
	gone chan struct{}
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if err != nil {
		w.once.Do(func() { close(w.gone) })
	}
	return n, err
}

func (w *watched) Close() error {
	w.once.Do(func() { close(w.gone) })
	return w.Conn.Close()
}

func (w *watched) dead() bool {
	select {
	case <-w.gone:
		return true
	default:
		return false
	}
}

// fixed hands a connection that exists already to the client library.
type fixed struct{ c net.Conn }

func (f fixed) Dial() (net.Conn, error) { return f.c, nil }

// drop ends the connection; a call that still waits on it ends with an error.
func (c *conn) drop() { c.socket.Close() }

// call runs one call of the client library within timeout and ctx. The library knows neither: on
// the deadline the connection is dropped, which ends the waiting goroutine too.
func call[T any](ctx context.Context, c *conn, timeout time.Duration, f func(*golibvirt.Libvirt) (T, error)) (T, error) {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	type answer struct {
		v   T
		err error
	}
	done := make(chan answer, 1)
	go func() {
		v, err := f(c.l)
		done <- answer{v, err}
	}()
	select {
	case a := <-done:
		return a.v, a.err
	case <-ctx.Done():
		c.drop()
		return none, ctx.Err()
	}
}

// short is call with the connection's own timeout.
func short[T any](ctx context.Context, c *conn, f func(*golibvirt.Libvirt) (T, error)) (T, error) {
	return call(ctx, c, c.timeout, f)
}

// order is a short call that answers with nothing but an error.
func order(ctx context.Context, c *conn, f func(*golibvirt.Libvirt) error) error {
	_, err := short(ctx, c, func(l *golibvirt.Libvirt) (struct{}, error) { return struct{}{}, f(l) })
	return err
}

// lost tells whether err means that the answer never came: the connection broke or was dropped.
func lost(err error) bool {
	var e golibvirt.Error
	return err != nil && !errors.As(err, &e) && !errors.Is(err, golibvirt.ErrUnsupported)
}

// pool keeps idle connections, a few per URI.
type pool struct {
	timeout time.Duration
	ssh     *ssh.Pool

	mu     sync.Mutex
	idle   map[string][]*conn
	closed bool
}

const (
	idlePerHost = 4
	idleFor     = 60 * time.Second
)

func newPool(timeout time.Duration, shell *ssh.Pool) *pool {
	return &pool{timeout: timeout, ssh: shell, idle: map[string][]*conn{}}
}

// with lends a connection to f. Looks may be asked twice: when a connection that was kept from
// earlier turns out to be dead, f runs again on a fresh one.
func (p *pool) with(ctx context.Context, uri string, f func(*conn) error) error {
	if c := p.take(uri); c != nil {
		err := f(c)
		broken := c.socket.dead()
		p.give(uri, c)
		if !lost(err) || !broken || ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
	return p.fresh(ctx, uri, f)
}

// fresh lends a new connection to f: for acts, which must not be sent twice, and for long calls.
func (p *pool) fresh(ctx context.Context, uri string, f func(*conn) error) error {
	c, err := p.dial(ctx, uri)
	if err != nil {
		return err
	}
	defer p.give(uri, c)
	return f(c)
}

func (p *pool) take(uri string) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for list := p.idle[uri]; len(list) > 0; list = p.idle[uri] {
		c := list[len(list)-1]
		p.idle[uri] = list[:len(list)-1]
		if !c.socket.dead() && time.Since(c.parked) < idleFor {
			return c
		}
		c.drop()
	}
	return nil
}

func (p *pool) give(uri string, c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || c.socket.dead() || len(p.idle[uri]) >= idlePerHost {
		c.drop()
		return
	}
	c.parked = time.Now()
	p.idle[uri] = append(p.idle[uri], c)
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for uri, list := range p.idle {
		for _, c := range list {
			c.drop()
		}
		delete(p.idle, uri)
	}
}
