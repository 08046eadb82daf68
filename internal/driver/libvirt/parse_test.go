package libvirt

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

func read(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// domainOf wraps devices and other elements into a domain.
func domainOf(parts string) string {
	return `<domain type='kvm'><name>g1</name><memory unit='KiB'>81920</memory>` + parts + `</domain>`
}

func TestParseDomain(t *testing.T) {
	in, files, err := parseDomain(read(t, "domain.xml"), places{fileSystem: map[string]string{"/srv/nfs/g1.raw": "nfs"}})
	if err != nil {
		t.Fatal(err)
	}
	want := &fleet.Instance{
		ID: "g1", Tenant: "acme", Group: "acme-web", Home: "h1", MemoryMiB: 2048, VCPUs: 2, GuestType: "hvm",
		CPUModel: "qemu64", CPUFeatures: []string{"hypervisor", "lahf_lm"}, MachineType: "pc-i440fx-7.2", Networks: []string{"br0", "front"},
		Disks: []fleet.Disk{
			{Name: "vda", Shared: true, Source: "nbd:g1"},
			{Name: "vdb", Shared: true, Source: "/srv/nfs/g1.raw"},
		},
		Config: map[string]string{"vnc-websocket": "off"},
	}
	if !reflect.DeepEqual(in, want) {
		t.Errorf("got  %+v\nwant %+v", in, want)
	}
	if !reflect.DeepEqual(files, []string{"/srv/nfs/g1.raw"}) {
		t.Errorf("files %q", files)
	}
}

func TestWhyItCannotMove(t *testing.T) {
	at := places{
		poolShared: map[string]bool{"ceph": true, "default": false},
		fileSystem: map[string]string{"/local.raw": "ext2/ext3", "/nfs.raw": "nfs"},
	}
	disk := func(kind, source string) string {
		return `<devices><disk type='` + kind + `' device='disk'>` + source + `<target dev='vda'/></disk></devices>`
	}
	for _, c := range []struct {
		name, parts string
		code, why   string // empty: it can move
		noSuspend   bool
	}{
		{"nothing", ``, "", "", false},
		{"nbd", disk("network", `<source protocol='nbd' name='g1'><host name='10.0.0.1' port='10809'/></source>`), "", "", false},
		{"nbd from its own host", disk("network", `<source protocol='nbd' name='g1'><host name='localhost'/></source>`), fleet.LocalDisk, "its own host", false},
		{"nbd by socket", disk("network", `<source protocol='nbd' name='g1'><host transport='unix' socket='/run/x'/></source>`), fleet.LocalDisk, "socket", false},
		{"rbd", disk("network", `<source protocol='rbd' name='pool/g1'/>`), "", "", false},
		{"local file", disk("file", `<source file='/local.raw'/>`), fleet.LocalDisk, "ext2/ext3", false},
		{"shared file", disk("file", `<source file='/nfs.raw'/>`), "", "", false},
		{"file somewhere", disk("file", `<source file='/who-knows.raw'/>`), fleet.LocalDisk, "nothing shows", false},
		{"block device", disk("block", `<source dev='/dev/vg/g1'/>`), fleet.LocalDisk, "nothing shows", false},
		{"iscsi LUN", disk("block", `<source dev='/dev/disk/by-path/ip-10.0.0.1:3260-iscsi-iqn.x-lun-1'/>`), "", "", false},
		{"shared pool", disk("volume", `<source pool='ceph' volume='g1'/>`), "", "", false},
		{"local pool", disk("volume", `<source pool='default' volume='g1'/>`), fleet.LocalDisk, "default", false},
		{"empty drive", `<devices><disk type='file' device='cdrom'><target dev='sda'/></disk></devices>`, "", "", false},
		{"medium in the drive", `<devices><disk type='file' device='cdrom'><source file='/local.raw'/><target dev='sda'/></disk></devices>`, fleet.LocalDisk, "eject", false},
		{"pci device", `<devices><hostdev mode='subsystem' type='pci'><source><address domain='0x0000' bus='0x03' slot='0x00' function='0x1'/></source></hostdev></devices>`, fleet.DevicePassed, "pci 0000:03:00.1", true},
		{"usb device", `<devices><hostdev mode='subsystem' type='usb'><source><vendor id='0x1'/></source></hostdev></devices>`, fleet.DevicePassed, "usb", true},
		{"virtual function", `<devices><interface type='hostdev'><source><address type='pci' domain='0' bus='4' slot='0x10' function='0'/></source></interface></devices>`, fleet.DevicePassed, "network device", true},
		{"virtual function that stands back", `<devices><interface type='hostdev'><source><address type='pci' domain='0' bus='4' slot='0x10' function='0'/></source><teaming type='transient' persistent='ua-b'/></interface></devices>`, "", "", false},
		{"host folder", `<devices><filesystem type='mount'><source dir='/srv'/><target dir='x'/></filesystem></devices>`, fleet.NoLiveMigration, "folder", true},
		{"shared memory", `<devices><shmem name='ring' role='peer'/></devices>`, fleet.NoLiveMigration, "ring", false},
		{"host's TPM", `<devices><tpm model='tpm-tis'><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm></devices>`, fleet.DevicePassed, "tpm", true},
		{"emulated TPM", `<devices><tpm model='tpm-tis'><backend type='emulator' version='2.0'/></tpm></devices>`, "", "", false},
		{"invariant TSC", `<cpu mode='custom'><model>EPYC</model><feature policy='require' name='invtsc'/></cpu>`, fleet.NoLiveMigration, "invtsc", false},
		{"no invariant TSC", `<cpu mode='custom'><model>EPYC</model><feature policy='disable' name='invtsc'/></cpu>`, "", "", false},
		{"encrypted memory", `<launchSecurity type='sev'><policy>0x3</policy></launchSecurity>`, fleet.NoLiveMigration, "encrypted", true},
	} {
		in, _, err := parseDomain(domainOf(c.parts), at)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		switch {
		case c.code == "" && len(in.Immovable) > 0:
			t.Errorf("%s: cannot move: %v", c.name, in.Immovable)
		case c.code != "" && (len(in.Immovable) != 1 || in.Immovable[0].Code != c.code || !strings.Contains(in.Immovable[0].Why, c.why)):
			t.Errorf("%s: %+v, expected %s with %q", c.name, in.Immovable, c.code, c.why)
		}
		if in.NoSuspend != c.noSuspend {
			t.Errorf("%s: no suspend is %v", c.name, in.NoSuspend)
		}
	}
}

func TestVNCWebSocket(t *testing.T) {
	const own = ` xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'`
	for parts, want := range map[string]string{
		``: "off",
		`<devices><graphics type='vnc' port='5900'/><graphics type='spice'/></devices>`:                               "off",
		`<devices><graphics type='vnc' port='5900' websocket='5700'/></devices>`:                                      "on",
		`<devices><graphics type='vnc' port='-1' websocket='-1'/></devices>`:                                          "on",
		`<qemu:commandline` + own + `><qemu:arg value='-vnc'/><qemu:arg value=':1,websocket=on'/></qemu:commandline>`: "", // past libvirt: not known
	} {
		in, _, err := parseDomain(domainOf(parts), places{})
		if err != nil || in.Config["vnc-websocket"] != want {
			t.Errorf("%s: %v, %v; expected %q", parts, in, err, want)
		}
	}
}

func TestMemoryUnits(t *testing.T) {
	for unit, want := range map[string]int64{
		"<memory>1048576</memory>": 1024, "<memory unit='KiB'>81920</memory>": 80, "<memory unit='GiB'>2</memory>": 2048, "<memory unit='MB'>1000</memory>": 954,
		"<memory unit='b'>1</memory>": 1, "<memory unit='furlong'>3</memory>": 0, "<memory unit='TiB'>18446744073709551615</memory>": 0, "": 0,
	} {
		in, _, err := parseDomain("<domain><name>g1</name>"+unit+"</domain>", places{})
		if err != nil || in.MemoryMiB != want {
			t.Errorf("%s: %v MiB, %v; expected %d", unit, in, err, want)
		}
	}
}

func FuzzParseDomain(f *testing.F) {
	f.Add(read(f, "domain.xml"))
	f.Add(domainOf(`<devices><hostdev mode='subsystem' type='usb'/><hostdev/><interface type='hostdev'><source/></interface><disk/></devices>`))
	f.Add("<domain><cpu/><metadata/><devices/></domain>")
	f.Fuzz(func(t *testing.T, doc string) {
		in, _, err := parseDomain(doc, places{})
		if (in == nil) == (err == nil) {
			t.Fatalf("%v, %v", in, err)
		}
		if err == nil && in.MemoryMiB < 0 {
			t.Fatalf("memory %d", in.MemoryMiB)
		}
	})
}

func TestParseCapabilities(t *testing.T) {
	a, err := parseCapabilities(read(t, "capabilities.xml"))
	if err != nil {
		t.Fatal(err)
	}
	want := ability{uuid: "4f442864-5c46-4fa3-862b-ad5c1e18fc94", cpuModel: "EPYC", arch: "x86_64", virt: "kvm",
		emulator: "/usr/bin/qemu-system-x86_64", machines: []string{"pc", "pc-i440fx-7.2", "pc-q35-7.2"}, live: true}
	if !reflect.DeepEqual(a, want) {
		t.Errorf("got  %+v\nwant %+v", a, want)
	}
	// A broken QEMU leaves libvirt without guests to offer.
	if _, err := parseCapabilities(`<capabilities><host><cpu><arch>x86_64</arch></cpu></host></capabilities>`); err == nil {
		t.Error("a host without QEMU passes for able")
	}
}

func FuzzParseCapabilities(f *testing.F) {
	f.Add(read(f, "capabilities.xml"))
	f.Fuzz(func(t *testing.T, doc string) {
		if a, err := parseCapabilities(doc); err == nil && a.emulator == "" {
			t.Fatalf("%+v", a)
		}
		_, _ = bestCPU(doc, "x86_64")
		_, _ = featureNames(doc)
	})
}

func TestBestCPU(t *testing.T) {
	got, err := bestCPU(`<domainCapabilities><cpu><mode name='host-passthrough' supported='no'/><mode name='host-model' supported='yes'>
		<model fallback='forbid'>EPYC</model><vendor>AMD</vendor><feature policy='require' name='npt'/><feature policy='disable' name='vme'/></mode></cpu></domainCapabilities>`, "x86_64")
	want := `<cpu><arch>x86_64</arch><model>EPYC</model><vendor>AMD</vendor><feature policy="require" name="npt"></feature><feature policy="disable" name="vme"></feature></cpu>`
	if err != nil || got != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
	}
}

