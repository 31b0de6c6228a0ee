package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
	"streamcanary/prober/api"
	"streamcanary/prober/hls"
	"streamcanary/prober/host"
	"streamcanary/prober/platform"
	"streamcanary/prober/report"
	"streamcanary/prober/rtmp"
	"streamcanary/prober/signal"
)

// agentParts is what differs between one vantage point and another.
type agentParts struct {
	Agent, Site string
	Sink        agent.Sink
	Dropped     func() uint64
	Announce    func([]prober.Broadcast) // tells the other agents; nil is nobody
	Control     *prober.Target           // a loopback origin of its own, see controlTarget; nil is none
	Controls    prober.Controls          // the agent's own reference and clock server
	FFmpeg      string                   // path; "" looks for it in PATH
	Logger      *slog.Logger
}

// newAgent wires an agent to the real signal, publisher, follower and platforms.
// release frees what its runs kept open, after the agent has ended.
func newAgent(p agentParts) (a *agent.Agent, release func(), err error) {
	cfg, release := agentConfig(p)
	a, err = agent.New(cfg)
	return a, release, err
}

func agentConfig(p agentParts) (cfg agent.Config, release func()) {
	pulls := newPuller(p.Logger, p.FFmpeg)
	reference := hls.NewTransport()
	calls := hls.NewTransport() // of the platforms' APIs: the same wishes, other connections
	pacer, codes := rtmp.NewPacer(), signal.NewCodes()
	cfg = agent.Config{
		Agent: p.Agent, Site: p.Site, Sink: p.Sink, Dropped: p.Dropped, Announce: p.Announce, Control: p.Control, Logger: p.Logger,
		Platform: func(of prober.Platform) (agent.Platform, error) {
			made, err := platform.New(of, &http.Client{Transport: calls})
			return platformForAgent{made}, err
		},
		Check:    check,
		Replay:   pulls.replay,
		Controls: p.Controls,
		Meter: func(clockServer string) agent.Meter {
			return meterForAgent{&host.Meter{ClockServer: clockServer, Logger: p.Logger}}
		},
		Reference: func(ctx context.Context, url string) *prober.Failure {
			return host.Reference{URL: url, Transport: reference}.Check(ctx)
		},
		Feed:     func(p agent.Picture) (agent.Feed, error) { return newFeed(p, pacer, codes) },
		Follower: pulls.follower,
	}
	return cfg, func() {
		pulls.close()
		calls.CloseIdleConnections()
		reference.CloseIdleConnections()
	}
}

// check makes an API check.
func check(ctx context.Context, c prober.APICheck, bound time.Duration) (agent.Checked, error) {
	a, err := api.New(api.Config{Timeout: bound}).Check(ctx, c, time.Now())
	return agent.Checked{Failure: a.Failure, Times: a.Times, Bytes: a.Bytes}, err
}

// meterForAgent is the machine's meter in the agent's words.
type meterForAgent struct{ *host.Meter }

func (m meterForAgent) Read() agent.Machine {
	r := m.Meter.Read()
	return agent.Machine{Host: r.Host, Late: r.Late, Jump: r.Jump}
}

// controlTarget is an agent's own loopback origin as a target.
func controlTarget(rtmpURL, hlsURL string) *prober.Target {
	return &prober.Target{
		ID: "control", Platform: prober.Platform{Type: "static"},
		Ingests:   []prober.Ingest{{ID: "control", Region: "control", URL: rtmpURL}},
		Playbacks: []prober.Playback{{ID: "control", Region: "control", URL: hlsURL}},
	}
}

// platformForAgent is a platform in the agent's words.
type platformForAgent struct{ platform platform.Platform }

func (p platformForAgent) Create(ctx context.Context, name string) (agent.Stream, *prober.Failure, error) {
	s, failure, err := p.platform.Create(ctx, name)
	return agent.Stream(s), failure, err
}

func (p platformForAgent) Delete(ctx context.Context, s agent.Stream) (*prober.Failure, error) {
	return p.platform.Delete(ctx, platform.Stream(s))
}

func (p platformForAgent) Sweep(ctx context.Context, l agent.Leftover) (int, *prober.Failure, error) {
	return p.platform.Sweep(ctx, platform.Leftover(l))
}

func (p platformForAgent) PushURL(ctx context.Context, s agent.Stream, node string) (prober.Secret, *prober.Failure, error) {
	return p.platform.PushURL(ctx, platform.Stream(s), node)
}

func (p platformForAgent) PlayURL(ctx context.Context, s agent.Stream, node string) (string, *prober.Failure, error) {
	return p.platform.PlayURL(ctx, platform.Stream(s), node)
}

func (p platformForAgent) Recording(ctx context.Context, s agent.Stream) (string, *prober.Failure, error) {
	return p.platform.Recording(ctx, platform.Stream(s))
}

// hubSink queues an agent's results for its hub.
type hubSink struct {
	client *report.Client
	log    *slog.Logger
}

// queuedAtOnce bounds how far results may overtake each other on their way to
// the hub, which takes them in any order within 64.
const queuedAtOnce = 32

// Put returns once the results are on the disk. Those that come together share
// one sync.
func (s hubSink) Put(results ...prober.Result) {
	for len(results) > 0 {
		n := min(len(results), queuedAtOnce)
		var together sync.WaitGroup
		for _, r := range results[:n] {
			together.Go(func() {
				if err := s.client.Queue(context.Background(), r); err != nil {
					s.log.Error("a result is lost", "error", err)
				}
			})
		}
		together.Wait()
		results = results[n:]
	}
}

// announce tells the other agents, through the hub, what is up here.
func announce(c *report.Client, log *slog.Logger) func([]prober.Broadcast) {
	return func(list []prober.Broadcast) {
		if err := c.Announce(list); err != nil {
			log.Debug("what is up here is not told to the other agents", "error", err)
		}
	}
}

// obey hands the hub's orders to the agent until ctx ends.
func obey(ctx context.Context, c *report.Client, a *agent.Agent) {
	for {
		select {
		case <-ctx.Done():
			return
		case as := <-c.Assignments():
			a.Assign(as)
		case req := <-c.ProbeNow():
			a.ProbeNow(req)
		case b := <-c.Broadcasts():
			a.Heard(b)
		}
	}
}
