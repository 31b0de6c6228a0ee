package incident

import (
	"math"
	"slices"
	"time"

	"streamcanary/prober"
)

const year = 365 * 24 * time.Hour

// DefaultFalseOpenings is the wanted rate where none is set: one false opening of
// a component in 100 years.
const DefaultFalseOpenings = .01

// FalseOpening bounds the probability that one round of evidence at each of
// sites finds an element open for a kind while all is well, provided that a
// failure is never likelier than p0, whatever was seen before: a site's sum is
// then above x with a probability of at most e^-x, as an exponential variable
// is, and sums of such reach h with at most e^-h * sum h^j/j! over j < sites.
func FalseOpening(h Nats, sites int) float64 {
	x := float64(h) / 1e6
	term, sum := 1.0, 0.0
	for j := range sites {
		if j > 0 {
			term *= x / float64(j)
		}
		sum += term
	}
	return min(1, math.Exp(-x)*sum)
}

// ThresholdFor is the least threshold, in tenths of a nat, with which so many
// rounds a year open at most wanted times a year by chance.
func ThresholdFor(sites int, rounds, wanted float64) Nats {
	const step, most Nats = 100_000, 100_000_000
	for h := step; h < most; h += step {
		if FalseOpening(h, sites)*rounds <= wanted {
			return h
		}
	}
	return most
}

// What a site's own trouble is taken to be that its controls do not see: it is in such
// for UnseenShare of the time (1 % in trouble, of which controls see 95 %), UnseenFor at
// a time.
const (
	UnseenShare = .01 * (1 - .95)
	UnseenFor   = 20 * time.Second
)

// UnseenTogether is how often a year so many of sites begin to be in trouble of their
// own at once that their controls do not see, if each is for UnseenShare of the time and
// they fall ill independently: about C(sites, together) * together * UnseenShare^together
// / UnseenFor times a second. As many as the quorum may then open what is well.
func UnseenTogether(sites, together int) float64 {
	if together < 1 || together > sites {
		return 0
	}
	n := float64(together)
	for i := range together {
		n *= float64(sites-i) / float64(i+1) * UnseenShare
	}
	return n * (year.Seconds() / UnseenFor.Seconds())
}

// QuorumFor is the least number of sites of which so many are in unseen trouble at once
// at most wanted times a year; and yet never all of three or more, so that a silent one
// hides nothing, and never less than two where there are two.
func QuorumFor(sites int, wanted float64) int {
	for q := min(2, sites); q < sites-1; q++ {
		if UnseenTogether(sites, q) <= wanted {
			return q
		}
	}
	return max(1, min(2, sites), sites-1)
}

// Schedule is the time between two rounds of each kind of probe, by target.
type Schedule map[string]map[prober.Kind]time.Duration

// Bound is how often a component may open although nothing is broken, and what
// that takes for granted.
type Bound struct {
	Component string
	Rounds    float64 // a year, over all elements and kinds of the component
	PerYear   float64 // false openings, at most
}

// Bounds gives the bound of every component, in the topology's order.
func (p Policy) Bounds(every Schedule) []Bound {
	var all []Bound
	for _, c := range p.topology.Components {
		rounds := roundsAYear(c, p.settings, every)
		all = append(all, Bound{
			Component: c.ID, Rounds: rounds,
			PerYear: rounds * FalseOpening(p.settings.Threshold, len(p.topology.Sites)),
		})
	}
	return all
}

// DefaultThreshold is the threshold at which even the component with the most
// rounds opens falsely at most wanted times a year.
func DefaultThreshold(s Settings, t Topology, every Schedule, wanted float64) Nats {
	most := 0.0
	for _, c := range t.Components {
		most = max(most, roundsAYear(c, s, every))
	}
	return ThresholdFor(max(1, len(t.Sites)), max(1, most), wanted)
}

// roundsAYear adds up the rounds that may open a component: those of every kind
// that says something of each of its elements. Confirmation makes them as
// frequent as its spacing, and counts as if it never ended.
func roundsAYear(c Component, s Settings, every Schedule) float64 {
	sum := 0.0
	for _, e := range c.Elements {
		for kind, period := range every[e.Target] {
			if !speaks(kind, e.Type) {
				continue
			}
			if s.ConfirmRounds > 0 && slices.Contains(ConfirmedKinds(), kind) {
				period = min(period, s.ConfirmSpacing)
			}
			rounds := year.Seconds() / max(period, time.Second).Seconds()
			sum += rounds
			if kind != prober.KindCanary && speaks(KindQuality, e.Type) {
				sum += rounds // what plays also says how well
			}
		}
	}
	return sum
}

// ConfirmedKinds are the kinds that the first failure asks for at once.
func ConfirmedKinds() []prober.Kind {
	return []prober.Kind{prober.KindGoLive, prober.KindCanary, prober.KindPlayback, prober.KindAPI}
}

// speaks says whether results of a kind can be evidence on an element of a type.
func speaks(kind prober.Kind, e prober.ElementType) bool {
	switch kind {
	case prober.KindAPI:
		return e == prober.ElementAPI
	case prober.KindCanary:
		return e == prober.ElementIngest
	case prober.KindPlayback:
		return e != prober.ElementAPI
	case prober.KindRecording:
		return e == prober.ElementCore
	case KindQuality:
		return e != prober.ElementAPI
	default: // a go-live passes through everything
		return true
	}
}

// RoundsToOpen is how many rounds in a row have to fail wholly at every site to
// open an element for a kind; 0 when no number of them does.
func (p Policy) RoundsToOpen(kind prober.Kind) int {
	w, sites := p.weights[kind], Nats(len(p.topology.Sites))
	if int(sites) < p.settings.Quorum {
		return 0
	}
	limit := p.siteCap(p.settings.Threshold)
	for n, sum := 1, w.fail; w.fail > 0; n, sum = n+1, sum+w.again {
		if min(sum, limit)*sites >= p.settings.Threshold {
			return n
		}
	}
	return 0
}
