package parse

import (
	"encoding/json"
	"slices"

	"github.com/gocsaf/csaf/v3/csaf"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// remediations reads what can be done: fixes, mitigations, restarts.
func (s *csafStatus) remediations(n *node) {
	for _, r := range s.objects(n, "remediations", "a remediation: an object with category and details") {
		ids, all := s.named(r)
		details := cut(plain(s.word(r, "details")), 500)
		switch category := csaf.RemediationCategory(s.word(r, "category")); category {
		case csaf.CSAFRemediationCategoryVendorFix:
			s.fixAll = s.fixAll || all
			for _, id := range ids {
				s.fixes[id] = true
			}
			s.restart(r, ids, all)
		case csaf.CSAFRemediationCategoryMitigation, csaf.CSAFRemediationCategoryWorkaround:
			if m := (advisory.Mitigation{Text: details}); details != "" && !slices.ContainsFunc(s.to.Mitigations, func(o advisory.Mitigation) bool { return o.Text == m.Text }) {
				s.to.Mitigations = append(s.to.Mitigations, m)
			}
		case csaf.CSAFRemediationCategoryNoneAvailable, csaf.CSAFRemediationCategoryNoFixPlanned:
			what := "there is no fix"
			if category == csaf.CSAFRemediationCategoryNoFixPlanned {
				what = "no fix is planned"
			}
			if names := s.packages(ids); len(names) > 0 && !all {
				what += " of " + few(names)
			}
			if details != "" {
				what += ": " + details
			}
			s.gap(what)
		}
	}
}

// packages names what products are packages of, each once.
func (s *csafStatus) packages(ids []string) (out []string) {
	seen := map[string]bool{}
	for _, id := range ids {
		if s.csafReader.products[id] == nil {
			continue
		}
		if p := s.part(id); p.pkg != "" && !seen[p.pkg] {
			seen[p.pkg] = true
			out = append(out, p.pkg)
		}
	}
	return out
}

// restart reads what must be restarted for a fix to take effect. "none" asks for nothing: whether old
// code still runs is seen on the host.
func (s *csafStatus) restart(r *node, ids []string, all bool) {
	n := s.child(r, "restart_required", "an object with category")
	if n == nil {
		return
	}
	category := csaf.RestartRequiredCategory(s.word(n, "category"))
	g := advisory.Guidance{Action: string(category), Kind: string(csaf.CSAFRemediationCategoryVendorFix)}
	names := s.packages(ids)
	switch category {
	case csaf.CSAFRestartRequiredCategoryNone, "":
		return
	case csaf.CSAFRestartRequiredCategorySystem, csaf.CSAFRestartRequiredCategoryMachine:
		g.Tactics = reboots
	case csaf.CSAFRestartRequiredCategoryVulnerableComponent, csaf.CSAFRestartRequiredCategoryDependencies:
		g.Tactics = componentTactics(names)
	case csaf.CSAFRestartRequiredCategoryService:
	default: // connected, parent, zone: what that is here, the document does not tell
		s.gap("its fix asks for a restart of " + cut(plain(string(category)), 40) + ": which that is must be told by a person")
		return
	}
	if !all && len(names) > 0 {
		g.From = s.from(ids)
	}
	if at := slices.IndexFunc(s.to.Guidance, func(o advisory.Guidance) bool {
		return o.Action == g.Action && slices.Equal(o.Tactics, g.Tactics)
	}); at >= 0 {
		s.to.Guidance[at].From = joinFrom(s.to.Guidance[at].From, g.From)
		return
	}
	s.to.Guidance = append(s.to.Guidance, g)
}

// componentTactics restart the components that packages are: the hypervisor and the kernel with the
// host, the process of each instance by whatever gives it a new one; all others are services.
func componentTactics(packages []string) []string {
	refresh := false
	for _, p := range packages {
		switch components[p] {
		case "xen", "linux":
			return reboots
		case "qemu", "edk2", "seabios":
			refresh = true
		}
	}
	if refresh {
		return renews
	}
	return nil
}

// components are the packages that hold code which runs under instances, with their projects. The
// tools beside them restart as services do.
var components = map[string]string{
	"xen": "xen", "xen-hypervisor": "xen",
	"linux": "linux", "kernel": "linux", "kernel-core": "linux", "kernel-modules": "linux", "kernel-modules-core": "linux",
	"kernel-rt": "linux", "kernel-rt-core": "linux", "kernel-64k": "linux", "kernel-64k-core": "linux", "kernel-default": "linux", "kernel-uek": "linux", "kernel-uek-core": "linux",
	"qemu": "qemu", "qemu-kvm": "qemu", "qemu-kvm-core": "qemu", "qemu-system-x86": "qemu", "qemu-x86": "qemu", "qemu-arm": "qemu",
	"edk2": "edk2", "edk2-ovmf": "edk2", "edk2-aarch64": "edk2", "ovmf": "edk2", "qemu-ovmf-x86_64": "edk2",
	"seabios": "seabios", "seabios-bin": "seabios", "qemu-seabios": "seabios",
}

// from names the packages that a guidance is for, each of them once: any version before the fix.
func (s *csafStatus) from(ids []string) (out []advisory.Affected) {
	type name struct{ ecosystem, pkg string }
	seen := map[name]bool{}
	for _, id := range ids {
		if s.csafReader.products[id] == nil {
			continue
		}
		p := s.part(id)
		if at := (name{p.ecosystem, p.pkg}); p.pkg != "" && !seen[at] {
			seen[at] = true
			out = append(out, advisory.Affected{Ecosystem: p.ecosystem, Package: p.pkg, Ranges: []advisory.Range{{Type: "ECOSYSTEM", Events: []advisory.Event{{Introduced: "0"}}}}})
		}
	}
	return out
}

// joinFrom joins what two guidances with the same wish are for; none means all.
func joinFrom(a, b []advisory.Affected) []advisory.Affected {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	seen := map[[2]string]bool{}
	for _, e := range a {
		seen[[2]string{e.Ecosystem, e.Package}] = true
	}
	for _, e := range b {
		if !seen[[2]string{e.Ecosystem, e.Package}] {
			a = append(a, e)
		}
	}
	return a
}

// severityOf takes the vendor's word where it is one for all products, else the highest CVSS vector,
// else the document's word, where it is about this vulnerability alone.
func (s *csafStatus) severityOf(n *node) {
	words := map[string]bool{}
	for _, t := range s.objects(n, "threats", "a threat: an object with category and details") {
		if word := s.word(t, "details"); csaf.ThreatCategory(s.word(t, "category")) == csaf.CSAFThreatCategoryImpact && slices.Contains(ratings, word) {
			words[word] = true
		}
	}
	if len(words) == 1 {
		for word := range words {
			s.to.Severity = word
		}
		return
	}
	vector, highest := "", -1.0
	for _, score := range s.objects(n, "scores", "a score: an object with cvss_v3 or cvss_v2") {
		for _, key := range []string{"cvss_v3", "cvss_v2"} {
			cvss := s.child(score, key, "an object with vectorString and baseScore")
			if cvss == nil {
				continue
			}
			base := 0.0
			if number := cvss.object["baseScore"]; number != nil {
				if digits, ok := number.value.(json.Number); ok {
					base, _ = digits.Float64()
				}
			}
			if v := s.word(cvss, "vectorString"); v != "" && base > highest {
				vector, highest = v, base
			}
			break // version 3 stands above version 2
		}
	}
	if vector == "" && len(s.vulnerabilities) == 1 {
		vector = s.severity
	}
	s.to.Severity = cut(plain(vector), 200)
}

// ratings are the words by which vendors rate impact; other threats of that category are prose.
var ratings = []string{"Critical", "Important", "High", "Moderate", "Medium", "Low", "critical", "important", "high", "moderate", "medium", "low"}
