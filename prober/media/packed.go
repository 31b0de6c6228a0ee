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
	return len(b) >= id3Header && string(b[:3]) == "ID3" && b[3] < 0xff || headOf(codecAAC, b).length > 0
}

// inspectPacked reads packed audio: AAC, MP3, AC-3 or E-AC-3.
func (s *Summary) inspectPacked(segment []byte) error {
	rest, pts, timed, err := id3(segment)
	if err != nil {
		return err
	}
	t := stream{Track: Track{Kind: Audio}, scale: 90000}
	for _, c := range []codec{codecAAC, codecMP3, codecAC3} {
		if t.codec == otherCodec && headOf(c, rest).length > 0 {
			t.codec = c
		}
	}
	if t.codec == otherCodec {
		return errors.New("not media: packed audio without any frame of sound in it")
	}
	var f sounds
	f.packet(&t, rest, pts, true)
	s.Untimed = !timed
	s.takeStreams([]stream{t})
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
