package agent

import (
	"context"
	"math/rand/v2"
	"time"

	"streamcanary/prober"
)

const (
	rotationLook  = time.Second      // how often ages are looked at
	rotationBound = time.Minute      // for a fresh broadcast to be up and seen everywhere
	rotationAgain = 10 * time.Minute // after one that was not; or the age itself, when that is less
)

// runningCanary is a canary with what its rotation needs.
type runningCanary struct {
	*canary
	ctx  context.Context
	stop context.CancelFunc

	// Guarded by the unit's lock.
	dueFrom  time.Time // its age counts from here
	late     float64   // share of the age that it is older by chance, so that not all turn at once
	rotating bool
}

// rotations replaces broadcasts at their age until the unit ends.
func (u *unit) rotations() {
	tick := time.NewTicker(rotationLook)
	defer tick.Stop()
	for {
		select {
		case <-u.ctx.Done():
			return
		case now := <-tick.C:
			u.mu.Lock()
			probe := u.kinds[prober.KindCanary]
			for _, c := range u.canaries {
				if probe.RotateAfter > 0 && !c.rotating && now.Sub(c.dueFrom) >= later(probe.RotateAfter, c.late) && c.isUp() {
					u.rotate(c, probe)
				}
			}
			u.mu.Unlock()
		}
	}
}

// later is an age and up to a tenth of it more.
func later(age time.Duration, by float64) time.Duration {
	return age + time.Duration(by*float64(age)/10)
}

// rotate begins to replace a broadcast. u.mu is held.
func (u *unit) rotate(old *runningCanary, p prober.Probe) {
	old.dueFrom = time.Now()
	if p.Rotate == prober.RotateConnection || u.env.keys.lock(old.ingest.URL) != nil {
		// Two cannot be up at once: servers refuse a name that is in use.
		signal(old.turn)
		return
	}
	old.rotating = true
	fresh := u.newCanary(old.ingest, old.followedAt())
	u.running.Go(func() { u.replace(old, fresh, p) })
}

// replace puts fresh in old's place once it is up and seen everywhere, and only
// then ends old: nobody who follows sees a gap, and no drop is counted.
func (u *unit) replace(old, fresh *runningCanary, p prober.Probe) {
	u.running.Go(func() {
		defer fresh.stop()
		fresh.loop(fresh.ctx)
	})
	good := u.waitFor(old, fresh)
	u.mu.Lock()
	defer u.mu.Unlock()
	old.rotating = false
	if !good || u.canaries[old.ingest.ID] != old {
		fresh.stop()
		if !good {
			old.dueFrom = time.Now().Add(min(p.RotateAfter, rotationAgain) - later(p.RotateAfter, old.late))
			u.env.log.Warn("a canary is as old as it may be, but a fresh one does not come up; it is tried again later",
				"target", old.target, "ingest", old.ingest.ID)
		}
		return
	}
	u.canaries[old.ingest.ID] = fresh
	fresh.setPlaybacks(old.followedAt()) // an assignment may have changed them meanwhile
	fresh.inherit(old.canary)
	old.stop()
	u.env.poke()
}

// waitFor waits until fresh has settled, and says whether it has while old is
// still good.
func (u *unit) waitFor(old, fresh *runningCanary) bool {
	limit := time.NewTimer(rotationBound)
	defer limit.Stop()
	tick := time.NewTicker(rotationLook / 4)
	defer tick.Stop()
	for {
		select {
		case <-old.ctx.Done():
			return false
		case <-limit.C:
			return false
		case <-tick.C:
			if fresh.settled() {
				return old.isUp()
			}
		}
	}
}

// newCanary makes a broadcast to an ingest that is not in the unit's list yet:
// what it tells is nobody's concern until it is.
func (u *unit) newCanary(in prober.Ingest, playbacks []prober.Playback) *runningCanary {
	c := newCanary(u.env, u.streams, u.target.ID, in, playbacks)
	c.tell = func(results ...prober.Result) { u.tellCanary(c, results...) }
	ctx, stop := context.WithCancel(u.ctx)
	return &runningCanary{canary: c, ctx: ctx, stop: stop, dueFrom: time.Now(),
		late: rand.Float64()} //nolint:gosec // spreads load, hides nothing
}

func (c *canary) followedAt() []prober.Playback {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.playbacks
}
