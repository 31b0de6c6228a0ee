package media

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"streamcanary/prober"
)

const (
	maxMarkers = 1 << 14 // 4 minutes at 60 frames per second
	maxUnits   = 1 << 16 // pictures of a segment
)

// Inspect looks into a segment. init is its initialization section (EXT-X-MAP):
// without it an fMP4 segment's tracks, and so its times, are not known; for
// MPEG-TS it may hold the program tables. Neither is kept.
//
// The error says why the bytes are not media, or not whole, in at most 200
// bytes, and quotes nothing of them. The summary holds what was found up to then.
func Inspect(segment, init []byte) (s Summary, err error) {
	defer func() { // no input is known that gets here: what is left is a bug of ours, and no reason to die
		if r := recover(); r != nil {
			err = fmt.Errorf("not media: reading it as %s failed: %.100v", s.Container, r)
		}
	}()
	if at, ok := syncAt(segment); ok {
		s.Container = MPEGTS
		return s, s.inspectTS(segment[at:], init)
	}
	if isBoxes(segment) {
		s.Container = FMP4
		return s, s.inspectFMP4(segment, init)
	}
	return s, fmt.Errorf("not media: %s", describe(segment))
}

// unit is an access unit of video.
type unit struct {
	pts  time.Duration
	data []byte
}

// take sums up the pictures of a segment, given in the order of decoding.
func (s *Summary) take(units []unit) {
	s.HasVideo, s.Pictures = len(units) > 0, len(units)
	s.Markers = make([]prober.Marker, 0, min(len(units), maxMarkers))
	ordered := true
	for i := range units {
		u := &units[i]
		if i == 0 {
			s.FirstVideo, s.LastVideo = u.pts, u.pts
		}
		ordered = ordered && u.pts >= s.LastVideo
		s.FirstVideo, s.LastVideo = min(s.FirstVideo, u.pts), max(s.LastVideo, u.pts)
		if room := maxMarkers - len(s.Markers); ordered && room > 0 {
			s.Markers = append(s.Markers, prober.FindMarkers(u.data, room)...)
		}
	}
	if !ordered {
		s.takeReordered(units)
	}
}

// takeReordered takes the markers of a broadcast with B pictures.
func (s *Summary) takeReordered(units []unit) {
	slices.SortStableFunc(units, func(a, b unit) int { return cmp.Compare(a.pts, b.pts) })
	s.Markers = s.Markers[:0]
	for _, u := range units {
		if room := maxMarkers - len(s.Markers); room > 0 {
			s.Markers = append(s.Markers, prober.FindMarkers(u.data, room)...)
		}
	}
}
