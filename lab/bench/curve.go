package bench

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// The plot, in the units of the picture.
const (
	left, top, wide, high = 70.0, 40.0, 600.0, 340.0
	minHosts, maxHosts    = 100.0, 100_000.0
	minCPU, maxCPU        = 0.01, 1000.0
)

type point struct{ hosts, cpu float64 }

func (p point) xy() (x, y float64) {
	x = left + wide*math.Log10(p.hosts/minHosts)/math.Log10(maxHosts/minHosts)
	y = top + high - high*math.Log10(max(p.cpu, minCPU)/minCPU)/math.Log10(maxCPU/minCPU)
	return x, y
}

// Curve draws CPU time against hosts, both on logarithmic scales, for the first family: ours, hroller's, and
// n log n through our point with most hosts. It is the same to the byte for the same results.
func Curve(w io.Writer, results []Result) error {
	var ours, theirs []point
	for _, r := range results {
		if r.Fleet.Family != results[0].Fleet.Family {
			continue
		}
		at := float64(r.Fleet.Hosts)
		if r.Ours.Failed == "" {
			ours = append(ours, point{at, r.Ours.CPU.Seconds()})
		}
		if r.Hroller.Failed == "" {
			theirs = append(theirs, point{at, r.Hroller.CPU.Seconds()})
		}
	}
	if len(ours) < 2 {
		return fmt.Errorf("a curve needs two points, there are %d", len(ours))
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 440" font-family="sans-serif" role="img" aria-label="CPU seconds against hosts, ours and hroller, with n log n">
<style>
.paper{fill:#fff}.grid{stroke:#d5dae1;stroke-width:1}text{fill:#1d2329;font-size:12px}.title{font-size:14px;font-weight:bold}
.ours{stroke:#1f5fbf;fill:#1f5fbf}.theirs{stroke:#b4541a;fill:#b4541a}.law{stroke:#5b6470;fill:#5b6470;stroke-dasharray:6 4}
polyline{fill:none !important;stroke-width:2}.word{stroke:none}
@media (prefers-color-scheme: dark){.paper{fill:#0d1117}.grid{stroke:#30363d}text{fill:#e6edf3}
.ours{stroke:#6ea8fe;fill:#6ea8fe}.theirs{stroke:#f0a36b;fill:#f0a36b}.law{stroke:#9aa4b0;fill:#9aa4b0}}
</style>
<rect class="paper" width="720" height="440"/>
<text class="title" x="%.0f" y="22">CPU seconds to plan a fleet (%s), reading it included</text>
`, left, results[0].Fleet.Family)
	grid(&b)
	most := ours[len(ours)-1]
	law := func(hosts float64) point {
		return point{hosts, most.cpu * hosts * math.Log(hosts) / (most.hosts * math.Log(most.hosts))}
	}
	var nlogn []point
	for hosts := minHosts; hosts <= maxHosts*1.001; hosts *= math.Pow(10, 0.25) {
		nlogn = append(nlogn, law(hosts))
	}
	line(&b, "law", "n log n", nlogn, false)
	line(&b, "ours", "ours", ours, true)
	line(&b, "theirs", "hroller", theirs, true)
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// grid draws a line for each power of ten, with its number.
func grid(b *strings.Builder) {
	for hosts := minHosts; hosts <= maxHosts*1.001; hosts *= 10 {
		x, _ := point{hosts, minCPU}.xy()
		fmt.Fprintf(b, `<path class="grid" d="M%.1f %.1fV%.1f"/><text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n", x, top, top+high, x, top+high+18, thousands(int(math.Round(hosts))))
	}
	for cpu := minCPU; cpu <= maxCPU*1.001; cpu *= 10 {
		_, y := point{minHosts, cpu}.xy()
		fmt.Fprintf(b, `<path class="grid" d="M%.1f %.1fH%.1f"/><text x="%.1f" y="%.1f" text-anchor="end">%g s</text>`+"\n", left, y, left+wide, left-8, y+4, math.Round(cpu*100)/100)
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">hosts, ten instances each</text>`+"\n", left+wide/2, top+high+42)
}

// line draws points, their line and their name at the last of them.
func line(b *strings.Builder, class, name string, points []point, dots bool) {
	if len(points) == 0 {
		return
	}
	var path []string
	var x, y float64
	for _, p := range points {
		x, y = p.xy()
		path = append(path, fmt.Sprintf("%.1f,%.1f", x, y))
		if dots {
			fmt.Fprintf(b, `<circle class="%s" cx="%.1f" cy="%.1f" r="4"><title>%s hosts: %s s</title></circle>`+"\n", class, x, y, thousands(int(p.hosts)), number(p.cpu))
		}
	}
	fmt.Fprintf(b, `<polyline class="%s" points="%s"/>`+"\n", class, strings.Join(path, " "))
	anchor := "end"
	x, y = x-8, y-8
	if class == "law" { // its end is where ours ends, so it is named below its middle
		x, y = points[len(points)/2].xy()
		x, y, anchor = x+14, y+14, "start"
	}
	fmt.Fprintf(b, `<text class="%s word" x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", class, x, y, anchor, name)
}

func number(cpu float64) string { return fmt.Sprintf("%.3g", cpu) }
