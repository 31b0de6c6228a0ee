package hls

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/media"
)

// maxPartsBehind is how many new parts are caught up with, the rest is skipped.
const maxPartsBehind = 16

// partsFollowed is what is kept of the parts that are looked into, where low latency
// is asked for. The zero value is ready.
type partsFollowed struct {
	known   bool
	segment uint64 // of the newest part that was listed
	index   int
	broken  bool // the one before the next was not looked into
	jumped  bool // EXT-X-DISCONTINUITY stood before one that was not looked into
	checker media.Checker
	hinted  *hintedPart
	retryAt time.Time // none is fetched before, as one hung
}

// hintedPart is a part that was fetched before it was listed.
type hintedPart struct {
	hint    PreloadHint
	with    Init // that it was read with
	played  bool // the virtual player has it
	summary media.Summary
	err     error
	at      time.Time
}

// is says whether the part that is listed now is the one that was hinted.
func (h *hintedPart) is(p Part) bool {
	return h != nil && h.hint.URI == p.URI && h.hint.Range == p.Range
}

// readAs says whether it was read with the initialization section that it is listed
// behind. A hint does not tell of a new one (4.4.5.3 has TYPE=MAP for that).
func (h *hintedPart) readAs(p listedPart) bool { return h.with == p.of.Init }

// listedPart is a part in its place.
type listedPart struct {
	Part
	segment       uint64
	index         int
	discontinuity bool
	of            Segment // whose initialization section and keys are in force
}

// followsParts says whether each part is fetched and looked into: where low latency
// is asked for and each segment is wanted. What is encrypted is left to whole segments.
func (r *rendition) followsParts() bool {
	p := r.last
	return r.f.cfg.LowLatency && r.every == 1 && p != nil && p.PartTarget > 0 && !p.EndList && r.what.kind != kindSubtitles &&
		len(p.Segments) > 0 && p.Next.Encryption == ""
}

// latestParts are the last parts of a playlist, at most so many of them, oldest first.
func (p *Playlist) latestParts(most int) []listedPart {
	var all []listedPart
	add := func(s *Segment, parts []Part) {
		for i := len(parts) - 1; i >= 0 && len(all) < most; i-- {
			all = append(all, listedPart{parts[i], s.Sequence, i, i == 0 && s.Discontinuity, *s})
		}
	}
	if len(p.Segments) > 0 {
		add(&p.Next, p.Parts)
	}
	for i := len(p.Segments) - 1; i >= 0 && len(all) < most; i-- {
		add(&p.Segments[i], p.Segments[i].Parts)
	}
	slices.Reverse(all)
	return all
}

// newParts are those that were not listed before: at first as many as a player would
// join behind, PART-HOLD-BACK from the end.
func (r *rendition) newParts() []listedPart {
	f := &r.parts
	all := r.last.latestParts(maxPartsBehind)
	from := len(all)
	behind := time.Duration(0)
	for from > 0 {
		p := all[from-1]
		if f.known && (p.segment < f.segment || p.segment == f.segment && p.index <= f.index) {
			break
		}
		if behind += p.Duration; !f.known && behind > partHoldBack(r.last) && from < len(all) {
			break
		}
		from--
	}
	fresh := all[from:]
	if len(fresh) > 0 {
		before := listedPart{segment: f.segment, index: f.index}
		if !f.known || !follows(before, fresh[0]) {
			f.broken, f.jumped = true, true // nobody has seen what stood between
		}
		last := fresh[len(fresh)-1]
		f.known, f.segment, f.index = true, last.segment, last.index
	}
	return fresh
}

// follows says whether one part comes right behind another. How many parts a segment
// has is known of the next one's first.
func follows(a, b listedPart) bool {
	return a.segment == b.segment && a.index+1 == b.index || a.segment+1 == b.segment && b.index == 0
}

// partHoldBack is how far from the end a player of parts joins (4.4.3.8).
func partHoldBack(p *Playlist) time.Duration {
	if c := p.ServerControl; c != nil && c.PartHoldBack > 0 {
		return c.PartHoldBack
	}
	return 3 * p.PartTarget
}

