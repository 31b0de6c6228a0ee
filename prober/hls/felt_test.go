package hls

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober"
)

// What is felt second by second, and in which second it is graded as what.
func TestFelt(t *testing.T) {
	t.Parallel()
	const stands, fails, late = 's', 'f', 'l'
	steady := strings.Repeat(".", 15) // until it is judged
	tests := []struct {
		name  string
		turns string
		want  string // first letter of the reason, or "."
	}{
		{"healthy", steady + "..........", "........................."},
		{"stutters as it starts", "ssssssssssssss.......", "....................."},
		{"stands still for six seconds", steady + "ssssss...", "........................"},
		{"for seven", steady + "sssssss...", ".....................rrrr"},
		{"for seven, seldom", steady + "s.....s.....s.....s.....s.....s.....s", strings.Repeat(".", 52)},
		{"and half a minute later", steady + "sssssss" + strings.Repeat(".", 31), strings.Repeat(".", 21) + strings.Repeat("r", 24) + strings.Repeat(".", 8)},
		{"a failure says it all", steady + "sssfffffffssss..", strings.Repeat(".", 31)},
		{"after a failure it counts anew", steady + "fss.sssssss", strings.Repeat(".", 25) + "r"},
		{"late for ten seconds", steady + "llllllllll.", ".........................."},
		{"late for longer", steady + "llllllllllll.", ".........................ll."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			zero := time.Unix(1_700_000_000, 0)
			var f felt
			got := ""
			for i, what := range tt.turns {
				var v prober.Viewing
				switch what {
				case stands:
					v.RebufferTime = time.Second
				case late:
					v.Latency = time.Minute
				}
				at := time.Duration(i+1) * time.Second
				found := f.turn(zero.Add(at), v, at, what == fails, feltBounds{latency: 20 * time.Second, rebuffering: DefaultMaxRebuffering})
				if len(found) == 0 {
					got += "."
					continue
				}
				got += string(found[0].Reason[0])
			}
			if want := tt.want + strings.Repeat(".", max(len(got)-len(tt.want), 0)); got != want {
				t.Errorf("turns %s\ngot   %s\nwant  %s", tt.turns, got, want)
			}
		})
	}
}

// A throttled playback is degraded by what its viewers feel, and healthy ones and
// those that fail are not.
func TestFollowerGradesWhatIsFelt(t *testing.T) {
	t.Parallel()
	throttled := func(times int) func(*origin, http.ResponseWriter, *http.Request) bool {
		return func(o *origin, w http.ResponseWriter, r *http.Request) bool {
			if isPlaylist(r) {
				return false
			}
			wait(r, time.Duration(times)*o.target)
			o.answer(w, r)
			return true
		}
	}
	delayed := func(o *origin, w http.ResponseWriter, r *http.Request) bool {
		if !isPlaylist(r) {
			return false
		}
		_, _ = io.WriteString(w, o.window(0, o.complete()-4)) // eight seconds
		return true
	}
	tests := []struct {
		name   string
		fault  func(*origin, http.ResponseWriter, *http.Request) bool
		from   time.Duration
		change Config
		want   string
		told   prober.Reason // in a finding; "" is nothing
	}{
		{"healthy", nil, 0, Config{}, "good", ""},
		{"throttled", throttled(2), 40 * time.Second, Config{StallTimeout: 10 * time.Second}, "degraded media/rebuffering", prober.ReasonRebuffering},
		{"throttled, and granted", throttled(2), 40 * time.Second, Config{StallTimeout: 10 * time.Second, MaxRebuffering: 1}, "degraded segment/segment_slow", ""},
		{"throttled, and no more than a note", throttled(2), 40 * time.Second, Config{StallTimeout: 10 * time.Second,
			Rules: Rules{Severity: map[string]prober.Severity{"rebuffering": prober.SeverityNote}}}, "degraded segment/segment_slow", prober.ReasonRebuffering},
		{"so slow that it fails", throttled(6), 40 * time.Second, Config{StallTimeout: 3 * time.Second}, "segment/http_timeout", ""},
		{"late", delayed, 0, Config{MaxLatency: 12 * time.Second}, "degraded latency/latency_high", prober.ReasonLatencyHigh},
		{"late by the default's grace", delayed, 0, Config{}, "good", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin()
				o.fault, o.from, o.to = tt.fault, tt.from, time.Hour
				pass(19*time.Second + 100*time.Millisecond)
				turns := watch(t, o, tt.change, 70*time.Second)
				end := turns[len(turns)-1]
				if end.verdict() != tt.want {
					t.Errorf("%s: %+v, %+v", end.verdict(), end.Failure, end.Viewing)
				}
				told := map[prober.Reason]int{}
				for _, turn := range turns {
					for _, f := range turn.Findings {
						told[f.Reason]++
					}
				}
				if n := told[prober.ReasonRebuffering] + told[prober.ReasonLatencyHigh]; tt.told == "" && n > 0 || tt.told != "" && (n != 1 || told[tt.told] != 1) {
					t.Errorf("told %v", told)
				}
			})
		})
	}
}
