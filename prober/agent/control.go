package agent

import (
	"context"
	"fmt"
	"sync"
	"time"

	"streamcanary/prober"
)

const (
	controlRound = 2 * time.Second
	controlBound = 15 * time.Second // for the first verdict
	controlTurns = 2                // rounds in a row that change a verdict
)

// control broadcasts to the agent's own loopback origin and plays it back. When
// that fails, the agent is sick and what it says of the platform counts for nothing.
type control struct {
	env *env

	mu     sync.Mutex
	state  prober.Control
	detail string
	since  time.Time // when the control began
	row    int       // rounds in a row against the present state
}

// current is the state and, when it is fail, the evidence.
func (c *control) current() (prober.Control, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state, c.detail
}

// run keeps the broadcasts up and judges them until ctx is done.
func (c *control) run(ctx context.Context, t prober.Target) {
	platform, err := c.env.Platform(t.Platform)
	if err != nil {
		c.set(prober.ControlFail, "the control's platform: "+err.Error())
		return
	}
	c.mu.Lock()
	c.since = time.Now()
	c.mu.Unlock()
	var wg sync.WaitGroup
	defer wg.Wait()
	var canaries []*canary
	for _, in := range t.Ingests {
		k := newCanary(c.env, &streams{env: c.env, target: t.ID, platform: platform, used: newInUse()}, t.ID, in, t.Playbacks)
		k.small = true
		canaries = append(canaries, k)
		wg.Go(func() { k.loop(ctx) })
	}
	tick := time.NewTicker(controlRound)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			c.judge(now, c.look(canaries, t.Playbacks, now))
		}
	}
}

// look gives the first thing that is wrong, or nil.
func (c *control) look(canaries []*canary, playbacks []prober.Playback, now time.Time) *prober.Result {
	for _, k := range canaries {
		if r := k.pushResult("", 0, now); r.Outcome != prober.Pass && len(playbacks) == 0 {
			return &r
		}
		for _, p := range playbacks {
			if r := k.pullResult(p, "", 0, now); r.Outcome != prober.Pass {
				return c.explain(k, r, now)
			}
		}
	}
	return nil
}

// explain prefers the push side's reason to that nothing came back.
func (c *control) explain(k *canary, pulled prober.Result, now time.Time) *prober.Result {
	if pushed := k.pushResult("", 0, now); pushed.Outcome == prober.Fail {
		return &pushed
	}
	return &pulled
}

// judge takes one round's finding into the state.
func (c *control) judge(now time.Time, bad *prober.Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	want := prober.ControlPass
	if bad != nil {
		want = prober.ControlFail
	}
	switch {
	case c.state == want:
		c.row = 0
	case c.state == prober.ControlUnknown && bad != nil && now.Sub(c.since) < controlBound:
		return
	case c.state == prober.ControlUnknown:
		c.state = want
	default:
		if c.row++; c.row >= controlTurns {
			c.state, c.row = want, 0
		}
	}
	switch {
	case c.state != prober.ControlFail:
		c.detail = ""
	case bad != nil:
		c.detail = fmt.Sprintf("own loopback origin: %s %s: %s", bad.Stage, bad.Reason, bad.Detail)
	}
}

func (c *control) set(state prober.Control, detail string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state, c.detail = state, detail
}
