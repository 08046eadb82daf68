package witness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Mail is one mail in the folder of the SMTP sink.
type Mail struct {
	At      time.Time `json:"at"` // when the sink had it
	To      []string  `json:"to"`
	Subject string    `json:"subject"`
	File    string    `json:"file"`
	Text    string    `json:"-"` // the whole mail as it came
}

// Mails reads the folder of an SMTP sink; one without mails gives none.
func Mails(dir string) ([]Mail, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "mails.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Mail
	for line := range bytes.Lines(raw) {
		var m Mail
		if err := json.Unmarshal(line, &m); err != nil {
			return nil, fmt.Errorf("%s/mails.jsonl: %w", dir, err)
		}
		body, err := os.ReadFile(filepath.Join(dir, m.File))
		if err != nil {
			return nil, err
		}
		m.Text = string(body)
		all = append(all, m)
	}
	return all, nil
}
