package media

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"

	"streamcanary/prober"
)

// maxInit bounds the initialization section that is given to the library.
const maxInit = 1 << 20

// track is what an initialization section says of one.
type track struct {
	video     bool
	codec     codec
	timescale int64
}

// tracks reads an initialization section. Its library is guarded: it is not ours.
func tracks(init []byte) (found map[uint32]track, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("malformed: %.100v", r)
		}
	}()
	if len(init) > maxInit {
		return nil, fmt.Errorf("%d bytes long, the bound is %d", len(init), maxInit)
	}
	var section fmp4.Init
	if err := section.Unmarshal(bytes.NewReader(init)); err != nil {
		return nil, fmt.Errorf("malformed: %.100w", err)
	}
	found = make(map[uint32]track, len(section.Tracks))
	for _, t := range section.Tracks {
		c := otherCodec
		switch t.Codec.(type) {
		case *codecs.H264:
			c = h264
		case *codecs.H265:
			c = h265
		}
		found[uint32(t.ID)] = track{video: t.Codec.IsVideo(), codec: c, timescale: int64(t.TimeScale)} //nolint:gosec // 32 bits in the file
	}
	return found, nil
}

func (s *Summary) inspectFMP4(segment, init []byte) error {
	f := fragments{segment: segment}
	cut := walk(segment, f.top)
	if len(init) == 0 && f.hasInit { // a segment may bring its own
		init = segment
		if f.firstMoof > 0 {
			init = segment[:f.firstMoof]
		}
	}
	var err error
	if f.tracks, err = tracks(init); err != nil {
		s.Note = "times and tracks are not known: initialization section " + err.Error()
		if len(init) == 0 {
			s.Note = "times and tracks are not known: no initialization section (EXT-X-MAP)"
		}
	}
	for _, m := range f.moofs {
		if err := f.moof(m); err != nil && s.Note == "" {
			s.Note = err.Error()
		}
	}
	s.take(f.units)
	s.HasAudio = f.hasAudio
	s.Keyframe = f.keyframe
	if len(s.Markers) == 0 { // what the sample tables do not lead to can still be seen
		s.Markers = prober.FindMarkers(segment, maxMarkers)
		s.HasVideo = s.HasVideo || len(s.Markers) > 0
	}
	switch {
	case cut != nil:
		return fmt.Errorf("not media: fMP4 %w", cut)
	case len(f.moofs) == 0 && f.hasMdat:
		return errors.New("not media: a plain MP4 file, not fragments of one (no moof box)")
	case len(f.moofs) == 0:
		return errors.New("not media: fMP4 without any fragment (no moof box): an initialization section alone?")
	case !f.hasMdat:
		return errors.New("not media: fMP4 without any data (no mdat box)")
	}
	return nil
}

// scaled is a time of a track, at most 2^33 s: beyond that it is no time.
func scaled(v, timescale int64) time.Duration {
	if timescale <= 0 {
		return 0
	}
	seconds := min(v/timescale, 1<<33)
	return (time.Duration(seconds)*time.Second + time.Duration(v%timescale)*time.Second/time.Duration(timescale)).Truncate(time.Microsecond)
}
