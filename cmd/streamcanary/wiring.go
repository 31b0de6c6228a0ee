package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
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
	pulls := hls.NewTransport()
	reference := hls.NewTransport()
	calls := hls.NewTransport() // of the platforms' APIs: the same wishes, other connections
	cfg = agent.Config{
		Agent: p.Agent, Site: p.Site, Sink: p.Sink, Dropped: p.Dropped, Announce: p.Announce, Control: p.Control, Logger: p.Logger,
		Platform: func(of prober.Platform) (agent.Platform, error) {
			made, err := platform.New(of, &http.Client{Transport: calls})
			return platformForAgent{made}, err
		},
		Controls: p.Controls,
		Meter: func(clockServer string) agent.Meter {
			return meterForAgent{&host.Meter{ClockServer: clockServer, Logger: p.Logger}}
		},
		Reference: func(ctx context.Context, url string) *prober.Failure {
			return host.Reference{URL: url, Transport: reference}.Check(ctx)
		},
		Feed: newFeed,
		Follower: func(url, run string) agent.Follower {
			return followerForAgent{hls.NewFollower(hls.Config{URL: url, Run: run, Transport: pulls})}
		},
	}
	return cfg, func() {
		pulls.CloseIdleConnections()
		calls.CloseIdleConnections()
		reference.CloseIdleConnections()
	}
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

func (p platformForAgent) Sweep(ctx context.Context, prefix string) (int, *prober.Failure, error) {
	return p.platform.Sweep(ctx, prefix)
}

// followerForAgent is a follower in the agent's words.
type followerForAgent struct{ *hls.Follower }

func (f followerForAgent) Observe(now time.Time) agent.Observation {
	o := f.Follower.Observe(now)
	return agent.Observation{
		Failure: o.Failure, Marker: o.LastMarker, PlayingSince: o.PlayingSince,
		LatencyFirst: o.LatencyFirst, LatencyLast: o.LatencyLast, Segments: o.Segments, Bytes: o.BytesReceived,
		Stages: o.Stages(),
	}
}

// feed is one broadcast's signal, pushed over one connection after another.
type feed struct{ source *signal.Source }

func newFeed(p agent.Picture) (agent.Feed, error) {
	c := signal.Config{Run: p.Run, Label: p.Label}
	if p.Small {
		c.Width, c.Height, c.FPS, c.Bitrate = 320, 180, 10, 150_000
	}
	source, err := signal.New(c)
	return &feed{source: source}, err
}

func (f *feed) Publish(ctx context.Context, url prober.Secret) (agent.Broadcast, *prober.Failure, error) {
	b, failure, err := rtmp.Publish(ctx, rtmp.Config{URL: url.Reveal(), CloseTimeout: time.Second})
	if b == nil || failure != nil || err != nil {
		return nil, failure, err
	}
	return &broadcast{Broadcast: b, source: f.source}, nil, nil
}

// broadcast is one connection of a feed.
type broadcast struct {
	*rtmp.Broadcast
	source *signal.Source
}

func (b *broadcast) Send(ctx context.Context) *prober.Failure {
	return b.Broadcast.Send(ctx, &connectionSource{Source: b.source})
}

func (b *broadcast) Sent() agent.Sent {
	s := b.Stats()
	return agent.Sent{Stages: s.Stages, Bytes: s.BytesSent, Stall: s.SendStall}
}

// connectionSource is a signal as one connection carries it: it begins with a
// keyframe, and its RTMP timestamps with zero, as an encoder's do that connects
// again. The markers go on.
type connectionSource struct {
	*signal.Source
	begun bool
	zero  time.Duration
}

func (c *connectionSource) Metadata() rtmp.Metadata {
	m := c.Source.Metadata()
	return rtmp.Metadata{Width: m.Width, Height: m.Height, FPS: float64(m.FPS), VideoBitrate: m.VideoBitrate,
		AudioBitrate: m.AudioBitrate, AudioSampleRate: m.AudioSampleRate, AudioChannels: m.AudioChannels,
		VideoCodec: m.VideoCodec, AudioCodec: m.AudioCodec, Encoder: "streamcanary"}
}

func (c *connectionSource) Headers() []rtmp.Tag {
	var tags []rtmp.Tag
	for _, h := range c.Source.Headers() {
		tags = append(tags, rtmp.Tag{Audio: h.Audio, Body: h.Body})
	}
	return tags
}

func (c *connectionSource) Next(clock time.Time) rtmp.Tag {
	f := c.Source.Next(clock)
	for !c.begun && (f.Audio || !f.Keyframe) {
		f = c.Source.Next(clock)
	}
	if !c.begun {
		c.begun, c.zero = true, f.DTS
	}
	return rtmp.Tag{Audio: f.Audio, DTS: f.DTS - c.zero, Body: f.Body}
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
