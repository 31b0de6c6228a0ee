package hls

import (
	"net/url"
	"slices"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/media"
)

// sight is what a good segment shows.
type sight struct {
	first, last prober.Marker // ours; zero where there are none
	// begin and end are the broadcaster's clock at the first and the last frame;
	// zero where nothing tells it.
	begin, end time.Time
	proof      prober.Means // that it is ours and live; "" is not proven
	by         prober.Means // what begin and end were taken from; "" is nothing
	at         time.Time    // when its last byte had come
	sequence   uint64
	play       arrival // for the virtual player
}

// judge says whether a downloaded segment is media, ours, and from now, and tells
// what the media breaks.
func (r *rendition) judge(where *url.URL, s Segment, segment, init []byte, at time.Time) (sight, *prober.Failure) {
	summary, err := r.f.cfg.Inspect(segment, init)
	if err != nil && s.Encryption != "" && s.Encryption != methodAES128 {
		r.checker.Skip()
		return r.unseen(s, at)
	}
	if err != nil {
		r.checker.Skip()
		return sight{}, failf(prober.StageMedia, prober.ReasonNotMedia, "%s (%d bytes): %v", place(where), len(segment), err)
	}
	seen, fail := r.identify(where, s, summary, at)
	if r.dark(summary) {
		r.offer(s, segment, init, at, seen.proof != "")
	} else {
		r.state.set(slotLook, nil, at) // markers tell more than the last look
	}
	if fail != nil {
		r.checker.Skip() // what is not the broadcast does not have to go on from it
		r.state.set(slotMedia, nil, at)
		return seen, fail
	}
	r.check(s, summary, at)
	seen.at, seen.sequence = at, s.Sequence
	seen.play = r.arrival(s, at, seen.end)
	return seen, nil
}

// check holds the media against its playlist and the segment before.
func (r *rendition) check(s Segment, summary media.Summary, at time.Time) {
	what := r.listing()
	video, audio := what.tracks()
	if what.only() && what.variant.Codecs == "" { // nothing says what is in it but what was pushed
		video, audio = r.f.cfg.Video, r.f.cfg.Audio
	}
	found := r.checker.Check(summary, media.Expected{
		Where:         r.what.name,
		Duration:      s.Duration,
		First:         !r.looked || s.Sequence != r.lookedAt+1,
		Discontinuity: s.Discontinuity,
		Independent:   r.last.IndependentSegments,
		Video:         video,
		Audio:         audio,
		Encrypted:     s.Encryption != "",
	})
	r.looked, r.lookedAt = true, s.Sequence
	r.state.lookedInto(summary)
	r.state.sentAt(summary, r.last.dsn(s.Sequence))
	if begin, ok := beginOf(summary); ok && !s.ProgramDateTime.IsZero() {
		r.state.stamped(Stamp{Name: r.what.name, Moment: s.ProgramDateTime, At: begin, Discontinuity: r.last.dsn(s.Sequence)})
	}
	if what.kind == kindVariant {
		found = append(found, checkPicture(what, summary)...)
		found = append(found, r.f.cfg.Rules.Codecs(what.name, what.variant, summary.Codecs())...)
	}
	found = r.f.cfg.Rules.Grade(found)
	r.state.set(slotMedia, worstOf(found), at)
	r.found(found)
}

// beginOf is the presentation time of a segment's first picture, or sound.
func beginOf(s media.Summary) (time.Duration, bool) {
	if video, ok := s.Video(); ok {
		return video.First, true
	}
	audio, ok := s.Audio()
	return audio.First, ok
}

// identify says whose media it is, and from when.
func (r *rendition) identify(where *url.URL, s Segment, summary media.Summary, at time.Time) (sight, *prober.Failure) {
	if r.f.cfg.foreign() || r.what.kind == kindSubtitles {
		return timed(s), nil
	}
	markers, means := summary.Markers, prober.MeansSEI
	if len(markers) == 0 {
		markers, means = summary.AudioMarkers, prober.MeansAAC
	}
	if len(markers) == 0 {
		return r.unmarked(where, s, summary)
	}
	v, ok := ours(markers, r.f.tag)
	if !ok {
		return sight{}, failf(prober.StageMedia, prober.ReasonNotOurs, "%s: another broadcast's media, sent at %s", place(where), markers[0].Clock.Format(time.TimeOnly))
	}
	v.proof, v.by = means, means
	bound := r.f.cfg.markerAge(r.last.TargetDuration)
	if age := at.Sub(v.last.Clock); age > bound {
		return v, failf(prober.StageMedia, prober.ReasonMarkerStale, "%s: our media, but sent %s ago (marker %d), bound %s",
			place(where), age.Round(time.Second), v.last.Seq, bound)
	}
	r.marked = true
	return v, nil
}

// dark says whether only decoding can tell what a segment shows: its pictures have
// no marker, or its sound has none. Where one of them is passed through and the
// other made anew, that one may be black, frozen or silent all the same.
func (r *rendition) dark(summary media.Summary) bool {
	if r.f.cfg.Look == nil || r.f.cfg.foreign() || r.what.kind == kindSubtitles {
		return false
	}
	_, pictures := summary.Video()
	_, sound := summary.Audio()
	if !pictures && !sound { // no tracks that we know
		return !r.marked && len(summary.Markers)+len(summary.AudioMarkers) == 0
	}
	return pictures && len(summary.Markers) == 0 || sound && len(summary.AudioMarkers) == 0
}

