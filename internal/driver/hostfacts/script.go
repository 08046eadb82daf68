package hostfacts

// Script prints, line by line, what only the host itself can tell; Parse reads it. It runs in any POSIX
// shell (dash, busybox ash, bash) and needs no file that it asks for: what is not there is not
// printed, or printed as '?'. printf, for the echo of dash expands backslashes.
// Arguments: the emulator's path, the number of packages (0: the distribution's own QEMU), the
// packages, then paths of disk files.
//
// A slow host (an emulated or busy dom0) spends a look on beginning processes, not on reading. So small
// files are read by the shell itself, and what needs a tool is asked of it once for all.
//
// The moment of boot is PID 1's start: btime + field 22 of its stat. The times of /proc/1 itself
// would not do, for they are those of its first look-up.
const Script = body + filesScript + end

// With is Script with more of a driver's own to print, which Parse leaves out: lines whose first word
// is none of Script's. There, say prints its words as a line, tell has each line of a text printed
// behind a word, first reads the first line of a file into $line, query has what $manager says of a
// package printed, and "$@" holds what stands behind the packages, of which nothing is asked.
func With(more string) string { return body + more + end }

const end = "\nanswer\necho end\n"

const body = `
emulator=$1 n=$2; shift 2
nl='
'
say() { printf '%s\n' "$*"; }
tell() { set -f; IFS=$nl; printf "$1 %s\n" $2; unset IFS; set +f; }
first() { line=; [ ! -r "$1" ] || IFS= read -r line <"$1" || return 0; }
first /proc/sys/kernel/random/boot_id; boot=$line
say "boot_id $boot"
say "hz $(getconf CLK_TCK 2>/dev/null || echo 100)"
first /proc/1/stat; say "init $line"
for d in /sys/class/net/*; do [ ! -e "$d" ] || say "net ${d##*/}"; done
` + machineScript + packageScript + kernelScript + livePatchScript + `
[ -z "$emulator" ] || say "emulator $("$emulator" --version 2>/dev/null | head -n 1)"
`

// filesScript: the kinds of file systems on which "$@" lie; a file that is not there is left out.
const filesScript = `
[ $# = 0 ] || stat -f -c 'fs %T %n' -- "$@" 2>/dev/null
`

// machineScript: what the machine is and how its kernel was started. The first processor stands for
// all, but for the microcode, which a late load can leave uneven.
const machineScript = `
told=$(uname -rvm)
release=${told%% *} arch=${told##* } told=${told#* }
say "arch $arch"
say "release $release"
say "version ${told% *}"
[ ! -r /proc/version_signature ] || { first /proc/version_signature; say "signature $line"; }
os=
for f in /etc/os-release /usr/lib/os-release; do
  if [ -z "$os" ] && [ -r "$f" ]; then os=$f; fi
done
os=$os awk 'BEGIN {
  while ((getline line < "/proc/stat") > 0) if (line ~ /^btime /) { print line; break }
  while (ENVIRON["os"] != "" && (getline line < ENVIRON["os"]) > 0) print "os " line
  while ((getline line < "/proc/cpuinfo") > 0 && line !~ /^[ \t]*$/)
    if (line ~ /^(vendor_id|cpu family|model|microcode|CPU implementer)[ \t]*:/) print "cpu " line
}' 2>/dev/null
codes=' '
for f in /sys/devices/system/cpu/cpu[0-9]*/microcode/version; do
  first "$f"
  case $codes in *" $line "*) ;; *) codes="$codes$line "; say "microcode $line";; esac
done
for f in active control; do [ ! -r /sys/devices/system/cpu/smt/$f ] || { first /sys/devices/system/cpu/smt/$f; say "smt_$f $line"; }; done
[ ! -r /proc/cmdline ] || { first /proc/cmdline; say "cmdline $line"; }
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
  set --
  for p in $asked; do
    case "$nl$told$nl" in *"${nl}pkg $p "*) ;; *) say "pkg $p absent";; esac
    for f in "/var/lib/dpkg/info/$p.list" "/var/lib/dpkg/info/$p:"*.list; do [ ! -e "$f" ] || set -- "$@" "$f"; done
  done
  [ $# = 0 ] || stat -c 'list %Y %n' -- "$@" 2>/dev/null
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
  f=$(grep -lsxF -- "/boot/vmlinuz-$release" /var/lib/dpkg/info/*"$release"*.list)
  f=${f##*"$nl"} f=${f##*/} f=${f%.list} kernel=${f%%:*}
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
any() { [ -e "$1" ]; }
if [ -d /sys/kernel/livepatch ]; then
  if [ -r /sys/kernel/livepatch ] && [ -x /sys/kernel/livepatch ]; then say "livepatches yes"; else say "livepatches unreadable"; fi
  for p in /sys/kernel/livepatch/*; do
    [ -d "$p" ] || continue
    case ${p##*/} in *[!A-Za-z0-9_.+-]*) say "livepatch ?"; continue;; esac
    first "$p/enabled"; enabled=$line
    first "$p/transition"; say "livepatch ${p##*/} ${enabled:-?} ${line:-?}"
  done
elif [ -r /sys/kernel ] && any /sys/kernel/*; then say "livepatches none"
fi
`
