package libvirt

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/version"
)

// packageLine reads what the package manager says.
func (p *hostParser) packageLine(key, one string, words []string) error {
	switch {
	case key == "manager":
		p.manager = one
	case key == "qemu":
		p.qemu = one
	case key == "kernel":
		p.kernel = one
	case key == "kernel_line":
		p.kernelLine = one
	case key == "pkg" && len(words) == 3 && words[1] == "installed":
		p.installed[words[0]] = words[2]
		delete(p.status, words[0]) // the same package of another architecture may be half gone
	case key == "pkg" && len(words) >= 2:
		if _, fine := p.installed[words[0]]; !fine {
			p.status[words[0]] = words[1]
		}
	case key == "list" && len(words) == 2:
		at, err := strconv.ParseInt(words[1], 10, 64)
		if err != nil {
			return errors.New("expected a time in seconds")
		}
		p.changed[words[0]] = max(p.changed[words[0]], at)
	case key == "rpm" && len(words) == 4:
		p.rpmLine(words)
	}
	return nil
}

// rpmLine takes in 'NAME EPOCH:VERSION-RELEASE ARCH INSTALLTIME'. Of several builds the newest is
// what counts as installed; where they cannot be compared, none does.
func (p *hostParser) rpmLine(words []string) {
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
	for _, before := range p.rpms[name] {
		if before == b {
			return // asked for by two names
		}
	}
	p.rpms[name] = append(p.rpms[name], b)
	newest := p.rpms[name][0]
	for _, other := range p.rpms[name][1:] {
		order, err := version.Compare("Red Hat", other.version, newest.version)
		if err != nil {
			delete(p.installed, name)
			delete(p.changed, name)
			p.status[name] = "installed in builds that cannot be compared: " + newest.version + " and " + other.version
			return
		}
		if order > 0 {
			newest = other
		}
	}
	p.installed[name] = newest.version
	if newest.at > 0 {
		p.changed[name] = newest.at
	}
}

// managers says how each package manager is asked, in words for people.
var managers = map[string]string{"dpkg": "dpkg-query", "rpm": "rpm -q", "apk": "apk's database"}

// bootedWith tells which version of a package the host booted with: the installed one, if its files
// have not changed since the boot. Otherwise it is not known, and why says so.
func (f hostFacts) bootedWith(pkg string) (version, why string) {
	v, ok := f.installed[pkg]
	at, dated := f.changed[pkg]
	switch {
	case !ok:
		return "", ""
	case f.booted == 0:
		return "", "the moment of the host's boot could not be read"
	case !dated && f.manager == "apk":
		return "", "apk does not note when it was installed"
	case !dated:
		return "", "when it was installed could not be read"
	case at >= f.booted:
		return "", "it was changed since the boot"
	}
	return v, ""
}

// whole completes the version that QEMU says of itself with the epoch of its RPM package, which it
// does not know. A distribution's release keeps one epoch per package, so the installed build's is
// that of the running one. Without it the version could not be compared, and is not known.
func (f hostFacts) whole(pkg, said string) (version, why string) {
	if f.manager != "rpm" || said == "" || strings.Contains(said, ":") {
		return said, ""
	}
	installed, ok := f.installed[pkg]
	if !ok {
		return "", fmt.Sprintf("it says %s, without the epoch, and %s is not installed to tell it", said, pkg)
	}
	if epoch, _, has := strings.Cut(installed, ":"); has {
		return epoch + ":" + said, ""
	}
	return said, ""
}
