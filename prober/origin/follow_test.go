package origin

import (
	"context"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/hls"
)

// TestFollowed follows our own broadcast as agents do, through every container that
// the muxer makes: all of it is proven, and nothing that a viewer would feel is wrong.
func TestFollowed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		config Config
		sound  bool // a rendition of its own
		low    bool // low latency
	}{
		{"mpegts", Config{Renditions: []string{"high", "low"}, AudioRendition: true}, true, false},
		{"fmp4", Config{Container: FMP4}, true, false},
		{"low latency", Config{Container: LowLatency}, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := start(t, 1, tt.config)[0]
			pushSignal(t, o, "show")
			f := hls.NewFollower(hls.Config{URL: prober.StreamURL(o.HLSURL(), "show"), Run: "run", DeltaUpdates: tt.low})
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- f.Run(ctx) }()
			defer func() {
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			}()
			followed(t, f, tt.low)
		})
	}
}

// followed observes for six seconds from the first proof on.
func followed(t *testing.T, f *hls.Follower, low bool) {
	t.Helper()
	select {
	case <-f.First():
	case <-time.After(2 * patience):
		t.Fatalf("it never plays: %+v", f.Observe(time.Now()).Failure)
	}
	f.Observe(time.Now()) // how it began is not judged
	var last hls.Observation
	segments, part := 0, time.Duration(0)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for range 6 {
		last = f.Observe(<-ticker.C)
		segments += last.Segments
		part = max(part, last.PartLatency)
		if last.Failure != nil && last.Failure.Outcome == prober.Fail {
			t.Errorf("%+v", last.Failure)
		}
		for _, finding := range last.Findings {
			if finding.Severity != prober.SeverityNote {
				t.Errorf("%+v", finding)
			}
		}
	}
	if last.Proof == "" || last.LatencyBy != prober.MeansSEI || last.LatencyLast <= 0 || last.HTTP.Protocol != "HTTP/1.1" || last.HTTP.FirstByte <= 0 {
		t.Errorf("proof %q, latency %s by %q, HTTP %+v", last.Proof, last.LatencyLast, last.LatencyBy, last.HTTP)
	}
	if segments < 6 || last.Viewing.Latency <= 0 {
		t.Errorf("%d segments of 1 s in 6 s; a viewer felt %+v", segments, last.Viewing)
	}
	if low && part <= 0 {
		t.Error("no hinted part was fetched with our marker in it")
	}
	t.Logf("proof %s, latency %s, of a part %s, viewing %+v", last.Proof, last.LatencyLast, part, last.Viewing)
}
