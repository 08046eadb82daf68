package xen

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// fakeHost is a folder that stands for a dom0, reached by an SSH server on loopback which runs what it
// is told in dash.
type fakeHost struct {
	t    *testing.T
	root string
	host driver.Host
	l    net.Listener

	mu    sync.Mutex
	conns []net.Conn
	calls int // commands over SSH
}

// fakeHosts gives h1 and h2 and the configuration of a driver that reaches them.
func fakeHosts(t *testing.T) (Config, *fakeHost, *fakeHost) {
	t.Helper()
	for _, tool := range []string{"flock", "setsid", "dash", "awk"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("skipped: no %s here", tool)
		}
	}
	base := t.TempDir()
	user, pemKey := fakeKey(t)
	hostKey, _ := fakeKey(t)
	cfg := Config{SSHKeyFile: base + "/key", KnownHostsFile: base + "/known", Poll: 50 * time.Millisecond, Patience: 2 * time.Second,
		SaveDir: "/HOSTROOT/save", ConfigDirs: []string{"/HOSTROOT/etc/xen", "/HOSTROOT/etc/xen/auto"}}
	write(t, cfg.SSHKeyFile, string(pemKey))
	known := ""
	var all []*fakeHost
	for _, id := range []string{"h1", "h2"} {
		h := &fakeHost{t: t, root: base + "/" + id}
		for _, d := range []string{"bin", "dom", "history", "save", "etc/xen/auto", "run", "var/lib"} {
			if err := os.MkdirAll(filepath.Join(h.root, d), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		write(t, h.root+"/bin/xl", fakeXL)
		write(t, h.root+"/free", "4000")
		h.serve(user.PublicKey(), hostKey)
		h.host = driver.Host{ID: id, URI: "xen+ssh://root@" + id + "/", SSH: "root@" + h.l.Addr().String()}
		known += knownhosts.Line([]string{knownhosts.Normalize(h.l.Addr().String())}, hostKey.PublicKey()) + "\n"
		t.Cleanup(h.killWatchers)
		all = append(all, h)
	}
	write(t, cfg.KnownHostsFile, known)
	return cfg, all[0], all[1]
}

// killWatchers ends what a fake restore leaves behind, as xl does its watcher of the domain.
func (h *fakeHost) killWatchers() {
	for _, pid := range strings.Fields(h.read("watchers")) {
		_ = exec.Command("kill", pid).Run()
	}
}

func fakeKey(t *testing.T) (gossh.Signer, []byte) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := gossh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := gossh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	return signer, pem.EncodeToMemory(block)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

func (h *fakeHost) serve(user gossh.PublicKey, key gossh.Signer) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	h.l = l
	h.t.Cleanup(func() { h.cut() })
	cfg := &gossh.ServerConfig{PublicKeyCallback: func(_ gossh.ConnMetadata, k gossh.PublicKey) (*gossh.Permissions, error) {
		if !bytes.Equal(k.Marshal(), user.Marshal()) {
			return nil, fmt.Errorf("not this one")
		}
		return nil, nil
	}}
	cfg.AddHostKey(key)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.mu.Lock()
			h.conns = append(h.conns, c)
			h.mu.Unlock()
			go h.session(c, cfg)
		}
	}()
}

// drop breaks all connections; cut also refuses new ones.
func (h *fakeHost) drop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.conns {
		c.Close()
	}
	h.conns = nil
}

func (h *fakeHost) cut() { h.l.Close(); h.drop() }

func (h *fakeHost) session(c net.Conn, cfg *gossh.ServerConfig) {
	_, chans, reqs, err := gossh.NewServerConn(c, cfg)
	if err != nil {
		return
	}
	go gossh.DiscardRequests(reqs)
	for n := range chans {
		ch, requests, err := n.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range requests {
				if r.Type != "exec" {
					_ = r.Reply(false, nil)
					continue
				}
				_ = r.Reply(true, nil)
				go func() {
					exit := h.run(string(r.Payload[4:]), ch)
					_, _ = ch.SendRequest("exit-status", false, binary.BigEndian.AppendUint32(nil, uint32(exit)))
					ch.Close()
				}()
			}
		}()
	}
}

