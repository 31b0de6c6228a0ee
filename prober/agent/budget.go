package agent

import (
	"log/slog"
	"sync"
	"time"

	"streamcanary/prober"
)

const (
	// A budget is a bucket that fills evenly and holds what may be spent at once:
	// a twelfth of an hour's bytes, so that a burst of confirmation is not thinned.
	burst = 12
	// The canaries' push and pull are never thinned; if they overspend, what they
	// owe is forgotten beyond one more bucket, so that the rest comes back in time.
	thinnedTold = 10 * time.Minute // how often the log says that something was left out
)

// budget bounds what an agent sends and receives in an hour. What may be left
// out asks first: samples of other agents' broadcasts while half of the bucket is
// there, go-live rounds and recordings while anything is.
type budget struct {
	log *slog.Logger

	mu       sync.Mutex
	limit    int64 // bytes an hour; 0 is none
	level    float64
	at       time.Time // of level
	minutes  [60]int64 // bytes, by the minute
	minute   int64     // of the newest of them
	thinned  uint64
	told     time.Time
	toldUpTo uint64
}

func newBudget(log *slog.Logger) *budget { return &budget{log: log} }

// set changes the limit. A new one begins with a full bucket.
func (b *budget) set(limit int64, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if limit == b.limit {
		return
	}
	b.limit, b.level, b.at = limit, float64(limit)/burst, now
}

// spend counts bytes that were sent or received.
func (b *budget) spend(bytes int64) {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn(now)
	b.minutes[b.minute%int64(len(b.minutes))] += bytes
	if b.limit == 0 {
		return
	}
	b.fill(now)
	b.level = max(b.level-float64(bytes), -float64(b.limit)/burst)
}

// fill lets in what the time since the last look has brought. b.mu is held.
func (b *budget) fill(now time.Time) {
	b.level += float64(b.limit) * max(now.Sub(b.at), 0).Hours()
	b.level, b.at = min(b.level, float64(b.limit)/burst), now
}

// turn forgets the minutes that are an hour old. b.mu is held.
func (b *budget) turn(now time.Time) {
	minute := now.Unix() / 60
	for n := max(b.minute+1, minute-int64(len(b.minutes))+1); n <= minute; n++ {
		b.minutes[n%int64(len(b.minutes))] = 0
	}
	b.minute = max(minute, b.minute)
}

// allowSample says whether another agent's broadcast may be looked at.
func (b *budget) allowSample() bool { return b.allow(0.5) }

// allowGoLive says whether a go-live round, a recording's broadcast or a pull of a
// stream that others push may run.
func (b *budget) allowGoLive() bool { return b.allow(0) }

// allow says whether more than that share of the bucket is there, and counts
// what is left out.
func (b *budget) allow(share float64) bool {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limit == 0 {
		return true
	}
	b.fill(now)
	if b.level > share*float64(b.limit)/burst {
		return true
	}
	b.thinned++
	if b.told.IsZero() || now.Sub(b.told) >= thinnedTold {
		b.log.Warn("the budget of bytes is spent: samples, or go-live rounds and recordings, are left out",
			"left_out", b.thinned-b.toldUpTo, "bytes_an_hour", b.limit)
		b.told, b.toldUpTo = now, b.thinned
	}
	return false
}

// spending is how the agent stands.
func (b *budget) spending(now time.Time) prober.Spending {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn(now)
	s := prober.Spending{Limit: b.limit, Thinned: b.thinned}
	for _, bytes := range b.minutes {
		s.LastHour += bytes
	}
	return s
}
