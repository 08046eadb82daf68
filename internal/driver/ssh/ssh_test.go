package ssh

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// host is an SSH server on loopback that runs commands with /bin/sh.
type host struct {
	addr  string
	keys  []ssh.Signer
	dials atomic.Int32
	conns chan net.Conn
}

func newKey(t *testing.T) (ssh.Signer, []byte) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	return signer, pem.EncodeToMemory(block)
}

func startHost(t *testing.T, user ssh.PublicKey, keys ...ssh.Signer) *host {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &host{addr: l.Addr().String(), keys: keys, conns: make(chan net.Conn, 100)}
	cfg := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
		if string(k.Marshal()) != string(user.Marshal()) {
			return nil, errors.New("not this one")
		}
		return nil, nil
	}}
	for _, k := range keys {
		cfg.AddHostKey(k)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.dials.Add(1)
			h.conns <- c
			go h.serve(c, cfg)
		}
	}()
	return h
}

func (h *host) serve(c net.Conn, cfg *ssh.ServerConfig) {
	_, chans, reqs, err := ssh.NewServerConn(c, cfg)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(reqs)
	for n := range chans {
		ch, reqs, err := n.Accept()
		if err != nil {
			return
		}
		go h.session(ch, reqs)
	}
}

func (h *host) session(ch ssh.Channel, reqs <-chan *ssh.Request) {
	defer ch.Close()
	for r := range reqs {
		if r.Type != "exec" {
			_ = r.Reply(false, nil)
			continue
		}
		_ = r.Reply(true, nil)
		var payload struct{ Command string }
		_ = ssh.Unmarshal(r.Payload, &payload)
		cmd := exec.Command("/bin/sh", "-c", payload.Command)
		cmd.Stdout, cmd.Stderr = ch, ch.Stderr()
		if in, err := cmd.StdinPipe(); err == nil {
			go func() { _, _ = io.Copy(in, ch); in.Close() }()
		}
		_ = cmd.Run()
		_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(cmd.ProcessState.ExitCode())}))
		return
	}
}

