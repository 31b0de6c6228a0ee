package agent

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/schedule"
)

const (
	maxRounds       = 8  // of go-live at once, for one target
	maxExtraRounds  = 12 // of one request to probe now
	maxExtraSpacing = 30 * time.Second
)

// unit is everything that runs against one target: its canaries, and the turns
// of its probes.
type unit struct {
	env     *env
	streams *streams
	ctx     context.Context // of everything that runs
	cancel  context.CancelFunc
	running sync.WaitGroup
	swept   chan struct{} // closed when what an earlier start left behind is gone
	rounds  chan struct{} // go-live rounds that run: one token each
	sampler *sampler

	// Of the agent's own goroutine alone.
	wanted []prober.Probe
	probes map[prober.Kind]runningProbe // a target has at most one of each kind

	mu         sync.Mutex
	target     prober.Target
	canaries   map[string]*runningCanary // by ingest id
	recordings int                       // rounds begun: each pushes to the next ingest
	kinds      map[prober.Kind]prober.Probe
}

type runningProbe struct {
	probe prober.Probe
	stop  context.CancelFunc
}

func newUnit(ctx context.Context, e *env, t prober.Target) (*unit, error) {
	platform, err := e.Platform(t.Platform)
	if err != nil {
		return nil, err
	}
	u := &unit{env: e, streams: &streams{env: e, target: t.ID, platform: platform, used: newInUse()},
		swept: make(chan struct{}), rounds: make(chan struct{}, maxRounds),
		probes: map[prober.Kind]runningProbe{}, canaries: map[string]*runningCanary{}}
	u.target = prober.Target{ID: t.ID, Platform: t.Platform}
	u.ctx, u.cancel = context.WithCancel(ctx)
	u.sampler = newSampler(u)
	u.running.Go(u.rotations)
	u.running.Go(u.sampler.run)
	u.running.Go(func() {
		prefix := namePrefix(e.Agent, t.ID)
		u.streams.sweep(u.ctx, Leftover{Prefix: prefix}, sweepBound)
		close(u.swept)
		u.streams.sweepOften(u.ctx, prefix, u.longestRun)
	})
	return u, nil
}

// longestRun is how long a stream of a run may live: a canary's is known to be in
// use, however old.
func (u *unit) longestRun() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	longest := goLiveBound
	for _, p := range u.kinds {
		run := p.Timeout
		if p.Recording != nil {
			run += p.Recording.Broadcast + p.Recording.Within
		}
		longest = max(longest, run)
	}
	return longest + time.Minute
}

func (u *unit) stop() {
	u.cancel()
	u.running.Wait()
}

// apply starts and stops what differs.
func (u *unit) apply(t prober.Target, probes []prober.Probe) {
	u.wanted = probes
	kinds := map[prober.Kind]prober.Probe{}
	for _, p := range probes {
		kinds[p.Kind] = p
	}
	u.mu.Lock()
	u.target, u.kinds = t, kinds
	u.applyCanaries()
	u.mu.Unlock()
	for kind, r := range u.probes {
		if p, wanted := kinds[kind]; !wanted || !reflect.DeepEqual(p, r.probe) {
			r.stop()
			delete(u.probes, kind)
		}
	}
	for _, p := range probes {
		if _, runs := u.probes[p.Kind]; !runs {
			u.startProbe(kinds[p.Kind])
		}
	}
}

// applyCanaries keeps a broadcast to each ingest up while a probe needs one, and
// follows it where it is to be played. u.mu is held.
func (u *unit) applyCanaries() {
	_, canary := u.kinds[prober.KindCanary]
	follow, playback := u.kinds[prober.KindPlayback]
	playback = playback && len(follow.Pulls) == 0
	var ingests []prober.Ingest
	var playbacks []prober.Playback
	if canary || playback {
		ingests = u.target.Ingests
	}
	if playback {
		playbacks = u.target.Playbacks
	}
	for id, c := range u.canaries {
		if !slices.Contains(ingests, c.ingest) {
			c.stop()
			delete(u.canaries, id)
		}
	}
	for _, in := range ingests {
		c := u.canaries[in.ID]
		if c == nil {
			u.startCanary(in, playbacks)
			continue
		}
		c.setPlaybacks(playbacks)
	}
}

