package parse

import (
	"slices"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/version"
)

// csafHow is which versions of a package a claim is of.
type csafHow int

const (
	howAll   csafHow = iota // none is named: all that the product stands for
	howOne                  // this one
	howSpan                 // a range
	howFirst                // from this one on
	howLast                 // up to this one, in its release train
	howFrom                 // this is the fix: from it on fixed, before it affected
)

// csafClaim is what a status says of some versions of a package.
type csafClaim struct {
	status        advisory.Status
	how           csafHow
	version, span string
	why           string
}

// csafClaims are what one vulnerability's statuses say of one package of one release.
type csafClaims struct {
	ecosystem, pkg string
	packaged       bool
	made           []csafClaim
	archs          []map[string]bool // of made, which architectures; "": any
	at             map[csafClaim]int

	first, last, fixes []string // versions of the claims that are howFirst, howLast, howFrom
}

// of gives the claims on a product's package: those of one release are together, whichever of its
// repositories the document names.
func (s *csafStatus) of(p *csafPart) *csafClaims {
	distro, release := "", ""
	if p.ecosystem != "" {
		distro, release = version.Split(p.ecosystem)
	}
	key := distro + "\x00" + release + "\x00" + p.pkg
	k := s.byName[key]
	if k == nil {
		k = &csafClaims{ecosystem: p.ecosystem, pkg: p.pkg, packaged: p.packaged, at: map[csafClaim]int{}}
		s.byName[key] = k
		s.claims = append(s.claims, k)
	}
	return k
}

func (k *csafClaims) add(c csafClaim, arch string) {
	i, ok := k.at[c]
	if !ok {
		i = len(k.made)
		k.at[c] = i
		k.made, k.archs = append(k.made, c), append(k.archs, map[string]bool{})
	}
	k.archs[i][arch] = true
}

func (k *csafClaims) has(is func(csafClaim) bool) bool { return slices.ContainsFunc(k.made, is) }

// versions lists those of the claims that are such.
func (k *csafClaims) versions(is func(csafClaim) bool) (out []string) {
	seen := map[string]bool{}
	for _, c := range k.made {
		if is(c) && !seen[c.version] {
			seen[c.version] = true
			out = append(out, c.version)
		}
	}
	return out
}

func (k *csafClaims) versionsOf(how csafHow) []string {
	return k.versions(func(c csafClaim) bool { return c.how == how })
}

// entries makes the claims into entries of the advisory.
func (k *csafClaims) entries(s *csafStatus) (out []advisory.Affected) {
	k.sources()
	k.settle(s)
	k.first, k.last, k.fixes = k.versionsOf(howFirst), k.versionsOf(howLast), k.versionsOf(howFrom)
	narrow := k.narrow()
	for i, c := range k.made {
		e := advisory.Affected{Ecosystem: k.ecosystem, Package: k.pkg, Status: c.status, Why: c.why}
		if narrow {
			e.Applies = condition(k.archs[i])
		}
		made := k.entry(s, e, c)
		if n := len(out); n > 0 && len(made) == 1 && lists(&made[0]) && lists(&out[n-1]) && alikeBut(&made[0], &out[n-1]) {
			out[n-1].Versions = append(out[n-1].Versions, made[0].Versions...)
			continue
		}
		out = append(out, made...)
	}
	return append(out, k.rest()...)
}

// lists: the entry is a list of versions, and nothing else.
func lists(e *advisory.Affected) bool { return len(e.Versions) > 0 && len(e.Ranges) == 0 }

// alikeBut: two entries say the same of different versions.
func alikeBut(a, b *advisory.Affected) bool {
	return a.Status == b.Status && a.Why == b.Why && len(a.Applies) == len(b.Applies) &&
		(len(a.Applies) == 0 || slices.Equal(a.Applies[0].Arch, b.Applies[0].Arch))
}

// settle looks at the claims together, and names what they leave open.
func (k *csafClaims) settle(s *csafStatus) {
	name := k.pkg
	if k.ecosystem != "" {
		name += " of " + k.ecosystem
	}
	all := k.has(func(c csafClaim) bool { return c.status == advisory.StatusAffected && c.how == howAll })
	fixes := k.versionsOf(howFrom)
	if all && (len(fixes) > 0 || k.has(func(c csafClaim) bool { return c.status == advisory.StatusNotAffected && c.how == howAll })) {
		s.contradiction(name + " is affected in all versions, and elsewhere in the document is not")
	}
	// The releases of a project go on side by side: a fix in one says nothing of another. So do the
	// streams of a module. Then only those versions are fixed that the document names.
	if !k.packaged && (len(fixes) > 1 || k.has(func(c csafClaim) bool { return c.status == advisory.StatusAffected })) || all {
		k.turn(howFrom, howOne)
	} else if k.overlap() {
		s.lack(lacksWhose, name+" ("+few(fixes)+")")
		for i, c := range k.made {
			if c.how == howFrom {
				for arch := range k.archs[i] {
					k.add(csafClaim{status: advisory.StatusFixed, how: howOne, version: c.version}, arch)
				}
			}
		}
	}
	if k.has(func(c csafClaim) bool { return c.status == advisory.StatusFixed && c.how == howAll }) {
		s.lack(lacksFixed, name)
	}
	if !k.packaged && all {
		s.lack(lacksAffected, name)
	}
	k.train(s, name)
}

