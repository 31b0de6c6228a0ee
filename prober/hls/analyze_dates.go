package hls

import (
	"time"
)

// dates checks EXT-X-PROGRAM-DATE-TIME and EXT-X-DATERANGE of one playlist.
func (f *findings) dates(p *Playlist) {
	f.ambiguous(p)
	for i := range p.DateRanges {
		if wrong := p.DateRanges[i].fault(); wrong != "" {
			f.add(ruleDateRange, "EXT-X-DATERANGE %q: %s", cutShort(p.DateRanges[i].ID), wrong)
		}
	}
	if len(p.DateRanges) > 0 && len(p.Segments) > 0 && !p.seen.hasDate {
		f.add(ruleDateRangeDate, "%d date ranges, and no EXT-X-PROGRAM-DATE-TIME", len(p.DateRanges))
	}
}

// ambiguous finds two segments for one date, and dates without a segment. Overlaps
// of less than a second are allowed (6.2.1).
func (f *findings) ambiguous(p *Playlist) {
	if !p.seen.hasDate {
		return
	}
	var expected time.Time
	for i := range p.Segments {
		s := &p.Segments[i]
		if !s.ProgramDateTime.IsZero() {
			if back := expected.Sub(s.ProgramDateTime); !expected.IsZero() && back >= time.Second {
				f.add(ruleDateAmbiguous, "segment %d begins at %s, %s before the one ahead of it ends", s.Sequence,
					s.ProgramDateTime.UTC().Format("15:04:05.000"), back.Round(time.Millisecond))
			}
			if ahead := s.ProgramDateTime.Sub(expected); !expected.IsZero() && !s.Discontinuity && ahead > max(p.TargetDuration, time.Second) {
				f.add(ruleDateJump, "segment %d begins at %s, %s after the one ahead of it ends", s.Sequence,
					s.ProgramDateTime.UTC().Format("15:04:05.000"), ahead.Round(time.Millisecond))
			}
			expected = s.ProgramDateTime
		}
		if !expected.IsZero() {
			expected = expected.Add(s.Duration)
		}
	}
}

// from and end are the dates between which a playlist's segments lie; zero when it
// has no date.
func (p *Playlist) from() time.Time {
	var before time.Duration
	for i := range p.Segments {
		if at := p.Segments[i].ProgramDateTime; !at.IsZero() {
			return at.Add(-before)
		}
		before += p.Segments[i].Duration
	}
	return time.Time{}
}

func (p *Playlist) end() time.Time {
	var after time.Duration
	for i := len(p.Segments) - 1; i >= 0; i-- {
		after += p.Segments[i].Duration
		if at := p.Segments[i].ProgramDateTime; !at.IsZero() {
			return at.Add(after)
		}
	}
	return time.Time{}
}

// dateRanges compares the date ranges of two versions (4.4.5.1, 6.2.1).
func (f *findings) dateRanges(previous, current *Playlist) {
	if len(previous.DateRanges) == 0 {
		return
	}
	now := make(map[string]*DateRange, len(current.DateRanges))
	for i := range current.DateRanges {
		now[current.DateRanges[i].ID] = &current.DateRanges[i]
	}
	from, end := current.from(), current.end()
	for i := range previous.DateRanges {
		before := &previous.DateRanges[i]
		after, still := now[before.ID]
		if still {
			if name := conflict(before.attributes, after.attributes); name != "" {
				f.add(ruleDateRangeConflict, "EXT-X-DATERANGE %q has another %s than before", cutShort(before.ID), cutShort(name))
			}
			continue
		}
		if !from.IsZero() && before.maps(from, end) {
			f.add(ruleDateRangeRemoved, "EXT-X-DATERANGE %q of %s is gone", cutShort(before.ID), before.Start.UTC().Format(time.DateTime))
		}
	}
}

// maps says whether any date of the range is known to lie between two others. The
// end of a range without one is not known.
func (d *DateRange) maps(from, end time.Time) bool {
	last := d.End
	if last.IsZero() {
		last = d.Start
	}
	return !d.Start.IsZero() && d.Start.Before(end) && last.After(from)
}

// conflict names an attribute that both have with different values.
func conflict(a, b attributes) string {
	for _, x := range a {
		if v, ok := b.get(x.name); ok && v != x.value {
			return x.name
		}
	}
	return ""
}