// startCanary begins a broadcast. u.mu is held.
func (u *unit) startCanary(in prober.Ingest, playbacks []prober.Playback) {
	c := u.newCanary(in, playbacks)
	u.canaries[in.ID] = c
	u.running.Go(func() {
		defer c.stop()
		<-u.swept
		c.loop(c.ctx)
	})
}

// announced is what other agents may pull.
func (u *unit) announced() []prober.Broadcast {
	canaries, _ := u.snapshot()
	var list []prober.Broadcast
	for _, c := range canaries {
		if b, ok := c.announced(); ok {
			list = append(list, b)
		}
	}
	return list
}

// tellCanary passes on what cannot wait for a round, where canaries are asked
// for and it is the present one's.
func (u *unit) tellCanary(of *canary, results ...prober.Result) {
	u.mu.Lock()
	_, asked := u.kinds[prober.KindCanary]
	present := u.canaries[of.ingest.ID]
	u.mu.Unlock()
	if asked && present != nil && present.canary == of {
		u.env.report(results...)
	}
}

// startProbe begins the turns of a probe.
func (u *unit) startProbe(p prober.Probe) {
	s, err := schedule.Parse(p.Schedule)
	if err != nil {
		u.env.log.Error("probe cannot run", "target", p.Target, "kind", p.Kind, "error", err)
		return
	}
	turns := u.turns(p.Kind)
	if len(turns) == 0 {
		u.env.log.Error("probe cannot run: this agent does not know its kind", "target", p.Target, "kind", p.Kind)
		return
	}
	ctx, stop := context.WithCancel(u.ctx)
	u.probes[p.Kind] = runningProbe{probe: p, stop: stop}
	for _, turn := range turns {
		u.running.Go(func() {
			defer stop()
			<-u.swept
			last := time.Now()
			schedule.Run(ctx, s, p.Offset, p.Jitter, func(context.Context, time.Time) {
				since := last
				last = time.Now()
				turn(since)
			})
		})
	}
}

// turns are what one turn of a kind does, given when the last one was: more than one
// where its parts do not wait for each other, none for a kind that this agent does not
// know.
func (u *unit) turns(kind prober.Kind) []func(since time.Time) {
	probe := u.probe(kind)
	one := func(turn func(time.Time)) []func(time.Time) { return []func(time.Time){turn} }
	switch {
	case kind == prober.KindCanary:
		return one(u.canaryRound)
	case kind == prober.KindPlayback && len(probe.Pulls) > 0:
		return u.pullTurns(probe)
	case kind == prober.KindPlayback:
		return one(u.playbackRound)
	case kind == prober.KindGoLive:
		return one(func(time.Time) { u.goLiveRound() })
	case kind == prober.KindAPI && u.env.Check != nil && len(probe.Checks) > 0:
		return one(func(time.Time) { u.apiRound() })
	case kind == prober.KindRecording && u.env.Replay != nil && probe.Recording != nil:
		return one(func(time.Time) { u.recordingRound() })
	}
	return nil
}

// probe is the probe of a kind that is assigned; the zero value is none.
func (u *unit) probe(kind prober.Kind) prober.Probe {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.kinds[kind]
}

// probeNow starts extra rounds of the probes that are assigned.
func (u *unit) probeNow(req prober.ProbeNow) {
	spacing := min(max(req.Spacing, 0), maxExtraSpacing)
	for _, kind := range req.Kinds {
		u.mu.Lock()
		_, asked := u.kinds[kind]
		u.mu.Unlock()
		if !asked {
			continue
		}
		for _, turn := range u.turns(kind) {
			u.running.Go(func() {
				for i := range min(req.Rounds, maxExtraRounds) {
					if i > 0 && !sleep(u.ctx, spacing) {
						return
					}
					turn(time.Now())
				}
			})
		}
	}
}