// run carries one command line out, with the host's folders where the driver expects them.
func (h *fakeHost) run(command string, ch gossh.Channel) int {
	at := strings.NewReplacer("/var/lib/evenkeel", h.root+"/var/lib/evenkeel", "/run/evenkeel", h.root+"/run/evenkeel", "/HOSTROOT", h.root)
	h.mu.Lock()
	h.calls++
	h.mu.Unlock()
	cmd := exec.Command("dash", "-c", at.Replace(command))
	cmd.Env = []string{"PATH=" + h.root + "/bin:" + os.Getenv("PATH"), "XLROOT=" + h.root}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = ch, ch, ch.Stderr()
	if !strings.Contains(command, "cfg.new") {
		cmd.Stdin = nil // a reader of the channel would outlive commands that read nothing
	}
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode()
}

func (h *fakeHost) read(file string) string {
	b, _ := os.ReadFile(filepath.Join(h.root, file))
	return strings.TrimSpace(string(b))
}

func (h *fakeHost) has(file string) bool {
	_, err := os.Lstat(filepath.Join(h.root, file))
	return err == nil
}

func (h *fakeHost) put(file, text string) {
	h.t.Helper()
	write(h.t, filepath.Join(h.root, file), text)
}

// guest puts a running domain with its configuration there.
func (h *fakeHost) guest(name string) {
	h.put("dom/"+name, "3 128 -b---- 00000000-0000-4000-8000-000000000001\n")
	h.put("etc/xen/"+name+".cfg", "name = \""+name+"\"\n")
}

// asked is how many commands came over SSH since it was asked last.
func (h *fakeHost) asked() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := h.calls
	h.calls = 0
	return n
}

// count is how often the tool was called so.
func (h *fakeHost) count(call string) (n int) {
	for line := range strings.Lines(h.read("calls") + "\n") {
		if strings.HasPrefix(line, call) {
			n++
		}
	}
	return n
}

// waitFor waits for something of the fake world.
func (h *fakeHost) waitFor(what string, ok func() bool) {
	h.t.Helper()
	for range 400 {
		if ok() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	h.t.Fatalf("ten seconds without: %s", what)
}

func newDriver(t *testing.T, cfg Config) *Driver {
	d := New(cfg)
	t.Cleanup(func() { d.Close() })
	return d
}

func in(t *testing.T, limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

func mustCode(t *testing.T, err error, want string) {
	t.Helper()
	if got := code(err); got != want {
		t.Errorf("code %q (%v), expected %q", got, err, want)
	}
}

// call is what another process of the driver is asked for.
type call struct {
	Config   Config
	Instance string
	From, To driver.Host
	Save     bool // save the instance, instead of migrating it
}

const callEnv = "EVENKEEL_TEST_CALL"

// TestCaller is that process; only caller starts it.
func TestCaller(t *testing.T) {
	src := os.Getenv(callEnv)
	if src == "" {
		return
	}
	var c call
	if err := json.Unmarshal([]byte(src), &c); err != nil {
		t.Fatal(err)
	}
	d := New(c.Config)
	if c.Save {
		t.Error(d.Save(context.Background(), gen, c.From, c.Instance))
		return
	}
	_, err := d.Migrate(context.Background(), driver.MigrateRequest{Fence: gen, Instance: c.Instance, From: c.From, To: c.To})
	t.Error(err)
}

// caller has another process do it, and gives the way to kill it (SIGKILL).
func caller(t *testing.T, c call) (kill func()) {
	t.Helper()
	src, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestCaller$")
	cmd.Env = append(os.Environ(), callEnv+"="+string(src))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(kill)
	return kill
}
