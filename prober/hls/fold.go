package hls

import (
	"slices"
	"time"

	"streamcanary/prober"
)

// view is what one rendition shows in a turn.
type view struct {
	listing
	Observation
	age    time.Duration // since it began to be followed
	proven bool          // ever
	edge   edge
	// figures are what is known of this rendition alone.
	figures prober.Rendition
}

// Observe gives the present condition and what was found since the last call.
// It may be called while Run runs, by one caller.
func (f *Follower) Observe(now time.Time) Observation {
	var views []view
	for _, r := range f.current() {
		o, figures := r.observe(now)
		views = append(views, view{listing: r.listing(), Observation: o, age: now.Sub(r.started), proven: r.state.wasProven(), edge: r.state.edgeNow(), figures: figures})
	}
	f.top.mu.Lock()
	top := f.top.take()
	f.top.mu.Unlock()
	return f.fold(now, top, views)
}

// fold makes one observation of what the playback URL and its renditions show.
// The figures are of the leading rendition, the first that plays; what counts is
// added up.
func (f *Follower) fold(now time.Time, top Observation, views []view) Observation {
	var o Observation
	lead := leading(views)
	if lead != nil {
		o = lead.Observation
	}
	o.Findings = nil
	add(&o, top, lead == nil)
	for i := range views {
		v := &views[i]
		if v != lead {
			add(&o, v.Observation, false)
		}
		o.Findings = append(o.Findings, v.Findings...)
	}
	if o.LastMarker.Clock.IsZero() {
		marked(&o, views)
	}
	o.Ended = allEnded(views)
	o.Renditions, o.Unrenewed = followed(views), unrenewed(views)
	o.Findings = gravest(append(o.Findings, top.Findings...))
	o.Proof = f.proof(views)
	o.Playing = o.Playing && (f.cfg.unproven() || anyProven(views))
	o.Failure, o.Since = f.verdict(top, views)
	if o.Failure == nil && len(views) > 0 && !o.Playing && !o.PlayingSince.IsZero() && f.cfg.Look != nil && now.Sub(o.PlayingSince) < f.cfg.LookEvery {
		o.Failure, o.Since = f.nothingYet(), f.started // the first look is on its way
	}
	if o.Failure == nil && len(views) > 0 && !o.Playing {
		o.Failure, o.Since = f.cfg.Rules.condition(unproven(views)), o.PlayingSince
	}
	return o
}

// unproven is the verdict on media that plays and is nobody's, as far as can be
// known: without a marker in any rendition.
func unproven(views []view) *prober.Failure {
	return failf(prober.StageMedia, prober.ReasonNoMarker, "media without any marker in all of %d renditions", len(views))
}

// proof is the weakest means by which the renditions that are looked into were
// proven; "" when one of them is not. Subtitles carry no proof.
func (f *Follower) proof(views []view) prober.Means {
	weakest, means := -1, prober.AllMeans()
	for i := range views {
		v := &views[i]
		if v.kind == kindSubtitles || f.cfg.sampling(v.name) == 0 || !v.Playing && v.age < startGrace {
			continue
		}
		at := slices.Index(means, v.Proof)
		if at < 0 || failing(v.Failure) {
			return ""
		}
		weakest = max(weakest, at)
	}
	if weakest < 0 {
		return ""
	}
	return means[weakest]
}

// marked takes the newest marker of any rendition, where the leading one has none:
// that one of them is proven must not make another's old media count as new.
func marked(o *Observation, views []view) {
	for i := range views {
		if v := &views[i]; v.LastMarker.Clock.After(o.LastMarker.Clock) {
			o.FirstMarker, o.LastMarker, o.ReceivedAt = v.FirstMarker, v.LastMarker, v.ReceivedAt
		}
	}
}

func anyProven(views []view) bool {
	return slices.ContainsFunc(views, func(v view) bool { return v.proven })
}

func allEnded(views []view) bool {
	return len(views) > 0 && !slices.ContainsFunc(views, func(v view) bool { return !v.Ended })
}

// add counts more into o; figures too where there are no others.
func add(o *Observation, more Observation, figures bool) {
	o.BytesReceived += more.BytesReceived
	o.Segments += more.Segments
	o.Skipped += more.Skipped
	o.Missed += more.Missed
	o.Recovered += more.Recovered
	if more.LastRecovered != "" {
		o.LastRecovered = more.LastRecovered
	}
	if figures || more.Connect > 0 && o.Connect == 0 {
		o.Resolve, o.Connect, o.TLS = more.Resolve, more.Connect, more.TLS
	}
	if figures {
		o.ManifestTime = more.ManifestTime
	}
	if !more.PlayingSince.IsZero() && (o.PlayingSince.IsZero() || more.PlayingSince.Before(o.PlayingSince)) {
		o.Playing, o.PlayingSince = true, more.PlayingSince
	}
}

// leading picks the rendition whose figures stand for the whole: one that plays
// well, else one that has played, else the first.
func leading(views []view) *view {
	var lead *view
	for i := range views {
		v := &views[i]
		if lead == nil || standing(v) > standing(lead) {
			lead = v
		}
	}
	return lead
}

func standing(v *view) int {
	switch {
	case v.Playing && !failing(v.Failure):
		return 2
	case v.Playing:
		return 1
	}
	return 0
}

func failing(f *prober.Failure) bool { return f != nil && f.Outcome == prober.Fail }

// verdict folds the conditions of all renditions into one. What fails in one
// alone is degraded while a variant plays, unless it is set otherwise.
func (f *Follower) verdict(top Observation, views []view) (*prober.Failure, time.Time) {
	if len(views) == 0 {
		if top.Failure != nil {
			return top.Failure, top.Since
		}
		return f.nothingYet(), f.started
	}
	plays := false
	for i := range views {
		v := &views[i]
		plays = plays || v.Playing && !failing(v.Failure) && v.kind <= kindVariant
	}
	worst, since := top.Failure, top.Since
	for i := range views {
		fail := f.weigh(&views[i], plays)
		if fail != nil && (worst == nil || rank(fail) < rank(worst)) {
			worst, since = fail, views[i].Since
		}
	}
	if !plays && failing(worst) && top.Failure == nil {
		if mixed := f.cfg.Rules.lasting(nonePlayable(views)); mixed != nil {
			return mixed, since
		}
	}
	return worst, since
}

// weigh is what a rendition's condition means for the whole.
func (f *Follower) weigh(v *view, plays bool) *prober.Failure {
	fail := v.Failure
	if fail == nil || v.kind == kindAlone {
		return fail
	}
	named := at(v.name, fail)
	if plays && failing(fail) && !f.cfg.FailAlone {
		if !v.Playing && v.age < startGrace {
			return nil // the renditions of a stream that starts do not all start at once
		}
		named.Outcome = prober.Degraded
	}
	return named
}

// startGrace is how much later than another a rendition may begin to play.
const startGrace = 4 * time.Second

// nonePlayable names variants of which each fails in its own way, and none has
// ever played. When all fail alike, that is the failure.
func nonePlayable(views []view) *prober.Failure {
	var last *prober.Failure
	count, mixed := 0, false
	for i := range views {
		v := &views[i]
		switch {
		case v.kind > kindVariant:
			continue
		case v.Playing || v.Failure == nil:
			return nil
		}
		mixed = mixed || last != nil && (last.Stage != v.Failure.Stage || last.Reason != v.Failure.Reason)
		last = v.Failure
		count++
	}
	if !mixed {
		return nil
	}
	return manifest(prober.ReasonNoRenditionPlayable, "none of %d variants can be played, the last: %s", count, last.Detail)
}
