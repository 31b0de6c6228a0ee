package hls

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// list makes a media playlist of two-second segments from..to, last changed at noon.
func list(from, to uint64, change ...func(*Playlist)) *Playlist {
	p := &Playlist{TargetDuration: 2 * time.Second, MediaSequence: from, Updated: noon}
	for n := from; n <= to; n++ {
		p.Segments = append(p.Segments, Segment{Sequence: n, URI: fmt.Sprintf("seg%d.ts?token=%d", n, to), Duration: 2 * time.Second})
	}
	for _, c := range change {
		c(p)
	}
	return p
}

func renamed(p *Playlist) {
	for i := range p.Segments {
		p.Segments[i].URI = "other/" + p.Segments[i].URI
	}
}

func dated(at time.Time) func(*Playlist) {
	return func(p *Playlist) {
		for i := range p.Segments {
			p.Segments[i].ProgramDateTime = at.Add(time.Duration(p.Segments[i].Sequence) * 2 * time.Second)
		}
	}
}

func lasts(d time.Duration) func(*Playlist) {
	return func(p *Playlist) { p.Segments[0].Duration = d }
}

func target(d time.Duration) func(*Playlist) { return func(p *Playlist) { p.TargetDuration = d } }
func ended(p *Playlist)                      { p.EndList = true }

func TestAnalyze(t *testing.T) {
	t.Parallel()
	empty := &Playlist{Updated: noon}
	tests := []struct {
		name              string
		previous, current *Playlist
		after             time.Duration // from previous.Updated to the request
		want              string        // "section outcome reason", joined
	}{
		{"first", nil, list(5, 9), 0, ""},
		{"advanced", list(5, 9), list(6, 10), 2 * time.Second, ""},
		{"grown at the same number", list(5, 9), list(5, 10), 2 * time.Second, ""},
		{"advanced after very long", list(5, 9), list(6, 10), time.Hour, ""},
		{"far ahead", list(5, 9), list(500, 504), 4 * time.Second, ""},
		{"unchanged within 1.5 target durations and the tolerance", list(5, 9), list(5, 9), 4 * time.Second, ""},
		{"stale", list(5, 9), list(5, 9), 4*time.Second + 1, "6.2.1 fail playlist_stale"},
		{"stale though segments are removed", list(5, 9), list(7, 9), 5 * time.Second, "6.2.1 fail playlist_stale"},
		{"not stale at a longer target", list(5, 9, target(10*time.Second)), list(5, 9, target(10*time.Second)), 16 * time.Second, ""},
		{"stale at a longer target", list(5, 9, target(10*time.Second)), list(5, 9, target(10*time.Second)), 16*time.Second + 1, "6.2.1 fail playlist_stale"},
		{"other query strings", list(5, 9), list(5, 9, func(p *Playlist) { p.Segments[0].URI = "seg5.ts?token=new" }), time.Second, ""},
		{"restarted", list(105, 109), list(0, 1), time.Second, "6.2.2 fail sequence_regression"},
		{"restarted soon, with other names", list(0, 4), list(0, 1, renamed), time.Second, "6.2.2 fail sequence_regression"},
		{"restarted soon, at other times", list(0, 3, dated(noon)), list(0, 1, dated(noon.Add(time.Minute))), time.Second, "6.2.2 fail sequence_regression"},
		{"far behind", list(5, 9), list(1, 5), time.Second, "6.2.2 fail sequence_regression"},
		{"another origin slightly behind", list(5, 9), list(4, 8), time.Second, ""},
		{"another origin behind for long", list(5, 9), list(4, 8), 5 * time.Second, "6.2.1 fail playlist_stale"},
		{"another origin with a longer window", list(5, 9), list(3, 10), time.Second, ""},
		{"another origin with other segments", list(5, 9), list(4, 8, renamed), time.Second, "6.2.2 fail sequence_regression"},
		{"ended", list(5, 9), list(5, 9, ended), time.Hour, "4.4.3.4 fail stream_ended"},
		{"empty", nil, empty, 0, "6.2.2 fail playlist_no_segments"},
		{"emptied", list(5, 9), empty, time.Hour, "6.2.2 fail playlist_no_segments"},
		{"filled", empty, list(0, 0), time.Hour, ""},
		{"duration rounds down to the target", nil, list(5, 9, target(10*time.Second), lasts(10400*time.Millisecond)), 0, ""},
		{"duration rounds up over the target", nil, list(5, 9, target(10*time.Second), lasts(10500*time.Millisecond)), 0, "4.4.3.1 degraded playlist_malformed"},
		{"worse first", list(50, 59), list(5, 9, ended, lasts(9*time.Second)), 0, "4.4.3.4 fail stream_ended, 6.2.2 fail sequence_regression, 4.4.3.1 degraded playlist_malformed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range Analyze(tt.previous, tt.current, noon.Add(tt.after)) {
				got = append(got, fmt.Sprintf("%s %s %s", f.Section, f.Severity, f.Reason))
				if f.Stage != prober.StageManifest || f.Rule == "" || f.Count != 1 {
					t.Errorf("%+v", f)
				}
			}
			if s := strings.Join(got, ", "); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
		})
	}
}