func TestParseVersion(t *testing.T) {
	for doc, want := range map[string]build{
		`{"return":{"qemu":{"micro":18,"minor":2,"major":7},"package":"Debian 1:7.2+dfsg-7+deb12u15"},"id":"libvirt-411"}`: {pkg: "1:7.2+dfsg-7+deb12u15", upstream: "7.2.18"},
		`{"return":{"qemu":{"micro":0,"minor":2,"major":8},"package":"qemu-kvm-8.2.0-11.el9_4"}}`:                          {pkg: "8.2.0-11.el9_4", upstream: "8.2.0"},
		`{"return":{"qemu":{"micro":2,"minor":2,"major":8},"package":"qemu-8.2.2-1.fc40"}}`:                                {pkg: "8.2.2-1.fc40", upstream: "8.2.2"},
		`{"return":{"qemu":{"micro":1,"minor":0,"major":9},"package":""}}`:                                                 {upstream: "9.0.1"},
		`{"return":{"qemu":{"micro":1,"minor":0,"major":9},"package":"v9.0.1-dirty"}}`:                                     {upstream: "9.0.1"},
		`{"return":{"qemu":{"micro":4,"minor":2,"major":8},"package":"openSUSE Leap 15.6"}}`:                               {upstream: "8.2.4"},
		`{"error":{"class":"GenericError","desc":"no"}}`:                                                                   {},
		`nonsense`: {},
	} {
		got, err := parseVersion(doc)
		if got != want || (err != nil) != (want == build{}) {
			t.Errorf("%s: %+v, %v; expected %+v", doc, got, err, want)
		}
	}
}

