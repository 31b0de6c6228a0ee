package hls

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
)

// Observed is one rendition's latest media playlist, for rules that hold between
// renditions.
type Observed struct {
	Name      string   // for a person: "720p", "audio en"
	URL       *url.URL // of its playlist; nil is not known
	Subtitles bool     // a SUBTITLES rendition
	Playlist  *Playlist
	At        time.Time // when it was requested
}

// Renditions checks the media playlists of one multivariant playlist against each
// other (6.2.4). Without Playlist a rendition is left out. Each finding is at the
// rendition that differs from the first.
func (r Rules) Renditions(all []Observed) []prober.Finding {
	f := &findings{rules: r}
	var lead *Observed
	for i := range all {
		o := &all[i]
		if o.Playlist == nil || o.Playlist.Multivariant || o.Playlist.Skipped > 0 || len(o.Playlist.Segments) == 0 {
			continue
		}
		if lead == nil {
			lead = o
			continue
		}
		f.where = o.Name
		f.sameHeader(lead, o)
		f.sameDates(lead, o)
		f.sameDateRanges(lead, o)
	}
	if lead != nil {
		f.behind(all)
		f.reports(all)
	}
	return f.list
}

func (f *findings) sameHeader(a, b *Observed) {
	p, q := a.Playlist, b.Playlist
	free := func(o *Observed) bool { return o.Playlist.Type == "VOD" && (o.Subtitles || o.Playlist.IFramesOnly) }
	if p.TargetDuration != q.TargetDuration && !free(a) && !free(b) {
		f.add(ruleVariantTarget, "target duration %s, and %s in %s", q.TargetDuration, p.TargetDuration, a.Name)
	}
	if p.Type != q.Type {
		f.add(ruleVariantType, "EXT-X-PLAYLIST-TYPE %q, and %q in %s", q.Type, p.Type, a.Name)
	}
	if hasP, hasQ := p.ServerControl != nil, q.ServerControl != nil; hasP != hasQ || hasP && *p.ServerControl != *q.ServerControl {
		f.add(ruleVariantControl, "another EXT-X-SERVER-CONTROL than %s", a.Name)
	}
	if p.seen.hasDate != q.seen.hasDate {
		with, without := a.Name, b.Name
		if q.seen.hasDate {
			with, without = without, with
		}
		f.add(ruleVariantDates, "%s has EXT-X-PROGRAM-DATE-TIME, and %s has not", with, without)
	}
}

// sameDates compares the discontinuity sequence numbers of segments that begin at
// one date: sequence numbers alone say nothing between renditions (4.4.3.2).
func (f *findings) sameDates(a, b *Observed) {
	p, q := a.Playlist, b.Playlist
	if !p.seen.hasDate || !q.seen.hasDate {
		return
	}
	const near = 50 * time.Millisecond
	i, j := len(p.Segments)-1, len(q.Segments)-1
	atP, atQ := p.end(), q.end()
	for i >= 0 && j >= 0 {
		fromP, fromQ := startOf(p, i, atP), startOf(q, j, atQ)
		switch d := fromP.Sub(fromQ); {
		case d > near:
			i, atP = i-1, fromP
		case d < -near:
			j, atQ = j-1, fromQ
		default:
			x, y := p.dsn(p.Segments[i].Sequence), q.dsn(q.Segments[j].Sequence)
			if x != y {
				f.add(ruleVariantDSN, "the segment of %s is after discontinuity %d, and after %d in %s", fromQ.UTC().Format("15:04:05.000"), y, x, a.Name)
			}
			return
		}
	}
}

// startOf is the date of a segment whose end is known.
func startOf(p *Playlist, index int, end time.Time) time.Time {
	if s := &p.Segments[index]; s.ProgramDateTime.IsZero() {
		return end.Add(-s.Duration)
	}
	return p.Segments[index].ProgramDateTime
}

func (f *findings) sameDateRanges(a, b *Observed) {
	ids := func(p *Playlist) map[string]bool {
		set := make(map[string]bool, len(p.DateRanges))
		for _, d := range p.DateRanges {
			set[d.ID] = true
		}
		return set
	}
	if len(a.Playlist.DateRanges) == 0 || len(b.Playlist.DateRanges) == 0 || !a.At.Equal(b.At) && len(a.Playlist.DateRanges) != len(b.Playlist.DateRanges) {
		return // those that do not have any need not, and one that was loaded later may have one more
	}
	if x, y := ids(a.Playlist), ids(b.Playlist); !maps.Equal(x, y) {
		f.add(ruleVariantRanges, "other date ranges than %s: %s", a.Name, strings.Join(only(x, y), ", "))
	}
}

// only lists what one of two sets has.
func only(a, b map[string]bool) []string {
	var list []string
	for _, id := range append(slices.Sorted(maps.Keys(a)), slices.Sorted(maps.Keys(b))...) {
		if a[id] != b[id] && len(list) < 5 {
			list = append(list, cutShort(id))
		}
	}
	return list
}

// behind finds renditions of a live stream that end long before the one that is
// furthest. Content may be missing at the end for up to the smallest target
// duration, and playlists that are loaded at different times differ by that too.
func (f *findings) behind(all []Observed) {
	var ahead *Observed
	smallest := time.Duration(0)
	for i := range all {
		o := &all[i]
		if !o.dated() {
			continue
		}
		if ahead == nil || o.Playlist.end().After(ahead.Playlist.end()) {
			ahead = o
		}
		if smallest == 0 || o.Playlist.TargetDuration < smallest {
			smallest = o.Playlist.TargetDuration
		}
	}
	for i := range all {
		o := &all[i]
		if o == ahead || !o.dated() || o.Playlist.EndList != ahead.Playlist.EndList {
			continue
		}
		// A playlist grows by whole segments: one of them may be on its way.
		allowed := smallest + ahead.Playlist.TargetDuration/2 + ahead.At.Sub(o.At).Abs() + f.rules.tolerance()
		if late := ahead.Playlist.end().Sub(o.Playlist.end()); late > allowed {
			f.at(o.Name, ruleVariantApart, "it ends %s before %s does", late.Round(time.Millisecond), ahead.Name)
		}
	}
}

func (o *Observed) dated() bool {
	return o.Playlist != nil && o.Playlist.seen.hasDate && len(o.Playlist.Segments) > 0 && !o.Playlist.IFramesOnly
}

// reports checks EXT-X-RENDITION-REPORT against playlists that were loaded before
// it: a report is as new as the playlist that holds it (4.4.5.4).
func (f *findings) reports(all []Observed) {
	for i := range all {
		o := &all[i]
		if o.Playlist == nil {
			continue
		}
		for _, r := range o.Playlist.RenditionReports {
			q := o.reported(r, all)
			if q == nil || !r.HasMSN {
				continue
			}
			if newest, ok := q.Playlist.newest(); ok && r.LastMSN+1 < newest {
				f.at(o.Name, ruleReport, "it reports segment %d of %s as the last, which had listed %d before", r.LastMSN, q.Name, newest)
			}
		}
	}
}

// reported finds the rendition that a report is about, if it was loaded before.
func (o *Observed) reported(r RenditionReport, all []Observed) *Observed {
	if o.URL == nil {
		return nil
	}
	u, err := o.URL.Parse(r.URI)
	if err != nil {
		return nil
	}
	for i := range all {
		if q := &all[i]; q.Playlist != nil && q.URL != nil && q.URL.Path == u.Path && q.At.Before(o.At) {
			return q
		}
	}
	return nil
}