// unmarked judges media without any marker. It is wrong where markers come
// through, or should. A ladder may be transcoded, so there it proves nothing.
func (r *rendition) unmarked(where *url.URL, s Segment, summary media.Summary) (sight, *prober.Failure) {
	looks := r.f.cfg.Look != nil && !r.state.blind()
	if r.marked || r.what.only() && !r.f.cfg.Transcoded && !looks {
		return sight{}, failf(prober.StageMedia, prober.ReasonNoMarker, "%s (%d bytes): media without any marker", place(where), summary.Bytes)
	}
	return timed(s), nil
}

// unseen is a segment whose samples are encrypted, so that nobody can look inside.
func (r *rendition) unseen(s Segment, at time.Time) (sight, *prober.Failure) {
	if !r.f.cfg.unproven() && r.what.only() {
		return sight{}, &prober.Failure{Outcome: prober.Inconclusive, Stage: prober.StageMedia, Reason: prober.ReasonConfiguration,
			Detail: prober.Clip("samples are encrypted with "+s.Encryption+": nothing can be said of what is inside", prober.MaxDetail)}
	}
	v := timed(s)
	v.at, v.sequence, v.play = at, s.Sequence, r.arrival(s, at, v.end)
	return v, nil
}

// maxThorough bounds the segments whose bitrates are kept: 5 minutes and more of
// parts, hours of anything else.
const maxThorough = 2000

// loaded holds a download against what its playlists declare.
func (r *rendition) loaded(s Segment, got response) {
	kept := 20
	if r.f.cfg.Thorough {
		kept = maxThorough
	}
	l := Loaded{Sequence: s.Sequence, Duration: s.Duration, Bytes: int64(len(got.body)), Took: got.timing.Total}
	if s.Range.Length == 0 {
		l.Bitrate = s.Bitrate
	}
	r.redeclared()
	if len(r.facts) >= kept {
		r.facts = append(r.facts[:0], r.facts[1:]...)
	}
	if s.Sequence >= r.since {
		r.facts = slices.DeleteFunc(r.facts, func(l Loaded) bool { return l.Sequence < r.since })
	}
	r.facts = append(r.facts, l)
	r.state.rate(r.facts, r.last.TargetDuration)
	rules := r.f.cfg.Rules
	found := rules.Loaded(r.what.name, l)
	if r.what.kind == kindVariant && s.Sequence >= r.since {
		found = append(found, rules.Bandwidth(r.what.name, *r.declared, r.last.TargetDuration, r.facts)...)
		if all := r.f.together(*r.declared, r.facts, r.last.TargetDuration); len(all) > 1 {
			found = append(found, rules.Bandwidth(r.what.name, *r.declared, r.last.TargetDuration, all...)...)
		}
	}
	r.state.set(slotLoaded, worstOf(found), time.Now())
	r.found(found)
}

// redeclared begins anew where a variant declares another bitrate by now. What was
// listed before that was made for the former one.
func (r *rendition) redeclared() {
	now := r.variant.Load()
	if now.Bandwidth != r.declared.Bandwidth || now.AverageBandwidth != r.declared.AverageBandwidth {
		r.since = r.queue.next
	}
	r.declared = now
}

// timed is a segment of which only the playlist tells when it was made.
func timed(s Segment) sight {
	if s.ProgramDateTime.IsZero() {
		return sight{}
	}
	return sight{begin: s.ProgramDateTime, end: s.ProgramDateTime.Add(s.Duration), by: prober.MeansTimestamps}
}

// ours picks our first and last marker. A run may begin in mid-segment.
func ours(markers []prober.Marker, tag prober.Tag) (v sight, found bool) {
	for _, m := range markers {
		if m.Tag != tag {
			continue
		}
		if !found {
			v.first, v.begin, found = m, m.Clock, true
		}
		v.last, v.end = m, m.Clock
	}
	return v, found
}

// arrival is a segment for the virtual player. What is listed before it counts where
// the player joins, and only there: nobody adds it up for each segment of a long list.
func (r *rendition) arrival(s Segment, at, edge time.Time) arrival {
	a := arrival{sequence: s.Sequence, at: at, duration: s.Duration, target: r.last.TargetDuration, edge: edge}
	if !r.state.joined() {
		a.before = r.last.listedBefore(s, holdBack(r.last))
	}
	return a
}

// listedBefore is how much is listed ahead of a segment, of what fits with it into a
// hold-back.
func (p *Playlist) listedBefore(s Segment, holdBack time.Duration) (before time.Duration) {
	for i := len(p.Segments) - 1; i >= 0; i-- {
		earlier := &p.Segments[i]
		if earlier.Sequence >= s.Sequence {
			continue
		}
		if before+earlier.Duration+s.Duration > holdBack {
			break
		}
		before += earlier.Duration
	}
	return before
}

// holdBack is how far from the end a player joins (4.4.3.8).
func holdBack(p *Playlist) time.Duration {
	if c := p.ServerControl; c != nil && c.HoldBack > 0 {
		return c.HoldBack
	}
	return 3 * p.TargetDuration
}
