package advisory

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/version"
)

// Assess judges each host and instance of f by the target t and the advisories as. A nil target
// judges by the advisories alone; without advisories the target's desired versions decide alone.
// Facts older than staleAfter at now make a verdict unknown; staleAfter 0: their age does not
// matter. Nothing in f, t or as is changed.
//
// Hosts that are alike in all that decides are judged once: the cost grows with the number of
// different hosts times advisories, and with the number of hosts.
func Assess(f *fleet.Fleet, t *plan.Target, as []Advisory, staleAfter time.Duration, now time.Time) Assessment {
	if t == nil {
		t = &plan.Target{}
	}
	s := newAssessor(f, t, as, staleAfter, now.UTC())
	out := Assessment{Target: t.ID, At: s.now, Hosts: make([]HostVerdict, 0, len(f.Hosts)), Instances: make([]InstanceVerdict, 0, len(f.Instances))}
	sum := newSummary(s, &out)
	for i := range f.Hosts {
		v, o := s.hostVerdict(&f.Hosts[i])
		out.Hosts = append(out.Hosts, v)
		sum.host(&out.Hosts[i], o)
	}
	for i := range f.Instances {
		v, o := s.instanceVerdict(&f.Instances[i])
		out.Instances = append(out.Instances, v)
		sum.instance(&out.Instances[i], o)
	}
	out.Holders = s.holders()
	sum.finish()
	slices.SortStableFunc(out.Hosts, func(a, b HostVerdict) int { return strings.Compare(a.Host, b.Host) })
	slices.SortStableFunc(out.Instances, func(a, b InstanceVerdict) int { return strings.Compare(a.Instance, b.Instance) })
	return out
}

// assessor is one run of Assess.
type assessor struct {
	fleet      *fleet.Fleet
	target     *plan.Target
	now        time.Time
	staleAfter time.Duration
	cohorts    *Cohorts
	docs       docs
	judges     map[judgeKey]*judge
	onHost     map[string][]guestSetting // host -> the different instances on it
	hosts      map[string]*hostCase
	settings   map[string]*setting
	outcomes   map[string]*outcome
}

type judgeKey struct {
	cohort    *plan.Cohort // nil: hosts in no cohort
	ecosystem string
}

// hostCase is what was made of one host on the way to its verdict.
type hostCase struct {
	host  *fleet.Host
	judge *judge
	never *outcome // why it cannot be judged at all
	key   string   // names judge, setting without guests, and layers
	in    *setting // with its guests
	l     layers
}

func newAssessor(f *fleet.Fleet, t *plan.Target, as []Advisory, staleAfter time.Duration, now time.Time) *assessor {
	s := &assessor{
		fleet: f, target: t, now: now, staleAfter: staleAfter, cohorts: NewCohorts(f, t), docs: newDocs(t, as, now),
		judges: map[judgeKey]*judge{}, onHost: map[string][]guestSetting{}, hosts: make(map[string]*hostCase, len(f.Hosts)),
		settings: map[string]*setting{}, outcomes: map[string]*outcome{},
	}
	for i := range f.Instances {
		in := &f.Instances[i]
		g := guestSettingOf(in)
		if at, known := slices.BinarySearchFunc(s.onHost[in.Host], g, func(a, b guestSetting) int { return strings.Compare(a.key, b.key) }); !known {
			s.onHost[in.Host] = slices.Insert(s.onHost[in.Host], at, g)
		}
	}
	return s
}

// caseOf gathers what decides of one host.
func (s *assessor) caseOf(h *fleet.Host) *hostCase {
	c := &hostCase{host: h}
	s.hosts[h.ID] = c
	cohort := s.cohorts.Of(h)
	ecosystem, why := ecosystemFor(cohort, h)
	c.judge = s.judgeFor(cohort, ecosystem)
	switch stale := s.stale(h); {
	case stale != "":
		c.never = &outcome{verdict: IsUnknown, evidence: []string{stale}, needs: "a fresh look at the host"}
		return c
	case why != "":
		c.never = &outcome{verdict: IsUnknown, evidence: []string{why}, needs: "a cohort whose ecosystem is the host's"}
		return c
	}
	c.l = s.layersOf(h)
	h = s.withoutOldPatches(h, &c.l)
	var b strings.Builder
	settingKey(&b, h)
	own := b.Len()
	for _, g := range s.onHost[h.ID] {
		b.WriteString(g.key)
		b.WriteByte(4)
	}
	c.in = s.settingFor(b.String(), h, s.onHost[h.ID])
	key := b.String()[:own]
	var k strings.Builder
	k.WriteString(strconv.Itoa(c.judge.number) + "\x05" + key + strings.Join(c.l.old, "\x06"))
	for _, m := range []map[string]string{c.l.installed, c.l.booted, c.l.running} {
		k.WriteByte(5)
		c.judge.writeKey(&k, m)
	}
	c.key = k.String()
	return c
}

// writeKey names the facts of a map that decide.
func (j *judge) writeKey(b *strings.Builder, m map[string]string) {
	var room [8]string
	names := room[:0]
	for pkg := range m {
		if len(j.about(pkg)) > 0 {
			names = append(names, pkg)
		}
	}
	slices.Sort(names)
	for _, pkg := range names {
		b.WriteString(pkg)
		b.WriteByte(2)
		b.WriteString(m[pkg])
		b.WriteByte(3)
	}
}

