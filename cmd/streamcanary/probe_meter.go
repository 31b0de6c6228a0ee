package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
	"streamcanary/prober/summary"
)

// probeMeter sees what passes between the agent and what pushes and pulls for it,
// so that it is known how it goes before, and between, results. It changes nothing
// of what the agent sees.
type probeMeter struct {
	// asks is whether followers are observed by the meter too: in a run that stays up
	// the agent does it often enough.
	asks bool

	mu         sync.Mutex
	broadcasts []*toldBroadcast
	followers  []*toldFollower
	now        probeNow
	sampled    time.Time
	sent, got  int64 // up to then
}

// probeNow is how it goes at this moment. Counts are since the beginning.
type probeNow struct {
	Pushing     bool
	Push        []prober.StageTime // of the latest connection
	Sent        int64
	SentRate    int64 // bits per second, of late; negative: not known
	Stall       time.Duration
	Queue       int64
	PushFinding []prober.Finding // of the latest connection

	Pulling     bool
	Played      bool // ours has come
	Pull        []prober.StageTime
	Condition   *prober.Failure // what a follower sees now
	Got         int64
	GotRate     int64
	First, Last time.Duration // latencies
	LatencyBy   prober.Means
	Proof       prober.Means
	Viewing     prober.Viewing
	HTTP        prober.HTTPTimes
	Renditions  []prober.Rendition
	PullFinding []prober.Finding
}

func newProbeMeter(asks bool) *probeMeter {
	return &probeMeter{asks: asks, now: probeNow{SentRate: -1, GotRate: -1}}
}

// feed sees a feed's broadcasts. told is called for each that was accepted.
func (m *probeMeter) feed(next func(agent.Picture) (agent.Feed, error), told func([]prober.StageTime)) func(agent.Picture) (agent.Feed, error) {
	return func(p agent.Picture) (agent.Feed, error) {
		f, err := next(p)
		return toldFeed{f, m, told}, err
	}
}

type toldFeed struct {
	agent.Feed
	meter *probeMeter
	told  func([]prober.StageTime)
}

func (f toldFeed) Publish(ctx context.Context, url prober.Secret) (agent.Broadcast, *prober.Failure, error) {
	b, failure, err := f.Feed.Publish(ctx, url)
	if b == nil || failure != nil || err != nil {
		return b, failure, err
	}
	f.told(b.Sent().Stages)
	seen := &toldBroadcast{b, f.meter}
	f.meter.mu.Lock()
	defer f.meter.mu.Unlock()
	f.meter.broadcasts = append(f.meter.broadcasts, seen)
	return seen, nil, nil
}

type toldBroadcast struct {
	agent.Broadcast
	meter *probeMeter
}

// Close counts what was sent to the end.
func (b *toldBroadcast) Close(ctx context.Context) error {
	err := b.Broadcast.Close(ctx)
	m := b.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	if at := slices.Index(m.broadcasts, b); at >= 0 {
		m.broadcasts = slices.Delete(m.broadcasts, at, at+1)
		m.now.Sent += b.Sent().Bytes
	}
	return err
}

type newFollower = func(p prober.Playback, url, run string, pushed prober.Signal) agent.Follower

// follower sees what followers find. first is called when a broadcast is first seen.
func (m *probeMeter) follower(next newFollower, first func()) newFollower {
	return func(p prober.Playback, url, run string, pushed prober.Signal) agent.Follower {
		return &toldFollower{Follower: next(p, url, run, pushed), meter: m, first: first}
	}
}

type toldFollower struct {
	agent.Follower
	meter *probeMeter
	first func()

	mu   sync.Mutex
	held *agent.Observation // what the meter saw, and the agent has not
}

// Run returns once nothing more is told.
func (f *toldFollower) Run(ctx context.Context) error {
	f.meter.begin(f)
	defer f.meter.end(f)
	telling, stop := context.WithCancel(ctx)
	var told sync.WaitGroup
	told.Go(func() {
		select {
		case <-telling.Done():
		case <-f.First():
			f.first()
		}
	})
	defer told.Wait()
	defer stop()
	return f.Follower.Run(ctx)
}

func (f *toldFollower) Observe(now time.Time) agent.Observation {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.Follower.Observe(now)
	f.meter.saw(o)
	if f.held != nil {
		o = afterObservation(*f.held, o)
		f.held = nil
	}
	return o
}

// look observes for the meter, and keeps what the agent has not seen for it.
func (f *toldFollower) look(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.Follower.Observe(now)
	f.meter.saw(o)
	if f.held != nil {
		o = afterObservation(*f.held, o)
	}
	f.held = &o
}

