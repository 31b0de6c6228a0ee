package agent_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
)

func textLogger(b *strings.Builder) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// ownOrigin gives an agent a control on a loopback origin of the world.
func ownOrigin(c *agent.Config) {
	own := target("loop")
	own.ID = "control"
	c.Control = &own
}

// controls tells the control state of each result, with its second.
func controls(w *world) (states []string, details []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.results {
		states = append(states, fmt.Sprint(r.Ended.Sub(w.begin).Round(time.Second), " ", r.Control))
		if r.ControlDetail != "" {
			details = append(details, r.ControlDetail)
		}
	}
	return states, details
}

// eachSecond is a probe that tells the control state a half second after each
// of the control's rounds, and one second later again.
var eachSecond = prober.Probe{Kind: prober.KindCanary, Target: "video", Schedule: "@every 1s", Offset: 500 * time.Millisecond}

func TestTheControlNeedsTwoRoundsToTurn(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), eachSecond), func(w *world, _ *agent.Agent) {
		w.until(7 * time.Second)
		w.change(func() { w.playback["loop"] = fails(prober.Fail, prober.StageManifest, prober.ReasonHTTPStatus) })
		w.until(9 * time.Second) // one bad round, at 8 s
		w.change(func() { w.playback["loop"] = nil })
		w.until(13 * time.Second)
		w.change(func() { w.playback["loop"] = fails(prober.Fail, prober.StageManifest, prober.ReasonHTTPStatus) })
		w.until(17 * time.Second) // two, at 14 and 16 s
		w.change(func() { w.playback["loop"] = nil })
		w.until(22 * time.Second)
		states, details := controls(w)
		var want []string
		for s := 1; s <= 22; s++ { // told at s - 0.5 s, which rounds up
			state := prober.ControlPass
			switch {
			case s <= 2:
				state = prober.ControlUnknown
			case s > 16 && s <= 20:
				state = prober.ControlFail
			}
			want = append(want, fmt.Sprintf("%ds %s", s, state))
		}
		if !slices.Equal(states, want) {
			t.Errorf("got  %v\nwant %v", states, want)
		}
		if len(details) != 4 || !strings.Contains(details[0], "manifest http_status") {
			t.Errorf("details %q", details)
		}
	}, ownOrigin)
}

func TestAControlThatNeverWorksFailsInTime(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), eachSecond), func(w *world, _ *agent.Agent) {
		w.change(func() { w.refuses["loop"] = fails(prober.Fail, prober.StageConnect, prober.ReasonConnectionRefused) })
		w.until(18 * time.Second)
		states, details := controls(w)
		if states[14] != "15s unknown" || states[16] != "17s fail" {
			t.Errorf("got %v", states)
		}
		if len(details) == 0 || !strings.Contains(details[0], "connect connection_refused") {
			t.Errorf("details %q", details)
		}
		for _, r := range w.results {
			if r.Target != "video" {
				t.Errorf("the control's own result was reported: %+v", r)
			}
		}
	}, ownOrigin)
}

func TestAControlThatCannotBeMadeFails(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), eachSecond), func(w *world, _ *agent.Agent) {
		w.until(2 * time.Second)
		if states, _ := controls(w); states[0] != "1s fail" {
			t.Errorf("got %v", states)
		}
	}, ownOrigin, func(c *agent.Config) { c.Control.Platform.Type = "unheard" })
}
