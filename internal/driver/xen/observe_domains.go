package xen

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// domainsKnown is what a look keeps for the next ones: a domain that has run since in the same boot is not
// asked for its configuration again.
type domainsKnown struct {
	lines   string // BOOT ID UUID of each; one that was started again has another id
	configs map[int]config
	fs      map[string]string // kinds of file systems, by path of a disk
	at      time.Time
}

// domainsLast bounds how long configurations are taken for granted: what is plugged in while a domain runs
// changes them.
const domainsLast = 5 * time.Minute

// domainLines names the domains as the script knows them again.
func (s *seen) domainLines() string {
	var text strings.Builder
	for _, d := range s.domains {
		if d.id != 0 {
			fmt.Fprintf(&text, "%s %d %s\n", s.dom0.BootID, d.id, d.uuid)
		}
	}
	return text.String()
}

func (d *Driver) keepDomains(h driver.Host, s *seen) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s.asBefore {
		return // as old as it was
	}
	delete(d.domains, h.URI+" "+h.SSH)
	whole := s.dom0.BootID != "" && s.configsRead
	for _, one := range s.domains {
		_, has := s.configs[one.id]
		whole = whole && (has || one.id == 0) // one that is being made has none yet
	}
	if whole {
		d.domains[h.URI+" "+h.SSH] = domainsKnown{lines: s.domainLines(), configs: s.configs, fs: s.dom0.FS, at: s.At}
	}
}

func (d *Driver) knownDomains(h driver.Host) domainsKnown {
	d.mu.Lock()
	defer d.mu.Unlock()
	k := d.domains[h.URI+" "+h.SSH]
	if time.Since(k.at) > domainsLast {
		return domainsKnown{}
	}
	return k
}
