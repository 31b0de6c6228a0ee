package hls

import (
	"slices"
	"time"

	"streamcanary/prober"
)

// checkTop judges the multivariant playlist: by itself, against the ladder that is
// expected, against what it listed before, and its renditions against each other.
func (f *Follower) checkTop(p *Playlist, all []listing, at time.Time) {
	found := f.cfg.Rules.Analyze(nil, p, at)
	found = append(found, f.cfg.Rules.Grade(checkLadder(f.cfg.Ladder, all))...)
	found = append(found, f.cfg.Rules.Grade(f.vanished(all))...)
	found = append(found, f.cfg.Rules.Grade(unfollowed(all))...)
	found = append(found, f.cfg.Rules.Renditions(f.observed())...)
	found = append(found, f.cfg.Rules.Stamps(f.stamps())...)
	found = append(found, f.cfg.Rules.Grade(f.apart())...)
	f.top.set(slotPlaylist, worstOf(found), at)
	f.top.update(func(o *Observation) { o.Findings = merge(o.Findings, found) })
}

// checkAlone holds a media playlist against the ladder: it lists no rendition, so
// that all of those that are expected are missing.
func (f *Follower) checkAlone(at time.Time) {
	found := f.cfg.Rules.Grade(checkLadder(f.cfg.Ladder, nil))
	f.top.set(slotPlaylist, worstOf(found), at)
	f.top.update(func(o *Observation) { o.Findings = merge(o.Findings, found) })
}

// together are what was loaded of a variant, and of the largest rendition of each
// group that plays with it: it declares a bitrate for all of them (4.4.6.2). What is
// not followed is left out, so that a variant may be too low and never too high.
func (f *Follower) together(v Variant, own []Loaded, target time.Duration) [][]Loaded {
	parts := [][]Loaded{own}
	if v.Audio == "" && v.Video == "" {
		return parts
	}
	all := f.current()
	for kind, group := range map[listedKind]string{kindAudio: v.Audio, kindVideo: v.Video} {
		if most := largestOf(all, kind, group, target); most != nil {
			parts = append(parts, most)
		}
	}
	return parts
}

// largestOf is what was loaded of the rendition of a group that has the highest peak.
func largestOf(all []*rendition, kind listedKind, group string, target time.Duration) []Loaded {
	var most []Loaded
	highest := int64(0)
	for _, r := range all {
		if group == "" || r.what.kind != kind || r.what.group != group {
			continue
		}
		loaded := r.state.measured()
		if peak, _ := Peak(loaded, target); peak > highest {
			most, highest = loaded, peak
		}
	}
	return most
}

// measured is what was loaded of late.
func (s *state) measured() []Loaded {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.facts)
}

// vanished finds what was listed before and is not any more, for as long as it is
// not. Where as much is listed as ever, it has merely another name, and is told once.
func (f *Follower) vanished(all []listing) []prober.Finding {
	listed := map[string]bool{}
	for _, l := range all {
		listed[l.name] = true
	}
	var found []prober.Finding
	all = toFollow(all)
	severity := prober.SeverityNote
	if len(all) < len(f.widest) {
		severity = prober.SeverityDegraded
	}
	for _, l := range f.widest {
		if !listed[l.name] {
			found = append(found, ladderFinding(severity, prober.ReasonRenditionMissing, l.name, "listed before, and not any more"))
		}
	}
	if len(all) >= len(f.widest) {
		f.widest = all
	}
	return found
}

// observed are the latest playlists of all renditions, in their order.
func (f *Follower) observed() []Observed {
	var all []Observed
	for _, r := range f.current() {
		r.state.mu.Lock()
		if o := r.state.latest; o.Playlist != nil {
			all = append(all, o)
		}
		r.state.mu.Unlock()
	}
	return all
}

// stamps place what renditions show on their timelines, by the only clock that is
// common to all: EXT-X-PROGRAM-DATE-TIME. Without it nothing can be compared.
func (f *Follower) stamps() []Stamp {
	var all []Stamp
	for _, r := range f.current() {
		r.state.mu.Lock()
		s := r.state.stamp
		r.state.mu.Unlock()
		if s.Moment.IsZero() {
			continue
		}
		all = append(all, s)
	}
	return all
}
