package libvirt

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/hostfacts"
	"github.com/evenkeel/evenkeel/internal/driver/ssh"
)

// ask runs hostfacts.Script over SSH.
func (d *Driver) ask(ctx context.Context, h driver.Host, emulator string, files []string) (hostfacts.Facts, error) {
	// A path with a line break would speak for the host; what it lies on then is not known.
	files = slices.DeleteFunc(slices.Clone(files), func(p string) bool { return strings.ContainsAny(p, "\n\r") })
	argv := []string{"sh", "-c", hostfacts.Script, "evenkeel", emulator, strconv.Itoa(len(d.cfg.Packages))}
	argv = append(append(argv, d.cfg.Packages...), files...)
	ctx, cancel := context.WithTimeout(ctx, d.cfg.CallTimeout)
	defer cancel()
	res, err := d.ssh.Run(ctx, h.SSH, ssh.Quote(argv...), nil)
	if err != nil {
		return hostfacts.Facts{}, err
	}
	f, err := hostfacts.Parse(res.Stdout)
	if err != nil {
		return hostfacts.Facts{}, fmt.Errorf("what %s answered over SSH: %w (exit %d, %s)", h.ID, err, res.Exit, lastLines(res.Stderr, 3))
	}
	return f, nil
}

// lastLines gives the end of a text, for messages.
func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
