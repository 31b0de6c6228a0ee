package hls

import "time"

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
	if apart(a.Segments[0].Sequence, b.Segments[0].Sequence) > slightlyApart || apart(endA, endB) > slightlyApart {
		return false
	}
	inA, inB := overlap(a, b)
	for i := range inA {
		if pathOf(inA[i].URI) != pathOf(inB[i].URI) || differs(&inA[i], &inB[i]) != "" {
			return false
		}
	}
	return len(inA) > 0
}

func apart(a, b uint64) uint64 { return max(a, b) - min(a, b) }

// overlap gives what both list by sequence number, of each.
func overlap(a, b *Playlist) (inA, inB []Segment) {
	endA, hasA := a.newest()
	endB, hasB := b.newest()
	if !hasA || !hasB {
		return nil, nil
	}
	firstA, firstB := a.Segments[0].Sequence, b.Segments[0].Sequence
	from, to := max(firstA, firstB), min(endA, endB)
	if from > to {
		return nil, nil
	}
	return a.Segments[from-firstA : to-firstA+1], b.Segments[from-firstB : to-firstB+1]
}

// differs says what of a segment is not as it was; "" is nothing. URIs count by
// their names: query and path may hold tokens made for each request.
func differs(a, b *Segment) string {
	switch {
	case !sameName(a.URI, b.URI):
		return "URI"
	case (a.Duration - b.Duration).Abs() >= 10*time.Millisecond:
		return "duration"
	case a.Range != b.Range:
		return "byte range"
	case !a.ProgramDateTime.IsZero() && !b.ProgramDateTime.IsZero() && a.ProgramDateTime.Sub(b.ProgramDateTime).Abs() > time.Second:
		return "date"
	}
	return ""
}

// update checks how a media playlist follows from the previous one (6.2.1, 6.2.2).
func (f *findings) update(previous, current *Playlist, at time.Time) {
	how := compare(previous, current)
	f.gaps(previous, current, how)
	switch how {
	case first:
		return
	case regressed:
		f.add(ruleRegression, "media sequence fell from %s to %s", window(previous), window(current))
		return
	case unchanged, olderCopy:
		f.stale(previous, current, at)
	case advanced:
	}
	// Two origins behind one name may be at different versions: only what goes
	// forward is held against the previous one.
	if how == olderCopy || current.MediaSequence < previous.MediaSequence || len(previous.Segments) == 0 || len(current.Segments) == 0 {
		return
	}
	f.header(previous, current)
	f.removed(previous, current)
	inBefore, inNow := overlap(previous, current)
	f.jumped(previous, current, inNow, at)
	f.rewritten(previous, current, inBefore, inNow)
	f.discontinuities(previous, current, inNow)
	f.dateRanges(previous, current)
}

func (f *findings) stale(previous, current *Playlist, at time.Time) {
	if current.EndList || len(current.Segments) == 0 || previous.Updated.IsZero() {
		return
	}
	bound := f.rules.staleAfter(current.TargetDuration)
	if since := at.Sub(previous.Updated); since > bound {
		f.add(ruleStale, "no new segment after %s for %s, more than 1.5 x target duration %s and a tolerance of %s",
			window(previous), since.Round(100*time.Millisecond), current.TargetDuration, bound-current.TargetDuration*3/2)
	}
	f.partStale(previous, current, at)
}

// gaps finds new segments without media. What fills a playlist before the first
// media is no fault: low-latency origins do so at their start.
func (f *findings) gaps(previous, current *Playlist, how relation) {
	played := false
	newest, had := uint64(0), false
	if how == advanced || how == unchanged || how == olderCopy {
		newest, had = previous.newest()
		played = had && !previous.Segments[len(previous.Segments)-1].Gap
	}
	for i := range current.Segments {
		s := &current.Segments[i]
		if s.Gap && played && (!had || s.Sequence > newest) {
			f.add(ruleGap, "segment %d of %s is marked EXT-X-GAP", s.Sequence, s.Duration)
		}
		played = played || !s.Gap
	}
}

// header compares what must not change (6.2.1).
func (f *findings) header(previous, current *Playlist) {
	if previous.TargetDuration != current.TargetDuration {
		f.add(ruleTargetChanged, "EXT-X-TARGETDURATION changed from %s to %s", previous.TargetDuration, current.TargetDuration)
	}
	if previous.Type != current.Type {
		f.add(ruleTypeChanged, "EXT-X-PLAYLIST-TYPE changed from %q to %q", previous.Type, current.Type)
	}
	if previous.EndList && !current.EndList {
		f.add(ruleReopened, "EXT-X-ENDLIST was there, and is gone at %s", window(current))
	}
	if previous.Type == "VOD" && (len(previous.Segments) != len(current.Segments) || previous.MediaSequence != current.MediaSequence) {
		f.add(ruleVODChanged, "it listed %s and lists %s", window(previous), window(current))
	}
}

// removed checks what goes away at the head (6.2.2).
func (f *findings) removed(previous, current *Playlist) {
	from, to := previous.Segments[0].Sequence, current.Segments[0].Sequence
	if to <= from {
		return
	}
	if current.Type == "EVENT" || f.rules.Expect == ExpectEvent {
		f.add(ruleEventRemoved, "it listed %s and lists %s", window(previous), window(current))
	}
	left, bound := current.Duration(), 3*current.TargetDuration
	const rounding = 10 * time.Millisecond
	if !current.EndList && left+rounding < bound {
		f.add(ruleWindow, "%s are left at %s, less than three target durations of %s", left, window(current), current.TargetDuration)
	}
	if !current.EndList && left+rounding < 2*current.TargetDuration {
		f.add(ruleWindowTiny, "%s are left at %s, less than two target durations of %s", left, window(current), current.TargetDuration)
	}
}

