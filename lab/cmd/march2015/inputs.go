package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/study"
)

// writeInputs writes what each arm is planned from, and says the commands that plan it.
func writeInputs(dir, to string) error {
	as, err := readAdvisories(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	target := readings()[0].Scenario.Target(as)
	for _, a := range as {
		src, err := os.ReadFile(a.Source)
		if err != nil {
			return err
		}
		name := filepath.Base(a.Source)
		target.Advisories = append(target.Advisories, name)
		if err := os.WriteFile(filepath.Join(to, name), src, 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(to, "target.yaml"), form.Encode(target), 0o644); err != nil {
		return err
	}
	for r, reading := range readings() {
		for n, arm := range study.Arms {
			if err := writeArm(to, fmt.Sprintf("%d-arm%d", r+1, n+1), reading.Scenario, arm); err != nil {
				return err
			}
			fmt.Printf("# %s, %s\nevenkeel plan --fleet %[3]s/fleet-%[4]d-arm%[5]d.jsonl --target %[3]s/target.yaml --policy %[3]s/policy-%[4]d-arm%[5]d.yaml --now %[6]s\n",
				reading.Name, arm.Name, to, r+1, n+1, reading.Scenario.Now.Format(time.RFC3339))
		}
	}
	return nil
}

func writeArm(to, name string, s study.Scenario, arm study.Arm) error {
	f, err := s.Fleet(arm)
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	if err := fleet.WriteJSONL(&lines, f); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(to, "fleet-"+name+".jsonl"), lines.Bytes(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, "policy-"+name+".yaml"), form.Encode(s.Policy(arm)), 0o644)
}
