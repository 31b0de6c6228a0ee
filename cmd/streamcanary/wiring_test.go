package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
	"streamcanary/prober/origin"
	"streamcanary/prober/report"
)

// realPatience bounds each wait for something that real servers do.
const realPatience = 15 * time.Second

// TestRealAgent runs a whole agent against real origins on loopback: all is
// well, then one of two is killed, then it is back.
func TestRealAgent(t *testing.T) {
	t.Parallel()
	region := startOrigins(t, origin.Config{Auth: "demo-key"}, "fra", "nyc")
	own := startOrigins(t, origin.Config{}, "loop")[0]
	target := prober.Target{ID: "video", Platform: prober.Platform{Type: "livepeer", API: region[1].APIURL(), Key: "demo-key"}}
	for i, id := range []string{"fra", "nyc"} {
		target.Ingests = append(target.Ingests, prober.Ingest{ID: id, Region: id, URL: region[i].RTMPURL()})
		target.Playbacks = append(target.Playbacks, prober.Playback{ID: id, Region: id, URL: region[i].HLSURL()})
	}
	seen := &resultLog{t: t, more: make(chan struct{})}
	a := startAgent(t, agentParts{Agent: "agent-1", Sink: seen, Control: controlTarget(own.RTMPURL(), own.HLSURL())})
	a.Assign(prober.Assignment{Targets: []prober.Target{target}, Probes: []prober.Probe{
		{Kind: prober.KindCanary, Target: "video", Schedule: "@every 1s"},
		{Kind: prober.KindPlayback, Target: "video", Schedule: "@every 1s"},
		{Kind: prober.KindGoLive, Target: "video", Schedule: "@every 1h"},
	}})

	for _, in := range []string{"fra", "nyc"} {
		seen.wait("canary passes", func(r prober.Result) bool {
			return r.Kind == prober.KindCanary && r.Ingest == in && r.Outcome == prober.Pass && r.Control == prober.ControlPass
		})
		for _, p := range []string{"fra", "nyc"} {
			seen.wait("cell passes", func(r prober.Result) bool {
				return r.Kind == prober.KindPlayback && r.Ingest == in && r.Playback == p && r.Outcome == prober.Pass && r.Figures.LatencyLast > 0
			})
		}
	}
	from := seen.mark()
	goLive(a, "healthy")
	for _, in := range []string{"fra", "nyc"} {
		push := seen.waitFrom(from, "go-live passes", func(r prober.Result) bool {
			return r.Kind == prober.KindGoLive && r.Ingest == in && r.Playback == "" && r.Outcome == prober.Pass
		})
		var stages []prober.Stage
		for _, s := range push.Figures.Stages {
			stages = append(stages, s.Stage)
		}
		if want := []prober.Stage{prober.StageProvision, prober.StageResolve, prober.StageConnect, prober.StagePublish}; !slices.Equal(stages, want) {
			t.Errorf("stages of a go-live run: %v, want %v", stages, want)
		}
		for _, p := range []string{"fra", "nyc"} {
			cell := seen.waitFrom(from, "go-live cell passes", func(r prober.Result) bool {
				return r.Kind == prober.KindGoLive && r.Ingest == in && r.Playback == p && r.Outcome == prober.Pass
			})
			if cell.Figures.TTFF <= 0 || cell.Figures.TTFF > 10*time.Second || cell.Figures.BytesReceived == 0 {
				t.Errorf("figures of a go-live cell: %+v", cell.Figures)
			}
		}
	}

	from = seen.mark()
	killed := time.Now()
	over := make(chan error, 1)
	go func() { over <- region[0].Inject(t.Context(), origin.Fault{Name: "restart", For: 3 * time.Second}) }()
	drop := seen.waitFrom(from, "drop is told", func(r prober.Result) bool { return strings.HasSuffix(r.Round, "-drop-1") })
	if took := drop.Ended.Sub(killed); took > time.Second || drop.Ingest != "fra" || drop.Outcome != prober.Fail || drop.Stage != prober.StageIngest {
		t.Errorf("%v after the kill: %+v", took, drop)
	}
	goLive(a, "killed")
	seen.waitFrom(from, "go-live to the killed ingest is refused", func(r prober.Result) bool {
		return r.Kind == prober.KindGoLive && r.Ingest == "fra" && r.Playback == "" && r.Outcome == prober.Fail && r.Stage == prober.StageConnect
	})
	seen.waitFrom(from, "the killed playback is blamed", func(r prober.Result) bool {
		return r.Kind == prober.KindPlayback && r.Ingest == "nyc" && r.Playback == "fra" && r.Outcome == prober.Fail && r.Stage == prober.StageConnect
	})
	if err := <-over; err != nil {
		t.Fatal(err)
	}

	back := time.Now()
	up := seen.waitFrom(from, "reconnect is told", func(r prober.Result) bool { return strings.HasSuffix(r.Round, "-up-1") })
	if took := up.Ended.Sub(back); took > 7*time.Second || up.Figures.InterruptionTime < 2*time.Second || up.Outcome != prober.Pass {
		t.Errorf("%v after the restart: %+v", took, up)
	}
	from = seen.mark()
	for _, p := range []string{"fra", "nyc"} {
		seen.waitFrom(from, "cell passes again", func(r prober.Result) bool {
			return r.Kind == prober.KindPlayback && r.Ingest == "fra" && r.Playback == p && r.Outcome == prober.Pass
		})
	}
	for _, r := range seen.all() {
		if r.Control == prober.ControlFail {
			t.Errorf("the control failed: %s", r.ControlDetail)
		}
		if r.Ingest == "nyc" && r.Kind == prober.KindCanary && r.Outcome == prober.Fail {
			t.Errorf("the other region's canary failed: %+v", r)
		}
	}
}