// rewritten looks for segments that are not what they were, and for a media
// sequence number that did not count what was removed.
func (f *findings) rewritten(previous, current *Playlist, before, now []Segment) {
	looked := false
	for i := range now {
		what := differs(&before[i], &now[i])
		if what == "" {
			continue
		}
		if !looked { // once: it goes over all of them
			if shift, more, ok := shifted(before, now); ok {
				f.miscounted(previous, current, shift, more)
				return
			}
			looked = true
		}
		f.add(ruleRewritten, "segment %d has another %s than before: %q of %s, and it was %q of %s", now[i].Sequence, what,
			cutShort(nameOf(now[i].URI)), now[i].Duration, cutShort(nameOf(before[i].URI)), before[i].Duration)
	}
}

// shifted says by how many places more, or fewer, a list moved than its sequence
// numbers say.
// Resources that are cut by byte ranges share a name, so they are told by range. Where
// all are named as they were, none has moved: queries alone may tell them apart.
func shifted(before, now []Segment) (shift uint64, more, ok bool) {
	const most = 10
	same := func(a, b *Segment) bool { return nameOf(a.URI) == nameOf(b.URI) && a.Range == b.Range }
	moved := func(by int) bool {
		n := 0
		for i := range now {
			if j := i + by; j >= 0 && j < len(before) {
				if !same(&before[j], &now[i]) {
					return false
				}
				n++
			}
		}
		return n > 0
	}
	if moved(0) {
		return 0, false, false
	}
	for by := 1; by <= most && by < len(now); by++ {
		if moved(by) {
			return uint64(by), true, true
		}
		if moved(-by) {
			return uint64(by), false, true
		}
	}
	return 0, false, false
}

// jumped looks, where no number is in both versions, for a segment that is: the
// newest of before, under another number. After as long as it takes to make so many
// segments it may be a new one, as names may come again.
func (f *findings) jumped(previous, current *Playlist, both []Segment, at time.Time) {
	if len(both) > 0 || !current.seen.hasSequence {
		return
	}
	newest := &previous.Segments[len(previous.Segments)-1]
	rose := current.Segments[len(current.Segments)-1].Sequence - newest.Sequence
	mean := current.Duration().Seconds() / float64(len(current.Segments))
	since := at.Sub(previous.Updated) + current.TargetDuration
	if !previous.Updated.IsZero() && float64(rose)*mean <= since.Seconds() {
		return
	}
	if listedAs(previous, newest) == 1 && listedAs(current, newest) == 1 && haveNames(previous, current) {
		f.add(ruleSequence, "the media sequence number rose by %d, from %d to %d, but %q is listed as before", current.MediaSequence-previous.MediaSequence,
			previous.MediaSequence, current.MediaSequence, cutShort(nameOf(newest.URI)))
	}
}

// listedAs counts the segments of a playlist that have the name and range of one.
func listedAs(p *Playlist, s *Segment) (n int) {
	name := nameOf(s.URI)
	for i := range p.Segments {
		if other := &p.Segments[i]; other.Range == s.Range && nameOf(other.URI) == name {
			n++
		}
	}
	return n
}

// haveNames says whether a name that is once in either playlist tells its segment from
// others: there are more that have another one, or it is the same URI to the last byte.
func haveNames(a, b *Playlist) bool {
	return len(a.Segments) > 1 || len(b.Segments) > 1 || a.Segments[0].URI == b.Segments[0].URI
}

func (f *findings) miscounted(previous, current *Playlist, shift uint64, more bool) {
	rose := current.MediaSequence - previous.MediaSequence
	if !current.seen.hasSequence {
		f.add(ruleNoSequence, "%d segments were removed, and there is no EXT-X-MEDIA-SEQUENCE", shift)
		return
	}
	removed := rose + shift
	if !more {
		removed = rose - min(rose, shift)
	}
	f.add(ruleSequence, "the media sequence number rose by %d, from %d to %d, but %d segments were removed", rose, previous.MediaSequence, current.MediaSequence, removed)
}

// discontinuities checks that each segment keeps its number (6.2.2).
func (f *findings) discontinuities(previous, current *Playlist, both []Segment) {
	if len(both) == 0 {
		return
	}
	at := both[0].Sequence
	before, now := previous.dsn(at), current.dsn(at)
	switch {
	case before == now:
	case !current.seen.hasDSN && now < before:
		f.add(ruleDSNMissing, "segment %d was after discontinuity %d, and there is no EXT-X-DISCONTINUITY-SEQUENCE to say so", at, before)
	default:
		f.add(ruleDSN, "segment %d was after discontinuity %d and is after %d", at, before, now)
	}
}

// dsn is a listed segment's discontinuity sequence number (6.2.1).
func (p *Playlist) dsn(sequence uint64) uint64 {
	n := p.DiscontinuitySequence
	for i := range p.Segments {
		if p.Segments[i].Discontinuity {
			n++
		}
		if p.Segments[i].Sequence == sequence {
			break
		}
	}
	return n
}
