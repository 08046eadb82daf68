package hostfacts

// Script prints, line by line, what only the host itself can tell; Parse reads it. It runs in any POSIX
// shell (dash, busybox ash, bash) and needs no file that it asks for: what is not there is not
// printed, or printed as '?'. printf, for the echo of dash expands backslashes.
// Arguments: the emulator's path, the number of packages (0: the distribution's own QEMU), the
// packages, then paths of disk files.
//
// The moment of boot is PID 1's start: btime + field 22 of its stat. The times of /proc/1 itself
// would not do, for they are those of its first look-up.
const Script = body + end

// With is Script with more of a driver's own to print, which Parse leaves out: lines whose first word
// is none of Script's. There, say prints its words as a line, query has what $manager says of a
// package printed, and "$@" holds the paths.
func With(more string) string { return body + more + end }

const end = "\nanswer\necho end\n"

const body = `
emulator=$1 n=$2; shift 2
say() { printf '%s\n' "$*"; }
boot=
[ ! -r /proc/sys/kernel/random/boot_id ] || read -r boot < /proc/sys/kernel/random/boot_id
say "boot_id $boot"
say "hz $(getconf CLK_TCK 2>/dev/null || echo 100)"
grep '^btime ' /proc/stat
say "init $(cat /proc/1/stat)"
for d in /sys/class/net/*; do [ ! -e "$d" ] || say "net ${d##*/}"; done
` + machineScript + packageScript + kernelScript + livePatchScript + `
for p in "$@"; do say "fs $(stat -f -c %T -- "$p" 2>/dev/null || echo '?') $p"; done
[ -z "$emulator" ] || say "emulator $("$emulator" --version 2>/dev/null | head -n 1)"
`

// machineScript: what the machine is and how its kernel was started. The first processor stands for
// all, but for the microcode, which a late load can leave uneven.
const machineScript = `
arch=$(uname -m) release=$(uname -r)
say "arch $arch"
say "release $release"
say "version $(uname -v)"
[ ! -r /proc/version_signature ] || say "signature $(head -n 1 /proc/version_signature)"
for f in /etc/os-release /usr/lib/os-release; do
  if [ -r "$f" ]; then sed 's/^/os /' "$f"; break; fi
done
[ ! -r /proc/cpuinfo ] || sed '/^[[:space:]]*$/q' /proc/cpuinfo | grep -E '^(vendor_id|cpu family|model|microcode|CPU implementer)[[:space:]]*:' | sed 's/^/cpu /'
cat /sys/devices/system/cpu/cpu[0-9]*/microcode/version 2>/dev/null | sort -u | sed 's/^/microcode /'
for f in active control; do [ ! -r /sys/devices/system/cpu/smt/$f ] || say "smt_$f $(cat /sys/devices/system/cpu/smt/$f 2>/dev/null)"; done
[ ! -r /proc/cmdline ] || say "cmdline $(head -n 1 /proc/cmdline)"
`

