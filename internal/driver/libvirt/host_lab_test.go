package libvirt

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

func (l *lab) observe(d *Driver, h driver.Host) driver.Observation {
	l.t.Helper()
	o, err := d.Observe(within(l.t, 30*time.Second), h)
	if err != nil {
		l.t.Fatal(err)
	}
	return o
}

func instanceIn(o driver.Observation, id string) driver.InstanceSeen {
	for _, i := range o.Instances {
		if i.ID == id {
			return i
		}
	}
	return driver.InstanceSeen{}
}

func TestLabObserve(t *testing.T) {
	l := theLab(t)
	l.guest("h1", "g121", "-D", "local", "-T", "acme", "-G", "acme-web")
	l.alive("g121")
	o := l.observe(l.driver(l.config()), l.hosts[0])
	installed := l.on("h1", "dpkg-query", "-W", "-f", "${Version}", "qemu-system-x86")
	if o.Host != "h1" || o.Health != fleet.Up || len(o.Missing) > 0 {
		t.Errorf("host %q, health %q, missing %q", o.Host, o.Health, o.Missing)
	}
	if id := l.on("h1", "cat", "/proc/sys/kernel/random/boot_id"); o.BootID != id {
		t.Errorf("boot id %q, the host says %q", o.BootID, id)
	}
	if got := o.Software.Installed["qemu-system-x86"]; got != installed {
		t.Errorf("installed %q, the host says %q", got, installed)
	}
	if o.Software.Running[QEMUUpstream] == "" || o.MemoryMiB <= 0 || o.FreeMiB > o.MemoryMiB-80 {
		t.Errorf("software %+v, memory %d, free %d", o.Software, o.MemoryMiB, o.FreeMiB)
	}
	i := instanceIn(o, "g121")
	if i.State != fleet.Running || i.MemoryMiB != 80 || i.Running["qemu-system-x86"] == "" {
		t.Errorf("instance %+v", i)
	}
	f := i.Facts
	if f == nil || f.Tenant != "acme" || f.Group != "acme-web" || f.Host != "h1" || len(f.Disks) != 1 || f.Disks[0].Shared || len(f.Immovable) != 1 || f.Immovable[0].Code != fleet.LocalDisk {
		t.Errorf("facts %+v", f)
	}
	if o.Facts == nil || len(o.Facts.MachineTypes) == 0 || len(o.Facts.CPUFeatures) == 0 || len(o.Facts.Networks) == 0 {
		t.Errorf("host facts %+v", o.Facts)
	}
}

