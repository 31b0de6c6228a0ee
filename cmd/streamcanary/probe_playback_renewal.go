package main

import (
	"fmt"
	"time"

	"streamcanary/prober"
)

// renewal is what shows that a live rendition goes on.
type renewal struct {
	late     bool // it came to be after others
	segments int  // listed, of the first playlist the newest alone
}

// renewed is whose renewal it is: names may be given twice.
type renewed struct {
	name string
	nth  int
}

// each gives renditions by what they are in v.renewals.
func each(all []prober.Rendition) func(func(renewed, prober.Rendition) bool) {
	return func(yield func(renewed, prober.Rendition) bool) {
		count := map[string]int{}
		for _, r := range all {
			if !yield(renewed{r.Name, count[r.Name]}, r) {
				return
			}
			count[r.Name]++
		}
	}
}

// goesOn says that a rendition has no end.
func goesOn(r prober.Rendition) bool { return r.TargetDuration > 0 && !r.EndList }

// renew takes what renditions have listed since the last look.
func (v *validation) renew(now time.Time, all []prober.Rendition) {
	before := v.renewals
	v.shown, v.renewals = all, map[renewed]renewal{} // of these alone: names may change for ever
	for key, r := range each(all) {
		if r.TargetDuration == 0 {
			continue
		}
		if v.listed.IsZero() {
			v.listed = now
		}
		was, known := before[key]
		if !known {
			was.late = now.Sub(v.listed) > startLength
		}
		was.segments += r.Segments
		v.renewals[key] = was
	}
}

// watching is for how long a live stream is watched: until a playlist that does not
// change is stale.
func (v *validation) watching() time.Duration {
	limit := liveLength
	for _, r := range v.shown {
		if goesOn(r) {
			limit = max(limit, prober.RenewalWait(r.TargetDuration))
		}
	}
	return limit
}

// doubt makes a verdict inconclusive where nothing new came of what is live, and
// nothing says that it is stale: one look at a frozen playlist is as good. Subtitles may
// be sparse.
func (v *validation) doubt(now time.Time, verdict *prober.Result) {
	for key, r := range each(v.shown) {
		if was := v.renewals[key]; !goesOn(r) || r.Type == prober.RenditionSubtitles || was.segments > 1 || was.late || v.isStale(r) {
			continue
		}
		verdict.Outcome, verdict.Reason = prober.Inconclusive, prober.ReasonConfiguration
		took, of := now.Sub(v.began).Round(100*time.Millisecond), ""
		if r.Name != "" {
			of = " of " + v.clean(r.Name)
		}
		switch need := prober.RenewalDue(r.TargetDuration); {
		case v.interrupted:
			verdict.Reason, verdict.Detail = prober.ReasonCancelled, fmt.Sprintf("interrupted after %s, before a second segment%s came", took, of)
		case took < need:
			verdict.Detail = fmt.Sprintf("no second segment%s need come within %s, where the target duration is %s: give --for %s or more", of, took, r.TargetDuration, need)
		default:
			verdict.Detail = fmt.Sprintf("no second segment%s came within %s, and no rule says that this is wrong", of, took)
		}
		return
	}
}

// isStale says whether it was told that nothing new came, be it as a note.
func (v *validation) isStale(r prober.Rendition) bool {
	for at := range v.told {
		if at.reason == prober.ReasonPlaylistStale && at.where == r.Name {
			return true
		}
	}
	return false
}
