package incident

import (
	"strings"
	"time"

	"streamcanary/prober"
)

// broadcastState is what the sites see of one running broadcast. A place is a site
// and a playback, "site|playback".
type broadcastState struct {
	Target  string               `json:"target,omitempty"`
	Ingest  string               `json:"ingest"`
	Seen    map[string]time.Time `json:"seen"`              // good, by place
	Failing map[string]time.Time `json:"failing,omitempty"` // since when without a good one, by place
	Failed  map[string]time.Time `json:"failed,omitempty"`  // bad, by place
}

// foreign deals with a broadcast that another agent pushes, and says whether the
// cell is thereby dealt with. A failure counts in this site's matrix once the
// broadcast was seen good elsewhere since it began here; if another site sees it
// fail instead, the site that alone could explain it is its pusher's; until one or
// the other is known it counts for nothing.
func (t *turn) foreign(r *prober.Result, c cell, round *roundState, e Evidence) bool {
	if r.Run == "" || !c.Good && (t.muted(playback(r.Target, r.Playback)) || t.muted(ingest(r.Target, r.Ingest))) {
		return false // or it is worked on, which says nothing of a broadcast
	}
	b := t.broadcast(r)
	place := round.Site + "|" + r.Playback
	b.note(place, c.Good, t.s.At)
	if c.Good || c.Direct || r.Pusher == "" || r.Pusher == r.Agent {
		return false
	}
	good, failing := b.elsewhere(place, round.Site)
	if good {
		return false
	}
	pusher, known := t.index.site[r.Pusher]
	if !failing || !known {
		return true
	}
	e.Site, e.Agent = pusher, r.Pusher
	t.count(round, t.blamed(r, b.failsSince()), false, e)
	return true
}

func (t *turn) broadcast(r *prober.Result) *broadcastState {
	b := t.s.Broadcasts[r.Run]
	if b == nil {
		b = &broadcastState{Ingest: r.Ingest, Seen: map[string]time.Time{}}
		t.s.Broadcasts[r.Run] = b
	}
	b.Target = r.Target
	return b
}

// blamed is what a broadcast that nobody sees good is charged to: its ingest, if
// broadcasts of another of its target's ingests are seen since it fails, else the core.
// What comes out now and then says nothing for what lies behind an ingest.
func (t *turn) blamed(r *prober.Result, since time.Time) prober.Element {
	const least = 2 // places
	good, failing := map[string]int{}, map[string]int{}
	for _, other := range t.s.Broadcasts {
		if other.Target == r.Target && other.Ingest != r.Ingest {
			g, f := other.shown(since)
			good[other.Ingest] += g
			failing[other.Ingest] += f
		}
	}
	for id, n := range good {
		if n >= least && n >= failing[id] {
			return ingest(r.Target, r.Ingest)
		}
	}
	return core(r.Target)
}

// shown counts the places at which a broadcast is good since a time, and those at which
// it was seen to fail since.
func (b *broadcastState) shown(since time.Time) (good, failing int) {
	for place, at := range b.Seen {
		if _, bad := b.Failing[place]; !bad && at.After(since) {
			good++
		}
	}
	for _, at := range b.Failed {
		if !at.Before(since) {
			failing++
		}
	}
	return good, failing
}

// failsSince is from when on a broadcast fails anywhere.
func (b *broadcastState) failsSince() (first time.Time) {
	for _, at := range b.Failing {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// note keeps a sighting.
func (b *broadcastState) note(place string, good bool, at time.Time) {
	if good {
		b.Seen[place] = at
		delete(b.Failing, place)
		delete(b.Failed, place)
		return
	}
	if b.Failing == nil {
		b.Failing, b.Failed = map[string]time.Time{}, map[string]time.Time{}
	}
	if _, ok := b.Failing[place]; !ok {
		b.Failing[place] = at
	}
	b.Failed[place] = at
}

// elsewhere says what was seen since the broadcast fails at a place: whether it is
// good anywhere else, and whether another site sees it fail.
func (b *broadcastState) elsewhere(place, site string) (good, failing bool) {
	since, own := b.Failing[place], site+"|"
	for other, at := range b.Seen {
		good = good || other != place && at.After(since)
	}
	for other, at := range b.Failed {
		failing = failing || !strings.HasPrefix(other, own) && !at.Before(since)
	}
	return good, failing
}

// forget drops what was seen too long ago, and says whether nothing is left.
func (b *broadcastState) forget(before time.Time) bool {
	for place, at := range b.Seen {
		if at.Before(before) {
			delete(b.Seen, place)
		}
	}
	for place, at := range b.Failed {
		if at.Before(before) {
			delete(b.Failed, place)
			delete(b.Failing, place)
		}
	}
	return len(b.Seen)+len(b.Failed) == 0
}
