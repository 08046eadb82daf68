// Package revision says of which revision of this repository a page of measurements was made. It never decides
// anything by it. Start at Of.
package revision

import (
	"bytes"
	"os/exec"
	"runtime"
	"strings"
)

// Of names the commit that is checked out, whether files were changed since, and the Go release, such as
// 'a1b2c3d, with changes, go1.26.0'. Changes below the folders named in but do not count: the page itself may lie there.
func Of(but ...string) string {
	id, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	text := strings.TrimSpace(string(id))
	args := []string{"status", "--porcelain", "--untracked-files=no", "--", "."}
	for _, folder := range but {
		args = append(args, ":!"+folder)
	}
	if changed, err := exec.Command("git", args...).Output(); err != nil || len(bytes.TrimSpace(changed)) > 0 {
		text += ", with changes"
	}
	return text + ", " + runtime.Version()
}
