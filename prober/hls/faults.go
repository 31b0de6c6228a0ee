package hls

import "fmt"

// scanned is what the scan saw of a playlist and Analyze needs besides.
type scanned struct {
	faults      []fault
	need        int    // the version that the tags need (8)
	needFor     string // by what
	hasVersion  bool
	hasSequence bool    // EXT-X-MEDIA-SEQUENCE is there
	hasDSN      bool    // EXT-X-DISCONTINUITY-SEQUENCE is there
	hasStart    bool    // EXT-X-START is there
	start       float64 // its TIME-OFFSET in seconds
	hasDate     bool    // EXT-X-PROGRAM-DATE-TIME is there

	// Of a delta update: how many of the first segments have what the skipped ones
	// say last.
	oldKeys, oldBitrate, oldRanges int
}

// fault is one rule that the text itself breaks.
type fault struct {
	rule, detail string
	count        int
}

// fault records a broken rule; the first evidence of each is kept.
func (s *scanned) fault(rule, format string, args ...any) {
	for i := range s.faults {
		if s.faults[i].rule == rule {
			s.faults[i].count++
			return
		}
	}
	s.faults = append(s.faults, fault{rule: rule, detail: fmt.Sprintf(format, args...), count: 1})
}

// needs raises the version that the playlist has to declare (8).
func (s *scanned) needs(version int, what string) {
	if version > s.need {
		s.need, s.needFor = version, what
	}
}
