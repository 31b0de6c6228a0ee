package config

import (
	"os"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

func TestBudget(t *testing.T) {
	t.Parallel()
	const hour = 3600 * 500_000 / 8 // bytes of one broadcast in an hour
	const run = hour * 6 / 3600     // of one go-live
	target := prober.Target{ID: "t", Ingests: make([]prober.Ingest, 3), Playbacks: make([]prober.Playback, 2)}
	for _, tt := range []struct {
		name           string
		probe          prober.Probe
		sent, received int64 // what is never left out is a canary's alone
	}{
		{"canary", prober.Probe{Kind: prober.KindCanary, Target: "t", Schedule: "@every 2s"}, 3 * hour, 6 * hour},
		{"go-live each minute", prober.Probe{Kind: prober.KindGoLive, Target: "t", Schedule: "@every 1m"}, 180 * run, 360 * run},
		{"go-live by cron", prober.Probe{Kind: prober.KindGoLive, Target: "t", Schedule: "*/10 * * * *"}, 18 * run, 36 * run},
		{"go-live in one hour", prober.Probe{Kind: prober.KindGoLive, Target: "t", Schedule: "0,30 12 * * *"}, 6 * run, 12 * run},
		{"of another target", prober.Probe{Kind: prober.KindCanary, Target: "u", Schedule: "@every 2s"}, 0, 0},
	} {
		h := Hub{Targets: []prober.Target{target}, Probes: []prober.Probe{tt.probe}}
		want := Budget{Sent: tt.sent, Received: tt.received}
		if tt.probe.Kind == prober.KindCanary {
			want.Continuous = tt.sent + tt.received
		}
		if got := h.Budget(); got != want {
			t.Errorf("%s: got %+v, want %d and %d", tt.name, got, tt.sent, tt.received)
		}
	}
}

// Samples of others' broadcasts cost what is pulled until they are seen, at each
// playback; where there are no others, nothing.
// Of low latency each part is fetched beside its segment.
func TestBudgetOfParts(t *testing.T) {
	t.Parallel()
	const hour = 3600 * 500_000 / 8
	target := prober.Target{ID: "t", Ingests: make([]prober.Ingest, 1), Playbacks: make([]prober.Playback, 2)}
	target.Playbacks[1].Pull.LowLatency = true
	h := Hub{Targets: []prober.Target{target}, Probes: []prober.Probe{{Kind: prober.KindCanary, Target: "t", Schedule: "@every 2s"}}}
	if got := h.Budget(); got.Sent != hour || got.Received != 3*hour {
		t.Errorf("%+v", got)
	}
}

// A ladder is downloaded whole, as it is sampled.
func TestBudgetOfALadder(t *testing.T) {
	t.Parallel()
	const hour = 3600 * 500_000 / 8
	rungs := []prober.Rung{{Height: 720, Bandwidth: 1_000_000}, {Height: 360, Bandwidth: 250_000}, {Rendition: "audio en"}}
	for name, tt := range map[string]struct {
		pull prober.Pulling
		want int64 // hours of the broadcast
	}{
		"none":                 {prober.Pulling{}, hour},
		"each segment":         {prober.Pulling{Ladder: rungs}, (2 + .5 + 1) * hour},
		"each fifth":           {prober.Pulling{Ladder: rungs, Sample: 5}, (2 + .5 + 1) * hour / 5},
		"the audio not at all": {prober.Pulling{Ladder: rungs, SampleBy: map[string]int{"audio en": prober.SampleNone, "720p": 2}}, (1 + .5) * hour},
		"playlists alone":      {prober.Pulling{Sample: prober.SampleNone}, 0},
	} {
		target := prober.Target{ID: "t", Ingests: make([]prober.Ingest, 1), Playbacks: []prober.Playback{{Pull: tt.pull}}}
		h := Hub{Targets: []prober.Target{target}, Probes: []prober.Probe{{Kind: prober.KindCanary, Target: "t", Schedule: "@every 2s"}}}
		if got := h.Budget(); got.Sent != hour || got.Received != tt.want {
			t.Errorf("%s: sent %d, received %d, want %d and %d", name, got.Sent, got.Received, hour, tt.want)
		}
	}
}

// Streams that others push are downloaded as the playback's ladder and sampling say,
// of low latency with their parts, and of VOD four segments of one rendition.
func TestBudgetOfPulls(t *testing.T) {
	t.Parallel()
	const second, rounds = 500_000 / 8, 60
	rungs := []prober.Rung{{Height: 720, Bandwidth: 1_000_000}, {Height: 360, Bandwidth: 250_000}}
	for name, tt := range map[string]struct {
		pull    prober.Pulling
		vod     bool
		timeout time.Duration
		want    int64 // seconds of a broadcast of 500 kbit/s
	}{
		"nothing known":       {prober.Pulling{}, false, 0, 20},
		"a timeout":           {prober.Pulling{}, false, 8 * time.Second, 8},
		"a ladder":            {prober.Pulling{Ladder: rungs}, false, 0, 50},
		"sampled":             {prober.Pulling{Ladder: rungs, Sample: 5}, false, 0, 10},
		"low latency":         {prober.Pulling{Ladder: rungs, LowLatency: true}, false, 0, 100},
		"playlists alone":     {prober.Pulling{Sample: prober.SampleNone}, false, 0, 0},
		"VOD":                 {prober.Pulling{}, true, 30 * time.Second, 24},
		"VOD of a ladder":     {prober.Pulling{Ladder: rungs, Sample: 5, LowLatency: true}, true, 30 * time.Second, 48},
		"VOD in a short time": {prober.Pulling{}, true, 10 * time.Second, 10},
	} {
		target := prober.Target{ID: "t", Playbacks: []prober.Playback{{ID: "other"}, {ID: "p", Pull: tt.pull}}}
		stream := prober.Pull{Playback: "p", VOD: tt.vod}
		h := Hub{Targets: []prober.Target{target}, Probes: []prober.Probe{{Kind: prober.KindPlayback, Target: "t", Schedule: "@every 1m",
			Timeout: tt.timeout, Pulls: []prober.Pull{stream, stream}}}}
		if got, want := h.Budget(), (Budget{Received: 2 * rounds * tt.want * second}); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		if note := h.pullNote(); note == "" {
			t.Errorf("%s: the summary says nothing of it", name)
		}
	}
}

// A recording is one rendition of what was pushed, whichever its playlist has first.
func TestBudgetOfARecording(t *testing.T) {
	t.Parallel()
	const minute = 60 * 500_000 / 8
	for name, tt := range map[string]struct {
		playbacks []prober.Playback
		want      int64
	}{
		"nothing known": {make([]prober.Playback, 2), 6 * minute},
		"no playback":   {nil, 6 * minute},
		"a ladder":      {[]prober.Playback{{}, {Pull: prober.Pulling{Ladder: []prober.Rung{{Bandwidth: 250_000}, {Bandwidth: 1_000_000}}}}}, 12 * minute},
	} {
		h := Hub{Targets: []prober.Target{{ID: "t", Ingests: make([]prober.Ingest, 3), Playbacks: tt.playbacks}}, Probes: []prober.Probe{{
			Kind: prober.KindRecording, Target: "t", Schedule: "@every 10m", Recording: &prober.RecordingCheck{Broadcast: time.Minute}}}}
		if got, want := h.Budget(), (Budget{Sent: 6 * minute, Received: tt.want}); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestBudgetOfSamples(t *testing.T) {
	t.Parallel()
	const sample = 6 * 500_000 / 8
	for agents, want := range map[int]int64{1: 0, 2: 120 * 2 * sample, 5: 120 * 2 * sample} {
		h := Hub{
			Targets: []prober.Target{{ID: "t", Ingests: make([]prober.Ingest, 3), Playbacks: make([]prober.Playback, 2)}},
			Probes:  []prober.Probe{{Kind: prober.KindCanary, Target: "t", Schedule: "@every 2s"}},
			Agents:  make([]AgentAccess, agents), Sampling: prober.Sampling{Every: 30 * time.Second},
		}
		if got := h.Budget(); got.Samples != want || got.Received-got.Samples+got.Sent != got.Continuous {
			t.Errorf("%d agents: got %+v, want %d of samples", agents, got, want)
		}
	}
}

// A budget that holds the canaries but not all is allowed, and told.
func TestATightBudgetIsToldOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"plenty": 0, "tight": 2} {
		text, err := os.ReadFile("testdata/good.yaml")
		if err != nil {
			t.Fatal(err)
		}
		size := map[string]string{"plenty": "1GB", "tight": "460MB"}[name]
		f, err := parse("hub.yaml", append(text, []byte("budget: "+size+"\n")...), surroundings{})
		if err != nil {
			t.Fatal(err)
		}
		told := 0
		for _, w := range f.Warnings() {
			if strings.HasPrefix(w, "the budget of agent ") {
				told++
			}
		}
		if told != want || f.Hub.Agents[0].Budget == 0 || !strings.Contains(strings.Join(f.Summary(), "\n"), "each agent's budget is ") {
			t.Errorf("%s: %d warnings: %q, summary %q", name, told, f.Warnings(), f.Summary())
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
