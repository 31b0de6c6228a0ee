package hls

import (
	"fmt"
	"math"
	"net/url"
	"time"

	"streamcanary/prober"
)

// slightlyApart is by how many segments two origins behind one name may differ
// without either being at fault.
const slightlyApart = 3

// Analyze checks current, and how it follows from previous (nil for the first),
// with the default Rules.
func Analyze(previous, current *Playlist, at time.Time) []prober.Finding {
	return Rules{}.Analyze(previous, current, at)
}

// Analyze checks the media playlist of a live broadcast, and how it follows from
// the previous one (nil for the first). It is pure: at is when current was
// requested, so that a slow answer is not held against the playlist, and
// previous.Updated is when a change was last observed. The same playlist twice
// breaks no rule until it is stale.
func (r Rules) Analyze(previous, current *Playlist, at time.Time) []prober.Finding {
	found := findings{rules: r}
	if current.EndList {
		found.add(ruleEnded, "EXT-X-ENDLIST at media sequence %d, but the broadcast is up", current.MediaSequence)
	}
	if len(current.Segments) == 0 {
		found.add(ruleEmpty, "the playlist lists no segment")
	}
	how := compare(previous, current)
	if how == regressed {
		found.add(ruleRegression, "media sequence fell from %s to %s", window(previous), window(current))
	}
	if how == unchanged || how == olderCopy {
		bound := r.staleAfter(current.TargetDuration)
		if since := at.Sub(previous.Updated); since > bound && !current.EndList && len(current.Segments) > 0 {
			found.add(ruleStale, "no new segment after %s for %s, more than 1.5 x target duration %s and a tolerance of %s",
				window(previous), since.Round(100*time.Millisecond), current.TargetDuration, bound-current.TargetDuration*3/2)
		}
	}
	if s, ok := tooLong(current); ok {
		found.add(ruleTooLong, "segment %d lasts %.3f s, which rounds to more than the target duration %s",
			s.Sequence, s.Duration.Seconds(), current.TargetDuration)
	}
	return found.list
}

// relation says how a playlist follows from the previous one.
type relation int

const (
	first     relation = iota // there is no previous one
	advanced                  // new segments at the tail
	unchanged                 // the same newest segment
	olderCopy                 // an earlier version of the same playlist, from an origin slightly behind
	regressed                 // its sequence numbers fell
)

// compare relates two media playlists by their sequence numbers.
func compare(previous, current *Playlist) relation {
	if previous == nil {
		return first
	}
	before, had := previous.newest()
	now, has := current.newest()
	switch {
	case !had && has:
		return advanced
	case !has:
		return unchanged
	case current.MediaSequence < previous.MediaSequence || now < before:
		if !sameBroadcast(previous, current) {
			return regressed
		}
		if now < before {
			return olderCopy
		}
	}
	if now > before {
		return advanced
	}
	return unchanged
}

// sameBroadcast says whether two playlists are views of one broadcast that lie
// at most slightlyApart: what both list is the same in both.
func sameBroadcast(a, b *Playlist) bool {
	endA, _ := a.newest()
	endB, _ := b.newest()
	if apart(a.MediaSequence, b.MediaSequence) > slightlyApart || apart(endA, endB) > slightlyApart {
		return false
	}
	from, to := max(a.MediaSequence, b.MediaSequence), min(endA, endB)
	for n := from; n <= to; n++ {
		if !sameSegment(a.Segments[n-a.MediaSequence], b.Segments[n-b.MediaSequence]) {
			return false
		}
	}
	return from <= to
}

func apart(a, b uint64) uint64 { return max(a, b) - min(a, b) }

// sameSegment compares by path: the query may hold a token made for each request.
func sameSegment(a, b Segment) bool {
	if !a.ProgramDateTime.IsZero() && !b.ProgramDateTime.IsZero() &&
		a.ProgramDateTime.Sub(b.ProgramDateTime).Abs() > time.Second {
		return false
	}
	return pathOf(a.URI) == pathOf(b.URI) && (a.Duration-b.Duration).Abs() < 10*time.Millisecond
}

func pathOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return uri
	}
	return u.Path
}

// tooLong finds the newest segment whose rounded duration exceeds the target.
func tooLong(p *Playlist) (Segment, bool) {
	for i := len(p.Segments) - 1; i >= 0; i-- {
		if s := p.Segments[i]; math.Round(s.Duration.Seconds()) > p.TargetDuration.Seconds() {
			return s, true
		}
	}
	return Segment{}, false
}

// window writes a playlist's sequence numbers for a person.
func window(p *Playlist) string {
	newest, ok := p.newest()
	if !ok {
		return fmt.Sprintf("%d (empty)", p.MediaSequence)
	}
	return fmt.Sprintf("%d..%d", p.MediaSequence, newest)
}
