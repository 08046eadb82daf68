package cli

import (
	"bytes"
	"fmt"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// loadPlan reads a plan file as 'evenkeel plan --out' writes it; "-" is standard input. The error
// says where the file is wrong and what was expected.
func loadPlan(app *App, path string) (*plan.Plan, error) {
	src, name, err := readInput(app, path)
	if err != nil {
		return nil, err
	}
	p, err := plan.Read(bytes.NewReader(src))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &p, nil
}
