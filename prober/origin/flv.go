package origin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/bluenviron/gohlslib/v2/pkg/codecs"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
)

// Field values of FLV's AUDIODATA and VIDEODATA (Video File Format
// Specification 10.1, E.4.2 and E.4.3).
const (
	codecAVC       = 7
	soundAAC       = 10
	packetHeader   = 0
	packetFrame    = 1
	maxNALUs       = 256 // of one access unit
	naluTypeMask   = 0x1f
	videoTagHeader = 5
	audioTagHeader = 2
)

var errUnsupported = errors.New("only H.264 video and AAC audio are supported")

// videoConfig is an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1).
type videoConfig struct {
	sps, pps   []byte
	lengthSize int // bytes of each NAL unit's length: 1, 2 or 4
}

func (v *videoConfig) equal(o *videoConfig) bool {
	return o != nil && bytes.Equal(v.sps, o.sps) && bytes.Equal(v.pps, o.pps) && v.lengthSize == o.lengthSize
}

// videoTag is what a VIDEODATA body holds: a new configuration, or a frame.
type videoTag struct {
	config      *videoConfig  // nil for a frame
	composition time.Duration // presentation less decoding time
	data        []byte        // NAL units, each with its length in front
}

// parseVideo reads a VIDEODATA body. An empty tag (end of sequence) is neither
// an error nor a frame.
func parseVideo(b []byte) (videoTag, error) {
	if len(b) < videoTagHeader || b[0]&0x80 != 0 || b[0]&0x0f != codecAVC {
		return videoTag{}, errUnsupported
	}
	switch b[1] {
	case packetHeader:
		config, err := parseVideoConfig(b[videoTagHeader:])
		return videoTag{config: config}, err
	case packetFrame:
		ms := int32(uint24(b[2:])<<8) >> 8 //nolint:gosec // a signed 24 bit field
		return videoTag{composition: time.Duration(ms) * time.Millisecond, data: b[videoTagHeader:]}, nil
	}
	return videoTag{}, nil
}

func parseVideoConfig(b []byte) (*videoConfig, error) {
	if len(b) < 7 {
		return nil, errors.New("AVC configuration record is too short")
	}
	v := &videoConfig{lengthSize: int(b[4]&3) + 1}
	if v.lengthSize == 3 {
		return nil, errors.New("AVC configuration record: NAL unit lengths of 3 bytes")
	}
	sps, rest, err := parameterSets(b[5]&0x1f, b[6:])
	if err != nil {
		return nil, err
	}
	if len(rest) == 0 {
		return nil, errors.New("AVC configuration record has no PPS")
	}
	pps, _, err := parameterSets(rest[0], rest[1:])
	if err != nil {
		return nil, err
	}
	if sps == nil || pps == nil {
		return nil, errors.New("AVC configuration record has no SPS or no PPS")
	}
	var parsed h264.SPS
	if err := parsed.Unmarshal(sps); err != nil {
		return nil, fmt.Errorf("AVC configuration record: SPS: %w", err)
	}
	v.sps, v.pps = sps, pps
	return v, nil
}

// parameterSets reads n sets, each with two bytes of length, and gives the first.
func parameterSets(n byte, b []byte) (first, rest []byte, err error) {
	for range n {
		if len(b) < 2 {
			return nil, nil, errors.New("AVC configuration record is cut short")
		}
		size := int(binary.BigEndian.Uint16(b))
		if b = b[2:]; size == 0 || size > len(b) {
			return nil, nil, errors.New("AVC configuration record is cut short")
		}
		if first == nil {
			first = b[:size]
		}
		b = b[size:]
	}
	return first, b, nil
}

// accessUnit splits a frame's data into NAL units and puts SPS and PPS before
// an IDR picture that comes without: a segment must be decodable alone.
func (v *videoConfig) accessUnit(data []byte) (au [][]byte, keyframe bool, err error) {
	inBand := false
	for len(data) > 0 {
		size, err := v.naluSize(data)
		if err != nil {
			return nil, false, err
		}
		nalu := data[v.lengthSize : v.lengthSize+size]
		data = data[v.lengthSize+size:]
		if size == 0 {
			continue
		}
		switch h264.NALUType(nalu[0] & naluTypeMask) {
		case h264.NALUTypeIDR:
			keyframe = true
		case h264.NALUTypeSPS:
			inBand = true
		case h264.NALUTypeAccessUnitDelimiter:
			continue // the muxer writes its own, and it must come first
		default:
		}
		if au = append(au, nalu); len(au) > maxNALUs {
			return nil, false, fmt.Errorf("access unit has more than %d NAL units", maxNALUs)
		}
	}
	if keyframe && !inBand {
		au = append([][]byte{v.sps, v.pps}, au...)
	}
	return au, keyframe, nil
}

func (v *videoConfig) naluSize(b []byte) (int, error) {
	if len(b) < v.lengthSize {
		return 0, errors.New("access unit is cut short in a length")
	}
	size := 0
	for _, c := range b[:v.lengthSize] {
		size = size<<8 | int(c)
	}
	if size < 0 || size > len(b)-v.lengthSize { // below zero: where an int has 32 bits
		return 0, fmt.Errorf("NAL unit of %d bytes in an access unit that has %d left", size, len(b)-v.lengthSize)
	}
	return size, nil
}

// audioTag is what an AUDIODATA body holds: a new configuration, or a frame.
type audioTag struct {
	config *codecs.MPEG4Audio // nil for a frame
	data   []byte             // one AAC access unit
}

func parseAudio(b []byte) (audioTag, error) {
	if len(b) < audioTagHeader || b[0]>>4 != soundAAC {
		return audioTag{}, errUnsupported
	}
	if b[1] != packetHeader {
		return audioTag{data: b[audioTagHeader:]}, nil
	}
	var config mpeg4audio.AudioSpecificConfig
	if err := config.Unmarshal(b[audioTagHeader:]); err != nil {
		return audioTag{}, fmt.Errorf("AudioSpecificConfig: %w", err)
	}
	if config.SampleRate <= 0 {
		return audioTag{}, errors.New("AudioSpecificConfig has no sampling rate")
	}
	return audioTag{config: &codecs.MPEG4Audio{Config: config}}, nil
}
