package signal

import (
	"bytes"
	"testing"
)

func TestEmulationPrevention(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rbsp, want string }{
		{"\x00\x00\x00", "\x00\x00\x03\x00"},
		{"\x00\x00\x01", "\x00\x00\x03\x01"},
		{"\x00\x00\x02", "\x00\x00\x03\x02"},
		{"\x00\x00\x03", "\x00\x00\x03\x03"},
		{"\x00\x00\x04", "\x00\x00\x04"},
		{"\x00\x01\x00\x02", "\x00\x01\x00\x02"},
		{"\x00\x00\x00\x00\x00\x80", "\x00\x00\x03\x00\x00\x03\x00\x80"},
		{"\xff\x00\x00\x00\x00\x01\x80", "\xff\x00\x00\x03\x00\x00\x03\x01\x80"},
	} {
		if got := appendEscaped(nil, nalSPS, []byte(c.rbsp)); string(got) != "\x67"+c.want {
			t.Errorf("%x becomes %x, want 67%x", c.rbsp, got, c.want)
		}
	}
}

// FuzzEmulationPrevention holds that no start code is left inside, and that a
// decoder gets back what was written.
func FuzzEmulationPrevention(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 3, 0, 0, 1})
	f.Fuzz(func(t *testing.T, rbsp []byte) {
		nal := appendEscaped(nil, nalSPS, rbsp)
		var back []byte
		zeros := 0
		for _, b := range nal[1:] {
			if zeros >= 2 && b < 3 {
				t.Fatalf("%x holds a start code", nal)
			}
			if zeros >= 2 && b == 3 {
				zeros = 0
				continue
			}
			back = append(back, b)
			if b == 0 {
				zeros++
			} else {
				zeros = 0
			}
		}
		if !bytes.Equal(back, rbsp) {
			t.Fatalf("%x comes back as %x", rbsp, back)
		}
	})
}

func TestExpGolomb(t *testing.T) {
	t.Parallel()
	var w bitWriter
	for v := range uint32(5) {
		w.ue(v) // 1 010 011 00100 00101
	}
	for v := range int32(3) {
		w.se(v) // 1 010 00100
	}
	w.se(-1) // 011
	w.trailing()
	if want := []byte{0b10100110, 0b01000010, 0b11010001, 0b00011100}; !bytes.Equal(w.buf, want) {
		t.Errorf("got %08b, want %08b", w.buf, want)
	}
}
