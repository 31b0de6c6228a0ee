package hls

import (
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/media"
)

// TestSoundApartInItsOwnRendition: neither rendition shows by itself that sound and
// pictures do not belong together.
func TestSoundApartInItsOwnRendition(t *testing.T) {
	t.Parallel()
	clock := time.Unix(1_000_000, 0)
	for _, c := range []struct {
		name string
		late time.Duration
		dsn  uint64
		want int
	}{
		{"together", 0, 0, 0},
		{"half a second late", 500 * time.Millisecond, 0, 1},
		{"half a second early", -500 * time.Millisecond, 0, 1},
		{"on another timeline", 500 * time.Millisecond, 1, 0},
	} {
		f := NewFollower(Config{URL: "http://x/"})
		pictures, sound := newRendition(f, listing{name: "360p"}, nil), newRendition(f, listing{name: "audio en"}, nil)
		f.renditions = []*rendition{pictures, sound}
		pictures.state.sentAt(media.Summary{Container: media.FMP4, VideoSent: media.Moment{At: 10 * time.Second, Clock: clock}}, 0)
		sound.state.sentAt(media.Summary{Container: media.FMP4, AudioSent: media.Moment{At: 13*time.Second + c.late, Clock: clock.Add(3 * time.Second)}}, c.dsn)
		found := f.apart()
		if len(found) != c.want || c.want > 0 && (found[0].Reason != prober.ReasonAVOffset || found[0].Where != "audio en") {
			t.Errorf("%s: %+v", c.name, found)
		}
	}
}