func (s *assessor) settingFor(key string, h *fleet.Host, guests []guestSetting) *setting {
	in, ok := s.settings[key]
	if !ok {
		in = newSetting(h, guests, s.withdrawnPatch)
		s.settings[key] = in
	}
	return in
}

// judgeFor gives the judge of one cohort and ecosystem, made once.
func (s *assessor) judgeFor(c *plan.Cohort, ecosystem string) *judge {
	key := judgeKey{c, ecosystem}
	j, ok := s.judges[key]
	if !ok {
		j = newJudge(s.target, c, s.cohorts.Name(c), ecosystem, &s.docs)
		j.number = len(s.judges)
		s.judges[key] = j
	}
	return j
}

// unknownEcosystem is no name of one: it stands where neither a host nor its packages' versions tell,
// and no cohort says what they are taken for. Then a distribution's documents say nothing of them.
const unknownEcosystem = "an ecosystem that is not known"

// ecosystemFor is the ecosystem of a host's packages: the cohort's and the host's own, whichever says
// more. why: they contradict each other.
func ecosystemFor(c *plan.Cohort, h *fleet.Host) (ecosystem, why string) {
	if c == nil {
		return orElse(ecosystemOf(h), unknownEcosystem), ""
	}
	if c.Ecosystem == "" {
		return h.Ecosystem, ""
	}
	if h.Ecosystem == "" {
		return c.Ecosystem, ""
	}
	ours, wanted := version.Split(c.Ecosystem)
	theirs, release := version.Split(h.Ecosystem)
	if ours != theirs || wanted != "" && release != "" && wanted != release {
		return c.Ecosystem, "its cohort is of " + c.Ecosystem + ", and the host says that it is " + h.Ecosystem
	}
	if wanted == "" {
		return h.Ecosystem, ""
	}
	return c.Ecosystem, ""
}

// hostVerdict gives the verdict on one host.
func (s *assessor) hostVerdict(h *fleet.Host) (HostVerdict, *outcome) {
	c := s.caseOf(h)
	out := HostVerdict{Host: h.ID, Site: s.cohorts.siteOf[first(h.Pools)], Cohort: c.judge.name}
	o := c.never
	if o == nil {
		key := c.key + "\x07" + guestKeys(c.in.guests)
		if o = s.outcomes[key]; o == nil {
			o = s.outcomeOf(c.judge.judgeHost(c.l, c.in), c.in)
			c.judge.follow(o, c.l, c.in)
			s.outcomes[key] = o
		}
		out.Seen = s.seenOf(c)
	}
	out.Verdict, out.Evidence, out.Needs, out.ExposedSince, out.Then = o.verdict, o.evidence, o.needs, o.since, o.then
	out.Severity = o.severity
	if o.verdict == IsAffected && c.judge.cohort != nil {
		out.Remedy = remedyOf(c.judge.cohort)
	}
	return out, o
}

func guestKeys(gs []guestSetting) string {
	var b strings.Builder
	for _, g := range gs {
		b.WriteString(g.key)
		b.WriteByte(4)
	}
	return b.String()
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// instanceVerdict gives the verdict on one instance.
func (s *assessor) instanceVerdict(i *fleet.Instance) (InstanceVerdict, *outcome) {
	out := InstanceVerdict{Instance: i.ID, Host: i.Host, Tenant: i.Tenant}
	o := s.instanceOutcome(i)
	out.Verdict, out.Evidence, out.Needs, out.ExposedSince = o.verdict, o.evidence, o.needs, o.since
	if c := s.hosts[i.Host]; c != nil && c.never == nil && i.State != fleet.Stopped {
		out.Seen = s.seenThrough(c, i)
	}
	return out, o
}

func (s *assessor) instanceOutcome(i *fleet.Instance) *outcome {
	c := s.hosts[i.Host]
	switch {
	case c == nil:
		return &outcome{verdict: IsUnknown, evidence: []string{"its host " + i.Host + " is not in the fleet"}, needs: "a host that is in the fleet"}
	case c.never != nil:
		return &outcome{verdict: IsUnknown, evidence: []string{"on host " + i.Host + ": " + first(c.never.evidence)}, needs: "a fresh look at its host"}
	}
	running, old := i.Running, ""
	if why := s.tooOld(i.Looked.At); why != "" && !i.Looked.At.IsZero() && i.State != fleet.Stopped {
		running, old = nil, "what its own monitor said "+why
	}
	g := guestSettingOf(i)
	var b strings.Builder
	b.WriteString(c.key + "\x08" + g.key + "\x08")
	if i.State == fleet.Stopped {
		b.WriteByte(9)
	} else {
		c.judge.writeKey(&b, running)
		b.WriteString(old)
	}
	key := b.String()
	if o := s.outcomes[key]; o != nil {
		return o
	}
	in := c.in.of(g)
	f := finding{}
	if i.State == fleet.Stopped {
		f = c.judge.stopped(c.l, in)
	} else if f = c.judge.judgeInstance(c.l, running, in); old != "" {
		f = join(finding{verdict: NotAffected, lines: []string{old}}, f)
	}
	o := s.outcomeOf(f, in)
	s.outcomes[key] = o
	return o
}
