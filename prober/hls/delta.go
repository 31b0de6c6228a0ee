package hls

import (
	"slices"
	"strings"

	"streamcanary/prober"
)

// Apply makes a whole playlist of a delta update (6.2.5.1) and the previous
// version, which must have been observed. A playlist without EXT-X-SKIP is given
// back as it is. Where the previous one does not reach so far back there is a
// failure: the caller loads the whole playlist instead.
func Apply(previous, delta *Playlist) (*Playlist, *prober.Failure) {
	if delta.Skipped == 0 {
		return delta, nil
	}
	if previous == nil || previous.Skipped > 0 {
		return nil, against("6.2.5.1", prober.ReasonPlaylistMalformed, "a delta update without a playlist that it could update")
	}
	_, hasFirst := previous.segment(delta.MediaSequence)
	last, hasLast := previous.segment(delta.MediaSequence + delta.Skipped - 1)
	if !hasFirst || !hasLast {
		return nil, against("6.2.5.1", prober.ReasonPlaylistMalformed, "the delta update skips segments %d to %d, but the playlist before it lists %s",
			delta.MediaSequence, delta.MediaSequence+delta.Skipped-1, window(previous))
	}
	whole := *delta
	whole.Skipped, whole.RemovedDateRanges = 0, ""
	from := delta.MediaSequence - previous.Segments[0].Sequence
	whole.Segments = slices.Clone(previous.Segments[from : from+delta.Skipped])
	all := append(append(whole.Segments, delta.Segments...), delta.Next)
	goOn(all[delta.Skipped:], last, delta.seen)
	end := len(all) - 1
	whole.Segments, whole.Next = all[:end:end], all[end]
	whole.DateRanges = applyDateRanges(previous, delta)
	whole.IndependentSegments = delta.IndependentSegments || previous.IndependentSegments
	whole.seen.hasDate = delta.seen.hasDate || previous.seen.hasDate
	return &whole, nil
}

// goOn carries to the first segments of a delta update, and to the one that is being
// made, what the skipped ones before them said last.
func goOn(segments []Segment, last Segment, seen scanned) {
	end := last.Range.Offset + last.Range.Length
	for i := range segments {
		s := &segments[i]
		if s.Init == (Init{}) {
			s.Init = last.Init
		}
		if i < seen.oldKeys {
			if s.Init.Key == (Key{}) && s.Init != last.Init {
				s.Init.Key, _ = keyOf(last)
			}
			s.Keys, s.Encryption = last.Keys, last.Encryption
		}
		if i < seen.oldBitrate {
			s.Bitrate = last.Bitrate
		}
		if i < seen.oldRanges && s.URI == last.URI {
			s.Range = byteRange(end, s.Range.Length)
			end += s.Range.Length
		}
	}
}

// applyDateRanges keeps those that were skipped and not removed.
func applyDateRanges(previous, delta *Playlist) []DateRange {
	gone := make(map[string]bool)
	for id := range strings.SplitSeq(delta.RemovedDateRanges, "\t") {
		gone[id] = true
	}
	at := make(map[string]int)
	var all []DateRange
	for _, d := range previous.DateRanges {
		if !gone[d.ID] {
			at[d.ID] = len(all)
			d.attributes = slices.Clone(d.attributes)
			all = append(all, d)
		}
	}
	for _, d := range delta.DateRanges {
		if i, known := at[d.ID]; known {
			all[i].add(d.attributes)
		} else if len(all) < maxDateRanges {
			all = append(all, d)
		}
	}
	return all
}
