package incident

import (
	"fmt"
	"math"
)

// baseline is what was measured of an element and kind while all was well, beside
// what the policy takes for granted: a failure no likelier than p0 after a good
// round, and than again_p0 after a failed one. Failures are counted when the site
// sees the element good again: those that open it are no noise.
type baseline struct {
	Rounds uint64 `json:"rounds"` // that followed a good one
	Failed uint64 `json:"failed"` // of those
	After  uint64 `json:"after"`  // rounds that followed a failed one
	Again  uint64 `json:"again"`  // of those, failed as well
	Told   bool   `json:"told,omitempty"`
}

// p0s are a kind's rates in billionths, which are counted with: sums of floats
// differ between machines.
type p0s struct{ first, again uint64 }

func newP0s(r Rates) p0s {
	return p0s{uint64(math.Round(r.P0 * 1e9)), uint64(math.Round(r.AgainP0 * 1e9))}
}

// good counts a good round after so many failed ones. What is old weighs less and
// less: both counts are halved when as many as 50 failures would have been granted.
func (b *baseline) good(p p0s, failed uint64) {
	b.Rounds++
	if failed > 0 {
		b.Failed++
		b.After += failed
		b.Again += failed - 1
	}
	const most = 50e9
	if b.Rounds*p.first >= most {
		b.Rounds, b.Failed = b.Rounds/2, b.Failed/2
	}
	if b.After*p.again >= most {
		b.After, b.Again = b.After/2, b.Again/2
	}
}

// exceeded says that more failed than p0 grants, and that chance alone does not
// explain it: so many failures above the mean have a probability of 1e-5 or less
// (a Poisson variable above its mean by four deviations and four).
func exceeded(failed, rounds, p0 uint64) bool {
	mean := rounds * p0 / 1e6 // thousandths of a failure
	return failed*1000 > mean+4*root(mean*1000)+4000
}

// root is the whole square root.
func root(n uint64) uint64 {
	if n == 0 {
		return 0
	}
	x := n
	for y := (x + 1) / 2; y < x; y = (x + n/x) / 2 {
		x = y
	}
	return x
}

// fewRuns is how many runs of failures have to end before their lengths are judged:
// one bad night is not yet a habit.
const fewRuns = 8

// measure notes a good round for the baseline of its sum, and tells on-call when
// what the policy takes for granted no longer holds, and when it does again.
func (t *turn) measure(key string, sum *sumState, failed uint64) {
	b, p := &sum.Baseline, t.p0s[sum.Kind]
	b.good(p, failed)
	first := exceeded(b.Failed, b.Rounds, p.first)
	again := b.Failed >= fewRuns && exceeded(b.Again, b.After, p.again)
	switch {
	case b.Told == (first || again):
	case !b.Told:
		b.Told = true
		what := fmt.Sprintf("p0 of %s is %s, and %d of %d rounds after a good one failed", sum.Kind, share(p.first), b.Failed, b.Rounds)
		if !first {
			what = fmt.Sprintf("again_p0 of %s is %s, and %d of %d rounds after a failed one failed as well", sum.Kind, share(p.again), b.Again, b.After)
		}
		t.emit(Event{Type: BaselineExceeded, Key: "baseline/" + key,
			Summary: sum.Element.String() + " fails more often than the policy takes for granted, and opened nothing: " + what +
				". Find out why, or raise it: the bound on false openings does not hold"})
	case b.within(p):
		b.Told = false
		t.emit(Event{Type: BaselineHolds, Key: "baseline/" + key, Summary: sum.Element.String() + " fails no more often than the policy takes for granted"})
	}
}

// unmeasured takes back what was told of a sum that the configuration drops.
func (t *turn) unmeasured(key string, sum *sumState) {
	if sum.Baseline.Told {
		t.emit(Event{Type: BaselineHolds, Key: "baseline/" + key, Summary: sum.Element.String() + " is no longer probed so"})
	}
}

// within says that what was told is over: no more failed than is granted.
func (b *baseline) within(p p0s) bool {
	return b.Failed*1e9 <= b.Rounds*p.first && (b.Failed < fewRuns || b.Again*1e9 <= b.After*p.again)
}

func share(billionths uint64) string {
	return fmt.Sprintf("%.2g %%", float64(billionths)/1e7)
}

// notNoise forgets failures that opened an element.
func (sum *sumState) notNoise() {
	for _, site := range sum.Sites {
		site.Noise = 0
	}
}
