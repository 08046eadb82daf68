package ganeti

import (
	"fmt"

	"pgregory.net/rapid"
)

// drawCluster draws a cluster without mistakes, with every template, status and kind of tag.
func drawCluster(t *rapid.T) *Cluster {
	c := &Cluster{}
	for n := range rapid.IntRange(1, 3).Draw(t, "groups") {
		c.Groups = append(c.Groups, Group{
			Name: fmt.Sprintf("%s %d", rapid.SampledFrom([]string{"rows", "a/b", "ö"}).Draw(t, "group"), n), UUID: fmt.Sprint("u", n),
			AllocPolicy: rapid.SampledFrom(allocPolicies).Draw(t, "policy"), Tags: words(t), Networks: words(t),
		})
	}
	for n := range rapid.IntRange(1, 8).Draw(t, "nodes") {
		c.Nodes = append(c.Nodes, drawNode(t, n, len(c.Groups)))
	}
	for n := range rapid.IntRange(0, 20).Draw(t, "instances") {
		c.Instances = append(c.Instances, drawInstance(t, n, c.Nodes))
	}
	c.Tags = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"htools:iextags:x", "htools:iextags:role:", "htools:migration:hv", "htools:nlocation:rack",
		"htools:nlocation:psu", "htools:allowmigration:hv:a::hv:b", "htools:desiredlocation:rack", "plain"}), 0, 6, rapid.ID).Draw(t, "cluster tags")
	if len(c.Tags) == 0 {
		c.Tags = nil
	}
	return c
}

func words(t *rapid.T) []string {
	all := rapid.SliceOfN(rapid.SampledFrom([]string{"x:1", "x:2", "x/1", "role:db", "role:web", "hv:a", "hv:b", "rack:1", "rack:2", "psu:1", "gold"}), 0, 4).Draw(t, "tags")
	if len(all) == 0 {
		return nil
	}
	return all
}

func drawNode(t *rapid.T, n, groups int) Node {
	d := Node{
		Name: fmt.Sprintf("n%d.lab", n), Role: rapid.SampledFrom([]Role{Online, Master, Offline}).Draw(t, "role"), Group: fmt.Sprint("u", rapid.IntRange(0, groups-1).Draw(t, "group")),
		Spindles: rapid.Int64Range(0, 9).Draw(t, "spindles"), Tags: words(t), ExclusiveStorage: rapid.Bool().Draw(t, "exclusive"),
		FreeSpindles: rapid.Int64Range(0, 9).Draw(t, "free spindles"), OwnCPUs: rapid.Int64Range(0, 4).Draw(t, "own"), CPUSpeed: rapid.SampledFrom([]float64{0, 1, 0.6, 1.0 / 3}).Draw(t, "speed"),
	}
	if d.Unknown = rapid.IntRange(0, 9).Draw(t, "unknown") == 0; !d.Unknown {
		d.TotalMiB, d.OwnMiB, d.FreeMiB = rapid.Int64Range(0, 65536).Draw(t, "total"), rapid.Int64Range(0, 1024).Draw(t, "own"), rapid.Int64Range(0, 65536).Draw(t, "free")
		d.DiskMiB, d.FreeDiskMiB, d.CPUs = rapid.Int64Range(0, 1<<20).Draw(t, "disk"), rapid.Int64Range(0, 1<<20).Draw(t, "free disk"), rapid.Int64Range(0, 64).Draw(t, "cpus")
	}
	return d
}

func drawInstance(t *rapid.T, n int, nodes []Node) Instance {
	at := rapid.IntRange(0, len(nodes)-1).Draw(t, "primary")
	i := Instance{
		Name: fmt.Sprintf("v%d", n), MemoryMiB: rapid.Int64Range(1, 8192).Draw(t, "memory"), DiskMiB: rapid.Int64Range(0, 9999).Draw(t, "disk"), VCPUs: rapid.Int64Range(0, 8).Draw(t, "vcpus"),
		Status: rapid.SampledFrom(statuses).Draw(t, "status"), AutoBalance: rapid.Bool().Draw(t, "balance"), Primary: nodes[at].Name,
		Template: rapid.SampledFrom(templates).Draw(t, "template"), Tags: words(t), SpindleUse: rapid.Int64Range(0, 3).Draw(t, "use"), Spindles: rapid.Int64Range(-1, 3).Draw(t, "spindles"),
		Forthcoming: rapid.IntRange(0, 9).Draw(t, "forthcoming") == 0,
	}
	if mirrored[i.Template] == twice {
		if len(nodes) == 1 {
			i.Template = "plain"
		} else {
			i.Secondary = nodes[(at+rapid.IntRange(1, len(nodes)-1).Draw(t, "secondary"))%len(nodes)].Name
		}
	}
	return i
}
