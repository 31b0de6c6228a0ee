package incident

import (
	"maps"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"streamcanary/prober"
)

func TestFalseOpening(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		h     float64
		sites int
		want  float64
	}{
		{0, 1, 1},
		{1, 1, math.Exp(-1)},
		{27, 3, math.Exp(-27) * (1 + 27 + 27*27/2.)},
		{24.1, 4, math.Exp(-24.1) * (1 + 24.1 + 24.1*24.1/2 + 24.1*24.1*24.1/6)},
	} {
		if got := FalseOpening(NatsOf(tt.h), tt.sites); math.Abs(got-tt.want) > tt.want*1e-9 {
			t.Errorf("%v nats, %d sites: %g, want %g", tt.h, tt.sites, got, tt.want)
		}
	}
}

func TestThresholdFor(t *testing.T) {
	t.Parallel()
	for _, sites := range []int{1, 2, 3, 4, 8, 12} {
		for _, rounds := range []float64{5e5, 1.6e7, 5e7} {
			for _, wanted := range []float64{.001, .01, 1} {
				h := ThresholdFor(sites, rounds, wanted)
				if at := FalseOpening(h, sites) * rounds; at > wanted {
					t.Errorf("%d sites, %g rounds: %v allows %g a year, wanted %g", sites, rounds, h, at, wanted)
				}
				if below := FalseOpening(h-100_000, sites) * rounds; below <= wanted {
					t.Errorf("%d sites, %g rounds: %v is more than it takes", sites, rounds, h)
				}
			}
		}
	}
}

// TestBoundHolds draws from the worst that the theorem allows, failures that are
// exactly as likely as p0, whatever was before, has the engine weigh them, and compares
// how often an element is found open with the bound. A quorum of one caps nothing that
// the threshold does not.
func TestBoundHolds(t *testing.T) {
	t.Parallel()
	const rounds = 400_000
	for _, tt := range []struct {
		sites int
		h, p0 float64
	}{{1, 5, .05}, {2, 6, .05}, {3, 7, .05}, {4, 8, .02}} {
		r := newRig(t, tt.sites, nil, func(s *Settings) {
			s.Threshold, s.Quorum, s.ConfirmRounds = NatsOf(tt.h), 1, 0
			s.Rates = maps.Clone(s.Rates)
			s.Rates[prober.KindPlayback] = Rates{P0: tt.p0, P1: .4, AgainP0: tt.p0}
		})
		r.warm()
		e := playback("live", "fra")
		random := rand.New(rand.NewPCG(uint64(tt.sites), 7))
		above := 0
		for range rounds {
			x := turn{Policy: r.policy, s: &r.state}
			for _, site := range r.policy.topology.Sites {
				x.weigh("sum", e, prober.KindPlayback, random.Float64() >= tt.p0, Evidence{Site: site.ID, At: r.now})
			}
			if x.reached(r.state.Sums["sum"]) {
				above++
			}
		}
		bound := FalseOpening(NatsOf(tt.h), tt.sites)
		if got := float64(above) / rounds; got > bound {
			t.Errorf("%d sites, h %v: open in %g of the rounds, the bound is %g", tt.sites, tt.h, got, bound)
		} else if got == 0 {
			t.Errorf("%d sites, h %v: never open; the test shows nothing", tt.sites, tt.h)
		}
	}
}

func TestRoundsToOpen(t *testing.T) {
	t.Parallel()
	s := DefaultSettings()
	for _, tt := range []struct {
		sites int
		kind  prober.Kind
		want  int
	}{
		{1, prober.KindCanary, 0}, // fewer than the quorum
		{3, prober.KindCanary, 1}, // a short restart must be seen in one round
		{3, prober.KindGoLive, 5},
		{2, prober.KindGoLive, 8},
		{6, prober.KindGoLive, 3},
	} {
		p, err := NewPolicy(s, topologyOf(tt.sites))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.RoundsToOpen(tt.kind); got != tt.want {
			t.Errorf("%d sites, %s: %d rounds, want %d", tt.sites, tt.kind, got, tt.want)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	top := topologyOf(3)
	every := Schedule{"live": {prober.KindCanary: 2 * time.Second, prober.KindPlayback: 2 * time.Second, prober.KindGoLive: time.Minute}}
	s := DefaultSettings()
	s.Threshold = DefaultThreshold(s, top, every, DefaultFalseOpenings)
	p, err := NewPolicy(s, top)
	if err != nil {
		t.Fatal(err)
	}
	worst := 0.0
	for _, b := range p.Bounds(every) {
		worst = max(worst, b.PerYear)
	}
	if worst > DefaultFalseOpenings || worst < DefaultFalseOpenings/1.2 {
		t.Errorf("the worst component opens %g times a year at %v nats, wanted %g", worst, s.Threshold, DefaultFalseOpenings)
	}
}