// Without SSH the facts that need it are missing, with why; with a wrong host key nothing is asked.
func TestLabObserveMissing(t *testing.T) {
	l := theLab(t)
	bare := l.hosts[0]
	bare.SSH = ""
	o := l.observe(l.driver(l.config()), bare)
	if o.BootID != "" || len(o.Missing) == 0 || !strings.Contains(strings.Join(o.Missing, "\n"), "no ssh address") {
		t.Errorf("boot id %q, missing %q", o.BootID, o.Missing)
	}
	cfg := l.config()
	pins, err := os.ReadFile(cfg.KnownHostsFile)
	if err != nil {
		t.Fatal(err)
	}
	// Every host gets its neighbour's key.
	lines := strings.Split(strings.TrimSpace(string(pins)), "\n")
	var wrong []string
	for n, line := range lines {
		addr, _, _ := strings.Cut(line, " ")
		_, key, _ := strings.Cut(lines[(n+1)%len(lines)], " ")
		wrong = append(wrong, addr+" "+key)
	}
	cfg.KnownHostsFile = filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(cfg.KnownHostsFile, []byte(strings.Join(wrong, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := l.driver(cfg)
	o = l.observe(d, l.hosts[0])
	if o.BootID != "" || !strings.Contains(strings.Join(o.Missing, "\n"), "is not the pinned one") {
		t.Errorf("boot id %q, missing %q", o.BootID, o.Missing)
	}
	_, err = d.Update(within(t, 20*time.Second), driver.Fence{}, l.hosts[0], plan.Update{Command: []string{"true"}})
	wantCode(t, err, driver.CodeHostKey)
}

func TestLabSaveRestore(t *testing.T) {
	l := theLab(t)
	name := l.idle("g122")
	h := l.hosts[0]
	d := l.driver(l.config())
	f := driver.Fence{Generation: 1}
	wantCode(t, d.Save(within(t, 5*time.Second), f, h, "g149"), driver.CodeNotFound)
	if err := d.Restore(within(t, time.Minute), f, h, name); err != nil {
		t.Errorf("restoring what runs: %v", err)
	}
	before := l.ticks(name)
	for n := range 2 { // the second time it is saved already
		if err := d.Save(within(t, time.Minute), f, h, name); err != nil {
			t.Fatalf("save %d: %v", n+1, err)
		}
	}
	if i := instanceIn(l.observe(d, h), name); i.State != fleet.Stopped || !i.Saved {
		t.Errorf("after the save: %+v", i)
	}
	for n := range 2 {
		if err := d.Restore(within(t, time.Minute), f, h, name); err != nil {
			t.Fatalf("restore %d: %v", n+1, err)
		}
	}
	l.alive(name)
	log, err := os.ReadFile(filepath.Join(l.dir, "h1/serial", name+".log"))
	if err != nil || strings.Count(string(log), "GUEST-UP") != 1 || l.ticks(name) < before {
		t.Errorf("%v; it was booted %d times, expected its memory to live on", err, strings.Count(string(log), "GUEST-UP"))
	}
}

func TestLabStopStart(t *testing.T) {
	l := theLab(t)
	name := l.idle("g123")
	h := l.hosts[0]
	d := l.driver(l.config())
	f := driver.Fence{Generation: 1}
	for n := range 2 {
		if err := d.Stop(within(t, time.Minute), f, h, name); err != nil {
			t.Fatalf("stop %d: %v", n+1, err)
		}
	}
	l.wantStates(name, "h1=shut-off")
	wantCode(t, d.Restore(within(t, 20*time.Second), f, h, name), driver.CodeRefused)
	for n := range 2 {
		if err := d.Start(within(t, time.Minute), f, h, name); err != nil {
			t.Fatalf("start %d: %v", n+1, err)
		}
	}
	l.alive(name)
}

// A guest that does not listen is never forced: at the deadline it runs on.
func TestLabStopDeadline(t *testing.T) {
	l := theLab(t)
	name := l.guest("h1", "g124") // still booting: it hears no power button
	err := l.driver(l.config()).Stop(within(t, 700*time.Millisecond), driver.Fence{}, l.hosts[0], name)
	wantCode(t, err, driver.CodeDeadline)
	if out, _ := l.virsh("h1", "domstate", name); out != "running" {
		t.Errorf("it is %s", out)
	}
}

func TestLabUpdate(t *testing.T) {
	l := theLab(t)
	d := l.driver(l.config())
	h := l.hosts[2]
	gen := driver.Fence{Generation: 3}
	run := func(f driver.Fence, sum string, argv ...string) (driver.UpdateOutcome, error) {
		return d.Update(within(t, 20*time.Second), f, h, plan.Update{Command: argv, SHA256: sum})
	}
	l.on("h3", "rm", "-f", "/var/lib/evenkeel/generation")
	out, err := run(gen, "", "sh", "-c", `echo "it's $0 done"; echo noise >&2`, "a b; rm -rf /")
	if err != nil || !out.Needed || out.Message != "it's a b; rm -rf / done\nnoise" {
		t.Errorf("%+v, %v", out, err)
	}
	out, err = run(gen, "", "sh", "-c", "echo nothing to do; exit 70")
	if err != nil || out.Needed || out.Message != "nothing to do" {
		t.Errorf("%+v, %v", out, err)
	}
	_, err = run(gen, "", "sh", "-c", "echo broken pipe; exit 4")
	wantCode(t, err, driver.CodeUpdateFailed)
	if !strings.Contains(err.Error(), "broken pipe") {
		t.Errorf("%v does not say what it said", err)
	}
	_, err = run(driver.Fence{Generation: 2}, "", "true")
	wantCode(t, err, driver.CodeRefused)
	payload := "/etc/debian_version"
	sum := strings.Fields(l.on("h3", "sha256sum", payload))[0]
	if _, err = run(gen, sum, "cat", payload); err != nil {
		t.Error(err)
	}
	_, err = run(gen, strings.Repeat("0", 64), "cat", payload)
	wantCode(t, err, driver.CodeRefused)

	// One at a time: while one runs on after its deadline, a second waits for it, and is refused when
	// its own deadline comes first.
	ended := "/var/tmp/evenkeel-ended"
	_, err = d.Update(within(t, 2*time.Second), gen, h, plan.Update{Command: []string{"sh", "-c", "rm -f " + ended + "; sleep 8; touch " + ended}})
	wantCode(t, err, driver.CodeDeadline)
	_, err = d.Update(within(t, 3*time.Second), gen, h, plan.Update{Command: []string{"true"}})
	wantCode(t, err, driver.CodeRefused)
	if _, err = run(gen, "", "test", "-e", ended); err != nil {
		t.Errorf("it did not wait for the first: %v", err)
	}
}

func TestLabReboot(t *testing.T) {
	l := theLab(t)
	h := l.hosts[2]
	d := l.driver(l.config())
	running := l.must(l.script("virsh"), "h3", "list", "--name")
	t.Cleanup(func() {
		for _, name := range strings.Fields(running) { // the lab's own guests are not marked for autostart
			_, _ = l.virsh("h3", "start", name)
		}
	})
	l.on("h3", "rm", "-f", "/var/lib/evenkeel/generation")
	first := l.observe(d, h).BootID
	boots := func() int {
		src, err := os.ReadFile(filepath.Join(l.dir, "h3/boots"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(src), "\n")
	}
	n := boots()

	wantCode(t, d.Reboot(within(t, 20*time.Second), driver.Fence{Generation: 5}, h, "", plan.Update{}), driver.CodeRefused)
	if err := d.Reboot(within(t, 20*time.Second), driver.Fence{Generation: 5}, h, "00000000-not-this-one", plan.Update{}); err != nil {
		t.Errorf("a boot that is over already: %v", err)
	}
	if got := l.observe(d, h).BootID; got != first {
		t.Fatalf("it rebooted")
	}
	if err := d.Reboot(within(t, 20*time.Second), driver.Fence{Generation: 5}, h, first, plan.Update{}); err != nil {
		t.Fatal(err)
	}
	var second string
	l.until("it is back", func() bool {
		o, err := d.Observe(within(t, 5*time.Second), h)
		second = o.BootID
		return err == nil && second != "" && second != first
	})
	for range 2 { // lost answers make a controller ask again
		if err := d.Reboot(within(t, 20*time.Second), driver.Fence{Generation: 5}, h, first, plan.Update{}); err != nil {
			t.Error(err)
		}
	}
	wantCode(t, d.Reboot(within(t, 20*time.Second), driver.Fence{Generation: 4}, h, second, plan.Update{}), driver.CodeRefused)

	// The operator's own guarded command.
	own := plan.Update{Reboot: []string{"host-reboot", "{boot_id}", "{generation}"}}
	wantCode(t, d.Reboot(within(t, 20*time.Second), driver.Fence{Generation: 4}, h, second, own), driver.CodeRefused)
	if err := d.Reboot(within(t, 20*time.Second), driver.Fence{Generation: 6}, h, second, own); err != nil {
		t.Fatal(err)
	}
	l.until("it is back again", func() bool {
		o, err := d.Observe(within(t, 5*time.Second), h)
		return err == nil && o.BootID != "" && o.BootID != second
	})
	if got := boots() - n; got != 2 {
		t.Errorf("the host booted %d times, expected 2", got)
	}
}
