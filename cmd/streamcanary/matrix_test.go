package main

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
	"streamcanary/prober/origin"
)

// TestAgentsSampleEachOther runs two agents against real origins: each sees the
// other's broadcasts at every playback, and goes on when those are replaced at
// their age, which nobody counts as a drop.
func TestAgentsSampleEachOther(t *testing.T) {
	t.Parallel()
	region := startOrigins(t, origin.Config{}, "fra", "nyc")
	target := prober.Target{ID: "video", Platform: prober.Platform{Type: "static"}}
	for i, id := range []string{"fra", "nyc"} {
		target.Ingests = append(target.Ingests, prober.Ingest{ID: id, Region: id, URL: region[i].RTMPURL()})
		target.Playbacks = append(target.Playbacks, prober.Playback{ID: id, Region: id, URL: region[i].HLSURL()})
	}
	names := [2]string{"agent-1", "agent-2"}
	var agents [2]atomic.Pointer[agent.Agent]
	var seen [2]*resultLog
	for i, name := range names {
		seen[i] = &resultLog{t: t, more: make(chan struct{})}
		a := startAgent(t, agentParts{Agent: name, Sink: seen[i], Announce: func(list []prober.Broadcast) {
			if other := agents[1-i].Load(); other != nil { // as the hub passes it on
				other.Heard(prober.Broadcasts{Pusher: name, List: list})
			}
		}})
		agents[i].Store(a)
		a.Assign(prober.Assignment{Targets: []prober.Target{target}, Sampling: prober.Sampling{Every: time.Second},
			Probes: []prober.Probe{
				{Kind: prober.KindCanary, Target: "video", Schedule: "@every 1s", RotateAfter: 9 * time.Second},
				{Kind: prober.KindPlayback, Target: "video", Schedule: "@every 1s"},
			}})
	}
	for i, name := range names {
		other := names[1-i]
		for _, in := range []string{"fra", "nyc"} {
			for _, out := range []string{"fra", "nyc"} {
				seen[i].wait(name+" sees "+other+"'s broadcast to "+in+" at "+out, func(r prober.Result) bool {
					return r.Pusher == other && r.Ingest == in && r.Playback == out && r.Outcome == prober.Pass && r.Figures.BytesReceived > 0
				})
			}
		}
		first := seen[i].wait("a run", func(r prober.Result) bool { return r.Kind == prober.KindCanary && r.Ingest == "fra" }).Run
		seen[1-i].wait("a fresh run has taken its place, and is sampled", func(r prober.Result) bool {
			return r.Pusher == name && r.Ingest == "fra" && r.Run != first && r.Outcome == prober.Pass
		})
		for _, r := range seen[i].all() {
			if r.Outcome == prober.Fail || r.Figures.Interruptions != 0 || strings.Contains(r.Round, "-drop-") {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}
