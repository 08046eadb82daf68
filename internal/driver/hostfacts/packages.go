package hostfacts

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/version"
)

// packageLine reads what the package manager says.
func (p *parser) packageLine(key, one string, words []string) error {
	switch {
	case key == "manager":
		p.Manager = one
	case key == "qemu":
		p.QEMU = one
	case key == "kernel":
		p.Kernel = one
	case key == "kernel_line":
		p.KernelLine = one
	case key == "pkg" && len(words) == 3 && words[1] == "installed":
		p.Installed[words[0]] = words[2]
		delete(p.Status, words[0]) // the same package of another architecture may be half gone
	case key == "pkg" && len(words) >= 2:
		if _, fine := p.Installed[words[0]]; !fine {
			p.Status[words[0]] = words[1]
		}
	case key == "list" && len(words) == 2:
		at, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil {
			return errors.New("expected a time in seconds")
		}
		pkg, _, _ := strings.Cut(strings.TrimSuffix(path.Base(words[1]), ".list"), ":")
		p.Changed[pkg] = max(p.Changed[pkg], at)
	case key == "rpm" && len(words) == 4:
		p.rpmLine(words)
	}
	return nil
}

// rpmLine takes in 'NAME EPOCH:VERSION-RELEASE ARCH INSTALLTIME'. Of several builds the newest is
// what counts as installed; where they cannot be compared, none does.
func (p *parser) rpmLine(words []string) {
	name, arch := words[0], words[2]
	epoch, evr, ok := strings.Cut(words[1], ":")
	if !ok || evr == "" {
		return
	}
	b := rpm{version: words[1], release: evr + "." + arch}
	if epoch == "0" {
		b.version = evr
	}
	b.at, _ = strconv.ParseInt(words[3], 10, 64)
	for _, before := range p.RPMs[name] {
		if before == b {
			return // asked for by two names
		}
	}
	p.RPMs[name] = append(p.RPMs[name], b)
	newest := p.RPMs[name][0]
	for _, other := range p.RPMs[name][1:] {
		order, err := version.Compare("Red Hat", other.version, newest.version)
		if err != nil {
			delete(p.Installed, name)
			delete(p.Changed, name)
			p.Status[name] = "installed in builds that cannot be compared: " + newest.version + " and " + other.version
			return
		}
		if order > 0 {
			newest = other
		}
	}
	p.Installed[name] = newest.version
	if newest.at > 0 {
		p.Changed[name] = newest.at
	}
}

// managers says how each package manager is asked, in words for people.
var managers = map[string]string{"dpkg": "dpkg-query", "rpm": "rpm -q", "apk": "apk's database"}

// bootedWith tells which version of a package the host booted with: the installed one, if its files
// have not changed since the boot. Otherwise it is not known, and why says so.
func (f Facts) BootedWith(pkg string) (version, why string) {
	v, ok := f.Installed[pkg]
	at, dated := f.Changed[pkg]
	switch {
	case !ok:
		return "", ""
	case f.Booted == 0:
		return "", "the moment of the host's boot could not be read"
	case !dated && f.Manager == "apk":
		return "", "apk does not note when it was installed"
	case !dated:
		return "", "when it was installed could not be read"
	case at >= f.Booted:
		return "", "it was changed since the boot"
	}
	return v, ""
}

// whole completes the version that QEMU says of itself with the epoch of its RPM package, which it
// does not know. A distribution's release keeps one epoch per package, so the installed build's is
// that of the running one. Without it the version could not be compared, and is not known.
func (f Facts) Whole(pkg, said string) (version, why string) {
	if f.Manager != "rpm" || said == "" || strings.Contains(said, ":") {
		return said, ""
	}
	installed, ok := f.Installed[pkg]
	if !ok {
		return "", fmt.Sprintf("it says %s, without the epoch, and %s is not installed to tell it", said, pkg)
	}
	if epoch, _, has := strings.Cut(installed, ":"); has {
		return epoch + ":" + said, ""
	}
	return said, ""
}

// PackageVersion finds the version of QEMU's package in 'Debian 1:7.2+dfsg-7+deb12u15', or in
// 'QEMU emulator version 7.2.18 (Debian 1:7.2+dfsg-7+deb12u15)', or in 'qemu-kvm-8.2.0-11.el9'. Empty
// when there is none: a distribution's own number, as in 'openSUSE Leap 15.6', has no revision.
func PackageVersion(text string) string {
	if i := strings.LastIndexByte(text, '('); i >= 0 {
		text = strings.TrimSuffix(strings.TrimSpace(text[i+1:]), ")")
	}
	words := strings.Fields(text)
	if len(words) == 0 {
		return ""
	}
	last := words[len(words)-1]
	for _, name := range []string{"qemu-kvm-", "qemu-"} {
		if rest, ok := strings.CutPrefix(last, name); ok {
			last = rest
			break
		}
	}
	if !strings.ContainsAny(last[:min(1, len(last))], "0123456789") || !strings.Contains(last, "-") {
		return ""
	}
	return last
}
