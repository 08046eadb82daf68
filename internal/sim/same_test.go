package sim

import (
	"encoding/json"
	"testing"
)

// TestSameSeedSameFacts: a run can be replayed to the byte, facts included.
func TestSameSeedSameFacts(t *testing.T) {
	for seed := uint64(1); seed <= 12; seed++ {
		a, err := Run(seed, troublesOf(seed))
		if err != nil {
			t.Fatal(err)
		}
		b, err := Run(seed, troublesOf(seed))
		if err != nil {
			t.Fatal(err)
		}
		ja, _ := json.Marshal(a.Facts)
		jb, _ := json.Marshal(b.Facts)
		if string(ja) != string(jb) {
			for i := range a.Facts {
				x, _ := json.Marshal(a.Facts[i])
				y := []byte("nothing")
				if i < len(b.Facts) {
					y, _ = json.Marshal(b.Facts[i])
				}
				if string(x) != string(y) {
					t.Fatalf("seed %d differs at fact %d:\n%.600s\n%.600s", seed, i+1, x, y)
				}
			}
			t.Fatalf("seed %d: one journal is longer", seed)
		}
	}
}
