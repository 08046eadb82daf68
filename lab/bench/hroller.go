package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
)

// hrollerPlan is what hroller -t FILE --print-moves prints.
type hrollerPlan struct {
	groups []rebootGroup
	moves  int // as listed: one way
}

// rebootGroup are nodes that are rebooted together, and where their instances are put meanwhile. After
// each group all instances are where they were.
type rebootGroup struct {
	nodes []string
	moves []listed
}

type listed struct{ instance, to string }

// parseHroller reads the groups: a line of nodes with commas between them, then one line a move, indented.
func parseHroller(text []byte) (p hrollerPlan, err error) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		line := lines.Text()
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || strings.HasPrefix(line, "'"):
		case !strings.HasPrefix(line, " "):
			p.groups = append(p.groups, rebootGroup{nodes: strings.Split(line, ",")})
		case len(words) < 2 || len(p.groups) == 0:
			return p, fmt.Errorf("hroller printed %q, expected an instance and a node after a line of nodes", line)
		default:
			g := &p.groups[len(p.groups)-1]
			g.moves = append(g.moves, listed{words[0], words[1]})
			p.moves++
		}
	}
	return p, lines.Err()
}

// runHroller plans one fleet with hroller.
func runHroller(l Limits, f Fleet, file string) (o Outcome, err error) {
	var out bytes.Buffer
	c, code, told, err := run(l, &out, "hroller", "-t", file, "--print-moves")
	o = Outcome{CPU: c.CPU, RSS: c.RSS}
	if s, is := err.(stopped); is {
		o.Failed = s.why
		return o, nil
	}
	if err != nil {
		return o, err
	}
	if code != 0 {
		o.Failed = "refuses: " + lastLine(told)
		return o, nil
	}
	p, err := parseHroller(out.Bytes())
	if err != nil {
		return o, err
	}
	o.Waves, o.Moves, o.Listed = len(p.groups), 2*p.moves, p.moves
	if f.MaxUnavailable > 0 {
		o.Beside = newReplay(f).hroller(p)
	}
	return o, nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimPrefix(lines[len(lines)-1], "Error: ")
}
