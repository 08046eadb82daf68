package xen

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/driver/hostfacts"
)

// observeScript prints all that Observe asks of a dom0, in one call: what hostfacts asks of any host,
// then what the tools of Xen say. Each line of theirs stands behind a word of ours, so that nothing
// in it, such as a domain's name, can pass for another answer; parseAnswer reads it. Arguments: SaveDir,
// then ConfigDirs. In the environment, known holds the build ids of images that were read before, and
// domains the lines of domainsKnown.
var observeScript = "LC_ALL=C; export LC_ALL" + hostfacts.With(toolsScript+imageScript+filesScript)

// toolsScript: 'KEY LINE' for each line, at last 'KEY RC', the tool's exit code. The indentation of
// libxl's JSON is most of it, and is left out. That list takes longer than all else, and no domain's
// configuration is asked for again while it runs.
const toolsScript = `
first /sys/hypervisor/type; say "xen-under $line"
out=$(xl info </dev/null); rc=$?
tell xen-info "$out"; say "xen-info $rc"
list=$(xl list -v </dev/null); rc=$?
tell xen-list "$list"; say "xen-list $rc"
pair() { pair="$2 $7"; } # id and UUID, where no space is in the name
news=
set -f; IFS=$nl
for line in $list; do
  unset IFS; pair $line
  case $pair in 'ID UUID'|'0 '*) continue;; esac
  case "$nl$domains$nl" in *"$nl$boot $pair$nl"*) ;; *) news=1;; esac
done
unset IFS; set +f
disks() {
  set -f; IFS=$nl
  for line in $1; do
    case $line in *'"pdev_path": "'?*) ;; *) continue;; esac
    line=${line#*'"pdev_path": "'} line=${line%,} line=${line%'"'}
    case $line in *'\'*|*'"'*) ;; *) set -- "$@" "$line";; esac
  done
  unset IFS; set +f; shift
  [ $# = 0 ] || stat -f -c 'fs %T %n' -- "$@" 2>/dev/null
}
if [ -z "$news" ]; then say xen-config-as-before
else
  config=$(xl list -l </dev/null); rc=$?
  printf '%s\n' "$config" "$rc" | sed 's/^[[:space:]]*/xen-config /'
  disks "$config"
fi
out=$(xen-livepatch list 2>&1 </dev/null); rc=$?
tell xen-patches "$out"; say "xen-patches $rc"
for p in /proc/[0-9]*/comm; do
  first "$p"
  [ "$line" != xl ] || say "xen-process $(tr '\000\n' '\001?' <"${p%comm}cmdline")"
done 2>/dev/null
`

// imageScript: 'xen-image PACKAGE BUILD SIGN PATH' for each hypervisor in /boot; what is not known is
// '?'. BUILD is the content of the ELF note of the build id: name of 4 bytes, content of 20, type 3,
// name GNU. A grep without Perl's expressions does not find it, nor does one that meets a line break
// in it; the second way always does, but takes a slow dom0 minutes. From a pipe grep takes twenty times as
// long as from a file. SIGN changes with the file.
const imageScript = `
signs=$(stat -c '%n %i.%s.%Y.%Z' -- /boot/xen*.gz 2>/dev/null)
signs="$nl$signs$nl" known="$nl$known$nl"
for image in /boot/xen*.gz; do
  [ -f "$image" ] && [ ! -L "$image" ] || continue
  case $image in *[!A-Za-z0-9_.+/~-]*) continue;; esac
  owner=
  case $manager in
  dpkg) owner=$(grep -lxsF -- "$image" /var/lib/dpkg/info/xen*.list); owner=${owner##*/}; owner=${owner%.list}; owner=${owner%%:*};;
  rpm) owner=$(rpm -qf --qf '%{NAME}\n' -- "$image" 2>/dev/null | head -n 1) && rpm -q -- "$owner" >/dev/null 2>&1 || owner=;;
  apk) owner=$(awk -v want="${image#/}" '/^P:/ { name = substr($0, 3) }
    /^F:/ { folder = substr($0, 3) }
    /^R:/ && folder "/" substr($0, 3) == want { print name; exit }' "$apkdb");;
  esac
  [ -z "$owner" ] || query "$owner"
  sign= build=
  case $signs in *"$nl$image "*) sign=${signs#*"$nl$image "} sign=${sign%%"$nl"*};; esac
  case $known in *"$nl$sign "*) build=${known#*"$nl$sign "} build=${build%%"$nl"*};; esac
  if [ -z "$build" ] && plain=$(mktemp /run/evenkeel-image.XXXXXX 2>/dev/null); then
    gzip -dc <"$image" >"$plain" 2>/dev/null
    build=$(grep -aoP '\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0[\x00-\xff]{20}' "$plain" 2>/dev/null | head -c 36 | od -An -v -tx1 | tr -d ' \n')
    case $build in 0400000014*) build=${build#????????????????????????????????};; esac
    [ -n "$build" ] || build=$(od -An -v -tx1 "$plain" | tr -d ' \n' | grep -o '040000001400000003000000474e5500[0-9a-f]\{40\}' | head -n 1 | sed 's/^.\{32\}//')
    rm -f "$plain"
  fi
  say "xen-image ${owner:-?} ${build:-?} ${sign:-?} $image"
done
if [ "$manager" = dpkg ] && [ -e /var/lib/dpkg/info/qemu-system-xen.list ]; then query qemu-system-xen; fi
`

