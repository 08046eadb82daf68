package libvirt

import (
	"context"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	golibvirt "github.com/digitalocean/go-libvirt"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// mute is a peer that accepts connections and never says a word, like a frozen libvirtd.
func mute(t *testing.T) driver.Host {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var open []net.Conn
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range open {
			c.Close()
		}
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
		}
	}()
	return driver.Host{ID: "mute", URI: "qemu+tcp://" + l.Addr().String() + "/system"}
}

// Whatever a peer does, each call ends soon after its context, says that the peer is silent, and
// leaves nothing behind.
func TestFrozenPeer(t *testing.T) {
	a, b := mute(t), mute(t)
	b.ID = "other"
	before := runtime.NumGoroutine()
	d := New(Config{CallTimeout: 300 * time.Millisecond, Patience: 500 * time.Millisecond})
	f := driver.Fence{}
	for name, call := range map[string]func(context.Context) error{
		"observe": func(ctx context.Context) error { _, err := d.Observe(ctx, a); return err },
		"migrate": func(ctx context.Context) error {
			out, err := d.Migrate(ctx, driver.MigrateRequest{Instance: "g1", From: a, To: b})
			if want := (driver.Ends{Source: driver.IsUnreachable, Destination: driver.IsUnreachable}); out.Ends != want {
				t.Errorf("ends %+v", out.Ends)
			}
			return err
		},
		"abort":   func(ctx context.Context) error { return d.AbortMigration(ctx, f, a, "g1") },
		"save":    func(ctx context.Context) error { return d.Save(ctx, f, a, "g1") },
		"restore": func(ctx context.Context) error { return d.Restore(ctx, f, a, "g1") },
		"stop":    func(ctx context.Context) error { return d.Stop(ctx, f, a, "g1") },
		"start":   func(ctx context.Context) error { return d.Start(ctx, f, a, "g1") },
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		start := time.Now()
		err := call(ctx)
		cancel()
		wantCode(t, err, driver.CodeUnreachable)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
	d.Close()
	for n := 0; runtime.NumGoroutine() > before; n++ {
		if n == 200 {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	uri := "qemu+tcp://" + l.Addr().String() + "/system"
	l.Close()
	d := New(Config{})
	defer d.Close()
	_, err = d.Observe(context.Background(), driver.Host{ID: "h1", URI: uri})
	wantCode(t, err, driver.CodeUnreachable)
	_, err = d.Observe(context.Background(), driver.Host{ID: "h1", URI: "nonsense"})
	wantCode(t, err, driver.CodeRefused)
}

func TestExplain(t *testing.T) {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	lv := func(n golibvirt.ErrorNumber, msg string) error {
		return golibvirt.Error{Code: uint32(n), Message: msg}
	}
	for _, c := range []struct {
		ctx  context.Context
		err  error
		code string
	}{
		{context.Background(), lv(golibvirt.ErrNoDomain, "Domain not found"), driver.CodeNotFound},
		{context.Background(), lv(golibvirt.ErrOperationAborted, "operation aborted: job 'migration out' canceled by client"), driver.CodeAborted},
		{context.Background(), lv(golibvirt.ErrMigrateUnsafe, "Unsafe migration: Migration without shared storage is unsafe"), driver.CodeCannotMove},
		{context.Background(), lv(golibvirt.ErrInternalError, "internal error: client socket is closed"), driver.CodeFailed},
		{context.Background(), lv(golibvirt.ErrInternalError, "internal error: process exited: cannot set up guest memory 'pc.ram': Cannot allocate memory"), driver.CodeNoRoom},
		{context.Background(), lv(golibvirt.ErrSystemError, "unable to connect to server at 'h2:16509': Connection refused"), driver.CodeUnreachable},
		{context.Background(), lv(golibvirt.ErrOperationInvalid, "Requested operation is not valid: cannot migrate a domain with <hostdev mode='subsystem' type='pci'>"), driver.CodeCannotMove},
		{context.Background(), lv(golibvirt.ErrOperationDenied, "access denied"), driver.CodeRefused},
		{context.Background(), golibvirt.ErrInterrupted, driver.CodeUnreachable},
		{over, lv(golibvirt.ErrInternalError, "x"), driver.CodeDeadline},
		{over, &driver.Error{Code: driver.CodeSplit, Why: "w", Next: "n"}, driver.CodeSplit},
	} {
		wantCode(t, explain(c.ctx, "h1", "moving g1", c.err), c.code)
	}
	if explain(over, "h1", "x", nil) != nil {
		t.Error("no error became one")
	}
}
