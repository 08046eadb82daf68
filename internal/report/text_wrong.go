package report

import (
	"fmt"
	"time"
)

// wrong lists the hosts that came back wrong, by name.
func (t *text) wrong(r *Report) {
	if len(r.Wrong) == 0 {
		return
	}
	t.title(fmt.Sprintf("HOSTS THAT CAME BACK WRONG: %d", len(r.Wrong)))
	rows := [][]string{{"HOST", "AT", "AS WHAT", "SINCE THEN", "WHY"}}
	for _, w := range r.Wrong {
		now := "held"
		if !w.Mended.IsZero() {
			now = "done " + stamp(w.Mended)
		}
		rows = append(rows, []string{w.Host, stamp(w.At), w.Code, now, w.Why})
	}
	t.table(rows)
}

// cohorts lists the times in which cohorts were held.
func (t *text) cohorts(r *Report) {
	if len(r.Cohorts) == 0 {
		return
	}
	t.title(fmt.Sprintf("COHORTS THAT WERE HELD: %d", len(r.Cohorts)))
	for _, c := range r.Cohorts {
		until := "it is held"
		if !c.Released.IsZero() {
			until = fmt.Sprintf("released %s by %s, after %s", stamp(c.Released), dash(c.By), span(c.Released.Sub(c.Since).Round(time.Second)))
		}
		t.line("  %s  since %s, %s (%s): %s", c.Cohort, stamp(c.Since), until, c.Code, c.Why)
		if c.Released.IsZero() && c.Next != "" {
			t.line("      next: %s", c.Next)
		}
	}
}