// overlap: two fixed versions are named for one architecture.
func (k *csafClaims) overlap() bool {
	fix := map[string]string{}
	for i, c := range k.made {
		if c.how != howFrom {
			continue
		}
		for arch := range k.archs[i] {
			if v, ok := fix[arch]; ok && v != c.version {
				return true
			}
			fix[arch] = c.version
		}
	}
	for _, v := range fix {
		if any, ok := fix[""]; ok && v != any {
			return true
		}
	}
	return false
}

// turn makes each claim of one kind into one of the other.
func (k *csafClaims) turn(from, to csafHow) {
	for i := range k.made {
		if k.made[i].how == from {
			k.made[i].how = to
		}
	}
}

// train names the open ends of release trains. One first and one last version are of one train; of
// several it cannot be told which belong together.
func (k *csafClaims) train(s *csafStatus, name string) {
	first, last := k.versionsOf(howFirst), k.versionsOf(howLast)
	switch {
	case len(first) == 0 && len(last) == 0:
	case len(first) == 1 && len(last) == 1:
	case len(first) == 0:
		k.turn(howLast, howOne)
		s.lack(lacksFirst, name+" ("+few(last)+")")
	case len(last) == 0 && len(first) == 1:
		if !k.has(func(c csafClaim) bool { return c.how == howFrom }) {
			s.lack(lacksLast, name+" ("+first[0]+")")
		}
	default:
		k.turn(howFirst, howOne)
		k.turn(howLast, howOne)
		s.lack(lacksPairs, name)
	}
}

// entry makes one claim into entries: the last ones say of which versions nothing is known.
func (k *csafClaims) entry(s *csafStatus, e advisory.Affected, c csafClaim) []advisory.Affected {
	between := func(events ...advisory.Event) { e.Ranges = []advisory.Range{{Type: "ECOSYSTEM", Events: events}} }
	switch c.how {
	case howAll:
		if c.status == advisory.StatusAffected && k.packaged {
			between(advisory.Event{Introduced: "0"})
		}
	case howOne:
		e.Versions = []string{c.version}
	case howFrom:
		e.Status = advisory.StatusAffected
		start := advisory.Event{Introduced: "0"}
		if len(k.first) == 1 {
			start.Introduced = k.first[0]
		}
		between(start, advisory.Event{Fixed: c.version})
	case howFirst:
		between(advisory.Event{Introduced: c.version})
		if len(k.last) == 1 {
			between(advisory.Event{Introduced: c.version}, advisory.Event{LastAffected: k.last[0]})
		} else if len(k.fixes) > 0 {
			return nil // the fix's own entry begins here
		}
	case howLast:
		return nil // said with the first
	case howSpan:
		return k.spanned(s, e, c)
	}
	return []advisory.Affected{e}
}

func (k *csafClaims) spanned(s *csafStatus, e advisory.Affected, c csafClaim) []advisory.Affected {
	span, why := readSpan(c.span, k.ecosystem)
	if why != "" {
		s.lack(lacksSense, k.pkg+" "+quote(plain(c.span))+" ("+why+")")
		e.Status, e.Why = advisory.StatusUnknown, "the document gives the versions "+quote(plain(c.span))+" of it, which are not understood"
		return []advisory.Affected{e}
	}
	if !span.all || c.status == advisory.StatusAffected || c.status == advisory.StatusFixed {
		e.Ranges = span.ranges()
	}
	e.Versions = span.versions
	out := []advisory.Affected{e}
	if len(span.except) > 0 {
		e.Ranges, e.Versions = nil, span.except
		e.Status, e.Why = advisory.StatusUnknown, "the document leaves it out of "+quote(plain(c.span))
		out = append(out, e)
	}
	return out
}

// rest says that of versions which the document does not name nothing is known, where it only lists
// affected ones: a list is no promise that it is complete. Those from a named fix on are not meant.
func (k *csafClaims) rest() []advisory.Affected {
	listed := k.has(func(c csafClaim) bool { return c.status == advisory.StatusAffected && c.how == howOne })
	spanned := k.has(func(c csafClaim) bool {
		return c.status == advisory.StatusAffected && c.how != howOne || c.how == howFrom || c.status == advisory.StatusNotAffected && c.how == howAll
	})
	if !listed || spanned || k.ecosystem == "" {
		return nil
	}
	e := advisory.Affected{Ecosystem: k.ecosystem, Package: k.pkg, Status: advisory.StatusUnknown, Why: "the document lists affected versions, and says nothing of others"}
	for _, v := range k.versions(func(c csafClaim) bool { return c.status == advisory.StatusFixed && c.how == howOne }) {
		e.Ranges = append(e.Ranges, advisory.Range{Type: "ECOSYSTEM", Events: []advisory.Event{{Introduced: "0"}, {Fixed: v}}})
	}
	return []advisory.Affected{e}
}
