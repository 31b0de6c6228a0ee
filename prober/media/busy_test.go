package media

import (
	"testing"
	"time"

	"streamcanary/prober"
)

// TestBusyPusher sends a second of pictures and sound, some of it late and at once, and
// shows the sound apart by some time. What lateness explains is not held against the
// stream; what it does not explain is.
func TestBusyPusher(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	clock := time.Unix(1_000_000, 0)
	// sentBy gives a track's moment, of frames that are due each step; those due from
	// `from` to `to` are sent at `to`.
	sentBy := func(step, shown, from, to time.Duration) Moment {
		s := stream{scale: 1000}
		for due := time.Duration(0); due < time.Second; due += step {
			at := due
			if due >= from && due < to {
				at = to
			}
			s.markers = append(s.markers, prober.Marker{Clock: clock.Add(at)})
			s.markedAt = append(s.markedAt, (due + shown).Milliseconds())
		}
		_, m := s.sent()
		return m
	}
	for _, c := range []struct {
		name     string
		shown    time.Duration // sound behind its picture
		from, to time.Duration // what is due then is sent late
		known    bool
	}{
		{"punctual, together", 0, 0, 0, true},
		{"punctual, sound late", 200 * ms, 0, 0, true},
		{"punctual, sound early", -100 * ms, 0, 0, true},
		{"all of it late, together", 0, 0, 1300 * ms, false},
		{"half of it late, together", 0, 0, 500 * ms, false},
		{"all of it late, sound 100 ms apart", -100 * ms, 0, 1300 * ms, false},
		{"half of it late, sound a second apart", time.Second, 0, 500 * ms, true},
	} {
		offset, known := Apart(sentBy(33*ms, 0, c.from, c.to), sentBy(107*ms, c.shown, c.from, c.to), FMP4)
		if known != c.known || known && (offset-c.shown).Abs() > max(c.to, time.Millisecond) {
			t.Errorf("%s: %v, known %v; want %v, %v", c.name, offset, known, c.shown, c.known)
		}
	}
}