// A segment that has another number than before is found by its name, where names tell
// segments apart.
func TestAnalyzeNames(t *testing.T) {
	t.Parallel()
	renumbered := func(format string, of uint64) func(*Playlist) {
		return func(p *Playlist) {
			for i := range p.Segments {
				p.Segments[i].URI = fmt.Sprintf(format, p.Segments[i].Sequence%of)
			}
		}
	}
	const all = 1 << 40
	counted := func(p *Playlist) { p.seen.hasSequence = true }
	for _, tt := range []struct {
		name        string
		from, to    uint64 // now
		before, end uint64 // 0 is 5 to 9
		format      string
		names       uint64 // until they come again
		after       time.Duration
		more        func(*Playlist) // of the current one
		want        string
	}{
		{name: "none again", from: 105, to: 109, format: "seg%d.ts", names: all, after: 2 * time.Second},
		{name: "again at once", from: 105, to: 109, format: "seg%d.ts", names: 100, after: 2 * time.Second, want: "msn-mismatch"},
		{name: "again, in other paths", from: 105, to: 109, format: "new/seg%d.ts?token=1", names: 100, after: 2 * time.Second, want: "msn-mismatch"},
		{name: "again, when it is time for it", from: 105, to: 109, format: "seg%d.ts", names: 100, after: 200 * time.Second},
		{name: "queries alone differ", from: 15, to: 19, format: "seg.ts?n=%d", names: all, after: 2 * time.Second},
		{name: "queries alone differ, of one segment", from: 12, to: 12, format: "seg.ts?n=%d", names: all, after: time.Second, before: 9, end: 9},
		{name: "one segment again", from: 109, to: 109, format: "seg%d.ts", names: 100, after: time.Second, before: 9, end: 9, want: "msn-mismatch"},
		{name: "queries alone differ, and a duration", from: 6, to: 10, format: "seg.ts?n=%d", names: all, after: 2 * time.Second, more: lasts(time.Second), want: "rewritten"},
		{name: "a list moved further than it says", from: 6, to: 10, format: "seg%d.ts", names: all, after: 2 * time.Second,
			more: func(p *Playlist) {
				for i := range p.Segments {
					p.Segments[i].URI = fmt.Sprintf("seg%d.ts", p.Segments[i].Sequence+1)
				}
			}, want: "msn-mismatch"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			current := list(tt.from, tt.to, renumbered(tt.format, tt.names), counted)
			if tt.more != nil {
				tt.more(current)
			}
			found := Rules{Severity: map[string]prober.Severity{"window-short": SeverityOff, "window-tiny": SeverityOff}}.Analyze(
				list(cmp.Or(tt.before, 5), cmp.Or(tt.end, 9), renumbered(tt.format, tt.names), counted), current, noon.Add(tt.after))
			if got := told(found); got != tt.want {
				t.Errorf("got %q, want %q: %+v", got, tt.want, found)
			}
		})
	}
}

func TestRulesTolerance(t *testing.T) {
	t.Parallel()
	for tolerance, bound := range map[time.Duration]time.Duration{
		0: 4 * time.Second, -1: 3 * time.Second, 3 * time.Second: 6 * time.Second,
	} {
		r := Rules{StaleTolerance: tolerance}
		if found := r.Analyze(list(5, 9), list(5, 9), noon.Add(bound)); len(found) != 0 {
			t.Errorf("tolerance %s: stale at %s: %v", tolerance, bound, found)
		}
		if found := r.Analyze(list(5, 9), list(5, 9), noon.Add(bound+1)); len(found) != 1 {
			t.Errorf("tolerance %s: not stale after %s", tolerance, bound)
		}
	}
}
