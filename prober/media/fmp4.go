package media

import (
	"errors"
	"fmt"

	"streamcanary/prober"
)

func (s *Summary) inspectFMP4(segment, init []byte) error {
	f := fragments{segment: segment}
	cut := walk(segment, f.top)
	if len(init) == 0 && f.hasInit { // a segment may bring its own
		init = segment
		if f.firstMoof > 0 {
			init = segment[:f.firstMoof]
		}
	}
	movie, err := readMovie(init)
	switch {
	case len(init) == 0:
		s.Note = "times and tracks are not known: no initialization section (EXT-X-MAP)"
	case err != nil:
		s.Note = "times and tracks are not known: initialization section " + err.Error()
	default:
		f.stats.InitWasReadable = true
	}
	f.movie = movie
	if err := f.all(); err != nil && s.Note == "" {
		s.Note = err.Error()
	}
	s.takeStreams(f.movie.streams())
	s.MP4 = f.stats
	if f.movie.encrypted {
		s.Encryption = CommonENC
	}
	if len(s.Markers) == 0 && len(s.AudioMarkers) == 0 { // what the sample tables do not lead to can still be seen
		s.markersAnywhere(segment)
	}
	switch {
	case cut != nil:
		return fmt.Errorf("not media: fMP4 %w", cut)
	case f.moofs == 0 && f.hasMdat:
		return errors.New("not media: a plain MP4 file, not fragments of one (no moof box)")
	case f.moofs == 0:
		return errors.New("not media: fMP4 without any fragment (no moof box): an initialization section alone?")
	case !f.hasMdat:
		return errors.New("not media: fMP4 without any data (no mdat box)")
	}
	return nil
}

// markersAnywhere finds markers that no table of samples leads to. Their times
// are not known.
func (s *Summary) markersAnywhere(segment []byte) {
	for _, m := range prober.FindMarkers(segment, maxMarkers) {
		if m.Audio {
			s.AudioMarkers = append(s.AudioMarkers, m)
		} else {
			s.Markers = append(s.Markers, m)
		}
	}
	s.HasVideo = s.HasVideo || len(s.Markers) > 0
	s.HasAudio = s.HasAudio || len(s.AudioMarkers) > 0
}
