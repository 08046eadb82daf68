package ssh

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// Split takes user@host[:port] apart; addr is host:port, fit for net.Dial.
// Without a user the running process's own is meant.
func Split(address string) (name, addr string, err error) {
	host := address
	if i := strings.LastIndex(address, "@"); i >= 0 {
		name, host = address[:i], address[i+1:]
	}
	if host == "" || strings.ContainsAny(address, " \t\n/") {
		return "", "", fmt.Errorf("SSH address %q: expected user@host[:port]", address)
	}
	port := "22"
	if h, p, err := net.SplitHostPort(host); err == nil {
		host, port = h, p
	} else {
		host = strings.Trim(host, "[]")
	}
	if host == "" || port == "" {
		return "", "", fmt.Errorf("SSH address %q: expected user@host[:port]", address)
	}
	if name == "" {
		u, err := user.Current()
		if err != nil {
			return "", "", fmt.Errorf("SSH address %q names no user: %w", address, err)
		}
		name = u.Username
	}
	return name, net.JoinHostPort(host, port), nil
}

// dial connects and shakes hands, within ctx and DialTimeout.
func (p *Pool) dial(ctx context.Context, address string) (*ssh.Client, error) {
	name, addr, err := Split(address)
	if err != nil {
		return nil, &driver.Error{Code: driver.CodeRefused, Why: err.Error(), Next: "correct the host's ssh address in the fleet file"}
	}
	cfg, err := p.clientConfig(name, addr)
	if err != nil {
		return nil, err
	}
	dctx, cancel := context.WithTimeout(ctx, p.cfg.DialTimeout)
	defer cancel()
	c, err := race(dctx, addr, cfg)
	if err != nil {
		if dctx.Err() != nil {
			err = dctx.Err()
		}
		return nil, explain(ctx, address, err)
	}
	return c, nil
}

// An attempt to connect that a host did not hear, as while it boots, is repeated by the kernel ever more
// seldom. So another one is begun beside it every tryAgain, until one is answered; at most mostTries are
// kept at once. The host's first word decides, not its handshake, which may take a slow host long.
const (
	tryAgain  = 2 * time.Second
	mostTries = 4
	maxTries  = 64 // in all
)

// race connects and shakes hands. Of several attempts the one that is answered first goes on alone.
func race(ctx context.Context, addr string, cfg *ssh.ClientConfig) (*ssh.Client, error) {
	type result struct {
		try int
		c   *ssh.Client
		err error
	}
	results, heard := make(chan result), make(chan int, maxTries)
	stops := map[int]context.CancelFunc{} // of the attempts under way, by their number
	next := 0
	begin := func() {
		if len(stops) == mostTries {
			stops[next-mostTries]()
			delete(stops, next-mostTries)
		}
		own, stop := context.WithCancel(ctx)
		try := next
		next++
		stops[try] = stop
		go func() {
			c, err := shake(own, addr, cfg, func() { heard <- try })
			select {
			case results <- result{try, c, err}:
			case <-own.Done(): // it comes too late
				if c != nil {
					c.Close()
				}
			}
		}()
	}
	defer func() {
		for _, stop := range stops {
			stop()
		}
	}()
	begin()
	again := time.NewTicker(tryAgain)
	defer again.Stop()
	for answered := false; ; {
		select {
		case <-again.C:
			if !answered && next < maxTries {
				begin()
			}
		case try := <-heard:
			if _, runs := stops[try]; !runs || answered {
				continue
			}
			answered = true
			for other, stop := range stops {
				if other != try {
					stop()
					delete(stops, other)
				}
			}
		case r := <-results:
			if _, runs := stops[r.try]; !runs { // given up in this moment
				if r.c != nil {
					r.c.Close()
				}
				continue
			}
			return r.c, r.err
		}
	}
}

// shake makes one attempt; heard is called at the host's first word. It ends soon after ctx does, and
// before the handshake is over it leaves nothing open then.
func shake(ctx context.Context, addr string, cfg *ssh.ClientConfig, heard func()) (*ssh.Client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	// The handshake knows no context: closing the connection ends it.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	c, chans, reqs, err := ssh.NewClientConn(&listened{Conn: conn, heard: heard}, addr, cfg)
	if !stop() && err == nil {
		c.Close()
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return ssh.NewClient(c, chans, reqs), nil
}

// listened tells of the first byte that comes.
type listened struct {
	net.Conn
	once  sync.Once
	heard func()
}

func (l *listened) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	if n > 0 {
		l.once.Do(l.heard)
	}
	return n, err
}

