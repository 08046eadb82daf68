package xen

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/driver/hostfacts"
)

// observeScript prints all that Observe asks of a dom0, in one call: what hostfacts asks of any host,
// then what the tools of Xen say. Each line of theirs stands behind a word of ours, so that nothing
// in it, such as a domain's name, can pass for another answer; parseAnswer reads it. Paths: SaveDir,
// then ConfigDirs. In the environment, known holds the build ids of images that were read before, and
// domains is domainsSign of the look whose configurations are remembered.
var observeScript = "LC_ALL=C; export LC_ALL" + hostfacts.With(toolsScript+imageScript+filesScript)

// toolsScript: 'KEY LINE' for each line, at last 'KEY RC', the tool's exit code. The indentation of
// libxl's JSON is most of it, and is left out. That list takes longer than all else, and a domain's
// configuration is not asked for again as long as the same domains run.
const toolsScript = `
tell() { key=$1; shift; { "$@" </dev/null; printf '\n%s\n' "$?"; } | sed "s/^/$key /"; }
say "xen-under $(cat /sys/hypervisor/type 2>/dev/null)"
tell xen-info xl info
list=$(xl list -v </dev/null; rc=$?; say; say "$rc")
printf '%s\n' "$list" | sed 's/^/xen-list /'
now=$(say "$boot"; printf '%s\n' "$list" | sed -n 's/^.*[[:space:]]\([0-9][0-9]*\)[[:space:]][[:space:]]*[0-9][0-9]*[[:space:]][[:space:]]*[0-9][0-9]*[[:space:]][[:space:]]*[-a-zA-Z?]\{6\}[[:space:]].*[[:space:]]\([0-9a-f-]\{36\}\)[[:space:]].*$/\1 \2/p')
if [ -n "${domains:-}" ] && [ "$now" = "$domains" ]; then say "xen-config-as-before"
else
  config=$(xl list -l </dev/null; rc=$?; say; say "$rc")
  printf '%s\n' "$config" | sed 's/^[[:space:]]*/xen-config /'
  printf '%s\n' "$config" | sed -n 's/^[[:space:]]*"pdev_path": "\([^"\\]*\)",\{0,1\}$/\1/p' | sort -u | while IFS= read -r p; do
    say "fs $(stat -f -c %T -- "$p" 2>/dev/null || echo '?') $p"
  done
fi
patches() { xen-livepatch list 2>&1; }
tell xen-patches patches
for p in $(grep -lsx xl /proc/[0-9]*/comm); do say "xen-process $(tr '\000\n' '\001?' <"${p%comm}cmdline" 2>/dev/null)"; done
`

// imageScript: 'xen-image PACKAGE BUILD SIGN PATH' for each hypervisor in /boot; what is not known is
// '?'. BUILD is the content of the ELF note of the build id: name of 4 bytes, content of 20, type 3,
// name GNU. A grep without Perl's expressions does not find it, nor does one that meets a line break
// in it; the second way always does, but takes a slow dom0 minutes. From a pipe grep takes twenty times as
// long as from a file. SIGN changes with the file.
const imageScript = `
for image in /boot/xen*.gz; do
  [ -f "$image" ] && [ ! -L "$image" ] || continue
  case $image in *[!A-Za-z0-9_.+/~-]*) continue;; esac
  owner=
  case $manager in
  dpkg) owner=$(grep -lxsF -- "$image" /var/lib/dpkg/info/xen*.list | tail -n 1); owner=${owner##*/}; owner=${owner%.list}; owner=${owner%%:*};;
  rpm) owner=$(rpm -qf --qf '%{NAME}\n' -- "$image" 2>/dev/null | head -n 1) && rpm -q -- "$owner" >/dev/null 2>&1 || owner=;;
  apk) owner=$(awk -v want="${image#/}" '/^P:/ { name = substr($0, 3) }
    /^F:/ { folder = substr($0, 3) }
    /^R:/ && folder "/" substr($0, 3) == want { print name; exit }' "$apkdb");;
  esac
  [ -z "$owner" ] || query "$owner"
  sign=$(stat -c %i.%s.%Y.%Z -- "$image" 2>/dev/null)
  build=$(printf '%s\n' "$known" | sed -n "s|^$sign ||p" | head -n 1)
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

// filesScript: what is stopped here. 'xen-saved FILE' and the JSON that xl put into it
// (tools/xl/xl_saverestore.c: magic of 32 bytes, four words, the length of the JSON), then 'xen-cfg
// FILE' and its lines. A name that no instance can have is not printed.
const filesScript = `
save=$1
for f in "$save"/*.save "$save"/*.save.part "$save"/*.save.restoring; do
  case ${f##*/} in *[!A-Za-z0-9_.+-]*) continue;; esac
  [ -f "$f" ] || continue
  say "xen-saved ${f##*/}"
  n=$(od -An -v -tu4 -j48 -N4 -- "$f" 2>/dev/null | tr -d ' ')
  if [ "${n:-0}" -gt 0 ] && [ "$n" -le 1048576 ]; then { tail -c +53 -- "$f" | head -c "$n" | tr -d '\000'; echo; } | sed 's/^[[:space:]]*/xen-saved-json /'; fi
done
for d in "$@"; do
  for f in "$d"/*.cfg; do
    case ${f##*/} in *[!A-Za-z0-9_.+-]*) continue;; esac
    [ -f "$f" ] && [ -r "$f" ] || continue
    say "xen-cfg ${f##*/}"
    { head -c 65536 -- "$f"; echo; } | sed 's/^/xen-cfg-line /'
  done
done
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
	asBefore  bool       // the domains are those of the look before: their configurations were not asked for
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
			addLine(a.saved, rest)
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
