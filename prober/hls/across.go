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
	found = append(found, f.cfg.Rules.Renditions(f.observed())...)
	found = append(found, f.cfg.Rules.Stamps(f.stamps())...)
	found = append(found, f.cfg.Rules.Grade(f.apart())...)
	found = append(found, f.bandwidths()...)
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

// bandwidths holds variants that play with renditions of their own playlists against
// what they declare for both (4.4.6.2). A variant alone is held against it by itself.
func (f *Follower) bandwidths() []prober.Finding {
	var found []prober.Finding
	all := f.current()
	for _, r := range all {
		v := r.relists.Load().variant
		if r.what.kind != kindVariant || v.Audio == "" && v.Video == "" {
			continue
		}
		own, target := r.state.measured()
		parts := [][]Loaded{own}
		for kind, group := range map[listedKind]string{kindAudio: v.Audio, kindVideo: v.Video} {
			if most := largestOf(all, kind, group, target); most != nil {
				parts = append(parts, most)
			}
		}
		if len(parts) > 1 {
			found = append(found, f.cfg.Rules.Bandwidth(r.what.name, v, target, parts...)...)
		}
	}
	return found
}

// largestOf is what was loaded of the rendition of a group that has the highest peak.
func largestOf(all []*rendition, kind listedKind, group string, target time.Duration) []Loaded {
	var most []Loaded
	highest := int64(0)
	for _, r := range all {
		if group == "" || r.what.kind != kind || r.relists.Load().group != group {
			continue
		}
		loaded, _ := r.state.measured()
		if peak, _ := Peak(loaded, target); peak > highest {
			most, highest = loaded, peak
		}
	}
	return most
}

// measured is what was loaded of late, and the target duration.
func (s *state) measured() ([]Loaded, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.facts), s.target
}

// vanished finds what was listed before and is not any more, for as long as it is
// not. Where as much is listed as ever, it has merely another name, and is told once.
func (f *Follower) vanished(all []listing) []prober.Finding {
	listed := map[string]bool{}
	for _, l := range all {
		listed[l.name] = true
	}
	var found []prober.Finding
	all = all[:min(len(all), maxFollowed)]
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
