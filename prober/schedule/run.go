package schedule

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// longestWait bounds how long a change of the wall clock goes unnoticed.
	longestWait = time.Minute
	// clockSlew is how far the wall clock may lag behind the timer that woke us
	// before it counts as set back.
	clockSlew = time.Second
)

// Run calls fn at each start of s, shifted by offset and up to jitter more, by
// chance, until ctx is done. It calls it with the planned time and waits for it;
// starts that pass meanwhile are skipped, never caught up, so a fn that must
// overlap starts its own goroutines.
func Run(ctx context.Context, s Schedule, offset, jitter time.Duration, fn func(ctx context.Context, at time.Time)) {
	var last time.Time
	for {
		at := next(s, offset, last, time.Now())
		if !waitUntil(ctx, at) {
			return
		}
		if at.IsZero() || time.Until(at) > clockSlew {
			continue // never, or the wait was cut, or the clock was set back: plan again
		}
		if jitter > 0 && !waitUntil(ctx, time.Now().Add(min(rand.N(jitter), longestWait))) { //nolint:gosec // spreads load, hides nothing
			return
		}
		fn(ctx, at)
		last = at
	}
}

// next is the first start after now. A timer may fire a little before the wall
// clock says so; the start that was just served must not be served twice.
func next(s Schedule, offset time.Duration, last, now time.Time) time.Time {
	from := now
	if lag := last.Sub(now); lag > 0 && lag <= clockSlew {
		from = last
	}
	at := s.Next(from.Add(-offset))
	if at.IsZero() {
		return at
	}
	return at.Add(offset)
}

// waitUntil waits for at, but no longer than longestWait. It returns false when
// ctx is done.
func waitUntil(ctx context.Context, at time.Time) bool {
	wait := longestWait
	if !at.IsZero() {
		wait = min(time.Until(at), longestWait)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
