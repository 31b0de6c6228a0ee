package agent_test

import (
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
)

// located is a target whose addresses only the platform knows.
func located(hosts ...string) prober.Target {
	t := target(hosts...)
	for i, h := range hosts {
		t.Ingests[i].URL, t.Ingests[i].Node = prober.PushVariable, h
		t.Playbacks[i].URL, t.Playbacks[i].Node = prober.PlayVariable, h
	}
	return t
}

func TestAddressesFromThePlatform(t *testing.T) {
	t.Parallel()
	play(t, assign(located("fra", "nyc"), goLives, canaries, playbacks), func(w *world, _ *agent.Agent) {
		w.until(26 * time.Second)
		for _, in := range []string{"fra", "nyc"} {
			for _, out := range []string{"", "fra", "nyc"} {
				w.expect(prober.KindGoLive, in, out, "25 pass")
			}
		}
		if w.published["fra"] != 2 || w.published["nyc"] != 2 {
			t.Errorf("pushed to %v", w.published)
		}
	})
}

// A platform that does not say where a stream plays is not the playback's failing.
func TestAnAddressThatIsNotTold(t *testing.T) {
	t.Parallel()
	play(t, assign(located("fra"), goLives), func(w *world, _ *agent.Agent) {
		w.change(func() { w.unlocated = 100 })
		w.until(35 * time.Second)
		w.expect(prober.KindGoLive, "fra", "", "32 pass")
		w.expect(prober.KindGoLive, "fra", "fra", "32 inconclusive provision api_error")
	})
	play(t, assign(located("fra"), goLives), func(w *world, _ *agent.Agent) {
		w.change(func() { w.unlocated = 2 })
		w.until(26 * time.Second)
		w.expect(prober.KindGoLive, "fra", "fra", "25 pass")
	})
}

// What cannot be deleted at its end is swept soon, while what runs stays.
func TestSweptAgainAndAgain(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), canaries), func(w *world, _ *agent.Agent) {
		w.until(10 * time.Second)
		var canary string
		w.change(func() {
			for name := range w.streams {
				canary = name
			}
		})
		left := canary[:len(canary)-12] + "leftbehind12"
		foreign := strings.ToUpper(canary[:len(canary)-12]) + "leftbehind12"
		w.change(func() { w.streams[left], w.streams[foreign] = true, true })
		w.until(115 * time.Second)
		w.change(func() {
			if !w.streams[left] {
				t.Error("swept too early")
			}
		})
		w.until(125 * time.Second)
		w.change(func() {
			if w.streams[left] || !w.streams[foreign] || !w.streams[canary] {
				t.Errorf("after the sweep there are %v", w.streams)
			}
			delete(w.streams, foreign)
		})
	})
}