// packageScript asks the package manager that the host has. A tool of another distribution may be
// installed, so dpkg and apk count only where their databases hold something. dpkg is asked for all
// packages at once, at the end: each call of it reads its whole database.
const packageScript = `
apkdb=/lib/apk/db/installed; [ -s "$apkdb" ] || apkdb=/usr/lib/apk/db/installed
if [ -s /var/lib/dpkg/status ] && command -v dpkg-query >/dev/null 2>&1; then manager=dpkg
elif [ -s "$apkdb" ]; then manager=apk
elif command -v rpm >/dev/null 2>&1; then manager=rpm
else manager=none; fi
say "manager $manager"
asked=
query() {
  case $manager in
  dpkg) case " $asked " in *" $1 "*) ;; *) asked="$asked $1";; esac;;
  rpm)
    if found=$(rpm -q --qf 'rpm %{NAME} %{EPOCHNUM}:%{VERSION}-%{RELEASE} %{ARCH} %{INSTALLTIME}\n' -- "$1" 2>/dev/null); then say "$found"; else say "pkg $1 absent"; fi;;
  apk)
    awk -v want="$1" '/^P:/ { name = substr($0, 3) }
      /^V:/ && name == want { print "pkg " want " installed " substr($0, 3); found = 1 }
      END { if (!found) print "pkg " want " absent" }' "$apkdb";;
  esac
}
answer() {
  [ -n "$asked" ] || return 0
  # shellcheck disable=SC2086  # names of packages have no spaces
  told=$(dpkg-query -W -f='pkg ${Package} ${db:Status-Status} ${Version}\n' -- $asked 2>/dev/null)
  say "$told"
  for p in $asked; do
    case "
$told" in *"
pkg $p "*) ;; *) say "pkg $p absent";; esac
    for f in "/var/lib/dpkg/info/$p.list" "/var/lib/dpkg/info/$p:"*.list; do [ ! -e "$f" ] || say "list $p $(stat -c %Y -- "$f")"; done
  done
}
case $manager in
dpkg) case $arch in aarch64|arm*) own=qemu-system-arm;; *) own=qemu-system-x86;; esac;;
rpm)
  own=qemu-kvm
  if ! rpm -q -- "$own" >/dev/null 2>&1 && [ -n "$emulator" ]; then own=$(rpm -qf --qf '%{NAME}\n' -- "$emulator" 2>/dev/null) || own=qemu-kvm; fi;;
apk) own=qemu-system-$arch;;
*) own=;;
esac
[ -z "$own" ] || say "qemu $own"
if [ "$n" -eq 0 ] && [ -n "$own" ]; then query "$own"; fi
while [ "$n" -gt 0 ]; do query "$1"; shift; n=$((n - 1)); done
`

// kernelScript finds the package of the running kernel, and the one that brings its successors
// (linux-image-amd64 for linux-image-6.1.0-18-amd64; kernel for kernel-core).
const kernelScript = `
kernel= line=
case $manager in
dpkg)
  for f in /var/lib/dpkg/info/*"$release"*.list; do
    if [ -e "$f" ] && grep -qxF "/boot/vmlinuz-$release" "$f"; then f=${f##*/}; f=${f%.list}; kernel=${f%%:*}; fi
  done
  [ -n "$kernel" ] || kernel=linux-image-$release
  line=$release
  while [ -n "$line" ]; do
    case $line in *-*) line=${line#*-};; *) line=;; esac
    if [ -n "$line" ] && [ -e "/var/lib/dpkg/info/linux-image-$line.list" ]; then line=linux-image-$line; break; fi
  done;;
rpm)
  for f in "/lib/modules/$release/vmlinuz" "/boot/vmlinuz-$release"; do
    if [ -z "$kernel" ] && [ -e "$f" ]; then kernel=$(rpm -qf --qf '%{NAME}\n' -- "$f" 2>/dev/null | head -n 1) && rpm -q -- "$kernel" >/dev/null 2>&1 || kernel=; fi
  done
  if rpm -q -- kernel >/dev/null 2>&1; then line=kernel; fi;;
apk) kernel=linux-${release##*-};;
esac
if [ -n "$kernel" ]; then say "kernel $kernel"; query "$kernel"; fi
if [ -n "$line" ] && [ "$line" != "$kernel" ]; then say "kernel_line $line"; query "$line"; fi
`

// livePatchScript lists the kernel's live patches: 'livepatch NAME ENABLED TRANSITION' for each. A
// kernel that shows its other parts under /sys/kernel, but no such folder, has none. A name is that of
// a kernel module; anything else is no live patch that we could speak of.
const livePatchScript = `
if [ -d /sys/kernel/livepatch ]; then
  if ls /sys/kernel/livepatch >/dev/null 2>&1; then say "livepatches yes"; else say "livepatches unreadable"; fi
  for p in /sys/kernel/livepatch/*; do
    [ -d "$p" ] || continue
    case ${p##*/} in *[!A-Za-z0-9_.+-]*) say "livepatch ?"; continue;; esac
    say "livepatch ${p##*/} $(cat "$p/enabled" 2>/dev/null || echo '?') $(cat "$p/transition" 2>/dev/null || echo '?')"
  done
elif [ -r /sys/kernel ] && [ -n "$(ls -A /sys/kernel 2>/dev/null)" ]; then say "livepatches none"
fi
`