func FuzzParseVersion(f *testing.F) {
	f.Add(`{"return":{"package":"Debian 1:7.2"}}`)
	f.Add(`QEMU emulator version ( )`)
	f.Fuzz(func(t *testing.T, doc string) {
		if v, err := parseVersion(doc); err == nil && v.upstream == "" {
			t.Fatal("neither a version nor an error")
		}
	})
}

func TestParseURI(t *testing.T) {
	for uri, want := range map[string]address{
		"qemu+tcp://10.0.0.1/system":                     {transport: "tcp", host: "10.0.0.1:16509", open: "qemu:///system", socket: defaultSocket},
		"qemu+tcp://[fd00::1]:17000/system":              {transport: "tcp", host: "[fd00::1]:17000", open: "qemu:///system", socket: defaultSocket},
		"qemu+tls://h1.example/system?pkipath=/etc/ek":   {transport: "tls", host: "h1.example:16514", open: "qemu:///system", socket: defaultSocket, pki: "/etc/ek"},
		"qemu://h1.example/system":                       {transport: "tls", host: "h1.example:16514", open: "qemu:///system", socket: defaultSocket},
		"qemu+ssh://ops@h1.example:2222/system":          {transport: "ssh", user: "ops", host: "h1.example:2222", open: "qemu:///system", socket: defaultSocket},
		"qemu:///system":                                 {transport: "unix", open: "qemu:///system", socket: defaultSocket},
		"qemu+unix:///system?socket=/run/x/libvirt-sock": {transport: "unix", open: "qemu:///system", socket: "/run/x/libvirt-sock"},
	} {
		if got, err := parseURI(uri); err != nil || got != want {
			t.Errorf("%s: %+v, %v; expected %+v", uri, got, err, want)
		}
	}
	for _, uri := range []string{"", "h1", "qemu+tcp:///system", "qemu+carrier-pigeon://h1/system", "qemu+tcp://h1:x/system", "://"} {
		if got, err := parseURI(uri); err == nil {
			t.Errorf("%q passes as %+v", uri, got)
		}
	}
}

func FuzzParseURI(f *testing.F) {
	f.Add("qemu+tcp://10.0.0.1/system")
	f.Fuzz(func(t *testing.T, uri string) {
		if a, err := parseURI(uri); err == nil && a.transport != "unix" && a.host == "" {
			t.Fatalf("%+v", a)
		}
	})
}

func TestCapacity(t *testing.T) {
	for total, want := range map[int64]int64{400: 0, 8192: 7680, 65536: 61440, 1 << 20: 1<<20 - 16<<10} {
		if got := capacity(total); got != want {
			t.Errorf("capacity of %d MiB: %d, expected %d", total, got, want)
		}
	}
	for _, c := range []struct {
		capacity, held, real int64
		measured             bool
		want                 int64
	}{
		{1000, 300, 5000, true, 700}, {1000, 300, 100, true, 100}, {1000, 300, 100, false, 700}, {1000, 1300, 100, true, 0}, {1000, 300, -1, true, 700},
	} {
		if got := free(c.capacity, c.held, c.real, c.measured); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}
