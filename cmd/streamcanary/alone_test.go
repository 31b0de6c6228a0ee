//go:build unix

package main

import (
	"fmt"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/origin"
)

// TestSoundOrPicturesAlone keeps canaries of sound alone and of pictures alone up at the
// origin and at real servers, by one agent that is wired as the real one: they pass,
// proven, and nothing is missed that was not pushed.
func TestSoundOrPicturesAlone(t *testing.T) {
	t.Parallel()
	o := startOrigins(t, origin.Config{}, "fra")[0]
	servers := map[string]liveServer{"origin": originServer{o}}
	for _, id := range []string{"nginx", "mpegts", "fmp4"} {
		servers[id] = startServer(t, id)
	}
	known := map[string]bool{"segment-gone": true, "dsn-missing": true} // see realServers
	signals := map[string]struct {
		prober.Signal
		proof prober.Means
	}{
		"sound":    {prober.Signal{NoVideo: true}, prober.MeansAAC},
		"pictures": {prober.Signal{NoAudio: true}, prober.MeansSEI},
	}
	var as prober.Assignment
	proof := map[string]prober.Means{}
	for server, s := range servers {
		for name, signal := range signals {
			id := server + "-" + name
			proof[id] = signal.proof
			as.Targets = append(as.Targets, prober.Target{ID: id, Platform: prober.Platform{Type: "static"},
				Ingests:   []prober.Ingest{{ID: "in", Region: "here", URL: s.ingest(name), Signal: signal.Signal}},
				Playbacks: []prober.Playback{{ID: "out", Region: "here", URL: s.playback(name)}}})
			as.Probes = append(as.Probes, prober.Probe{Kind: prober.KindCanary, Target: id, Schedule: "@every 1s"})
		}
	}
	results := &resultLog{t: t, more: make(chan struct{})}
	a := startAgent(t, agentParts{Agent: "agent-1", Sink: results})
	a.Assign(as)
	for id, means := range proof {
		results.wait(id+" plays, proven", func(r prober.Result) bool {
			return r.Target == id && r.Playback != "" && r.Outcome == prober.Pass && r.Figures.Proof == means
		})
	}
	from, before := results.mark(), stalledFor(t)
	<-time.After(12 * time.Second)
	starved := stalledFor(t)-before > 3*time.Second
	seen := map[string]int{}
	for _, r := range results.all()[from:] {
		if r.Playback == "" {
			continue
		}
		seen[r.Target]++
		late := starved && explains(starving(), prober.Finding{Section: "RFC 8216bis 6.2.1", Reason: r.Reason})
		if r.Outcome != prober.Pass && !late {
			t.Errorf("%s: %s %s %s: %s", r.Target, r.Outcome, r.Stage, r.Reason, r.Detail)
		}
		for _, f := range r.Findings {
			if !known[f.Rule] && f.Severity != prober.SeverityNote && !(starved && explains(starving(), f)) {
				t.Errorf("%s: %+v", r.Target, f)
			}
			if f.Reason == prober.ReasonVideoMissing || f.Reason == prober.ReasonAudioMissing {
				t.Errorf("%s: %+v", r.Target, f)
			}
		}
	}
	for id := range proof {
		if seen[id] < 6 {
			t.Errorf("%s: %d results", id, seen[id])
		}
	}
	t.Log(fmt.Sprint(seen), "starved:", starved)
}

// originServer is the demo's origin as one of the servers.
type originServer struct{ *origin.Origin }

func (o originServer) ingest(stream string) string   { return prober.StreamURL(o.RTMPURL(), stream) }
func (o originServer) playback(stream string) string { return prober.StreamURL(o.HLSURL(), stream) }
