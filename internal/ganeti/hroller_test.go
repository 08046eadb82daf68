package ganeti

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// saved has hroller read a text and write what it understood. hroller is in Debian's ganeti-htools.
func saved(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, hroller, dir string, text []byte) *Cluster {
	in, out := filepath.Join(dir, "in.data"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, text, 0o600); err != nil {
		t.Fatal(err)
	}
	var told bytes.Buffer
	cmd := exec.Command(hroller, "-t", in, "-S", out, "--force", "--ignore-non-redundant")
	cmd.Stderr = &told
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s\n%s", err, told.String(), text)
	}
	src, err := os.ReadFile(out + ".original")
	if err != nil {
		t.Fatal(err)
	}
	c, mistakes := Parse("saved", src)
	if len(mistakes) > 0 {
		t.Fatalf("what hroller wrote: %v\n%s", mistakes, src)
	}
	return c
}

// asHtools is what hroller makes of a cluster: all of a node that did not answer is nothing, and the
// policies of groups without one are filled in.
func asHtools(c *Cluster) *Cluster {
	same := *c
	same.Policies = nil
	same.Nodes = append([]Node(nil), c.Nodes...)
	for n, d := range same.Nodes {
		if d.Unknown {
			same.Nodes[n] = Node{Name: d.Name, Role: Offline, Group: d.Group, CPUSpeed: 1}
		}
	}
	return &same
}

// TestHrollerReadsTheSame: hroller takes our samples and all that we write, and what it saved of them is what
// we read in them.
func TestHrollerReadsTheSame(t *testing.T) {
	hroller, err := exec.LookPath("hroller")
	if err != nil {
		t.Skip("no hroller here: it is in Debian's ganeti-htools")
	}
	dir := t.TempDir()
	same := func(t interface {
		Fatal(...any)
		Fatalf(string, ...any)
	}, c *Cluster, text []byte) {
		if got, want := asHtools(saved(t, hroller, dir, text)), asHtools(c); !reflect.DeepEqual(got, want) {
			t.Fatalf("hroller: %+v\nwe:      %+v", got, want)
		}
	}
	for _, path := range samples(t) {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		same(t, read(t, path), src)
	}
	rapid.Check(t, func(t *rapid.T) {
		c := drawCluster(t)
		for n := range c.Nodes {
			if c.Nodes[n].Role = Online; n == 0 { // there is one master, and some node is online
				c.Nodes[n].Role, c.Nodes[n].Unknown = Master, false
			}
		}
		same(t, c, written(t, c))
	})
}

// TestHrollerRefusesTheSame: what is a mistake here stops hroller too.
func TestHrollerRefusesTheSame(t *testing.T) {
	hroller, err := exec.LookPath("hroller")
	if err != nil {
		t.Skip("no hroller here: it is in Debian's ganeti-htools")
	}
	src, err := os.ReadFile("testdata/copies.data")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to string }{
		{"|running|", "|walking|"}, {"n1|32768", "n1|3276x"}, {"|drbd|", "|drdb|"}, {"|Y|n1|n2|", "|Y|n1|n9|"}, {"rows|a1|preferred|", "rows|a1|prefered|"},
		{"|N|a1|2|hv:old", "|N|a9|2|hv:old"}, {"\n\ndb1", "\ndb1"}, {"|Y|n1|n2|", "|Y|n1|n1|"},
	} {
		text := strings.Replace(string(src), c.from, c.to, 1)
		if _, mistakes := Parse("c", []byte(text)); len(mistakes) == 0 {
			t.Errorf("%s for %s: no mistake", c.to, c.from)
		}
		in := filepath.Join(t.TempDir(), "in.data")
		if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if told, err := exec.Command(hroller, "-t", in, "--force", "--ignore-non-redundant").CombinedOutput(); err == nil {
			t.Errorf("%s for %s: hroller takes it\n%s", c.to, c.from, told)
		}
	}
}
