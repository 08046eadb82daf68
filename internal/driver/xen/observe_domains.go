package xen

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// domainsKnown is what a look keeps for the next ones: as long as the same domains run in the same boot,
// their configurations are not asked for again.
type domainsKnown struct {
	sign    string // see domainsSign
	configs map[int]config
	fs      map[string]string // kinds of file systems, by path of a disk
	at      time.Time
}

// domainsLast bounds how long configurations are taken for granted: what is plugged in while a domain runs
// changes them.
const domainsLast = 5 * time.Minute

// domainsSign tells one set of running domains from another: the boot, then id and UUID of each in their
// order, as the script prints them. A domain that was started again has another id.
func (s *seen) domainsSign() string {
	var text strings.Builder
	text.WriteString(s.dom0.BootID)
	for _, d := range s.domains {
		fmt.Fprintf(&text, "\n%d %s", d.id, d.uuid)
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
		d.domains[h.URI+" "+h.SSH] = domainsKnown{sign: s.domainsSign(), configs: s.configs, fs: s.dom0.FS, at: s.At}
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
