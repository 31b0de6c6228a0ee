package hls

import (
	"testing"
	"time"

	"streamcanary/prober"
)

// Where the leading rendition has no marker yet, and another one was proven by an
// old one, the age of that is told: whoever waits for a fresh one has to wait on.
func TestFoldTellsTheNewestMarker(t *testing.T) {
	t.Parallel()
	now := time.Now()
	seen := func(clock time.Time) view {
		v := view{age: time.Minute}
		v.Playing, v.PlayingSince = true, now
		if !clock.IsZero() {
			v.proven, v.Proof = true, prober.MeansBarcode
			v.FirstMarker, v.LastMarker, v.ReceivedAt = prober.Marker{Clock: clock}, prober.Marker{Clock: clock}, now
		}
		return v
	}
	old, older := now.Add(-9*time.Second), now.Add(-12*time.Second)
	for name, c := range map[string]struct {
		views []view
		want  time.Time
	}{
		"none has one":             {[]view{seen(time.Time{}), seen(time.Time{})}, time.Time{}},
		"the leading one has none": {[]view{seen(time.Time{}), seen(older), seen(old)}, old},
		"the leading one has one":  {[]view{seen(older), seen(old)}, older},
	} {
		o := NewFollower(Config{URL: "http://origin.test/live.m3u8", Run: ourRun}).fold(now, Observation{}, c.views)
		if !o.LastMarker.Clock.Equal(c.want) || !o.FirstMarker.Clock.Equal(c.want) {
			t.Errorf("%s: the marker of %v, want %v", name, o.LastMarker.Clock, c.want)
		}
	}
}