func goLive(a *agent.Agent, id string) {
	a.ProbeNow(prober.ProbeNow{ID: id, Target: "video", Kinds: []prober.Kind{prober.KindGoLive}, Rounds: 1})
}

// startOrigins makes linked origins that serve until the test ends.
func startOrigins(t *testing.T, c origin.Config, regions ...string) []*origin.Origin {
	t.Helper()
	var all []*origin.Origin
	for _, region := range regions {
		c.Region, c.RTMPAddr, c.HTTPAddr = region, "127.0.0.1:0", "127.0.0.1:0"
		o, err := origin.New(c)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	origin.Link(all...)
	for _, o := range all {
		if err := o.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(o.Close)
	}
	return all
}

// startAgent runs an agent until the test ends, which it has to do in time.
func startAgent(t *testing.T, p agentParts) *agent.Agent {
	t.Helper()
	if testing.Verbose() {
		p.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	a, release, err := newAgent(p)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		asked := time.Now()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		release()
		if took := time.Since(asked); took > 5*time.Second {
			t.Errorf("the agent took %v to stop", took)
		}
	})
	return a
}

// resultLog keeps results, and wakes whoever waits for one.
type resultLog struct {
	t *testing.T

	mu      sync.Mutex
	results []prober.Result
	more    chan struct{} // closed at the next
}

func (l *resultLog) Put(results ...prober.Result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range results {
		if err := report.Check(r); err != nil {
			l.t.Errorf("result %+v: %v", r, err)
		}
	}
	l.results = append(l.results, results...)
	close(l.more)
	l.more = make(chan struct{})
}

func (l *resultLog) all() []prober.Result {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.results)
}

// mark is the number of results so far, for waitFrom.
func (l *resultLog) mark() int { return len(l.all()) }

func (l *resultLog) wait(what string, match func(prober.Result) bool) prober.Result {
	l.t.Helper()
	return l.waitFrom(0, what, match)
}

// waitFrom gives the first result behind a mark that matches.
func (l *resultLog) waitFrom(from int, what string, match func(prober.Result) bool) prober.Result {
	l.t.Helper()
	late := time.After(realPatience)
	for {
		l.mu.Lock()
		results, more := l.results, l.more
		l.mu.Unlock()
		if i := slices.IndexFunc(results[from:], match); i >= 0 {
			return results[from+i]
		}
		select {
		case <-more:
		case <-late:
			var told []string
			for _, r := range results {
				told = append(told, fmt.Sprintln(r.Ended.Format("05.000"), r.Kind, r.Ingest, r.Playback, r.Outcome, r.Stage, r.Reason, r.Detail, r.Control, r.ControlDetail))
			}
			l.t.Fatalf("not within %v: %s; told:\n%s", realPatience, what, strings.Join(told, ""))
		}
	}
}

// A recording, and what others have for a replay, is judged and bounded as its target's
// pull says.
func TestReplayConfig(t *testing.T) {
	t.Parallel()
	pull := prober.Pulling{
		SegmentBytes: 99 << 20, RFC8216: true, Severity: map[string]prober.Severity{"stale": prober.SeverityNote},
		Headers: []prober.Header{{Name: "X-Token", Value: "sesame"}},
	}
	got := replayConfig(agent.Replay{URL: "http://h/x.m3u8", Run: "run", Sample: 3, Pull: pull}, http.DefaultTransport)
	if got.SegmentBytes != pull.SegmentBytes || !got.Rules.RFC8216 || got.Rules.Severity["stale"] != prober.SeverityNote ||
		got.Headers.Get("X-Token") != "sesame" || got.URL != "http://h/x.m3u8" || got.Run != "run" || got.Sample != 3 || got.Transport == nil {
		t.Errorf("%+v", got)
	}
}
