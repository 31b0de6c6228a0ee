package media

import (
	"bytes"
	"hash/crc32"
	"math/bits"
	"slices"
	"testing"

	"streamcanary/prober"
)

// adts makes frames of AAC: 48 kHz, two channels, of these lengths.
func adts(lengths ...int) []byte {
	var b []byte
	for _, n := range lengths {
		b = append(b, 0xff, 0xf1, 0x4c, 0x80|byte(n>>11), byte(n>>3), byte(n<<5)|0x1f, 0xfc)
		b = append(b, bytes.Repeat([]byte{0x21}, n-7)...)
	}
	return b
}

// TestFramesOverPackets cuts four frames of sound into packets at each byte: none is
// lost, and each has the time of the packet in which it begins.
func TestFramesOverPackets(t *testing.T) {
	t.Parallel()
	frames := adts(20, 33, 9, 40)
	const lasts = 1920 // 1024 samples at 48 kHz, in 1/90000 s
	for cut := 1; cut < len(frames); cut++ {
		begun := 0 // frames that begin before the cut
		for _, at := range []int{0, 20, 53, 62} {
			if at < cut {
				begun++
			}
		}
		s := stream{Track: Track{Kind: Audio}, codec: codecAAC, scale: 90000}
		var f sounds
		f.packet(&s, frames[:cut], 5000, true)
		f.packet(&s, frames[cut:], 5000+int64(begun)*lasts, true)
		var times []int64
		for _, u := range s.units {
			times = append(times, u.pts)
		}
		if want := []int64{5000, 5000 + lasts, 5000 + 2*lasts, 5000 + 3*lasts}; !slices.Equal(times, want) || len(f.tail) != 0 {
			t.Errorf("cut at byte %d: %v, want %v, %d bytes left", cut, times, want, len(f.tail))
		}
	}
}

// TestFramesFoundAgain loses step in the middle of a frame.
func TestFramesFoundAgain(t *testing.T) {
	t.Parallel()
	s := stream{Track: Track{Kind: Audio}, codec: codecAAC, scale: 90000}
	var f sounds
	f.packet(&s, slices.Concat(adts(20, 20)[:30], []byte{0xff, 0x00, 0xff}, adts(20, 20)), 0, true)
	if len(s.units) < 3 {
		t.Errorf("%d frames", len(s.units))
	}
}

// TestSampleAES has the stream types of Apple's sample encryption in the program
// map: markers lie before what is encrypted, and are still seen.
func TestSampleAES(t *testing.T) {
	t.Parallel()
	ts := slices.Clone(testdata(t, "segment.ts"))
	at := ofPID(ts, 0x1000)[0]*packetSize + 5 // behind header and pointer_field
	section := ts[at : at+3+int(ts[at+1]&0xf)<<8+int(ts[at+2])]
	for i, b := range section {
		if b == 0x1b && section[i+1] == 0xe1 {
			section[i] = 0xdb
		}
		if b == 0x0f && section[i+1] == 0xe1 {
			section[i] = 0xcf
		}
	}
	var reversed []byte
	for _, b := range section[:len(section)-4] {
		reversed = append(reversed, bits.Reverse8(b))
	}
	sum := bits.Reverse32(^crc32.ChecksumIEEE(reversed))
	copy(section[len(section)-4:], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	s, err := Inspect(ts, nil)
	if err != nil || s.Encryption != SampleAES || len(s.Markers) != 30 || !s.HasAudio || !s.Keyframe {
		t.Fatalf("%q, %d markers, %v", s.Encryption, len(s.Markers), err)
	}
	var checker Checker
	if found := checker.Check(s, Expected{Encrypted: true}); len(found) != 0 {
		t.Errorf("announced: %+v", found)
	}
	if found := checker.Check(s, Expected{First: true}); len(found) != 1 || found[0].Reason != prober.ReasonMediaEncrypted {
		t.Errorf("not announced: %+v", found)
	}
}