// filesScript: what is stopped here. 'xen-saved FILE' and, in hexadecimal, the JSON that xl put into it
// (tools/xl/xl_saverestore.c: magic of 32 bytes, four words, the length of the JSON), then 'xen-cfg
// FILE' and its lines. A name that no instance can have is not printed.
const filesScript = `
save=$1
for f in "$save"/*.save "$save"/*.save.part "$save"/*.save.restoring; do
  case ${f##*/} in *[!A-Za-z0-9_.+-]*) continue;; esac
  [ -f "$f" ] || continue
  say "xen-saved ${f##*/}"
  length=$(od -An -v -tu4 -j48 -N4 -- "$f" 2>/dev/null) length=${length##* }
  if [ "${length:-0}" -gt 0 ] && [ "$length" -le 1048576 ]; then
    out=$(od -An -v -tx1 -j52 -N"$length" -- "$f" 2>/dev/null)
    tell xen-saved-json "$out"
  fi
done
configs() {
  for d in "$@"; do
    for f in "$d"/*.cfg; do
      case ${f##*/} in *[!A-Za-z0-9_.+-]*) continue;; esac
      [ ! -f "$f" ] || [ ! -r "$f" ] || set -- "$@" "$f"
    done
    shift
  done
  [ $# = 0 ] || awk 'BEGIN {
    for (i = 1; i < ARGC; i++) {
      name = ARGV[i]; sub(/.*\//, "", name); print "xen-cfg " name
      left = 65536
      while (left > 0 && (getline line < ARGV[i]) > 0) { print "xen-cfg-line " substr(line, 1, left); left -= length(line) + 1 }
      close(ARGV[i])
    }
  }' "$@"
}
configs "$@"
`

// answer is what one dom0 said.
type answer struct {
	dom0      hostfacts.Facts
	under     string // hypervisor under dom0's kernel, as /sys/hypervisor names it: xen
	tools     map[string]tool
	images    []image
	saved     []file
	configs   []file
	processes [][]string // command lines of xl at work
	asBefore  bool       // each domain was there at an earlier look: no configuration was asked for
}

// tool is what one tool printed.
type tool struct {
	out  string
	exit int
}

// image is one hypervisor in /boot.
type image struct{ pkg, build, sign, path string }

// file is a file of an instance.
type file struct{ name, text string }

// parseAnswer reads what observeScript prints.
func parseAnswer(out string) (answer, error) {
	facts, err := hostfacts.Parse(out)
	if err != nil {
		return answer{}, err
	}
	a := answer{dom0: facts, tools: map[string]tool{}}
	said := map[string][]string{}
	for line := range strings.Lines(out) {
		key, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch key {
		case "xen-under":
			a.under = rest
		case "xen-info", "xen-list", "xen-config", "xen-patches":
			said[key] = append(said[key], rest)
		case "xen-config-as-before":
			a.asBefore = true
		case "xen-process":
			a.processes = append(a.processes, strings.Split(strings.TrimSuffix(rest, "\x01"), "\x01"))
		case "xen-image":
			if words := strings.SplitN(rest, " ", 4); len(words) == 4 {
				a.images = append(a.images, image{known(words[0]), known(words[1]), known(words[2]), words[3]})
			}
		case "xen-saved":
			a.saved = append(a.saved, file{name: rest})
		case "xen-saved-json":
			addHex(a.saved, rest)
		case "xen-cfg":
			a.configs = append(a.configs, file{name: rest})
		case "xen-cfg-line":
			addLine(a.configs, rest)
		}
	}
	for key, lines := range said {
		lines = slices.DeleteFunc(lines, func(l string) bool { return l == "" })
		if len(lines) == 0 {
			continue
		}
		exit, err := strconv.Atoi(lines[len(lines)-1])
		if err != nil {
			return answer{}, fmt.Errorf("%s ends with %q, expected an exit code", key, lines[len(lines)-1])
		}
		a.tools[key] = tool{out: strings.Join(lines[:len(lines)-1], "\n"), exit: exit}
	}
	return a, nil
}

func known(word string) string {
	if word == "?" {
		return ""
	}
	return word
}

// addLine puts a line into the file that is being read.
func addLine(files []file, line string) {
	if n := len(files); n > 0 {
		files[n-1].text += line + "\n"
	}
}

// addHex puts bytes in hexadecimal, as od prints them, into the file that is being read. The string ends
// with a NUL.
func addHex(files []file, octets string) {
	text, err := hex.DecodeString(strings.ReplaceAll(octets, " ", ""))
	if n := len(files); n > 0 && err == nil {
		files[n-1].text += strings.ReplaceAll(string(text), "\x00", "")
	}
}
