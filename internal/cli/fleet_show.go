package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

func newFleetShow(app *App) *cobra.Command {
	var output, host, tenant string
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Show a fleet: hosts by pool with their memory, instances and software",
		Example: `  evenkeel fleet show fleet.yaml
  evenkeel fleet show fleet.yaml --host hv-01
  evenkeel fleet show fleet.jsonl --tenant acme -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := loadFleet(app, args[0])
			if err != nil {
				return err
			}
			ix := fleet.NewIndex(f)
			if host != "" && ix.Hosts[host] == nil {
				return fmt.Errorf("%s has no host %q: evenkeel fleet show %s lists its hosts", args[0], host, args[0])
			}
			if tenant != "" && ix.Tenants[tenant] == nil {
				return fmt.Errorf("%s has no tenant %q", args[0], tenant)
			}
			return showFleet(app, ix, output, host, tenant)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table, json or yaml")
	cmd.Flags().StringVar(&host, "host", "", "only this host, with its instances")
	cmd.Flags().StringVar(&tenant, "tenant", "", "only this tenant's instances and their hosts")
	cmd.MarkFlagsMutuallyExclusive("host", "tenant")
	return cmd
}

func showFleet(app *App, ix *fleet.Index, output, host, tenant string) error {
	switch output {
	case "json":
		return writeFleetJSON(app.Out, part(ix, host, tenant))
	case "yaml":
		return fleet.Write(app.Out, part(ix, host, tenant))
	case "table":
	default:
		return fmt.Errorf("-o %s is not known: use table, json or yaml", output)
	}
	t := &fleetTable{out: app.Out, ix: ix, colour: app.Terminal && app.Getenv("NO_COLOR") == ""}
	switch {
	case host != "":
		t.host(ix.Hosts[host])
	case tenant != "":
		t.tenant(ix.Tenants[tenant])
	default:
		t.pools()
	}
	return nil
}

// part is the fleet cut down to one host or one tenant, with all that these refer to; the whole
// fleet when neither is named. What remains is itself a sound fleet.
func part(ix *fleet.Index, host, tenant string) *fleet.Fleet {
	if host == "" && tenant == "" {
		return ix.Fleet
	}
	cut := *ix.Fleet
	wanted := func(i fleet.Instance) bool { return i.Host == host || tenant != "" && i.Tenant == tenant }
	cut.Instances = keep(ix.Fleet.Instances, wanted)
	hosts, tenants, pools := map[string]bool{host: true}, map[string]bool{tenant: true}, map[string]bool{}
	groups, sites, regions := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, i := range cut.Instances {
		hosts[i.Host], hosts[i.Home], tenants[i.Tenant] = true, true, true
		for _, g := range ix.GroupsOf[i.ID] {
			groups[g.ID], tenants[g.Tenant] = true, true
		}
	}
	cut.Hosts = keep(ix.Fleet.Hosts, func(h fleet.Host) bool { return hosts[h.ID] })
	for _, h := range cut.Hosts {
		for _, p := range h.Pools {
			pools[p] = true
		}
	}
	cut.Pools = keep(ix.Fleet.Pools, func(p fleet.Pool) bool { return pools[p.ID] })
	for _, p := range cut.Pools {
		sites[p.Site] = true
	}
	cut.Sites = keep(ix.Fleet.Sites, func(s fleet.Site) bool { return sites[s.ID] })
	for _, s := range cut.Sites {
		regions[s.Region] = true
	}
	cut.Regions = keep(ix.Fleet.Regions, func(r fleet.Region) bool { return regions[r.ID] })
	cut.Tenants = keep(ix.Fleet.Tenants, func(t fleet.Tenant) bool { return tenants[t.ID] })
	cut.Groups = keep(ix.Fleet.Groups, func(g fleet.Group) bool { return groups[g.ID] })
	here := func(id string) bool { i := ix.Instances[id]; return i != nil && wanted(*i) }
	for n := range cut.Groups {
		g := &cut.Groups[n]
		g.Members = keep(g.Members, here)
		left := len(keep(ix.Members[g.ID], func(i *fleet.Instance) bool { return wanted(*i) }))
		g.MaxUnavailable = min(g.MaxUnavailable, left)
	}
	cut.HostGroups = keep(ix.Fleet.HostGroups, func(g fleet.HostGroup) bool {
		return slices.ContainsFunc(g.Hosts, func(id string) bool { return hosts[id] })
	})
	for n := range cut.HostGroups {
		g := &cut.HostGroups[n]
		g.Hosts = keep(g.Hosts, func(id string) bool { return hosts[id] })
		g.MaxUnavailable = min(g.MaxUnavailable, len(g.Hosts))
	}
	cut.Links = linksOf(ix.Fleet.Links, &cut)
	return &cut
}

// linksOf are the links that hosts of a part of a fleet lie behind, by what of their lists is in it.
func linksOf(all []fleet.Link, cut *fleet.Fleet) (kept []fleet.Link) {
	sites, racks, hosts := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, s := range cut.Sites {
		sites[s.ID] = true
	}
	for _, h := range cut.Hosts {
		racks[h.Rack], hosts[h.ID] = true, true
	}
	for _, l := range all {
		within := func(list *[]string, of map[string]bool) bool {
			named := len(*list) > 0
			*list = keep(*list, func(id string) bool { return of[id] })
			return !named || len(*list) > 0
		}
		if within(&l.Sites, sites) && within(&l.Racks, racks) && within(&l.Hosts, hosts) {
			kept = append(kept, l)
		}
	}
	return kept
}

func keep[T any](list []T, wanted func(T) bool) (kept []T) {
	for _, x := range list {
		if wanted(x) {
			kept = append(kept, x)
		}
	}
	return kept
}
