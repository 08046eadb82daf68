package simulated

import (
	"context"
	"time"
)

// Clock is where the world and its driver take time from.
type Clock interface {
	// Now is the present moment.
	Now() time.Time
	// Wait sleeps for d or until ctx ends, and then returns ctx's error.
	Wait(ctx context.Context, d time.Duration) error
}

// RealTime is the machine's clock.
func RealTime() Clock { return realClock{} }

type realClock struct{}

func (realClock) Now() time.Time { return time.Now().UTC() }

func (realClock) Wait(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Hurried is the machine's clock made faster: from now on, speed seconds pass in each real one.
// Contexts keep their real deadlines.
func Hurried(speed float64) Clock {
	return &hurriedClock{start: time.Now(), speed: speed}
}

type hurriedClock struct {
	start time.Time
	speed float64
}

func (c *hurriedClock) Now() time.Time {
	real := time.Since(c.start)
	return c.start.Add(time.Duration(float64(real) * c.speed)).UTC()
}

func (c *hurriedClock) Wait(ctx context.Context, d time.Duration) error {
	return realClock{}.Wait(ctx, time.Duration(float64(d)/c.speed))
}
