package media

import "fmt"

const (
	maxMarkers = 1 << 14 // 4 minutes at 60 frames per second
	maxUnits   = 1 << 16 // access units of a track

	maxFragments = maxUnits // each has a sample at least
)

// Inspect looks into a segment. init is its initialization section (EXT-X-MAP):
// without it an fMP4 segment's tracks, and so its times, are not known; for
// MPEG-TS it may hold the program tables. Neither is kept.
//
// The error says why the bytes are not media, or not whole, in at most 200
// bytes, and quotes nothing of them. The summary holds what was found up to then.
func Inspect(segment, init []byte) (s Summary, err error) {
	s.Bytes = len(segment)
	defer func() { // no input is known that gets here: what is left is a bug of ours, and no reason to die
		if r := recover(); r != nil {
			err = fmt.Errorf("not media: reading it as %s failed: %.100v", s.Container, r)
		}
	}()
	if at, ok := syncAt(segment); ok {
		s.Container = MPEGTS
		err = s.inspectTS(segment[at:], init)
		return s, err
	}
	switch {
	case isBoxes(segment):
		s.Container = FMP4
		err = s.inspectFMP4(segment, init)
		return s, err
	case isPacked(segment):
		s.Container = PackedAudio
		err = s.inspectPacked(segment)
		return s, err
	case isWebVTT(segment):
		s.Container = WebVTT
		err = s.inspectWebVTT(segment)
		return s, err
	}
	what, encrypted := describe(segment)
	if encrypted {
		s.Encryption = WholeFile
	}
	return s, fmt.Errorf("not media: %s", what)
}
