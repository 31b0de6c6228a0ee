package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

func share(v float64) *float64 { return &v }

func TestPulling(t *testing.T) {
	t.Parallel()
	c, yes := &checker{}, true
	got := c.pulling("pull", typeStatic, &pullingFile{
		HTTP: "3", Transcoded: &yes, Sample: "1/5", SampleBy: []sampleFile{{"360p", "playlist"}, {"720p", "all"}},
		Ladder:   []rungFile{{Resolution: "1280x720", Bandwidth: 3_000_000, Codecs: "avc1"}, {Rendition: "audio en"}},
		Severity: []severityFile{{"stale", "note"}}, MaxLatency: 20 * time.Second, MaxRebuffering: share(0.1),
		Expect: "event", SegmentBytes: 64 << 20, Removed: "skip",
	})
	want := prober.Pulling{
		HTTP: "3", Transcoded: true, Sample: 5, SampleBy: map[string]int{"360p": prober.SampleNone, "720p": 0},
		Ladder:   []prober.Rung{{Width: 1280, Height: 720, Bandwidth: 3_000_000, Codecs: "avc1"}, {Rendition: "audio en"}},
		Severity: map[string]prober.Severity{"stale": prober.SeverityNote}, MaxLatency: 20 * time.Second, MaxRebuffering: 0.1,
		Expect: prober.ExpectEvent, SegmentBytes: 64 << 20, SkipRemoved: true,
	}
	if len(c.problems) > 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\n%+v\n%v", got, want, c.problems)
	}
}

// Mux and Cloudflare make everything anew, unless the file says otherwise.
func TestPullingTranscoded(t *testing.T) {
	t.Parallel()
	no := false
	for _, tt := range []struct {
		platform string
		file     *pullingFile
		want     bool
	}{
		{typeStatic, nil, false},
		{typeLivepeer, &pullingFile{}, false},
		{typeMux, nil, true},
		{typeCloudflare, &pullingFile{HTTP: "2"}, true},
		{typeMux, &pullingFile{Transcoded: &no}, false},
	} {
		c := &checker{}
		if got := c.pulling("pull", tt.platform, tt.file); got.Transcoded != tt.want {
			t.Errorf("%s, %+v: transcoded %v", tt.platform, tt.file, got.Transcoded)
		}
	}
}

func TestPullingMistakes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		file pullingFile
		want string
	}{
		{"version", pullingFile{HTTP: "4"}, "pull.http"},
		{"share", pullingFile{Sample: "1/1"}, "pull.sample"},
		{"share of more", pullingFile{Sample: "2/5"}, "pull.sample"},
		{"half a share", pullingFile{Sample: "1/5x"}, "pull.sample"},
		{"rendition", pullingFile{SampleBy: []sampleFile{{"", "all"}}}, "pull.sample_by[0].rendition"},
		{"rendition twice", pullingFile{SampleBy: []sampleFile{{"720p", "all"}, {"720p", "1/5"}}}, "pull.sample_by[1].rendition"},
		{"resolution", pullingFile{Ladder: []rungFile{{Resolution: "720p"}}}, "pull.ladder[0].resolution"},
		{"nothing", pullingFile{Ladder: []rungFile{{}}}, "pull.ladder[0]"},
		{"bandwidth", pullingFile{Ladder: []rungFile{{Bandwidth: -1}}}, "pull.ladder[0].bandwidth"},
		{"severity", pullingFile{Severity: []severityFile{{"stale", "loud"}}}, "pull.severity[0].is"},
		{"twice", pullingFile{Severity: []severityFile{{"stale", "note"}, {"stale", "fail"}}}, "pull.severity[1].rule"},
		{"latency", pullingFile{MaxLatency: -time.Second}, "pull.max_latency"},
		{"rebuffering", pullingFile{MaxRebuffering: share(0)}, "pull.max_rebuffering"},
		{"rebuffering in percent", pullingFile{MaxRebuffering: share(20)}, "pull.max_rebuffering"},
		{"presentation", pullingFile{Expect: "film"}, "pull.expect"},
		{"removed segments", pullingFile{Removed: "no"}, "pull.removed"},
		{"segments without a bound", pullingFile{SegmentBytes: 1 << 40}, "pull.segment_bytes"},
		{"authorities", pullingFile{CAFile: "nowhere.pem"}, "pull.ca_file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := &checker{}
			c.readSecret = readSecret
			c.pulling("pull", typeStatic, &tt.file)
			if len(c.problems) != 1 || !strings.HasPrefix(c.problems[0].Path, tt.want) {
				t.Errorf("%+v, want one of %s", c.problems, tt.want)
			}
		})
	}
}
