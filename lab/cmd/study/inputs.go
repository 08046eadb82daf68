package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// input is what one arm is planned from.
type input struct {
	name, what string
	fleet      *fleet.Fleet
	target     *plan.Target
	policy     plan.Policy
	now        time.Time
}

// writeInputs writes what each arm is planned from, and says the commands that plan it.
func writeInputs(list []input, as []advisory.Advisory, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	var advisories []string
	for _, a := range as {
		src, err := os.ReadFile(a.Source)
		if err != nil {
			return err
		}
		advisories = append(advisories, filepath.Base(a.Source))
		if err := os.WriteFile(filepath.Join(to, filepath.Base(a.Source)), src, 0o644); err != nil {
			return err
		}
	}
	for _, in := range list {
		in.target.Advisories = advisories
		if err := writeArm(to, in); err != nil {
			return err
		}
		fmt.Printf("# %s\nevenkeel plan --fleet %[2]s/fleet-%[3]s.jsonl --target %[2]s/target-%[3]s.yaml --policy %[2]s/policy-%[3]s.yaml --now %[4]s\n",
			in.what, to, in.name, in.now.Format(time.RFC3339))
	}
	return nil
}

func writeArm(to string, in input) error {
	var lines bytes.Buffer
	if err := fleet.WriteJSONL(&lines, in.fleet); err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"fleet-" + in.name + ".jsonl": lines.Bytes(), "target-" + in.name + ".yaml": form.Encode(in.target), "policy-" + in.name + ".yaml": form.Encode(in.policy),
	} {
		if err := os.WriteFile(filepath.Join(to, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
