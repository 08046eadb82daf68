package xen

import (
	"encoding/json"
	"strconv"
	"strings"
)

// stopped is what a file says of an instance that does not run.
type stopped struct {
	name      string
	guestType string
	mib       int64
	vcpus     int
	devices   []string
}

// parseConfig reads of a configuration file (xl.cfg(5)) what a stopped instance is: its NAME = VALUE
// lines outside of lists, a number or a word in quotes each. What it does not say is zero.
func parseConfig(text string) (s stopped) {
	depth := 0
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if ok && depth == 0 {
			s.set(key, value)
		}
		depth = max(0, depth+brackets(line))
	}
	if s.guestType == "" {
		s.guestType = "pv" // xl.cfg(5): without type and builder
	}
	return s
}

func (s *stopped) set(key, value string) {
	switch key {
	case "name":
		s.name = word(value)
	case "type":
		s.guestType = word(value)
	case "builder": // the older word: hvm, generic
		if s.guestType == "" && word(value) == "hvm" {
			s.guestType = "hvm"
		}
	case "memory", "maxmem":
		if n, err := strconv.ParseInt(word(value), 10, 40); err == nil {
			s.mib = max(s.mib, n)
		}
	case "vcpus", "maxvcpus":
		s.vcpus = max(s.vcpus, small(word(value)))
	case "pci", "usbdev", "dtdev":
		if list := strings.TrimSpace(strings.TrimPrefix(value, "[")); strings.HasPrefix(value, "[") && !strings.HasPrefix(list, "]") {
			s.devices = append(s.devices, key+" "+word(list))
		}
	}
}

// word is a value without its quotes and without what follows it.
func word(value string) string {
	if value != "" && (value[0] == '"' || value[0] == '\'') {
		in, _, _ := strings.Cut(value[1:], value[:1])
		return in
	}
	end := strings.IndexAny(value, "#; \t,]")
	if end < 0 {
		end = len(value)
	}
	return value[:end]
}

// brackets counts how many lists a line opens more than it closes, outside of quotes and comments.
func brackets(line string) (n int) {
	quote := byte(0)
	for i := range len(line) {
		switch c := line[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '#':
			return n
		case c == '"', c == '\'':
			quote = c
		case c == '[':
			n++
		case c == ']':
			n--
		}
	}
	return n
}

// parseSaved reads the configuration that xl put into a saved image: libxl's, without a domid.
func parseSaved(text string) (s stopped, ok bool) {
	var c config
	if err := json.Unmarshal([]byte(text), &c.Config); err != nil || c.Config.Create.Name == "" {
		return stopped{}, false
	}
	return stopped{name: c.Config.Create.Name, guestType: c.Config.Create.Type, mib: c.mib(), vcpus: c.Config.Build.VCPUs, devices: c.devices()}, true
}

// resting gathers the instances that files on the host tell of, by name: those of saved images first,
// which hold the instance as it was. odd are files that tell of none.
func (a *answer) resting() (all map[string]stopped, saved map[string]bool, odd []string) {
	all, saved = map[string]stopped{}, map[string]bool{}
	for _, f := range a.saved {
		name, kind, _ := cutLast(f.name, "."+fileSaved)
		s, ok := parseSaved(f.text)
		if s.name = name; ok || all[name].mib == 0 {
			all[name] = s
		}
		saved[name] = saved[name] || kind == "" || "."+kind == strings.TrimPrefix(fileRestoring, fileSaved)
	}
	for _, f := range a.configs {
		s := parseConfig(f.text)
		if s.name == "" {
			odd = append(odd, f.name)
			continue
		}
		if all[s.name].mib == 0 {
			all[s.name] = s
		}
	}
	return all, saved, odd
}

// cutLast cuts s around the last sep; kind is what follows it, without a dot.
func cutLast(s, sep string) (before, kind string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], strings.TrimPrefix(s[i+len(sep):], "."), true
}
