// Package storetest is the suite that every journal passes.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/store"
)

// Run holds a journal to the port's contract. open gives an empty journal; reopen, when the journal
// outlives its process, closes it and opens the same one again (nil: it does not).
func Run(t *testing.T, open func(*testing.T) store.Journal, reopen func(*testing.T, store.Journal) store.Journal) {
	ctx := context.Background()
	fact := func(kind execution.Kind, why string) execution.Fact {
		return execution.Fact{At: time.Date(2026, 3, 1, 2, 0, 0, 123456789, time.UTC), Kind: kind, Who: "engine", Why: why}
	}
	read := func(t *testing.T, j store.Journal, id string, after int64) (out []execution.Fact) {
		t.Helper()
		if err := j.Read(ctx, id, after, func(f execution.Fact) error { out = append(out, f); return nil }); err != nil {
			t.Fatal(err)
		}
		return out
	}
	t.Run("append and read", func(t *testing.T) {
		j := open(t)
		got, err := j.Append(ctx, "c", 0, []execution.Fact{fact(execution.CampaignApplied, "a"), fact(execution.CampaignPaused, "b")})
		if err != nil || len(got) != 2 || got[0].Seq != 1 || got[1].Seq != 2 {
			t.Fatalf("got %+v, %v", got, err)
		}
		if _, err := j.Append(ctx, "c", 2, []execution.Fact{fact(execution.CampaignResumed, "c")}); err != nil {
			t.Fatal(err)
		}
		if reopen != nil {
			j = reopen(t, j)
		}
		all := read(t, j, "c", 0)
		if len(all) != 3 || all[2].Why != "c" || !all[0].At.Equal(fact("", "").At) || all[0].Campaign != "c" {
			t.Fatalf("got %+v", all)
		}
		if rest := read(t, j, "c", 2); len(rest) != 1 || rest[0].Seq != 3 {
			t.Fatalf("after 2: got %+v", rest)
		}
	})
	t.Run("conflict leaves nothing behind", func(t *testing.T) {
		j := open(t)
		if _, err := j.Append(ctx, "c", 0, []execution.Fact{fact(execution.CampaignApplied, "a")}); err != nil {
			t.Fatal(err)
		}
		for _, after := range []int64{0, 2} {
			if _, err := j.Append(ctx, "c", after, []execution.Fact{fact(execution.CampaignPaused, "x"), fact(execution.CampaignPaused, "y")}); !errors.Is(err, store.ErrConflict) {
				t.Fatalf("after %d: got %v, want ErrConflict", after, err)
			}
		}
		if n := len(read(t, j, "c", 0)); n != 1 {
			t.Fatalf("%d facts, want 1", n)
		}
	})
	t.Run("of many writers one wins each number", func(t *testing.T) {
		j := open(t)
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for w := range 8 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if _, err := j.Append(ctx, "c", 0, []execution.Fact{fact(execution.CampaignApplied, fmt.Sprint(w))}); err == nil {
					mu.Lock()
					won++
					mu.Unlock()
				} else if !errors.Is(err, store.ErrConflict) {
					t.Errorf("writer %d: %v", w, err)
				}
			}()
		}
		wg.Wait()
		if won != 1 {
			t.Fatalf("%d writers won, want 1", won)
		}
	})
	t.Run("campaigns in order, unknown ones named", func(t *testing.T) {
		j := open(t)
		for _, id := range []string{"z", "a", "m"} {
			if _, err := j.Append(ctx, id, 0, []execution.Fact{fact(execution.CampaignApplied, id)}); err != nil {
				t.Fatal(err)
			}
		}
		ids, err := j.Campaigns(ctx)
		if err != nil || fmt.Sprint(ids) != "[z a m]" {
			t.Fatalf("got %v, %v", ids, err)
		}
		if err := j.Read(ctx, "none", 0, func(execution.Fact) error { return nil }); !errors.Is(err, store.ErrNoCampaign) {
			t.Fatalf("got %v, want ErrNoCampaign", err)
		}
	})
	t.Run("generations grow, also over a reopening", func(t *testing.T) {
		j := open(t)
		a, err := j.NextGeneration(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if reopen != nil {
			j = reopen(t, j)
		}
		b, err := j.NextGeneration(ctx)
		if err != nil || b <= a {
			t.Fatalf("got %d then %d, %v", a, b, err)
		}
	})
}
