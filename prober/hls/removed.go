package hls

import (
	"context"
	"net/http"
	"time"

	"streamcanary/prober"
)

// askEvery is from one removed segment that is asked for to the next.
const askEvery = 30 * time.Second

// watchedSegment is a segment that is followed until it is removed from the playlist.
type watchedSegment struct {
	Segment
	// first is the latest time before which it is known not to have been listed. It
	// is too early rather than too late: what is gone then is surely gone too soon.
	first   time.Time
	longest time.Duration // of the playlists that listed it
}

// watch chooses a segment that is new in p, or goes on with the one that was
// chosen. When that is removed it may be time to ask for it (6.2.2). before is
// when the last playlist without it was asked for.
func (r *rendition) watch(ctx context.Context, p *Playlist, how relation, before time.Time) {
	now := time.Now()
	if how != advanced || len(p.Segments) == 0 || r.every == 0 || p.EndList || r.f.cfg.SkipRemoved {
		if how == regressed || how == first || p.EndList {
			r.watched = nil
		}
		return
	}
	if w := r.watched; w != nil {
		if w.Sequence >= p.MediaSequence {
			w.longest = max(w.longest, p.Duration())
			return
		}
		r.watched = nil
		if !now.Before(r.askAt) {
			r.askAt = now.Add(askEvery)
			r.ask(ctx, *w, now)
		}
	}
	if newest := p.Segments[len(p.Segments)-1]; !newest.Gap {
		r.watched = &watchedSegment{Segment: newest, first: before, longest: p.Duration()}
	}
}

// endsAt tells when the last frame of a segment was sent: it cannot have been
// listed before. A clock that is ahead of ours tells nothing, and others may differ a
// little.
func (r *rendition) endsAt(s Segment, end, at time.Time) {
	if w := r.watched; w != nil && w.Sequence == s.Sequence && end.Before(at) {
		w.first = latest(w.first, end.Add(-r.f.cfg.Rules.tolerance()))
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// ask looks whether a removed segment is still there. It does not delay what is
// listed.
func (r *rendition) ask(ctx context.Context, w watchedSegment, removed time.Time) {
	u, fail := resolveURL(r.base, w.URI)
	if fail != nil {
		return // Parse would have named it
	}
	cfg := &r.f.cfg
	r.f.running.Go(func() {
		asked := Asked{
			Sequence: w.Sequence, Duration: w.Duration, FirstListed: w.first, Removed: removed, Longest: w.longest, At: time.Now(),
		}
		// A byte is enough, and cheaper than HEAD: more servers and caches know it.
		got, _ := r.f.fetch.get(ctx, request{
			url: u, stage: prober.StageSegment, limit: 1, timeout: cfg.PlaylistTimeout, part: ByteRange{Offset: w.Range.Offset, Length: 1},
		})
		defer got.release()
		r.state.count(got)
		switch got.status {
		case http.StatusNotFound, http.StatusGone, http.StatusForbidden: // some stores say 403 of what is not there
			asked.Status = got.status
		case http.StatusOK, http.StatusPartialContent, http.StatusRequestedRangeNotSatisfiable:
			asked.Status = http.StatusOK
		default:
			return // no answer, or a server in trouble, says nothing of what it keeps
		}
		found := cfg.Rules.Removed(r.what.name, asked)
		r.state.set(slotRemoved, worstOf(found), time.Now())
		r.found(found)
	})
}
