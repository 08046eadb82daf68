package libvirt

import (
	"context"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestUpdateNeedsWork: what cannot be done is refused before any host is asked.
func TestUpdateNeedsWork(t *testing.T) {
	d := New(Config{})
	_, err := d.Update(context.Background(), driver.Fence{}, driver.Host{ID: "h1"}, plan.Update{})
	wantCode(t, err, driver.CodeUnsupported)
	_, err = d.Update(context.Background(), driver.Fence{}, driver.Host{ID: "h1"}, plan.Update{Command: []string{"true"}})
	wantCode(t, err, driver.CodeUnsupported)
	_, err = d.Update(context.Background(), driver.Fence{}, driver.Host{ID: "h1", SSH: "root@h1"}, plan.Update{Command: []string{"apt"}, SHA256: strings.Repeat("a", 64)})
	wantCode(t, err, driver.CodeRefused)
}
