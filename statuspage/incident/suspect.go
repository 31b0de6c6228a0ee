package incident

import (
	"slices"
	"time"

	"streamcanary/prober"
)

// Suspicion is evidence against an element, for a kind, that has opened nothing. It
// is for on-call: no status, no word and no document of the page is made of it.
type Suspicion struct {
	Element  prober.Element `json:"element"`
	Kind     prober.Kind    `json:"kind"`
	Since    time.Time      `json:"since"`    // first failing result of the sites that speak against it
	Share    float64        `json:"share"`    // of the threshold that they add up to, 0 to 1 and more: without a quorum it opens nothing
	Evidence []Evidence     `json:"evidence"` // the latest of each of them, by site
}

// suspectShare is how much of what one site may say at most makes an element
// suspect: with the default rates one dropped canary, two failed rounds in a row at
// each of two sites, or four at one. A failed round or two of one site are noise.
const suspectShare = 0.5

// suspicions are all that a state holds, in an order of their own.
func (t *turn) suspicions() []Suspicion {
	var all []Suspicion
	for _, key := range sortedKeys(t.s.Sums) {
		if x, ok := t.suspicion(t.s.Sums[key]); ok {
			all = append(all, x)
		}
	}
	return all
}

// suspicion weighs what speaks against an element for which nothing is open, and on
// which nobody works. What a person has resolved while it fails stays one.
func (t *turn) suspicion(sum *sumState) (Suspicion, bool) {
	if t.muted(sum.Element) || sum.Open && t.find(sum) != nil {
		return Suspicion{}, false
	}
	x := Suspicion{Element: sum.Element, Kind: sum.Kind}
	var total Nats
	for _, id := range sortedKeys(sum.Sites) {
		site := sum.Sites[id]
		if site.W == 0 || site.Last == nil || !t.goodSite(id) || site.Contradicted {
			continue
		}
		total += site.W
		x.Evidence = append(x.Evidence, *site.Last)
		if x.Since.IsZero() || site.FirstFail.Before(x.Since) {
			x.Since = site.FirstFail
		}
	}
	x.Share = float64(total) / float64(t.settings.Threshold)
	enough := float64(total) >= suspectShare*float64(t.siteCap(t.settings.Threshold))
	return x, total > 0 && (enough || sum.Open)
}

// suspect puts into a component's view what speaks against its elements.
func (view *ComponentState) suspect(c Component, all []Suspicion) {
	for _, x := range all {
		if !slices.Contains(c.Elements, x.Element) {
			continue
		}
		view.Suspicions = append(view.Suspicions, x)
		if view.SuspectSince.IsZero() || x.Since.Before(view.SuspectSince) {
			view.SuspectSince = x.Since
		}
	}
}
