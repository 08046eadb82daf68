package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/simulated"
)

const twoHosts = `evenkeel: fleet/v1
regions: [{id: eu}]
sites: [{id: eu-1, region: eu}]
pools: [{id: p, site: eu-1}]
tenants: [{id: acme, contacts: [{email: ops@acme.example}]}]
hosts:
  - {id: h1, pools: [p], hypervisor: kvm, uri: "sim://h1", memory_mib: 8192, software: {installed: {qemu: "1.0"}}}
  - {id: h2, pools: [p], hypervisor: kvm, uri: "sim://h2", memory_mib: 8192, software: {installed: {qemu: "1.0"}}}
instances:
  - {id: web, host: h1, tenant: acme, memory_mib: 512}
  - {id: off, host: h2, tenant: acme, memory_mib: 512, state: stopped}
`

func simulateApp() (*App, *bytes.Buffer) {
	var out bytes.Buffer
	return &App{In: strings.NewReader(""), Out: &out, Err: &out, Now: time.Now, Getenv: os.Getenv}, &out
}

// The world runs in its own command, a driver moves an instance in it, and the witness tells from
// the log alone.
func TestSimulateAndItsWitness(t *testing.T) {
	dir := t.TempDir()
	fleetFile, log, socket := filepath.Join(dir, "fleet.yaml"), filepath.Join(dir, "world.jsonl"), filepath.Join(dir, "world.sock")
	if err := os.WriteFile(fleetFile, []byte(twoHosts), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	app, said := simulateApp()
	ended := make(chan int, 1)
	go func() {
		ended <- Main(ctx, app, []string{"simulate", "--fleet", fleetFile, "--socket", socket, "--log", log, "--speed", "50", "--update", "qemu=2.0"})
	}()
	d := simulated.Dial(socket)
	defer d.Close()
	h1, h2 := driver.Host{ID: "h1", URI: "sim://h1"}, driver.Host{ID: "h2", URI: "sim://h2"}
	limit, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		if _, err := d.Observe(limit, h1); err == nil {
			break
		} else if limit.Err() != nil {
			t.Fatalf("the world never came up: %v", err)
		}
	}
	out, err := d.Migrate(limit, driver.MigrateRequest{Instance: "web", From: h1, To: h2})
	if err != nil || !out.Ends.Moved() {
		t.Fatalf("%+v %v", out, err)
	}
	stop()
	if code := <-ended; code != ExitNothing {
		t.Fatalf("exit %d: %s", code, said)
	}

	app, counts := simulateApp()
	if code := Main(context.Background(), app, []string{"simulate", "witness", "--log", log, "--fleet", fleetFile}); code != ExitNothing {
		t.Fatalf("witness: exit %d: %s", code, counts)
	}
	var got simulated.Verdict
	if err := json.Unmarshal(counts.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if want := (simulated.Verdict{HostsTotal: 2, InstancesTotal: 1, InstancesRunning: 1}); got != want {
		t.Errorf("witness %+v, want %+v", got, want)
	}
}

func TestSimulateRefuses(t *testing.T) {
	dir := t.TempDir()
	fleetFile := filepath.Join(dir, "fleet.yaml")
	log := filepath.Join(dir, "broken.jsonl")
	for path, text := range map[string]string{fleetFile: twoHosts, log: "{\"kind\":\"boot\"}\nnonsense\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	socket := filepath.Join(dir, "s")
	tests := []struct{ args, says string }{
		{"simulate --fleet " + fleetFile, `required flag(s) "socket"`},
		{"simulate --speed 0 --socket " + socket + " --fleet " + fleetFile, "--speed 0"},
		{`simulate --faults {"tea":1} --socket ` + socket + " --fleet " + fleetFile, "tea"},
		{"simulate witness --fleet " + fleetFile + " --log " + log, "broken.jsonl:2"},
	}
	for _, tt := range tests {
		app, out := simulateApp()
		if code := Main(context.Background(), app, strings.Fields(tt.args)); code != ExitError || !strings.Contains(out.String(), tt.says) {
			t.Errorf("%s: exit %d, says %q, want %q", tt.args, code, out, tt.says)
		}
	}
}
