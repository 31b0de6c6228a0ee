package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
	"streamcanary/prober/origin"
)

// TestRealKinds runs the kinds that do not keep broadcasting against a real origin:
// all is well, then each is broken in a way of its own.
func TestRealKinds(t *testing.T) {
	t.Parallel()
	o := startOrigins(t, origin.Config{Auth: "demo-key", Record: true}, "fra")[0]
	playbackOf := func(url string) []prober.Playback {
		return []prober.Playback{{ID: "fra", Region: "fra", URL: url}}
	}
	channel := prober.StreamURL(o.HLSURL(), "channel") // pushed by one target, pulled by another that knows nothing of it
	okay := "okay"
	seen := &resultLog{t: t, more: make(chan struct{})}
	a := startAgent(t, agentParts{Agent: "agent-1", Sink: seen})
	a.Assign(prober.Assignment{
		Targets: []prober.Target{
			{ID: "video", Platform: prober.Platform{Type: "livepeer", API: o.APIURL(), Key: "demo-key"},
				Ingests: []prober.Ingest{{ID: "fra", Region: "fra", URL: prober.PushVariable, Node: "127.0"}}, Playbacks: playbackOf(prober.PlayVariable)},
			{ID: "channel", Platform: prober.Platform{Type: "static"},
				Ingests: []prober.Ingest{{ID: "fra", Region: "fra", URL: prober.StreamURL(o.RTMPURL(), "channel")}}},
			{ID: "watch", Platform: prober.Platform{Type: "static"}, Playbacks: playbackOf(o.HLSURL())},
		},
		Probes: []prober.Probe{
			{Kind: prober.KindCanary, Target: "channel", Schedule: "@every 1s"},
			{Kind: prober.KindRecording, Target: "video", Schedule: "@every 1h",
				Recording: &prober.RecordingCheck{Broadcast: 3 * time.Second, Within: 3 * time.Second, Tolerance: 1500 * time.Millisecond}}, // the API is asked where
			{Kind: prober.KindGoLive, Target: "video", Schedule: "@every 1h"},
			{Kind: prober.KindAPI, Target: "video", Schedule: "@every 1h", Checks: []prober.APICheck{{Name: "list", Method: http.MethodGet, URL: o.APIURL() + "/stream",
				Headers: []prober.Header{{Name: "Authorization", Value: "Bearer demo-key"}}, Status: []int{200}}}},
			{Kind: prober.KindAPI, Target: "watch", Schedule: "@every 1h", Checks: []prober.APICheck{
				{Name: "closed to strangers", Method: http.MethodGet, URL: o.APIURL() + "/stream", Status: []int{401}, Path: "$.errors[0]"},
				{Name: "wrong", Method: http.MethodGet, URL: o.APIURL() + "/stream", Status: []int{401}, Path: "$.errors[0]", Want: &okay}}},
			{Kind: prober.KindPlayback, Target: "watch", Schedule: "@every 1h", Timeout: 6 * time.Second,
				Pulls: []prober.Pull{{Name: "channel", Playback: "fra", URL: channel}}},
		},
	})
	seen.wait("the channel is up", func(r prober.Result) bool { return r.Target == "channel" && r.Outcome == prober.Pass })

	run := kindRun{a, seen}
	if r := run.once(t, "video", prober.KindRecording, "well"); r.Outcome != prober.Pass || r.Figures.Proof != prober.MeansSEI || r.Figures.BytesSent == 0 || r.Figures.BytesReceived == 0 {
		t.Errorf("a recording: %+v", r)
	}
	if r := run.once(t, "video", prober.KindGoLive, "well"); r.Outcome != prober.Pass || r.Playback != "" {
		t.Errorf("a go-live at an address from the API: %+v", r)
	}
	if r := run.once(t, "video", prober.KindAPI, "well"); r.Outcome != prober.Pass || r.Figures.HTTP.FirstByte <= 0 {
		t.Errorf("an API: %+v", r)
	}
	if r := run.once(t, "watch", prober.KindAPI, "wrong"); r.Outcome != prober.Fail || r.Reason != prober.ReasonAPIWrongValue || len(r.Findings) != 1 || r.Findings[0].Where != "wrong" {
		t.Errorf("a value: %+v", r)
	}
	if r := run.once(t, "watch", prober.KindPlayback, "well"); r.Outcome != prober.Pass || r.Playback != "fra" || r.Ingest != "" {
		t.Errorf("a stream of others: %+v", r)
	}
	for _, c := range []struct {
		fault, target string
		kind          prober.Kind
		reason        prober.Reason
	}{
		{"recording-denied", "video", prober.KindRecording, prober.ReasonRecordingDenied},
		{"api-500", "video", prober.KindAPI, prober.ReasonAPIError},
		{"playlist-404", "watch", prober.KindPlayback, prober.ReasonHTTPStatus},
	} {
		ctx, heal := context.WithCancel(t.Context())
		over := make(chan error, 1)
		go func() { over <- o.Inject(ctx, origin.Fault{Name: c.fault, For: time.Minute}) }()
		var r prober.Result
		for i := range 5 { // the first may be asked before the fault is in
			if r = run.once(t, c.target, c.kind, fmt.Sprint(c.fault, i)); r.Outcome == prober.Fail {
				break
			}
		}
		if r.Outcome != prober.Fail || r.Reason != c.reason {
			t.Errorf("%s: %s %s %s: %s; want %s", c.fault, r.Outcome, r.Stage, r.Reason, r.Detail, c.reason)
		}
		heal()
		<-over
	}
	for _, r := range seen.all() {
		if strings.Contains(r.Detail, "demo-key") {
			t.Errorf("a secret in %q", r.Detail)
		}
	}
}

// kindRun asks an agent for single rounds.
type kindRun struct {
	agent *agent.Agent
	seen  *resultLog
}

func (k kindRun) once(t *testing.T, target string, kind prober.Kind, id string) prober.Result {
	t.Helper()
	from := k.seen.mark()
	k.agent.ProbeNow(prober.ProbeNow{ID: target + string(kind) + id, Target: target, Kinds: []prober.Kind{kind}, Rounds: 1})
	return k.seen.waitFrom(from, string(kind)+" of "+target+", "+id, func(r prober.Result) bool { return r.Target == target && r.Kind == kind })
}
