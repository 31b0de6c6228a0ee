package media

import (
	"bytes"
	"errors"
	"fmt"
)

// timestampOwner names the PRIV frame of the ID3 tag before packed audio: 8 bytes,
// a PTS of 33 bits, of the first sample (RFC 8216bis 3.4).
const timestampOwner = "com.apple.streaming.transportStreamTimestamp\x00"

const id3Header = 10

// isPacked tells whether bytes begin like packed audio: an ID3 tag, or ADTS.
func isPacked(b []byte) bool {
	return len(b) >= id3Header && string(b[:3]) == "ID3" && b[3] < 0xff || adtsLength(b) > 0
}

// inspectPacked reads packed audio. Of AAC it finds each frame; of others it
// knows the name.
func (s *Summary) inspectPacked(segment []byte) error {
	rest, pts, timed, err := id3(segment)
	if err != nil {
		return err
	}
	t := stream{Track: Track{Kind: Audio}, codec: codecAAC, scale: 90000}
	switch {
	case adtsLength(rest) > 0:
	case len(rest) >= 2 && rest[0] == 0xff && rest[1]&0xe6 == 0xe2: // layer III
		t.codec, t.Codec = otherCodec, "mp4a.40.34"
	case len(rest) >= 6 && rest[0] == 0x0b && rest[1] == 0x77:
		t.codec, t.Codec = otherCodec, "ac-3"
		if rest[5]>>3 > 10 { // bsid (ETSI TS 102 366, Annex E)
			t.Codec = "ec-3"
		}
	default:
		return errors.New("not media: packed audio without any frame of sound in it")
	}
	var f sounds
	f.packet(&t, rest, pts, true)
	s.Untimed = !timed
	one := []stream{t}
	s.takeStreams(one)
	if len(f.tail) > 0 {
		return fmt.Errorf("not media: packed audio cut short or damaged: %d bytes at its end are no whole frame", len(f.tail))
	}
	return nil
}

// id3 reads the tags before the sound (id3.org, ID3v2.4.0), and the time in them.
func id3(b []byte) (rest []byte, pts int64, timed bool, err error) {
	for len(b) >= id3Header && string(b[:3]) == "ID3" {
		size := syncSafe(b[6:])
		if size > len(b)-id3Header {
			return nil, 0, false, fmt.Errorf("not media: packed audio cut short: its ID3 tag says it is %d bytes long, %d are left", size, len(b)-id3Header)
		}
		if at := bytes.Index(b[id3Header:id3Header+size], []byte(timestampOwner)); at >= 0 {
			if v := b[id3Header+at+len(timestampOwner):]; len(v) >= 8 {
				pts, timed = int64(v[3]&1)<<32|int64(be32(v[4:])), true
			}
		}
		b = b[id3Header+size:]
	}
	return b, pts, timed, nil
}

// syncSafe reads 28 bits of four bytes.
func syncSafe(b []byte) int {
	return int(b[0]&0x7f)<<21 | int(b[1]&0x7f)<<14 | int(b[2]&0x7f)<<7 | int(b[3]&0x7f)
}
