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

func TestQuorumFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		sites  int
		wanted float64
		want   int
	}{
		{0, .01, 1}, {1, .01, 1}, {2, .01, 2}, {3, .01, 2}, {4, .01, 3}, {5, .01, 3}, {6, .01, 4}, {8, .01, 4}, {12, .01, 4},
		{1, 1e-9, 1}, {2, 1e-9, 2}, {3, 1e-9, 2}, {4, 1e-9, 3}, {12, 1e-9, 6}, // never all of three
		{2, 365, 2}, {3, 365, 2}, {12, 365, 2}, // never one alone
		{4, 1, 3}, {4, 5, 2}, {6, .1, 3},
	} {
		if got := QuorumFor(tt.sites, tt.wanted); got != tt.want {
			t.Errorf("%d sites, %v a year: %d have to agree, want %d", tt.sites, tt.wanted, got, tt.want)
		}
	}
}

func TestUnseenTogether(t *testing.T) {
	t.Parallel()
	const starts = 365 * 24 * 60 * 60 / 20. // of 20 s, a year
	for _, tt := range []struct {
		sites, together int
		want            float64
	}{
		{1, 1, .0005 * starts},
		{3, 1, 3 * .0005 * starts},
		{3, 2, 3 * 2 * .0005 * .0005 * starts},
		{4, 3, 4 * 3 * .0005 * .0005 * .0005 * starts},
		{6, 3, 20 * 3 * .0005 * .0005 * .0005 * starts},
		{2, 3, 0},
		{2, 0, 0},
	} {
		if got := UnseenTogether(tt.sites, tt.together); math.Abs(got-tt.want) > tt.want*1e-9 {
			t.Errorf("%d of %d sites: %g a year, want %g", tt.together, tt.sites, got, tt.want)
		}
	}
}

// TestUnseenTogetherIsDrawn draws the trouble of each site, second by second, and counts
// how often so many have it at once. The formula is for what is rare; shares that can be
// drawn are larger, so the count is scaled to the formula's.
func TestUnseenTogetherIsDrawn(t *testing.T) {
	t.Parallel()
	const seconds, lasts, share = 4_000_000, 20, .005
	random := rand.New(rand.NewPCG(4, 2))
	for _, tt := range []struct{ sites, together int }{{3, 2}, {6, 2}} {
		until := make([]int, tt.sites)
		begun, before := 0, false
		for now := range seconds {
			ill := 0
			for i := range until {
				if until[i] <= now && random.Float64() < share/lasts {
					until[i] = now + lasts
				}
				if until[i] > now {
					ill++
				}
			}
			if is := ill >= tt.together; is != before {
				before = is
				if is {
					begun++
				}
			}
		}
		want := UnseenTogether(tt.sites, tt.together) * math.Pow(share/UnseenShare, float64(tt.together)) * seconds / year.Seconds()
		if got := float64(begun); math.Abs(got-want) > .25*want {
			t.Errorf("%d of %d sites: %v times, the formula has %.0f", tt.together, tt.sites, got, want)
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

// Three canaries that drop at once open in a single round up to 30.03 nats, and where a
// component shows three regions it takes more.
func TestOneRoundOrTwo(t *testing.T) {
	t.Parallel()
	every := Schedule{"live": {prober.KindCanary: 2 * time.Second, prober.KindPlayback: 2 * time.Second, prober.KindGoLive: time.Minute, prober.KindAPI: 30 * time.Second}}
	for _, tt := range []struct {
		name   string
		change func(*Topology)
		want   int
	}{
		{"a component for each ingest and playback", func(*Topology) {}, 1},
		{"one for all of three regions", func(top *Topology) {
			top.Components = []Component{{ID: "all", Name: "All", Publish: PublishAuto, Elements: top.Targets[0].Elements()}}
		}, 2},
	} {
		top := topologyOf(3)
		tt.change(&top)
		s := DefaultSettings()
		s.Threshold = DefaultThreshold(s, top, every, DefaultFalseOpenings)
		p, err := NewPolicy(s, top)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.RoundsToOpen(prober.KindCanary); got != tt.want || (s.Threshold <= NatsOf(30.03)) != (got == 1) {
			t.Errorf("%s: %d rounds at %.2f nats, want %d", tt.name, got, float64(s.Threshold)/1e6, tt.want)
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
