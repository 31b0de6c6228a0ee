package host

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"streamcanary/prober"
)

const (
	beat       = 250 * time.Millisecond // own timers are to be so far apart
	cpuWindow  = 10 * time.Second       // the busy share is of this long, and the lateness
	lossWindow = 30 * time.Second       // the loss is of this long
	leastSent  = 200                    // segments in it, or the loss is not measured: a share of little is chance
	jumpStays  = 30 * time.Second       // how long a jump of the clock is told
	leastJump  = 200 * time.Millisecond // NTP slews slower than that
)

// Reading is how the machine is.
type Reading struct {
	prober.Host               // Reference is not the meter's
	Late        time.Duration // how late our own timers were of late, on average
	Jump        time.Duration // that the wall clock made of late, either way
}

// Meter measures while Run runs. Its zero value works, and measures no clock
// offset.
type Meter struct {
	// ClockServer is an SNTP server (RFC 5905), HOST or HOST:PORT; "" asks none.
	ClockServer string
	Logger      *slog.Logger // nil is silent

	// Of tests; nil is the machine's own.
	readCounters func() (counters, bool)
	ask          func(server string) (time.Duration, error)

	mu      sync.Mutex
	samples []sample // oldest first
	late    []lateness
	jump    time.Duration
	jumpAt  time.Time
	offset  time.Duration
	asked   time.Time // when the offset was measured
}

type sample struct {
	at time.Time
	counters
}

type lateness struct {
	at time.Time
	by time.Duration
}

// Run measures until ctx is done.
func (m *Meter) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	if m.ClockServer != "" {
		wg.Go(func() { m.followClock(ctx) })
	}
	tick := time.NewTicker(beat)
	defer tick.Stop()
	last := time.Now()
	for n := 0; ; n++ {
		if n%4 == 0 {
			m.count(time.Now())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		m.beat(last, now)
		last = now
	}
}

// beat compares two looks at the clock: how much later than planned, by the
// monotonic clock, and how far the wall clock went besides.
func (m *Meter) beat(last, now time.Time) {
	elapsed := now.Sub(last)
	jump := now.Round(0).Sub(last.Round(0)) - elapsed // Round drops the monotonic reading
	m.mu.Lock()
	defer m.mu.Unlock()
	m.late = slices.DeleteFunc(m.late, func(l lateness) bool { return now.Sub(l.at) >= cpuWindow })
	m.late = append(m.late, lateness{now, max(elapsed-beat, 0)})
	if jump.Abs() >= leastJump {
		m.jump, m.jumpAt = jump, now
	}
}

// count takes a sample of the machine's counters.
func (m *Meter) count(now time.Time) {
	read := m.readCounters
	if read == nil {
		read = readCounters
	}
	c, ok := read()
	if !ok {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples = append(m.samples, sample{now, c})
	// One that is as old as the longest window stays, to compare with.
	for len(m.samples) > 1 && now.Sub(m.samples[1].at) >= lossWindow {
		m.samples = m.samples[1:]
	}
}

// Read is how the machine is now.
func (m *Meter) Read() Reading {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	r := Reading{Host: prober.Host{CPU: -1, Loss: -1}}
	if old, last, ok := m.window(cpuWindow); ok {
		r.CPU = share(more(last.busy, old.busy), more(last.all, old.all))
	}
	if old, last, ok := m.window(lossWindow); ok && more(last.sent, old.sent) >= leastSent {
		r.Loss = share(more(last.again, old.again), more(last.sent, old.sent))
	}
	var late, beats time.Duration
	for _, l := range m.late {
		if now.Sub(l.at) < cpuWindow {
			late, beats = late+l.by, beats+1
		}
	}
	r.Late = late / max(beats, 1)
	if !m.jumpAt.IsZero() && now.Sub(m.jumpAt) < jumpStays {
		r.Jump = m.jump
	}
	if !m.asked.IsZero() && now.Sub(m.asked) < clockStays {
		r.ClockOffset, r.ClockKnown = m.offset, true
	}
	return r
}

// window is the newest sample, and the one that is as much older. m.mu is held.
func (m *Meter) window(length time.Duration) (old, last sample, ok bool) {
	if len(m.samples) < 2 {
		return old, last, false
	}
	last = m.samples[len(m.samples)-1]
	old = m.samples[0]
	for _, s := range m.samples {
		if last.at.Sub(s.at) >= length {
			old = s
		}
	}
	return old, last, true
}

// more is by how much a counter rose. One that fell is another machine's or
// namespace's, and says nothing.
func more(now, before uint64) uint64 {
	if now < before {
		return 0
	}
	return now - before
}

func share(part, whole uint64) float64 {
	if whole == 0 || part > whole {
		return -1
	}
	return float64(part) / float64(whole)
}
