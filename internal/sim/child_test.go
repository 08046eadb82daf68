package sim

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/execution"
)

// TestChildSeeds lets a child campaign take its parent's place in each seed's course.
func TestChildSeeds(t *testing.T) {
	var children, followed, again, kept, skipped, inherited, crashes, permits int
	first, n := *first, max(40, *seeds/3)
	if *only != 0 {
		first, n = *only, 1
	}
	for seed := first; seed < first+uint64(n); seed++ {
		if *fresh && !newKinds(seed) {
			continue
		}
		res, err := RunChild(seed, troublesOf(seed))
		if err != nil || res.Bad() {
			t.Errorf("seed %d: %v\n%s\nreplay: go test ./internal/sim -run TestChildSeeds -seed=%d", seed, err, whySuccession(res), seed)
		}
		if *only != 0 {
			printSuccession(t, res)
		}
		if res == nil || res.Childless {
			continue
		}
		children++
		if res.Followed {
			followed++
		}
		if res.Again {
			again++
		}
		kept += res.Kept
		skipped, inherited, crashes = skipped+res.Skipped, inherited+res.Inherited, crashes+res.Crashes
		for _, f := range res.Child {
			if f.Kind == execution.TurnPermitted {
				permits++
			}
		}
	}
	t.Logf("%d seeds: %d children, %d of them with another tactic, %d with the plan made again, %d promises kept as told, %d turns of theirs begun, %d hosts skipped as past the target, %d instances inherited, %d crashes", n, children, followed, again, kept, permits, skipped, inherited, crashes)
	if *only == 0 && (children < n/4 || followed == 0 || again == 0 || kept == 0 || permits == 0 || inherited == 0 || crashes == 0) {
		t.Error("the runs do not exercise what they should")
	}
}

func whySuccession(res *Succession) string {
	var b strings.Builder
	if res != nil {
		for i, f := range res.Findings {
			if i == 8 {
				fmt.Fprintf(&b, "\n  ... and %d more findings", len(res.Findings)-i)
				break
			}
			fmt.Fprintf(&b, "\n  law %d %s %+v: %s", f.Law, f.Code, f.Subject, f.What)
		}
		for _, w := range res.Wrong {
			fmt.Fprintf(&b, "\n  world: %s", w)
		}
	}
	return b.String()
}

func printSuccession(t *testing.T, res *Succession) {
	t.Helper()
	if res == nil {
		return
	}
	var b strings.Builder
	for _, f := range append(append([]execution.Fact{}, res.Parent...), res.Child...) {
		fmt.Fprintf(&b, "%s %d %s %s %s turn=%s host=%s inst=%s step=%s #%d %s->%s [%s/%s] code=%s %s\n", f.Campaign, f.Seq, f.At.Format("02 15:04:05.000"), f.Kind, f.Who, f.Turn, f.Host, f.Instance, f.Step, f.Attempt, f.From, f.To, f.Source, f.Destination, f.Code, f.Why)
	}
	dir := os.Getenv("EVENKEEL_OUT")
	if dir == "" {
		dir = t.TempDir()
	}
	path := fmt.Sprintf("%s/child-%d.txt", dir, res.Seed)
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Logf("both journals in %s", path)
}
