package hostfacts

import (
	"regexp"
	"strings"
)

// What a kernel says of its own package.
var (
	// uname -v: #1 SMP PREEMPT_DYNAMIC Debian 6.1.158-1 (2025-11-09)
	debianKernel = regexp.MustCompile(`(?:^| )Debian ([0-9][0-9A-Za-z.+~:-]*)(?: \([0-9-]+\))?$`)
	// /proc/version_signature: Ubuntu 5.15.0-91.101-generic 5.15.131
	ubuntuKernel = regexp.MustCompile(`^Ubuntu ([0-9][0-9A-Za-z.+~:-]*) `)
	// uname -r: 6.6.31-0-lts is release 0 of linux-lts 6.6.31, where uname -v is #1-Alpine SMP ...
	alpineKernel = regexp.MustCompile(`^([0-9][0-9A-Za-z._]*)-([0-9]+)-([0-9A-Za-z]+)$`)
)

// bootedKernel gives the packages of the kernel that runs with the version that was booted, whatever
// lies on disk by now, and how that was seen. Without any, why says what stands against it, and gap
// that no package of this host holds its kernel.
func (f Facts) BootedKernel() (booted map[string]string, how, why string, gap bool) {
	v := ""
	switch f.Manager {
	case "dpkg":
		v, how = f.kernelSays()
	case "rpm":
		return f.bootedRPM()
	case "apk":
		if m := alpineKernel.FindStringSubmatch(f.Release); m != nil && f.OS["ID"] == "alpine" && strings.Contains(f.Version, "-Alpine ") && f.Kernel == "linux-"+m[3] {
			v, how = m[1]+"-r"+m[2], "uname -r over SSH"
		}
	}
	if v != "" {
		booted = map[string]string{f.Kernel: v}
		// Debian gives the package that brings new kernels the version of the kernel that it brings;
		// Ubuntu counts it apart.
		if _, has := f.Installed[f.KernelLine]; has && f.OS["ID"] == "debian" && how == saidByUname {
			booted[f.KernelLine] = v
		}
		return booted, how, "", false
	}
	return f.bootedFromDisk()
}

const saidByUname = "uname -v over SSH"

// kernelSays reads the version that a kernel of Debian or Ubuntu carries in itself.
func (f Facts) kernelSays() (v, how string) {
	if m := debianKernel.FindStringSubmatch(f.Version); m != nil {
		return m[1], saidByUname
	}
	if m := ubuntuKernel.FindStringSubmatch(f.Signature); m != nil {
		if parts := strings.SplitN(f.Release, "-", 3); len(parts) == 3 {
			if v, ok := strings.CutSuffix(m[1], "-"+parts[2]); ok {
				return v, "/proc/version_signature over SSH"
			}
		}
	}
	return "", ""
}

// bootedRPM finds the builds whose version, release and architecture are the running kernel's name.
func (f Facts) bootedRPM() (booted map[string]string, how, why string, gap bool) {
	release, _, _ := strings.Cut(f.Release, "+") // 5.14.0-427.el9.x86_64+rt
	booted = map[string]string{}
	for _, pkg := range []string{f.Kernel, f.KernelLine} {
		for _, b := range f.RPMs[pkg] {
			if pkg != "" && b.release == release {
				booted[pkg] = b.version
			}
		}
	}
	if len(booted) > 0 {
		return booted, "uname -r over SSH", "", false
	}
	return f.bootedFromDisk()
}

// bootedFromDisk: the package that holds the running kernel's file, if it was not changed since.
func (f Facts) bootedFromDisk() (booted map[string]string, how, why string, gap bool) {
	if _, has := f.Installed[f.Kernel]; f.Kernel == "" || !has {
		return nil, "", "no package of it holds the kernel that runs, " + f.Release, true
	}
	if len(f.RPMs[f.Kernel]) > 1 {
		return nil, "", "several builds of " + f.Kernel + " are installed, and none is named as the kernel that runs, " + f.Release, false
	}
	v, why := f.BootedWith(f.Kernel)
	if v == "" {
		return nil, "", why, false
	}
	return map[string]string{f.Kernel: v}, f.fileTimes(), "", false
}

// fileTimes says how the time of a package's last change is read.
func (f Facts) fileTimes() string {
	if f.Manager == "rpm" {
		return "rpm's installation times over SSH"
	}
	return "dpkg's file times over SSH"
}
