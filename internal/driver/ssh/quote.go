package ssh

import "strings"

// Quote writes argv as one command line that a POSIX shell reads back as exactly argv. SSH hands
// every command to the user's shell, so nothing may be sent unquoted.
func Quote(argv ...string) string {
	q := make([]string, len(argv))
	for i, a := range argv {
		q[i] = quote(a)
	}
	return strings.Join(q, " ")
}

func quote(s string) string {
	plain := s != ""
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("-_./:,@%", r):
		default:
			plain = false
		}
	}
	// No '=' and no '~' above: a first word with '=' would be an assignment.
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
