package sim

import "testing"

// TestChurn: a campaign over a hundred hosts ends without a breach while hosts are lost, grow sick and are cut off and
// instances are made, resized, moved and deleted. Each promise that is moved has a cause; make churn measures how many.
func TestChurn(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds of CPU time")
	}
	c, err := RunChurn(Churn{Seed: 1, Hosts: 100, Lost: 0.01, Changed: 0.05, Troubled: 0.01, NotBack: 0.0127})
	if err != nil {
		t.Fatal(err)
	}
	if c.Bad() {
		t.Fatal(why(c.Result, nil))
	}
	t.Log("\n" + c.Table())
	if c.Promises == 0 || c.Returned == 0 || c.Did["host lost"] == 0 || c.Did["instance moved by others"] == 0 {
		t.Error("nothing happened")
	}
	moved := 0
	for cause, n := range c.Causes {
		if moved += n; cause == "" {
			t.Errorf("%d promises are moved and nothing says why", n)
		}
	}
	if c.Kept+moved != c.Promises || len(c.Moved) != moved {
		t.Errorf("%d kept, %d moved and %d named of %d", c.Kept, moved, len(c.Moved), c.Promises)
	}
}
