package signal

import (
	"bytes"
	"testing"
	"time"
)

// TestCodesChangeNothing compares what is remembered with what is computed anew,
// for sources that share what they remember and for one that computes all.
func TestCodesChangeNothing(t *testing.T) {
	t.Parallel()
	shared := NewCodes()
	for _, cfg := range []Config{
		{Run: "a", Label: "Frankfurt"}, {Run: "b", Label: "New York"},
		{Run: "c", Width: 1280, Height: 720, Bitrate: 2_000_000}, {Run: "d", Width: 320, Height: 180},
	} {
		cfg.Codes = shared
		got, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		want, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		want.video.coder.decoded = func(int, int, [16]uint8, [2][4]uint8) {} // nothing is remembered then
		for i := range 300 {
			clock := started().Add(time.Duration(i) * 17 * time.Millisecond)
			if a, b := got.Next(clock), want.Next(clock); !bytes.Equal(a.Body, b.Body) {
				t.Fatalf("%s: frame %d differs: %d bytes, computed anew %d", cfg.Run, i, len(a.Body), len(b.Body))
			}
		}
	}
	known := 0
	for i := range shared.slots {
		if shared.slots[i].Load() != nil {
			known++
		}
	}
	if known < 100 {
		t.Errorf("only %d macroblocks are remembered: the test compares nothing", known)
	}
}
