package hls

import (
	"io"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/media"
)

// What a variant declares may change while it is followed: it is held against what
// is declared now.
func TestFollowerRelisted(t *testing.T) {
	t.Parallel()
	const (
		plain  = "#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,CODECS=\"avc1.64001e,mp4a.40.2\"\nlive.m3u8\n"
		narrow = "#EXT-X-STREAM-INF:BANDWIDTH=1000,RESOLUTION=640x360,CODECS=\"avc1.64001e,mp4a.40.2\"\nlive.m3u8\n"
		hevc   = "#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,CODECS=\"hvc1.1.6.L93,mp4a.40.2\"\nlive.m3u8\n"
		group  = "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"en\",URI=\"audio.m3u8\"\n"
		// Each playlist has 2460 bit/s.
		enough  = "#EXT-X-STREAM-INF:BANDWIDTH=9000,RESOLUTION=640x360,CODECS=\"avc1.64001e,mp4a.40.2\",AUDIO=\"a\"\nlive.m3u8\n" + group
		oneOnly = "#EXT-X-STREAM-INF:BANDWIDTH=3500,RESOLUTION=640x360,CODECS=\"avc1.64001e,mp4a.40.2\",AUDIO=\"a\"\nlive.m3u8\n" + group
	)
	inspect := func(segment, init []byte) (media.Summary, error) {
		s, err := testInspect(segment, init)
		for i, codec := range []string{"avc1.64001e", "mp4a.40.2"} {
			if i < len(s.Tracks) {
				s.Tracks[i].Codec = codec
			}
		}
		return s, err
	}
	const bitrate, codecs = "degraded segment/bitrate_mismatch", "degraded segment/renditions_apart"
	tests := []struct {
		name          string
		before, after string
		want          [2]string
	}{
		{"nothing changes", plain, plain, [2]string{"good", "good"}},
		{"BANDWIDTH falls", plain, narrow, [2]string{"good", bitrate}},
		{"BANDWIDTH rises", narrow, plain, [2]string{bitrate, "good"}},
		{"CODECS become wrong", plain, hevc, [2]string{"good", codecs}},
		{"CODECS become right", hevc, plain, [2]string{codecs, "good"}},
		{"with a group of audio", enough, oneOnly, [2]string{"good", "good"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const changes = 30 * time.Second
				o := newOrigin()
				pass(9 * time.Second)
				o.to = time.Hour
				o.fault = func(o *origin, w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path != "/live/index.m3u8" {
						return false
					}
					text := tt.before
					if o.age() > changes {
						text = tt.after
					}
					_, _ = io.WriteString(w, "#EXTM3U\n"+text)
					return true
				}
				turns := watch(t, o, Config{URL: "http://origin.test/live/index.m3u8", Inspect: inspect}, 45*time.Second)
				for i, at := range []int{19, len(turns) - 1} {
					if v := turns[at].verdict(); v != tt.want[i] {
						t.Errorf("at %s: %s: %+v, want %s", turns[at].at, v, turns[at].Failure, tt.want[i])
					}
				}
				last := turns[len(turns)-1]
				noted := slices.ContainsFunc(turns, func(o turn) bool {
					return slices.ContainsFunc(o.Findings, func(f prober.Finding) bool { return f.Rule == ruleGroupsOver && f.Severity == prober.SeverityNote })
				})
				if noted != (tt.after == oneOnly) {
					t.Errorf("noted %v: %+v", noted, last.Findings)
				}
			})
		})
	}
}
