package prober

import (
	"bytes"
	"crypto/sha256"
	"strconv"
	"time"
)

// MarkerSize is the length in bytes of an encoded marker.
const MarkerSize = 48

// One of these opens every marker. A picture's is the first half of the UUID of an
// H.264 SEI user_data_unregistered message (ISO/IEC 14496-10, D.1.6); sound has
// its own. No byte is zero, so that no emulation prevention is ever needed inside
// a marker.
const (
	markerMagic  = "\xc5\x9ascan" // of both
	pictureMagic = markerMagic + "ry"
	soundMagic   = markerMagic + "au"
)

// Tag stands for a run inside its markers: eight bytes, none of them zero.
type Tag [8]byte

// RunTag derives a run's tag from its id.
func RunTag(run string) Tag {
	sum := sha256.Sum256([]byte(run))
	var t Tag
	for i := range t {
		t[i] = max(sum[i], 1)
	}
	return t
}

// Marker is carried by every picture that is pushed, and by every few frames of
// sound: whose it is, which, and when it was sent.
type Marker struct {
	Audio bool // of a frame of sound, not of a picture
	Tag   Tag
	Seq   uint64    // of the frame in its run, from 0: pictures and sound are counted apart
	Clock time.Time // wall clock of the pusher at sending, to the microsecond
}

// Append encodes m: magic, tag, sequence and microseconds since 1970, the last
// two as 16 hexadecimal digits each, so that no byte is zero.
func (m Marker) Append(b []byte) []byte {
	if m.Audio {
		b = append(b, soundMagic...)
	} else {
		b = append(b, pictureMagic...)
	}
	b = append(b, m.Tag[:]...)
	b = appendHex(b, m.Seq)
	return appendHex(b, uint64(m.Clock.UnixMicro()))
}

func appendHex(b []byte, v uint64) []byte {
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, digits[v>>shift&0xf])
	}
	return b
}

// FindMarkers reads every marker in b, of pictures and of sound, in order. What
// only looks like one is skipped. It stops after limit markers; a limit of 0 is none.
func FindMarkers(b []byte, limit int) []Marker {
	var found []Marker
	for limit == 0 || len(found) < limit {
		at := bytes.Index(b, []byte(markerMagic))
		if at < 0 || len(b)-at < MarkerSize {
			return found
		}
		if m, ok := parseMarker(b[at : at+MarkerSize]); ok {
			found = append(found, m)
			b = b[at+MarkerSize:]
			continue
		}
		b = b[at+len(markerMagic):]
	}
	return found
}

func parseMarker(b []byte) (Marker, bool) {
	var m Marker
	switch string(b[:8]) {
	case pictureMagic:
	case soundMagic:
		m.Audio = true
	default:
		return Marker{}, false
	}
	copy(m.Tag[:], b[8:16])
	seq, err := strconv.ParseUint(string(b[16:32]), 16, 64)
	if err != nil {
		return Marker{}, false
	}
	clock, err := strconv.ParseUint(string(b[32:48]), 16, 63) // digits alone: no sign
	if err != nil {
		return Marker{}, false
	}
	m.Seq, m.Clock = seq, time.UnixMicro(int64(clock)).UTC()
	return m, true
}