// takeParts fetches the parts that are new, and looks into each. It leaves the rest
// once one cannot be had, or the playlist is due: neither it nor segments may starve.
func (r *rendition) takeParts(ctx context.Context) {
	if !r.followsParts() {
		r.parts = partsFollowed{}
		r.state.set(slotPart, nil, time.Now())
		r.state.leaveParts()
		return
	}
	began, due := time.Now(), r.pollAt
	if least := began.Add(r.last.PartTarget); due.Before(least) { // a server that holds playlists is asked at once
		due = least
	}
	fresh := r.newParts()
	for i, p := range fresh {
		asked := time.Now()
		if began.Before(r.parts.retryAt) || i > 0 && !asked.Before(due) {
			r.parts.leave(fresh[i:])
			return
		}
		fail := r.hadPart(ctx, p)
		if ctx.Err() != nil {
			return
		}
		if fail != nil {
			r.parts.leave(fresh[i:])
			r.partHung(asked)
			r.partFound([]prober.Finding{{Section: "RFC 8216bis 6.2.1", Severity: prober.SeverityDegraded, Stage: fail.Stage, Reason: prober.ReasonLowLatency,
				Detail: prober.Clip(fmt.Sprintf("part %d of segment %d is listed and cannot be had: %s", p.index, p.segment, fail.Detail), prober.MaxDetail), Count: 1}})
			return
		}
	}
}

// partHung leaves parts and hints alone for a while, where one that cannot be had took
// long to say so: they would starve all else together.
func (r *rendition) partHung(asked time.Time) {
	now := time.Now()
	if now.Sub(asked) < 2*r.last.PartTarget {
		return
	}
	r.parts.retryAt = now.Add(hintEvery)
	r.hintAt = r.parts.retryAt
}

// leave passes over parts.
func (f *partsFollowed) leave(parts []listedPart) {
	f.broken = true
	for _, p := range parts {
		f.jumped = f.jumped || p.discontinuity
	}
}

// hadPart looks into a part, which it fetches unless it was hinted. What is not there
// to be read is passed over.
func (r *rendition) hadPart(ctx context.Context, p listedPart) *prober.Failure {
	f := &r.parts
	f.jumped = f.jumped || p.discontinuity
	if p.Gap || p.of.Encryption != "" {
		f.broken = true
		return nil
	}
	played := false
	if early := f.hinted; early.is(p.Part) {
		f.hinted = nil
		if early.readAs(p) {
			r.lookInto(p, early)
			return nil
		}
		played = early.played
	}
	return r.takePart(ctx, p, played)
}

func (r *rendition) takePart(ctx context.Context, p listedPart, played bool) *prober.Failure {
	u, fail := resolveURL(r.base, p.URI)
	if fail != nil {
		return fail
	}
	init, fail := r.initFor(ctx, p.of)
	if fail != nil {
		return fail
	}
	timeout := min(r.partPatience(), r.f.cfg.SegmentTimeout)
	got, fail := r.f.fetch.get(ctx, request{
		url: u, stage: prober.StageSegment, limit: r.f.cfg.SegmentBytes, timeout: timeout, stall: timeout, part: p.Range,
	})
	r.state.count(got)
	if fail != nil {
		return fail
	}
	defer got.release()
	at := time.Now()
	summary, err := r.f.cfg.Inspect(got.body, init)
	r.lookInto(p, &hintedPart{played: played, summary: summary, err: err, at: at})
	return nil
}

// lookInto judges a part that was fetched.
func (r *rendition) lookInto(p listedPart, got *hintedPart) {
	f := &r.parts
	if got.err != nil {
		f.checker.Skip()
		f.broken = true
		r.partFound([]prober.Finding{{Section: "RFC 8216bis 4.4.4.9", Severity: prober.SeverityDegraded, Stage: prober.StageMedia, Reason: prober.ReasonNotMedia,
			Detail: prober.Clip(fmt.Sprintf("part %d of segment %d: %v", p.index, p.segment, got.err), prober.MaxDetail), Count: 1}})
		return
	}
	r.partFound(f.checker.Check(got.summary, media.Expected{
		Where: r.what.name, Duration: p.Duration, First: f.broken, Discontinuity: f.jumped, Independent: p.Independent, Part: true,
	}))
	f.broken, f.jumped = false, false
	r.state.partListed(p.segment, p.Duration)
	if !got.played {
		r.playPart(p.Duration, got)
	}
}

