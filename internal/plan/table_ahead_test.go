package plan

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestTableSaysWhatIsAhead: the table names the hosts whose disks are changed before the waves, the
// canary apart, and says nothing where none is.
func TestTableSaysWhatIsAhead(t *testing.T) {
	at := func(min int) time.Time { return time.Date(2026, 3, 1, 1, min, 0, 0, time.UTC) }
	p := Plan{Campaign: "c", Revision: 1, Turns: []Turn{
		{ID: "a", Host: "a", Site: "s", Wave: 1, Canary: true, Tactic: Refresh, Start: at(50), End: at(55), WorstS: 600, UpdateFrom: at(0), UpdateBy: at(10)},
		{ID: "b", Host: "b", Site: "s", Wave: 2, Tactic: Refresh, Start: at(50), End: at(55), WorstS: 600, UpdateFrom: at(20), UpdateBy: at(40)},
		{ID: "c", Host: "c", Site: "s", Wave: 2, Tactic: Refresh, Start: at(50), End: at(55), WorstS: 600, UpdateFrom: at(20), UpdateBy: at(45)},
		{ID: "d", Host: "d", Site: "s", Wave: 2, Tactic: Evacuate, Start: at(50), End: at(55), WorstS: 600}}}
	write := func(most int) string {
		var b bytes.Buffer
		if err := Table(&b, p, TableOptions{Most: most}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	text := write(0)
	for _, want := range []string{"ahead   Sun 2026-03-01 01:00 UTC to 01:10 at worst\n  a  new software on disk", "moves  canary\n", "ahead   Sun 2026-03-01 01:20 UTC to 01:45 at worst\n  b, c  new software on disk"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
	if text := write(1); !strings.Contains(text, "  b and 1 more host  new software") {
		t.Errorf("with one host at most:\n%s", text)
	}
	for i := range p.Turns {
		p.Turns[i].UpdateFrom, p.Turns[i].UpdateBy = time.Time{}, time.Time{}
	}
	if text := write(0); strings.Contains(text, "ahead") {
		t.Errorf("nothing is ahead in:\n%s", text)
	}
}
