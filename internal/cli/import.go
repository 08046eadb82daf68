package cli

import (
	"bufio"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/ganeti"
)

func newImport(app *App) *cobra.Command {
	cmd := &cobra.Command{Use: "import", Short: "Make a fleet of what another program knows", RunE: helpOnly}
	cmd.AddCommand(newImportGaneti(app))
	return cmd
}

// importFlags are what `evenkeel import ganeti` was asked.
type importFlags struct {
	region, site, timezone string
	hypervisor             string
	nicMbps                int64
	taken, output          string
}

func newImportGaneti(app *App) *cobra.Command {
	var in importFlags
	cmd := &cobra.Command{
		Use:   "ganeti FILE",
		Short: "Make a fleet of a cluster in Ganeti's text form, as hscan writes it and hroller -t reads it",
		Long: `Make a fleet of a cluster in Ganeti's text form, as hscan writes it and hroller -t reads it; "-" is
standard input. Node groups become pools and nodes hosts. Exclusion tags become groups whose members may not
share a host. An instance on drbd can go to its secondary node and back; one on a plain or file disk cannot
move; any other goes wherever its node group is. What the text says and a fleet cannot is told on standard error.`,
		Example: `  hscan -L -d . && evenkeel import ganeti LOCAL.data -o jsonl > fleet.jsonl
  evenkeel import ganeti cluster.data --site fra1 --timezone Europe/Berlin --nic-mbps 10000 > fleet.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return importGaneti(app, args[0], in) },
	}
	f := cmd.Flags()
	f.StringVar(&in.region, "region", "ganeti", "the region's id: Ganeti has no such thing")
	f.StringVar(&in.site, "site", "ganeti", "the site's id: Ganeti has no such thing")
	f.StringVar(&in.timezone, "timezone", "", "the site's time zone, such as Europe/Zurich (default: UTC)")
	f.StringVar(&in.hypervisor, "hypervisor", "kvm", "what the nodes run, kvm or xen: the text does not say")
	f.Int64Var(&in.nicMbps, "nic-mbps", 0, "each node's rate for migrations in Mbit/s: the text does not say (default: not known)")
	f.StringVar(&in.taken, "taken", "", "when the text was written, such as 2026-03-01T08:00:00Z (default: not known)")
	f.StringVarP(&in.output, "output", "o", "yaml", "yaml, or jsonl for big fleets")
	return cmd
}

func importGaneti(app *App, path string, in importFlags) error {
	terms, err := in.terms()
	if err != nil {
		return err
	}
	src, name, err := readInput(app, path)
	if err != nil {
		return err
	}
	c, mistakes := ganeti.Parse(name, src)
	if err := unreadable(path, mistakes); err != nil {
		return err
	}
	f, notes := c.Fleet(terms)
	for _, note := range notes {
		fmt.Fprintf(app.Err, "%s: note: %s\n", name, note)
	}
	if in.output == "yaml" {
		return fleet.Write(app.Out, f)
	}
	out := bufio.NewWriter(app.Out)
	return errors.Join(fleet.WriteJSONL(out, f), out.Flush())
}

// terms checks the flags.
func (in importFlags) terms() (t ganeti.Terms, err error) {
	for _, flag := range []struct{ name, text, format string }{{"--region", in.region, "id"}, {"--site", in.site, "id"}, {"--timezone", in.timezone, "zone"}} {
		if _, expected := form.Pattern(flag.format); !form.Fits(flag.format, flag.text) && (flag.text != "" || flag.format == "id") {
			return t, fmt.Errorf("%s: found %q, expected %s", flag.name, flag.text, expected)
		}
	}
	switch {
	case in.output != "yaml" && in.output != "jsonl":
		return t, fmt.Errorf("-o %s is not known: use yaml or jsonl", in.output)
	case in.hypervisor != string(fleet.KVM) && in.hypervisor != string(fleet.Xen):
		return t, fmt.Errorf("--hypervisor: found %q, expected kvm or xen", in.hypervisor)
	case in.nicMbps < 0:
		return t, fmt.Errorf("--nic-mbps: found %d, expected a rate above 0", in.nicMbps)
	}
	var taken time.Time
	if in.taken != "" {
		if taken, err = time.Parse(time.RFC3339, in.taken); err != nil {
			return t, fmt.Errorf("--taken: found %q, expected a moment such as 2026-03-01T08:00:00Z", in.taken)
		}
	}
	return ganeti.Terms{Region: in.region, Site: in.site, Timezone: in.timezone, Hypervisor: fleet.Hypervisor(in.hypervisor), NICMbps: in.nicMbps, Taken: taken.UTC()}, nil
}
