package ganeti

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// samples are clusters of our own that hroller reads (TestHrollerReadsTheSame).
func samples(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.data")
	if err != nil || len(files) < 2 {
		t.Fatal("no samples", err)
	}
	return files
}

func read(t testing.TB, path string) *Cluster {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c, mistakes := Parse(path, src)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	return c
}

func written(t interface{ Fatal(...any) }, c *Cluster) []byte {
	var text bytes.Buffer
	if err := Write(&text, c); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

func TestColumnsOfEarlierVersions(t *testing.T) {
	c := read(t, "testdata/shared.data")
	if len(c.Groups) != 2 || len(c.Nodes) != 6 || len(c.Instances) != 11 || len(c.Tags) != 3 || len(c.Policies) != 2 {
		t.Fatalf("%d groups, %d nodes, %d instances, %d tags, %d policies", len(c.Groups), len(c.Nodes), len(c.Instances), len(c.Tags), len(c.Policies))
	}
	if d := c.Nodes[3]; d.Spindles != 1 || d.OwnCPUs != 1 || d.CPUSpeed != 1 || d.ExclusiveStorage || d.Tags != nil {
		t.Errorf("nine columns: %+v", d)
	}
	if d := c.Nodes[2]; d.TotalMiB != 65536 || d.FreeMiB != 52736 {
		t.Errorf("a size with a fraction: %+v", d)
	}
	if i := c.Instances[7]; i.SpindleUse != 1 || i.Spindles != -1 || i.Forthcoming {
		t.Errorf("ten columns: %+v", i)
	}
}

func TestWrittenClustersReadTheSame(t *testing.T) {
	for _, path := range samples(t) {
		c := read(t, path)
		again, mistakes := Parse("again", written(t, c))
		if len(mistakes) > 0 || !reflect.DeepEqual(c, again) {
			t.Errorf("%s: %v\n%+v\n%+v", path, mistakes, c, again)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		c := drawCluster(t)
		text := written(t, c)
		again, mistakes := Parse("again", text)
		if len(mistakes) > 0 || !reflect.DeepEqual(c, again) {
			t.Fatalf("%v\n%s\nwas:  %+v\nread: %+v", mistakes, text, c, again)
		}
	})
}

// TestMistakes: each line of the text is wrong in one way, and each is told with its place.
func TestMistakes(t *testing.T) {
	const text = `rows|a1|prefered|
cells|a1|preferred||
short|a2

n1|x|0|512|100|100.5|-4|N|a1
n 2|1024|0|512|100|100|4|Q|nowhere|1||maybe
n3|1024|0

v1|0|10|1|walking|Y|n1||rbd|a,,b
v2|512|10|1|running|perhaps|n9|n1|rbd|
v3|512|10|1|running|Y|n1||drbd|
v4|512|10|1|running|Y|n1|n1|drbd||1|few|N
v1|512|10|1|running|Y|n1||tape|

anything
` + "\n" + `void|1,2,3|1,1,1,1,1,1;1,1,1,x,1,1;1,1,1,1,1,1|rbd,tape|4.0|many
`
	want := strings.TrimSpace(`
c:1:9: groups[0].allocation_policy: found "prefered", expected one of preferred, last_resort, unallocable
c:2:7: groups[1].name: found the node group's uuid "a1" a second time, expected a name of its own: line 1 has this one
c:3:9: groups[2]: found 2 columns, expected at least 4: name|uuid|allocation policy|tags[|networks]
c:5:4: nodes[0].total_memory: found "x", expected a number from 0
c:5:16: nodes[0].free_disk: found "100.5", expected a whole number from 0
c:5:22: nodes[0].cores: found "-4", expected a number from 0
c:6:1: nodes[1].name: found "n 2", expected an id: 1 to 128 letters, digits or any of . _ : @ -
c:6:26: nodes[1].role: found "Q", expected one of N, M, Y
c:6:39: nodes[1].exclusive_storage: found "maybe", expected one of Y, N
c:7:10: nodes[2]: found 3 columns, expected at least 9: name|total memory|memory of the node itself|free memory|total disk|free disk|cores|role|group uuid[|spindles|tags|exclusive storage|free spindles|cores of the node itself|cpu speed]
c:9:4: instances[0].memory: found "0", expected a whole number above 0
c:9:11: instances[0].status: found "walking", expected one of running, ADMIN_down, ADMIN_offline, USER_down, ERROR_up, ERROR_down, ERROR_nodedown, ERROR_nodeoffline, ERROR_wrongnode
c:9:29: instances[0].tags: found "a,,b", expected words with a comma between two of them
c:10:21: instances[1].auto_balance: found "perhaps", expected one of Y, N
c:10:32: instances[1].secondary_node: found "n1", expected none: a disk of template rbd has no second copy
c:11:26: instances[2].secondary_node: found none, expected the node that holds the second copy of a drbd disk
c:12:26: instances[3].secondary_node: found "n1", which is the primary node too, expected another node
c:12:37: instances[3].spindles: found "few", expected a whole number from 0
c:13:1: instances[4].name: found the instance "v1" a second time, expected a name of its own: line 9 has this one
c:13:27: instances[4].disk_template: found "tape", expected one of diskless, file, sharedfile, plain, blockdev, drbd, rbd, ext, gluster
c:17:6: policies[0].standard_sizes: found "1,2,3", expected 6 numbers with commas between them: memory, cores, disk size, disks, NICs, spindle use
c:17:12: policies[0].least_and_largest_sizes: found 3 sizes, expected an even number of them: least;largest, once or more often
c:17:30: policies[0].least_and_largest_sizes: found "x", expected a whole number from 0
c:17:48: policies[0].disk_templates: found "tape", expected some of diskless, file, sharedfile, plain, blockdev, drbd, rbd, ext, gluster
c:17:61: policies[0].spindle_ratio: found "many", expected a number from 0`)
	_, mistakes := Parse("c", []byte(text))
	if got := mistakes.Error(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestUnknownReferences(t *testing.T) {
	const text = "rows|a1|preferred|\n\nn1|9|0|9|9|9|1|N|a2\n\nv1|1|0|1|running|Y|n2||rbd|\nv2|1|0|1|running|Y|n1|n3|drbd|\n\n\nbarn|1,1,1,1,1,1||rbd|1|1\n"
	_, mistakes := Parse("c", []byte(text))
	want := `c:3:18: nodes[0].group_uuid: found the unknown node group "a2", expected one of the node groups above
c:5:20: instances[0].primary_node: found the unknown node "n2", expected one of the nodes above
c:6:23: instances[1].secondary_node: found the unknown node "n3", expected one of the nodes above
c:9:1: policies[0].owner: found the unknown node group "barn", expected nothing, for the cluster, or the name of one of the node groups above`
	if got := mistakes.Error(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestSections(t *testing.T) {
	for text, want := range map[string]string{
		"rows|a1|preferred|\n":                         "c:2:1: found the end of the text after 1 sections, expected 5 sections",
		"rows|a1|preferred|\n\n\n\n\n\nmore\n":         "",
		"rows|a1|preferred|\n\n\n\n":                   "",
		"\ufeffrows|a1|preferred|\r\n\r\n\r\n\r\n\r\n": "",
		"\xff": "c:1:1: found bytes that are not UTF-8, expected a text in UTF-8",
	} {
		_, mistakes := Parse("c", []byte(text))
		if got := mistakes.Error(); !strings.HasPrefix(got, want) || (want == "") != (got == "") {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// FuzzParse: any text is read or refused with a place that is in it, and what is read is written such that
// it reads the same and makes a sound fleet.
func FuzzParse(f *testing.F) {
	for _, path := range samples(f) {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add([]byte("a|b|preferred|\n\nn|?|?|?|?|?|?|Y|b\n\nv|1|0|1|running|Y|n||ext|x\n\nhtools:iextags:x\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		c, mistakes := Parse("c", src)
		lines := bytes.Count(src, []byte("\n")) + 2
		for _, m := range mistakes {
			if m.Line < 1 || m.Line > lines || m.Column < 1 || m.Found == "" || m.Expected == "" {
				t.Fatalf("%+v has no place in %d lines", m, lines)
			}
		}
		if len(mistakes) > 0 {
			return
		}
		again, mistakes := Parse("c", written(t, c))
		if a, b := fmt.Sprintf("%+v", c), fmt.Sprintf("%+v", again); len(mistakes) > 0 || a != b {
			t.Fatalf("%v\n%s\n%s", mistakes, a, b)
		}
		sound(t, c)
	})
}
