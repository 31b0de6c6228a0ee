package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// Each result's line has findings and figures, and nowhere the ingest's key.
func TestProbeJSON(t *testing.T) {
	t.Parallel()
	const key = "s3cret"
	o := probeOptions{ingest: "rtmp://localhost/live/" + key, playback: "http://localhost/hls/" + key + ".m3u8", json: true}
	at := time.Date(2026, 4, 8, 12, 0, 0, 0, time.UTC)
	healthy := prober.Result{
		Kind: prober.KindGoLive, Playback: "playback", Run: "run-1", Outcome: prober.Pass, Ended: at,
		Figures: prober.Figures{
			SendQueue: 4096, Proof: prober.MeansSEI, LatencyBy: prober.MeansAAC,
			Skipped: 1, Missed: 2, Recovered: 3, PartLatency: 150 * time.Millisecond,
			Renditions: []prober.Rendition{{Name: "720p", Type: prober.RenditionVariant, Playing: true, PeakBitrate: 7, Segments: 2, Downloaded: 1,
				Announced: prober.Encoding{Bandwidth: 9}, Seen: prober.Encoding{Width: 1280, Height: 720}, TargetDuration: time.Second}},
			Viewing: prober.Viewing{Startup: 1500 * time.Millisecond, Watched: 9 * time.Second, Rebuffers: 2, RebufferTime: time.Second, Latency: 3 * time.Second, Drift: -250 * time.Millisecond, Buffer: 4 * time.Second},
			HTTP:    prober.HTTPTimes{Protocol: "HTTP/2.0", FirstByte: 12 * time.Millisecond, Body: 30 * time.Millisecond, Redirects: 1, Cache: "hit", Age: 2 * time.Second},
		},
		Findings: []prober.Finding{{
			Rule: "rule", Section: "6.2.1", Severity: prober.SeverityDegraded, Stage: prober.StageManifest, Reason: prober.ReasonPlaylistStale,
			Where: "/hls/" + key + "/720p", Detail: "GET /hls/" + key + ".m3u8: old", Count: 3,
		}},
	}
	for _, test := range []struct {
		name   string
		result prober.Result
		want   string
	}{
		{
			"everything", healthy,
			`{"at":"2026-04-08T12:00:00Z","kind":"golive","side":"pull","outcome":"pass","run":"run-1","stages_ms":{},` +
				`"send_queue_bytes":4096,"latency_by":"aac","proof":"sei",` +
				`"findings":[{"rule":"rule","section":"6.2.1","severity":"degraded","stage":"manifest","reason":"playlist_stale","where":"/hls/[key]/720p","detail":"GET /hls/[key].m3u8: old","count":3}],` +
				`"viewing":{"startup_ms":1500,"watched_ms":9000,"rebuffers":2,"rebuffer_ms":1000,"rebuffer_ratio":0.1,"latency_ms":3000,"drift_ms":-250,"buffer_ms":4000},` +
				`"http":{"protocol":"HTTP/2.0","resolve_ms":0,"connect_ms":0,"tls_ms":0,"first_byte_ms":12,"body_ms":30,"redirects":1,"cache":"hit","age_ms":2000},` +
				`"part_latency_ms":150,"skipped":1,"missed":2,"recovered":3,"renditions":[{"name":"720p","type":"variant","playing":true,"announced":{"bandwidth":9},` +
				`"seen":{"width":1280,"height":720},"peak_bitrate":7,"listed":2,"downloaded":1,"keyframes":0,"target_duration_ms":1000,"media_sequence":0}]}`,
		},
		{
			"nothing measured", prober.Result{Kind: prober.KindGoLive, Run: "run-1", Outcome: prober.Pass, Ended: at},
			`{"at":"2026-04-08T12:00:00Z","kind":"golive","side":"push","outcome":"pass","run":"run-1","stages_ms":{}}`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			newProbeView(&out, o).result(test.result)
			if got := strings.TrimSpace(out.String()); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
