package config

import (
	"testing"

	"streamcanary/prober"
)

func TestBudget(t *testing.T) {
	t.Parallel()
	const hour = 3600 * 500_000 / 8 // bytes of one broadcast in an hour
	const run = hour * 6 / 3600              // of one go-live
	target := prober.Target{ID: "t", Ingests: make([]prober.Ingest, 3), Playbacks: make([]prober.Playback, 2)}
	for _, tt := range []struct {
		name           string
		probe          prober.Probe
		sent, received int64
	}{
		{"canary", prober.Probe{Kind: prober.KindCanary, Target: "t", Schedule: "@every 2s"}, 3 * hour, 6 * hour},
		{"go-live each minute", prober.Probe{Kind: prober.KindGoLive, Target: "t", Schedule: "@every 1m"}, 180 * run, 360 * run},
		{"go-live by cron", prober.Probe{Kind: prober.KindGoLive, Target: "t", Schedule: "*/10 * * * *"}, 18 * run, 36 * run},
		{"go-live in one hour", prober.Probe{Kind: prober.KindGoLive, Target: "t", Schedule: "0,30 12 * * *"}, 6 * run, 12 * run},
		{"of another target", prober.Probe{Kind: prober.KindCanary, Target: "u", Schedule: "@every 2s"}, 0, 0},
	} {
		h := Hub{Targets: []prober.Target{target}, Probes: []prober.Probe{tt.probe}}
		if got := h.Budget(); got != (Budget{Sent: tt.sent, Received: tt.received}) {
			t.Errorf("%s: got %+v, want %d and %d", tt.name, got, tt.sent, tt.received)
		}
	}
}

func TestByteCount(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0.0 kB", 1500: "1.5 kB", 225e6: "225.0 MB", 2.025e9: "2.0 GB", 5e15: "5000.0 TB"} {
		if got := byteCount(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
