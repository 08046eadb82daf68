package store

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/evenkeel/evenkeel/internal/execution"
)

// Memory is a Journal that lives as long as its process: for simulation and tests.
type Memory struct {
	mu         sync.Mutex
	facts      map[string][]execution.Fact
	order      []string
	generation int64
}

// NewMemory makes an empty one.
func NewMemory() *Memory { return &Memory{facts: map[string][]execution.Fact{}} }

// Append implements Journal.
func (m *Memory) Append(_ context.Context, campaign string, after int64, facts []execution.Fact) ([]execution.Fact, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	have := m.facts[campaign]
	if int64(len(have)) != after {
		return nil, fmt.Errorf("campaign %s, fact %d expected last, %d found: %w", campaign, after, len(have), ErrConflict)
	}
	if after == 0 {
		m.order = append(m.order, campaign)
	}
	out := slices.Clone(facts)
	for i := range out {
		out[i].Seq, out[i].Campaign = after+int64(i)+1, campaign
	}
	m.facts[campaign] = append(have, out...)
	return out, nil
}

// Read implements Journal.
func (m *Memory) Read(_ context.Context, campaign string, after int64, fn func(execution.Fact) error) error {
	m.mu.Lock()
	all, known := m.facts[campaign]
	m.mu.Unlock()
	if !known {
		return fmt.Errorf("%q: %w", campaign, ErrNoCampaign)
	}
	for _, f := range all[min(int(after), len(all)):] {
		if err := fn(f); err != nil {
			return err
		}
	}
	return nil
}

// Campaigns implements Journal.
func (m *Memory) Campaigns(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.order), nil
}

// NextGeneration implements Journal.
func (m *Memory) NextGeneration(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.generation++
	return m.generation, nil
}

// Close implements Journal.
func (m *Memory) Close() error { return nil }