// clientConfig reads key and pins afresh, so that a corrected file needs no restart.
func (p *Pool) clientConfig(name, addr string) (*ssh.ClientConfig, error) {
	if !p.Configured() {
		return nil, &driver.Error{Code: driver.CodeUnsupported, Why: "no SSH key file and known_hosts file are configured",
			Next: "name both: host keys are always pinned"}
	}
	pem, err := os.ReadFile(p.cfg.KeyFile)
	if err != nil {
		return nil, &driver.Error{Code: driver.CodeRefused, Why: "the SSH key file cannot be read", Next: "make it readable for this process", Err: err}
	}
	signer, err := ssh.ParsePrivateKey(pem)
	if err != nil {
		// The parser's words are left out: nothing of a key may reach a log.
		return nil, &driver.Error{Code: driver.CodeRefused, Why: fmt.Sprintf("%s is not an SSH private key without passphrase", p.cfg.KeyFile), Next: "name another key file"}
	}
	check, err := knownhosts.New(p.cfg.KnownHostsFile)
	if err != nil {
		return nil, &driver.Error{Code: driver.CodeHostKey, Why: "the known_hosts file cannot be read", Next: "write one with the host's key, e.g. from its console", Err: err}
	}
	return &ssh.ClientConfig{
		User:              name,
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback:   check,
		HostKeyAlgorithms: pinnedAlgorithms(check, addr),
		Timeout:           p.cfg.DialTimeout,
	}, nil
}

// pinnedAlgorithms asks the host for a key of a kind that is pinned; otherwise it would offer the
// one it likes best, which would look like a changed key.
func pinnedAlgorithms(check ssh.HostKeyCallback, addr string) []string {
	// An error for a key that no host has lists the keys that are pinned.
	probe, err := ssh.NewPublicKey(ed25519.PublicKey(make([]byte, ed25519.PublicKeySize)))
	if err != nil {
		return nil
	}
	var unknown *knownhosts.KeyError
	if !errors.As(check(addr, &net.TCPAddr{IP: net.IPv4zero}, probe), &unknown) {
		return nil
	}
	var algos []string
	for _, k := range unknown.Want {
		kinds := []string{k.Key.Type()}
		if k.Key.Type() == ssh.KeyAlgoRSA {
			kinds = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
		}
		for _, kind := range kinds {
			if !slices.Contains(algos, kind) {
				algos = append(algos, kind)
			}
		}
	}
	return algos
}

// explain turns an error of the SSH or network layer into one with a code.
func explain(ctx context.Context, address string, err error) error {
	var done *driver.Error
	if errors.As(err, &done) {
		return err
	}
	var key *knownhosts.KeyError
	var revoked *knownhosts.RevokedError
	switch {
	case errors.As(err, &key) && len(key.Want) == 0:
		return &driver.Error{Code: driver.CodeHostKey, Why: "the SSH host key of " + address + " is not pinned",
			Next: "check the key at the host's console and add it to the known_hosts file"}
	case errors.As(err, &key):
		return &driver.Error{Code: driver.CodeHostKey, Why: fmt.Sprintf("the SSH host key of %s is not the pinned one (%s:%d)", address, key.Want[0].Filename, key.Want[0].Line),
			Next: "find out why it changed before anything is done there; then pin the new one"}
	case errors.As(err, &revoked):
		return &driver.Error{Code: driver.CodeHostKey, Why: "the SSH host key of " + address + " is revoked", Next: "do nothing there before it has another key"}
	case ctx.Err() != nil:
		return &driver.Error{Code: driver.CodeDeadline, Why: "SSH at " + address + " did not answer in time", Next: "see whether the host answers; a command that was begun may still run there", Retry: true, Err: ctx.Err()}
	case strings.Contains(err.Error(), "unable to authenticate"):
		return &driver.Error{Code: driver.CodeRefused, Why: "SSH at " + address + " refuses the key", Next: "add the public key to the user's authorized_keys there"}
	case strings.Contains(err.Error(), "no common algorithm for host key"):
		return &driver.Error{Code: driver.CodeHostKey, Why: "SSH at " + address + " offers no key of a kind that is pinned", Next: "find out why its keys changed before anything is done there"}
	}
	return &driver.Error{Code: driver.CodeUnreachable, Why: "SSH at " + address + " cannot be reached", Next: "see whether the host is up and its network works", Retry: true, Err: err}
}