// playPart gives a part to the virtual player.
func (r *rendition) playPart(lasts time.Duration, got *hintedPart) {
	got.played = true
	r.state.partCame(arrival{at: got.at, duration: lasts, target: partHoldBack(r.last) / 2, edge: r.partLatency(got.summary, got.at)})
}

// hintCame takes a part that was hinted. Whether it stands alone, and how long it is
// said to be, is listed later; a player has it now.
func (r *rendition) hintCame(got *hintedPart) {
	if !r.followsParts() || !r.parts.known {
		if got.err == nil {
			r.partLatency(got.summary, got.at)
		}
		return
	}
	r.parts.hinted = got
	if lasts := got.summary.Duration(); got.err == nil && lasts > 0 {
		r.playPart(lasts, got)
	}
}

// partLatency takes the latency of a part's last frame, if it is ours, and gives the
// clock of that.
func (r *rendition) partLatency(summary media.Summary, at time.Time) time.Time {
	if r.f.cfg.foreign() {
		return time.Time{}
	}
	v, ok := ours(append(summary.Markers, summary.AudioMarkers...), r.f.tag)
	if ok {
		r.state.update(func(o *Observation) { o.PartLatency = at.Sub(v.last.Clock) })
	}
	return v.last.Clock
}

func (r *rendition) partFound(found []prober.Finding) {
	found = r.f.cfg.Rules.Grade(found)
	r.state.set(slotPart, worstOf(found), time.Now())
	r.found(found)
}

// partCame gives a part to the virtual player.
func (s *state) partCame(a arrival) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.player.arrive(a)
}

// partListed notes of which segment a part is that the virtual player has.
func (s *state) partListed(segment uint64, lasts time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.partsLeft = false
	if s.parts == nil {
		s.parts, s.partsFrom = map[uint64]time.Duration{}, segment
	}
	s.parts[segment] += lasts
	for sequence := range s.parts {
		if sequence+4 < segment || sequence > segment {
			delete(s.parts, sequence)
		}
	}
}

// arrive gives a segment to the virtual player, less the parts of it that it had. The
// lock is held.
func (s *state) arrive(a arrival) {
	const rounding = 50 * time.Millisecond
	if s.parts != nil {
		if a.sequence <= s.partsFrom {
			return // it has joined behind it
		}
		if a.duration -= s.parts[a.sequence]; a.duration < rounding {
			return
		}
		if s.partsLeft && a.sequence > slices.Max(slices.Collect(maps.Keys(s.parts))) {
			s.parts, s.partsLeft = nil, false
		}
	}
	s.player.arrive(a)
}

// noParts forgets what was had by parts.
func (s *state) noParts() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts, s.partsLeft = nil, false
}

// leaveParts says that segments alone are followed from now on. What was had of the
// latest ones by their parts is not played twice.
func (s *state) leaveParts() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.partsLeft = s.parts != nil
}

// askPartAlone asks once for a part without a segment, which has to be refused with
// 400 (6.2.5.2). It does not delay what is followed.
func (r *rendition) askPartAlone(ctx context.Context) {
	before := r.last
	if before.PartTarget == 0 || r.f.askedAlone.Swap(true) {
		return
	}
	at := *r.media
	q := at.Query()
	q.Set("_HLS_part", "0")
	at.RawQuery = q.Encode()
	r.f.running.Go(func() { r.partAlone(ctx, &at, before) })
}

func (r *rendition) partAlone(ctx context.Context, at *url.URL, before *Playlist) {
	cfg, sent := &r.f.cfg, time.Now()
	got, _ := r.f.fetch.get(ctx, request{url: at, stage: prober.StageManifest, limit: cfg.PlaylistBytes, timeout: cfg.PlaylistTimeout, gzip: true})
	defer got.release()
	r.state.count(got)
	if got.status/100 == http.StatusOK/100 {
		r.found(cfg.Rules.Reload(r.what.name, Reload{Part: 0, Sent: sent, Answered: time.Now(), Status: got.status, Before: before}))
	}
}
