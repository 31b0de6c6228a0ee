//go:build unix

package main

import (
	"slices"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/origin"
)

// originServer is ours, as one of the servers.
type originServer struct{ *origin.Origin }

func (o originServer) ingest(stream string) string   { return prober.StreamURL(o.RTMPURL(), stream) }
func (o originServer) playback(stream string) string { return prober.StreamURL(o.HLSURL(), stream) }

// TestServersOneTrack keeps canaries of sound alone and of pictures alone up at our
// origin and at real servers. Nothing is missed that was not pushed, also where a
// server announces it: nginx-rtmp names H.264 in its tables, whatever comes.
func TestServersOneTrack(t *testing.T) {
	t.Parallel()
	length := soak(t, 8*time.Second)
	tracks := []struct {
		name   string
		signal prober.Signal
		proof  prober.Means
	}{
		{"sound", prober.Signal{NoVideo: true}, prober.MeansAAC},
		{"pictures", prober.Signal{NoAudio: true}, prober.MeansSEI},
	}
	ours := realServer{id: "origin", name: "our origin"}
	one := slices.DeleteFunc(realServers(), func(s realServer) bool { return s.id == "ladder" || s.id == "ffmpeg" })
	var all []realServer
	var as prober.Assignment
	for _, s := range append([]realServer{ours}, one...) {
		var live liveServer
		if s.id == ours.id {
			live = originServer{startOrigins(t, origin.Config{}, "here")[0]}
		} else {
			live = startServer(t, s.id)
		}
		for _, track := range tracks {
			is := s
			is.id, is.name, is.proof, is.latency = s.id+"-"+track.name, s.name+", "+track.name, track.proof, track.proof
			if s.id == "nginx" && track.signal.NoVideo {
				is.known = append(slices.Clone(s.known), explained{"", "ISO/IEC 13818-1 2.7.2", prober.ReasonClockReference,
					"its clock references are in packets of the pictures, which do not come"})
			}
			all = append(all, is)
			as.Targets = append(as.Targets, prober.Target{ID: is.id, Platform: prober.Platform{Type: "static"},
				Ingests:   []prober.Ingest{{ID: "in", Region: "here", URL: live.ingest(track.name), Signal: track.signal}},
				Playbacks: []prober.Playback{{ID: "out", Region: "here", URL: live.playback(track.name), Pull: s.pull}}})
			for _, kind := range []prober.Kind{prober.KindCanary, prober.KindPlayback} {
				as.Probes = append(as.Probes, prober.Probe{Kind: kind, Target: is.id, Schedule: "@every 1s"})
			}
		}
	}
	results := &resultLog{t: t, more: make(chan struct{})}
	startAgent(t, agentParts{Agent: "agent-1", Sink: results}).Assign(as)
	for _, s := range all {
		results.wait(s.name+" plays, proven", func(r prober.Result) bool {
			return pulled(r, s) && r.Outcome == prober.Pass && r.Figures.Proof == s.proof
		})
	}
	from := stalledFor(t)
	<-time.After(length)
	starved := stalledFor(t)-from > length/4
	for _, s := range all {
		var m measured
		for _, r := range results.all() {
			if r.Target == s.id {
				m.hold(t, s, r, starved)
			}
		}
		if m.rounds < int(length/(2*time.Second)) {
			t.Errorf("%s: %d rounds of pulls", s.name, m.rounds)
		}
		t.Logf("%s: %d rounds, findings %v", s.name, m.rounds, m.findings)
	}
}
