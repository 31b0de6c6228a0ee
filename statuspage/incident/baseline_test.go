package incident

import (
	"math"
	"strings"
	"testing"
	"time"
)

// So many failures above what is granted have a probability of 1e-5 or less.
func TestExceededByChance(t *testing.T) {
	t.Parallel()
	for _, mean := range []float64{.001, .01, .1, .5, 1, 2, 5, 10, 20, 50} {
		const p0 = 50_000_000 // billionths
		rounds := uint64(mean / .05)
		mean = float64(rounds) * .05
		least := uint64(0)
		for !exceeded(least, rounds, p0) {
			least++
		}
		// P(X >= least) of a Poisson variable
		term, below := math.Exp(-mean), 0.0
		for k := range least {
			if k > 0 {
				term *= mean / float64(k)
			}
			below += term
		}
		if tail := 1 - below; tail > 5e-5 {
			t.Errorf("a mean of %g failures: %d are told, and have a probability of %.2g", mean, least, tail)
		}
		if float64(least) > mean+4*math.Sqrt(mean)+6 {
			t.Errorf("a mean of %g failures: only %d are told", mean, least)
		}
	}
}

func TestRoot(t *testing.T) {
	t.Parallel()
	for n := range uint64(5000) {
		if r := root(n); r*r > n || (r+1)*(r+1) <= n {
			t.Fatalf("root of %d is not %d", n, r)
		}
	}
}

func TestBaseline(t *testing.T) {
	t.Parallel()
	base := simSetup{seed: 3, sites: 3, regions: 2, canary: 2 * time.Second, pulls: 20 * time.Second, golive: time.Minute, latency: 300 * time.Millisecond}
	out := func(from, to time.Duration) func(time.Duration) simFault {
		return func(at time.Duration) simFault {
			if at < from || at >= to {
				return simFault{}
			}
			return simFault{play: some(1), push: some(1)}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*simSetup)
		lasts  time.Duration
		calm   time.Duration // without noise, afterwards
		told   string        // kind of the sums that are told; "" is none
	}{
		{"well", func(*simSetup) {}, 24 * time.Hour, 0, ""},
		{"less than is granted", func(s *simSetup) { s.noise, s.drops = .04, 5e-6 }, 2 * time.Hour, 0, ""},
		{"twice of what is granted", func(s *simSetup) { s.noise = .15 }, 2 * time.Hour, 12 * time.Hour, "playback"},
		{"canaries drop once an hour", func(s *simSetup) { s.drops = 5e-4 }, 8 * time.Hour, 0, "canary"},
		{"an outage is no noise", func(s *simSetup) { s.fault = out(time.Hour, 2*time.Hour) }, 4 * time.Hour, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			setup := base
			c.change(&setup)
			w := newSim(t, setup)
			w.skips = true
			w.run(c.lasts)
			told := w.of(BaselineExceeded)
			if (len(told) > 0) != (c.told != "") {
				t.Fatalf("told %d times: %v", len(told), told)
			}
			kinds := 0
			for _, e := range told {
				if strings.HasSuffix(e.Key, "|"+c.told) {
					kinds++
				}
			}
			if c.told != "" && kinds == 0 {
				t.Errorf("told, but not of %s: %v", c.told, told)
			}
			if c.calm == 0 {
				return
			}
			w.setup.noise = 0
			w.run(c.calm)
			open := map[string]bool{}
			for _, e := range w.events {
				switch e.Type {
				case BaselineExceeded:
					open[e.Key] = true
				case BaselineHolds:
					delete(open, e.Key)
				default:
				}
			}
			if len(open) > 0 {
				t.Errorf("still told long after the noise: %v", open)
			}
		})
	}
}

// What was told of a sum is taken back with it.
func TestBaselineOfWhatIsGone(t *testing.T) {
	t.Parallel()
	w := newSim(t, simSetup{seed: 4, sites: 3, regions: 1, canary: 2 * time.Second, pulls: 20 * time.Second, golive: time.Minute, noise: .2})
	w.run(time.Hour)
	told := len(w.of(BaselineExceeded)) - len(w.of(BaselineHolds))
	if told == 0 {
		t.Fatal("nothing was told")
	}
	other := simTopology(3, 1, false)
	other.Targets[0].ID = "other"
	for i := range other.Components {
		for j := range other.Components[i].Elements {
			other.Components[i].Elements[j].Target = "other"
		}
	}
	p, err := NewPolicy(w.policy.settings, other)
	if err != nil {
		t.Fatal(err)
	}
	_, events := p.Step(w.state, Input{Seq: w.seq + 1, At: w.now, Config: &ConfigChange{PolicyHash: p.Hash()}})
	back := 0
	for _, e := range events {
		if e.Type == BaselineHolds {
			back++
		}
	}
	if back != told {
		t.Errorf("%d of %d were taken back", back, told)
	}
}