// set is a host, the files to reach it with, and the address to use.
func set(t *testing.T) (*host, Config, string) {
	t.Helper()
	user, private := newKey(t)
	key, _ := newKey(t)
	h := startHost(t, user.PublicKey(), key)
	dir := t.TempDir()
	cfg := Config{KeyFile: filepath.Join(dir, "id"), KnownHostsFile: filepath.Join(dir, "known_hosts"), DialTimeout: 5 * time.Second}
	write(t, cfg.KeyFile, string(private))
	write(t, cfg.KnownHostsFile, knownhosts.Line([]string{h.addr}, key.PublicKey())+"\n")
	return h, cfg, "ops@" + h.addr
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func pool(t *testing.T, cfg Config) *Pool {
	p := New(cfg)
	t.Cleanup(func() { p.Close() })
	return p
}

func codeOf(err error) string {
	var e *driver.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestRun(t *testing.T) {
	h, cfg, at := set(t)
	p := pool(t, cfg)
	res, err := p.Run(context.Background(), at, `cat; echo err >&2; exit 7`, []byte("in"))
	if err != nil || res != (Result{Stdout: "in", Stderr: "err\n", Exit: 7}) {
		t.Errorf("%+v, %v", res, err)
	}
	for range 3 {
		if _, err := p.Run(context.Background(), at, "true", nil); err != nil {
			t.Error(err)
		}
	}
	if n := h.dials.Load(); n != 1 {
		t.Errorf("%d connections for 4 commands", n)
	}
}

// A connection that died while it lay idle costs nothing but a new one.
func TestReconnect(t *testing.T) {
	h, cfg, at := set(t)
	p := pool(t, cfg)
	for range 3 {
		if _, err := p.Run(context.Background(), at, "true", nil); err != nil {
			t.Fatal(err)
		}
		(<-h.conns).Close()
	}
	if n := h.dials.Load(); n != 3 {
		t.Errorf("%d connections", n)
	}
}

// The deadline of one command neither waits for the peer nor takes others' commands down.
func TestDeadline(t *testing.T) {
	_, cfg, at := set(t)
	p := pool(t, cfg)
	if _, err := p.Run(context.Background(), at, "true", nil); err != nil {
		t.Fatal(err)
	}
	long := make(chan error, 1)
	go func() {
		res, err := p.Run(context.Background(), at, "sleep 1; echo survived", nil)
		if err == nil && res.Stdout != "survived\n" {
			err = errors.New(res.Stdout)
		}
		long <- err
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	_, err := p.Run(ctx, at, "sleep 30", nil)
	if codeOf(err) != driver.CodeDeadline || driver.Awake(err) {
		t.Errorf("%v (awake: %v), expected a deadline that tells nothing of the host", err, driver.Awake(err))
	}
	anew := pool(t, cfg)
	ctx, cancel = context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if _, err := anew.Run(ctx, at, "sleep 30", nil); codeOf(err) != driver.CodeDeadline || !driver.Awake(err) {
		t.Errorf("%v (awake: %v), expected a deadline on a host that has just shaken hands", err, driver.Awake(err))
	}
	if err := <-long; err != nil {
		t.Errorf("another command on the same connection: %v", err)
	}
}

// A peer that accepts and says nothing must not hold a caller, nor leave goroutines behind.
func TestSilentPeer(t *testing.T) {
	_, cfg, _ := set(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	before := runtime.NumGoroutine()
	p := pool(t, cfg)
	for range 5 {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		_, err := p.Run(ctx, "ops@"+l.Addr().String(), "true", nil)
		cancel()
		if codeOf(err) != driver.CodeDeadline || driver.Awake(err) {
			t.Errorf("%v (awake: %v), expected a deadline", err, driver.Awake(err))
		}
	}
	for n := 0; runtime.NumGoroutine() > before+2; n++ {
		if n == 100 {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestHostKeys(t *testing.T) {
	h, cfg, at := set(t)
	other, _ := newKey(t)
	for _, c := range []struct{ name, pins, code, says string }{
		{"unknown", "", driver.CodeHostKey, "is not pinned"},
		{"changed", knownhosts.Line([]string{h.addr}, other.PublicKey()), driver.CodeHostKey, "is not the pinned one"},
		{"revoked", "@revoked * " + strings.SplitN(knownhosts.Line([]string{h.addr}, h.keys[0].PublicKey()), " ", 2)[1], driver.CodeHostKey, "revoked"},
		{"unreadable", "nonsense", driver.CodeHostKey, "cannot be read"},
	} {
		write(t, cfg.KnownHostsFile, c.pins+"\n")
		_, err := pool(t, cfg).Run(context.Background(), at, "true", nil)
		if codeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// The file is read afresh: a corrected one needs no restart.
	p := pool(t, cfg)
	if _, err := p.Run(context.Background(), at, "true", nil); err == nil {
		t.Fatal("an unreadable file passes")
	}
	write(t, cfg.KnownHostsFile, knownhosts.Line([]string{h.addr}, h.keys[0].PublicKey())+"\n")
	if _, err := p.Run(context.Background(), at, "true", nil); err != nil {
		t.Error(err)
	}
}

// A host with several keys is asked for the kind that is pinned.
func TestPinnedKind(t *testing.T) {
	user, private := newKey(t)
	first, _ := newKey(t)
	ec, err := ssh.ParsePrivateKey([]byte(ecdsaKey(t)))
	if err != nil {
		t.Fatal(err)
	}
	h := startHost(t, user.PublicKey(), ec, first)
	dir := t.TempDir()
	cfg := Config{KeyFile: filepath.Join(dir, "id"), KnownHostsFile: filepath.Join(dir, "known_hosts")}
	write(t, cfg.KeyFile, string(private))
	for _, k := range []ssh.Signer{first, ec} {
		write(t, cfg.KnownHostsFile, knownhosts.Line([]string{h.addr}, k.PublicKey())+"\n")
		if _, err := pool(t, cfg).Run(context.Background(), "ops@"+h.addr, "true", nil); err != nil {
			t.Errorf("%s: %v", k.PublicKey().Type(), err)
		}
	}
}

func TestKeys(t *testing.T) {
	_, cfg, at := set(t)
	_, stranger := newKey(t)
	secret := "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0IHdvcmRz\n-----END OPENSSH PRIVATE KEY-----\n"
	for _, c := range []struct{ name, key, code string }{
		{"not authorised", string(stranger), driver.CodeRefused},
		{"torn", secret, driver.CodeRefused},
	} {
		write(t, cfg.KeyFile, c.key)
		_, err := pool(t, cfg).Run(context.Background(), at, "true", nil)
		if codeOf(err) != c.code || strings.Contains(err.Error(), "c2VjcmV0") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	_, err := pool(t, Config{}).Run(context.Background(), at, "true", nil)
	if codeOf(err) != driver.CodeUnsupported {
		t.Errorf("without keys: %v", err)
	}
}

// The first attempt finds a host that boots: it is never answered. Those after it are.
func TestUnheardAttemptIsRepeated(t *testing.T) {
	h, cfg, _ := set(t)
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { front.Close() })
	known, err := os.ReadFile(cfg.KnownHostsFile)
	if err != nil {
		t.Fatal(err)
	}
	write(t, cfg.KnownHostsFile, strings.Replace(string(known), knownhosts.Normalize(h.addr), knownhosts.Normalize(front.Addr().String()), 1))
	var dials atomic.Int32
	closed := make(chan struct{})
	go func() {
		for {
			c, err := front.Accept()
			if err != nil {
				return
			}
			if dials.Add(1) == 1 { // until the other side gives it up
				go func() { _, _ = io.Copy(io.Discard, c); close(closed) }()
				continue
			}
			back, err := net.Dial("tcp", h.addr)
			if err != nil {
				c.Close()
				continue
			}
			go func() { _, _ = io.Copy(back, c); back.Close() }()
			go func() { _, _ = io.Copy(c, back); c.Close() }()
		}
	}()
	cfg.DialTimeout = time.Minute
	if _, err := pool(t, cfg).Run(context.Background(), "ops@"+front.Addr().String(), "true", nil); err != nil {
		t.Error(err)
	}
	<-closed
	if n := dials.Load(); n != 2 {
		t.Errorf("%d attempts", n)
	}
}

func TestNobodyThere(t *testing.T) {
	_, cfg, _ := set(t)
	_, err := pool(t, cfg).Run(context.Background(), "ops@127.0.0.1:1", "true", nil)
	if codeOf(err) != driver.CodeUnreachable {
		t.Error(err)
	}
}

func TestSplit(t *testing.T) {
	for in, want := range map[string][2]string{
		"root@10.0.0.1": {"root", "10.0.0.1:22"}, "ops@h1.example:2222": {"ops", "h1.example:2222"}, "a@b@h1": {"a@b", "h1:22"},
		"root@fd00::1": {"root", "[fd00::1]:22"}, "root@[fd00::1]:2222": {"root", "[fd00::1]:2222"}, "root@[fd00::1]": {"root", "[fd00::1]:22"},
	} {
		name, addr, err := Split(in)
		if err != nil || name != want[0] || addr != want[1] {
			t.Errorf("%s: %s, %s, %v", in, name, addr, err)
		}
	}
	for _, in := range []string{"", "root@", "root@h1 -oProxyCommand=x", "root@:22"} {
		if _, addr, err := Split(in); err == nil {
			t.Errorf("%q passes as %s", in, addr)
		}
	}
}

// TestQuote: whatever the words are, a shell reads back the same.
func TestQuote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[^\x00]{0,12}`), 1, 4).Draw(t, "words")
		words = append(words, rapid.SampledFrom([]string{"", "a=b", "~", "$(id)", "it's", "-n", "a\nb", "*", "!x", `\`}).Draw(t, "odd"))
		out, err := exec.Command("sh", "-c", Quote(append([]string{"printf", `%s\0`}, words...)...)).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"); !reflect.DeepEqual(got, words) {
			t.Fatalf("%q became %q", words, got)
		}
	})
	if got := Quote("a=b", "c"); got != "'a=b' c" {
		t.Error("a first word with = would be an assignment: " + got)
	}
}

func TestTail(t *testing.T) {
	var w tail
	for range 4 * maxOutput / 100_000 {
		_, _ = w.Write([]byte(strings.Repeat("x", 100_000)))
	}
	_, _ = w.Write([]byte("end"))
	if s := w.String(); len(s) != maxOutput || !strings.HasSuffix(s, "xend") {
		t.Errorf("%d bytes", len(s))
	}
}
