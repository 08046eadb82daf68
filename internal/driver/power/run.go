package power

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// ask runs the command with one question; out takes in what it prints. words are what it said on standard
// error, in one line.
func (c *Command) ask(ctx context.Context, question string, h driver.Host, out *end) (text, words string, err error) {
	if h.ID == "" || h.ID[0] == '-' {
		return "", "", unknown(question, h, "a host's id that begins with a dash would be read as an option", nil)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	said := end{most: maxWords}
	cmd := exec.CommandContext(ctx, c.path, question, h.ID)
	cmd.Stdout, cmd.Stderr = out, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	kill := func() error { // with all that it started
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
	cmd.Cancel = kill
	cmd.WaitDelay = time.Second // for what it started and left behind with its output open
	err = cmd.Run()
	if cmd.Process != nil {
		_ = kill() // of what it left behind: mostly nothing
	}
	words = short(said.text())
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		return out.text(), words, nil
	case ctx.Err() != nil:
		return "", words, unknown(question, h, fmt.Sprintf("it did not end within %s", patience), ctx.Err())
	}
	return "", words, unknown(question, h, cmp.Or(words, "it says nothing on standard error"), err)
}

// short is a text for one line of words: no control characters, and not too long.
func short(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(c rune) bool { return c == '\n' || c == '\r' }), "; ")
	s = strings.Map(func(c rune) rune {
		if c == unicode.ReplacementChar || !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, s)
	if r := []rune(s); len(r) > 200 {
		s = string(r[:197]) + "..."
	}
	return strings.TrimSpace(s)
}

// end keeps the last bytes of what is written, or with front set the first ones.
type end struct {
	most  int
	front bool
	kept  []byte
}

// Write implements io.Writer; it never fails, so that the command is not ended by its own words.
func (e *end) Write(b []byte) (int, error) {
	n := len(b)
	if e.front {
		e.kept = append(e.kept, b[:min(n, e.most-len(e.kept))]...)
		return n, nil
	}
	if e.kept = append(e.kept, b[max(0, n-e.most):]...); len(e.kept) > 2*e.most {
		e.kept = bytes.Clone(e.kept[len(e.kept)-e.most:])
	}
	return n, nil
}

func (e *end) text() string { return string(e.kept[max(0, len(e.kept)-e.most):]) }
