package agent

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"streamcanary/prober"
)

// published notes that the ingest has accepted the broadcast, and has it
// followed from here.
func (c *canary) published(b Broadcast) {
	c.mu.Lock()
	defer c.mu.Unlock()
	drain(c.confirm) // of the last connection
	drain(c.turn)
	c.owed = c.untold()
	c.broadcast, c.startedAt, c.sentBefore = b, time.Now(), Sent{}
	c.phase = trying
	for _, p := range c.playbacks {
		c.follow(p)
	}
}

// follow starts a cell, in place of the playback's last one. c.mu is held.
func (c *canary) follow(p prober.Playback) {
	old := c.cells[p.ID]
	c.cells[p.ID] = watch(c.ctx, c.streams, &c.pulls, p, c.stream, c.run, c.ingest.Signal, c.seen)
	if old != nil {
		c.cells[p.ID].owe(old)
		c.leave(old)
	}
}

func (c *canary) seen() { signal(c.confirm) }

// setPlaybacks changes where the broadcast is followed, and leaves alone what
// did not change.
func (c *canary) setPlaybacks(playbacks []prober.Playback) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.playbacks = playbacks
	if c.broadcast == nil || c.ended {
		return
	}
	for id, cell := range c.cells {
		if !slices.ContainsFunc(playbacks, func(p prober.Playback) bool { return p.ID == id }) {
			c.leave(cell)
			delete(c.cells, id)
		}
	}
	for _, p := range playbacks {
		if old := c.cells[p.ID]; old == nil || !reflect.DeepEqual(p, old.playback) {
			c.follow(p)
		}
	}
}

// end waits for the followers, whose context is over, and counts what no result
// will tell.
func (c *canary) end() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	c.pulls.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spend(c.untold().bytes)
	for _, cell := range c.cells {
		c.spend(cell.untold().Figures.BytesReceived)
	}
}

// failed notes a drop, or why a broadcast does not come up. A drop is told at once.
func (c *canary) failed(f *prober.Failure) {
	c.mu.Lock()
	if c.turned && f.Reason == prober.ReasonPublishNameInUse && time.Since(c.turnedAt) < nameHeld {
		c.mu.Unlock()
		return
	}
	wasUp, since := c.phase == up || c.turned, time.Now()
	if c.turned {
		since = c.turnedAt // nothing was on air from there, whatever was no drop yet
	}
	c.phase, c.failure, c.turned = down, f, false
	if c.downSince.IsZero() {
		c.downSince = since
	}
	if wasUp {
		c.interruptions++
	}
	r := c.result(fmt.Sprintf("%s-%s-drop-%d", c.run, prober.KindCanary, c.interruptions))
	r.Started = c.startedAt
	c.mu.Unlock()
	if wasUp {
		c.env.poke()
		c.tell(judged(r, f))
	}
}

// confirmed notes that the broadcast is up. After a failure that is told at once;
// the interruption ended when the connection that proved good was accepted.
func (c *canary) confirmed() {
	c.mu.Lock()
	c.phase, c.failure, c.turned = up, nil, false
	again := !c.downSince.IsZero()
	r := c.result(fmt.Sprintf("%s-%s-up-%d", c.run, prober.KindCanary, c.interruptions))
	if again {
		r.Started = c.downSince
		r.Figures.InterruptionTime = c.startedAt.Sub(c.downSince)
		r.Figures.Stages = c.broadcast.Sent().Stages
	}
	c.downSince = time.Time{}
	c.mu.Unlock()
	c.env.poke()
	if again {
		c.tell(judged(r, nil))
	}
}

// turning notes that the connection is about to be ended for a fresh one. That
// is no drop, unless the fresh one does not come up.
func (c *canary) turning() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.phase, c.turned, c.turnedAt = starting, true, time.Now()
}

// nameHeld is how long a server may take to let go of a name after a proper end: until
// then its refusal is no drop.
const nameHeld = 5 * time.Second

// settled says whether the broadcast is up, and was seen at every playback.
func (c *canary) settled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != up {
		return false
	}
	for _, p := range c.playbacks {
		cell := c.cells[p.ID]
		if cell == nil {
			return false
		}
		if _, played := cell.observe(); !played {
			return false
		}
	}
	return true
}

func (c *canary) isUp() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase == up
}

// announced is what other agents need to pull the broadcast, while it is up.
func (c *canary) announced() (b prober.Broadcast, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return prober.Broadcast{Target: c.target, Ingest: c.ingest.ID, Run: c.run, Playback: c.stream.PlaybackID}, c.phase == up
}

// result begins a result of the push side, alone in its round. c.mu is held.
func (c *canary) result(round string) prober.Result {
	return prober.Result{Kind: prober.KindCanary, Target: c.target, Ingest: c.ingest.ID,
		Run: c.run, Round: round, RoundOf: 1, Figures: prober.Figures{Interruptions: c.interruptions}}
}

// pushResult is the push side at this moment.
func (c *canary) pushResult(round string, of int, since time.Time) prober.Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.result(round)
	r.Started, r.RoundOf = since, of
	untold := c.untold()
	r.Figures.BytesSent, r.Findings = untold.bytes, untold.findings
	r.Figures.SendStall, r.Figures.SendQueue = c.sentBefore.Stall, c.sentBefore.SendQueue
	switch {
	case c.phase == up:
		return judged(r, nil)
	case c.failure == nil:
		return judged(r, nothing(prober.ReasonNothingPushed, "the broadcast is starting, or starting anew at its age"))
	case c.phase == trying:
		// The failure of the connection before was told; this one has not failed.
		return judged(r, nothing(prober.ReasonNothingPushed, "the broadcast is connected again, but not proved yet"))
	}
	return judged(r, c.failure)
}

// pullResult is one cell at this moment.
func (c *canary) pullResult(p prober.Playback, round string, of int, since time.Time) prober.Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.result(round)
	r.Kind, r.Playback, r.Started, r.RoundOf, r.Figures = prober.KindPlayback, p.ID, since, of, prober.Figures{}
	cell := c.cells[p.ID]
	if cell == nil {
		return judged(r, nothing(prober.ReasonNothingPushed, "the broadcast has not started yet"))
	}
	obs, played := cell.observe()
	r = cell.measured(r, obs)
	if played && c.phase == trying {
		c.seen()
	}
	return judged(r, c.judgeCell(obs, played, time.Since(cell.began)))
}

// judgeCell is nil for a pass. c.mu is held.
func (c *canary) judgeCell(obs Observation, played bool, age time.Duration) *prober.Failure {
	switch {
	case isEndpoint(obs.Failure):
		return obs.Failure
	case c.phase != up && c.phase != trying:
		return nothing(prober.ReasonNothingPushed, "the broadcast is down")
	case played:
		return obs.Failure
	case age < playbackGrace:
		return nothing(prober.ReasonNothingPushed, "the broadcast has just started")
	}
	return markerMissing(obs)
}
