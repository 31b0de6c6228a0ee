package incident

import (
	"testing"
	"time"

	"streamcanary/prober"
)

// TestBlamed says what a broadcast that nobody sees good is charged to, by what is seen
// of others since it fails.
func TestBlamed(t *testing.T) {
	t.Parallel()
	const before, after = -time.Second, time.Second
	since := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	seen := func(target, in string, good, bad time.Duration, n int) *broadcastState {
		b := &broadcastState{Target: target, Ingest: in, Seen: map[string]time.Time{}}
		b.note("a0|fra", true, since.Add(good))
		b.note("a0|sin", true, since.Add(good))
		for i := range n {
			b.note([]string{"a0|nyc", "a1|nyc", "a1|fra", "a1|sin"}[i], false, since.Add(bad))
		}
		return b
	}
	once := seen("live", "nyc", before, after, 0)
	once.note("a0|fra", true, since.Add(after))
	for _, tt := range []struct {
		name  string
		other *broadcastState
		want  prober.Element
	}{
		{"another ingest's is seen", seen("live", "nyc", after, after, 0), ingest("live", "fra")},
		{"it is seen at half of its places", seen("live", "nyc", after, after, 2), ingest("live", "fra")},
		{"it is seen now and then", seen("live", "nyc", after, after, 3), core("live")},
		{"it failed elsewhere before", seen("live", "nyc", after, before, 4), ingest("live", "fra")},
		{"it is seen once", once, core("live")},
		{"it was seen before", seen("live", "nyc", before, before, 0), core("live")},
		{"one of the same ingest is seen", seen("live", "fra", after, after, 0), core("live")},
		{"one of another target is seen", seen("vod", "nyc", after, after, 0), core("live")},
		{"none", nil, core("live")},
	} {
		s := NewState()
		if tt.other != nil {
			s.Broadcasts["other"] = tt.other
		}
		r := prober.Result{Run: "own", Target: "live", Ingest: "fra"}
		if got := (&turn{s: &s}).blamed(&r, since); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}
