package origin

import (
	"slices"
	"sync"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// painter puts pictures of its own in the place of a broadcast's, from the next
// keyframe on.
type painter struct {
	format   format
	keyframe [][]byte // of the picture that is shown
	number   uint32   // of pictures since the last keyframe
}

// painters are those of every output.
type painters struct {
	paint func(p *painter, f *frame) [][]byte // the keyframe

	mu sync.Mutex
	of map[*output]*painter
}

func newPainter(paint func(*painter, *frame) [][]byte) *painters {
	return &painters{paint: paint, of: make(map[*output]*painter)}
}

// change is a frameFault. Pictures whose format is beyond us stay as they are.
func (s *painters) change(f *frame) bool {
	if f.audio {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.of[f.output]
	if p == nil {
		format, err := formatOf(f.tracks.video)
		if err != nil || !f.keyframe {
			return true
		}
		p = &painter{format: format}
		p.keyframe = s.paint(p, f)
		s.of[f.output] = p
	}
	if f.keyframe {
		p.number = 0
		f.au = p.keyframe
		return true
	}
	p.number++
	f.au = [][]byte{p.format.still(p.number)}
	return true
}

func (p *painter) black(f *frame) [][]byte {
	return [][]byte{f.tracks.video.sps, f.tracks.video.pps, p.format.black()}
}

// frozen is the keyframe itself, without its markers.
func (p *painter) frozen(f *frame) [][]byte {
	var au [][]byte
	for _, nalu := range f.au {
		if h264.NALUType(nalu[0]&naluTypeMask) != h264.NALUTypeSEI {
			au = append(au, slices.Clone(nalu))
		}
	}
	return au
}