// afterObservation is a follower's word after another of the same turn.
func afterObservation(before, later agent.Observation) agent.Observation {
	later.Segments += before.Segments
	later.Bytes += before.Bytes
	later.Skipped += before.Skipped
	later.Missed += before.Missed
	later.Recovered += before.Recovered
	if before.Failure != nil && later.Failure == nil && !before.PlayingSince.IsZero() {
		later.Recovered++ // or the agent would not know of it
	}
	later.Findings = prober.AddFindings(slices.Clone(before.Findings), summary.MaxFindings, later.Findings...)
	later.Viewing = later.Viewing.After(before.Viewing)
	later.Renditions = prober.AddRenditions(before.Renditions, later.Renditions)
	return later
}

func (m *probeMeter) begin(f *toldFollower) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.followers = append(m.followers, f)
}

func (m *probeMeter) end(f *toldFollower) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.followers = slices.DeleteFunc(m.followers, func(g *toldFollower) bool { return f == g })
}

func (m *probeMeter) saw(o agent.Observation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := &m.now
	n.Condition, n.Proof = o.Failure, o.Proof
	n.Played = n.Played || !o.PlayingSince.IsZero()
	n.Got += o.Bytes
	if len(o.Stages) > 0 {
		n.Pull = o.Stages
	}
	if o.LatencyBy != "" {
		n.First, n.Last, n.LatencyBy = o.LatencyFirst, o.LatencyLast, o.LatencyBy
	}
	if o.HTTP != (prober.HTTPTimes{}) {
		n.HTTP = o.HTTP
	}
	n.Viewing = o.Viewing.After(n.Viewing)
	if len(o.Renditions) > 0 {
		n.Renditions = prober.AddRenditions(n.Renditions, o.Renditions)
	}
	n.PullFinding = prober.AddFindings(n.PullFinding, summary.MaxFindings, o.Findings...)
}

// sample measures up to now, and tells how it is.
func (m *probeMeter) sample(at time.Time) (probeNow, summary.Sample) {
	if m.asks {
		for _, f := range m.following() {
			f.look(at)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.now
	n.Pushing, n.Pulling = len(m.broadcasts) > 0, len(m.followers) > 0
	for _, b := range m.broadcasts {
		s := b.Sent()
		n.Sent += s.Bytes
		n.Push, n.Stall, n.Queue, n.PushFinding = s.Stages, s.Stall, s.SendQueue, s.Findings
	}
	m.now.Push, m.now.Stall, m.now.Queue, m.now.PushFinding = n.Push, n.Stall, n.Queue, n.PushFinding
	if passed := at.Sub(m.sampled); !m.sampled.IsZero() && passed > 0 {
		n.SentRate, n.GotRate = rate(n.Sent-m.sent, passed, n.Pushing), rate(n.Got-m.got, passed, n.Pulling)
	}
	m.sampled, m.sent, m.got = at, n.Sent, n.Got
	m.now.SentRate, m.now.GotRate = n.SentRate, n.GotRate
	return n, n.sample(at)
}

func (m *probeMeter) following() []*toldFollower {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.followers)
}

// rate is in bits per second; -1 where nothing is on its way.
func rate(n int64, passed time.Duration, on bool) int64 {
	if n == 0 && !on {
		return -1
	}
	return int64(float64(8*n) / passed.Seconds())
}

// sample is that moment of a chart. What came before stands while it goes on.
func (n probeNow) sample(at time.Time) summary.Sample {
	s := summary.Unmeasured(at)
	s.Sent, s.Received = n.SentRate, n.GotRate
	if n.Pushing {
		s.Queue = n.Queue
	}
	if !n.Pulling || !n.Played {
		return s
	}
	if n.LatencyBy != "" && n.Condition == nil {
		s.Latency = n.Last
	}
	if n.Viewing.Latency > 0 {
		s.Behind = n.Viewing.Latency
	}
	s.Buffer = n.Viewing.Buffer
	if n.HTTP != (prober.HTTPTimes{}) && n.Condition == nil {
		s.Download = n.HTTP.Resolve + n.HTTP.Connect + n.HTTP.TLS + n.HTTP.FirstByte + n.HTTP.Body
	}
	return s
}

// findings are those of both sides, the gravest first.
func (n probeNow) findings() []prober.Finding {
	return prober.AddFindings(slices.Clone(n.PushFinding), summary.MaxFindings, n.PullFinding...)
}
