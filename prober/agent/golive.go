package agent

import (
	"context"
	"sync"
	"time"

	"streamcanary/prober"
)

// goLive is one run: a fresh stream is made, pushed to one ingest, pulled at
// every playback, and taken down. It tells one result of its push side and one
// of each cell, whatever happens, so that a round is always whole.
type goLive struct {
	env       *env
	streams   *streams
	base      prober.Result // what all its results share
	ingest    prober.Ingest
	playbacks []prober.Playback
	bound     time.Duration

	published time.Time
	broadcast Broadcast
	told      bool  // the push side
	sentTold  int64 // bytes, in its result
	cellsTold []bool
}

func newGoLive(u *unit, t prober.Target, in prober.Ingest, round string, bound time.Duration) *goLive {
	if bound <= holdTime {
		bound = goLiveBound
	}
	return &goLive{env: u.env, streams: u.streams, ingest: in, playbacks: t.Playbacks, bound: bound,
		cellsTold: make([]bool, len(t.Playbacks)),
		base: prober.Result{Kind: prober.KindGoLive, Target: t.ID, Ingest: in.ID, Run: u.env.newRun(),
			Round: round, RoundOf: len(t.Ingests) * (1 + len(t.Playbacks)), Started: time.Now()}}
}

func runAll(ctx context.Context, runs []*goLive) {
	var wg sync.WaitGroup
	for _, g := range runs {
		wg.Go(func() { g.run(ctx) })
	}
	wg.Wait()
}

func (g *goLive) run(ctx context.Context) {
	if lock := g.env.keys.lock(g.ingest.URL); lock != nil {
		select {
		case lock <- struct{}{}:
			defer func() { <-lock }()
		default:
			g.pushFailed(nothing(prober.ReasonOverlap, "another broadcast uses this ingest's only key"))
			return
		}
	}
	begin := time.Now()
	stream, failure := g.streams.create(ctx)
	provisioned := prober.StageTime{Stage: prober.StageProvision, Duration: time.Since(begin)}
	if failure != nil {
		g.pushFailed(failure)
		return
	}
	defer g.streams.remove(ctx, stream)
	b, failure := g.publish(ctx, stream)
	if failure != nil {
		g.pushFailed(failure)
		return
	}
	g.published, g.broadcast = time.Now(), b
	g.base.Figures.Stages = append([]prober.StageTime{provisioned}, b.Sent().Stages...)
	g.broadcastAndPull(ctx, stream)
}

func (g *goLive) publish(ctx context.Context, s Stream) (Broadcast, *prober.Failure) {
	feed, err := g.env.Feed(Picture{Run: g.base.Run, Label: g.ingest.Region, RTMP: g.ingest.RTMP, Signal: g.ingest.Signal})
	if err != nil {
		return nil, broken("", err)
	}
	url, failure := g.streams.pushURL(ctx, g.ingest, s)
	if failure != nil {
		return nil, failure
	}
	b, failure, err := feed.Publish(ctx, url)
	if err != nil {
		return nil, broken("", err)
	}
	if failure != nil && ctx.Err() != nil {
		return nil, nothing(prober.ReasonCancelled, "the agent stopped")
	}
	return b, failure
}

// broadcastAndPull sends and pulls until every result is told, then ends the
// broadcast and leaves nothing running.
func (g *goLive) broadcastAndPull(ctx context.Context, s Stream) {
	running, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	ended := make(chan *prober.Failure, 1)
	wg.Go(func() { ended <- g.broadcast.Send(running) })
	cells := make([]*cell, len(g.playbacks))
	seen := make(chan struct{}, 1)
	for i, p := range g.playbacks {
		cells[i] = watch(running, g.streams, &wg, p, s, g.base.Run, g.ingest.Signal, func() { signal(seen) })
	}
	g.watchRun(ctx, ended, seen, cells)
	stop()
	wg.Wait()
	g.spendRest(cells)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeBound)
	defer cancel()
	if err := g.broadcast.Close(closing); err != nil {
		g.env.log.Debug("a go-live run did not end properly", "ingest", g.ingest.ID, "error", err)
	}
}

// watchRun tells the results as they become known. A cell's waits for the push
// side's: what was played of a broadcast that then failed is no go-live.
func (g *goLive) watchRun(ctx context.Context, ended <-chan *prober.Failure, seen <-chan struct{}, cells []*cell) {
	hold, bound := time.NewTimer(holdTime), time.NewTimer(g.bound)
	defer hold.Stop()
	defer bound.Stop()
	held := false
	for !g.complete() {
		select {
		case failure := <-ended:
			if failure == nil || ctx.Err() != nil {
				failure = nothing(prober.ReasonCancelled, "the agent stopped")
			}
			g.pushFailed(failure)
			return
		case <-bound.C:
			g.timeIsUp(cells)
			return
		case <-hold.C:
			held = true
		case <-seen:
		}
		if held {
			g.tellPlayed(cells)
		}
	}
}

// tellPlayed tells the cells that have played, after the push side, which is
// good once one has.
func (g *goLive) tellPlayed(cells []*cell) {
	for i, c := range cells {
		if g.cellsTold[i] {
			continue
		}
		if obs, played := c.observe(); played {
			g.pushed()
			g.tellCell(i, c, obs, nil)
		}
	}
	if len(cells) == 0 {
		g.pushed()
	}
}

// timeIsUp tells what is left: the ingest kept its side, and the cells that did
// not play have failed. Whose fault it is that none did is not ours to say.
func (g *goLive) timeIsUp(cells []*cell) {
	g.tellPlayed(cells)
	g.pushed()
	for i, c := range cells {
		if !g.cellsTold[i] {
			obs, _ := c.observe()
			g.tellCell(i, c, obs, markerMissing(obs))
		}
	}
}

func (g *goLive) complete() bool {
	for _, told := range g.cellsTold {
		if !told {
			return false
		}
	}
	return g.told
}

// pushed tells that the push side is good.
func (g *goLive) pushed() {
	if !g.told {
		g.told = true
		g.env.report(judged(g.pushSide(), nil))
	}
}

// pushFailed tells why the push side failed, unless it was told to be good, and
// that nothing can be said of the cells that are left.
func (g *goLive) pushFailed(f *prober.Failure) {
	var results []prober.Result
	if !g.told {
		g.told = true
		results = append(results, judged(g.pushSide(), f))
	}
	rest := nothing(prober.ReasonNothingPushed, "the broadcast did not come up")
	if f.Outcome == prober.Inconclusive && f.Stage == "" {
		rest = f // it did not even try
	}
	for i, p := range g.playbacks {
		if g.cellsTold[i] {
			continue
		}
		g.cellsTold[i] = true
		r := g.base
		r.Playback, r.Figures = p.ID, prober.Figures{}
		results = append(results, judged(r, rest))
	}
	g.env.report(results...)
}

// spendRest counts what crossed the network after the results were told.
func (g *goLive) spendRest(cells []*cell) {
	rest := g.broadcast.Sent().Bytes - g.sentTold
	for _, c := range cells {
		rest += c.untold().Figures.BytesReceived
	}
	g.env.budget.spend(rest)
}

func (g *goLive) pushSide() prober.Result {
	r := g.base
	if g.broadcast != nil {
		sent := g.broadcast.Sent()
		g.sentTold = sent.Bytes
		r.Figures.BytesSent, r.Figures.SendStall, r.Figures.SendQueue = sent.Bytes, sent.Stall, sent.SendQueue
		r.Findings = prober.AddFindings(nil, prober.MaxFindings, sent.Findings...)
	}
	return r
}

func (g *goLive) tellCell(i int, c *cell, obs Observation, f *prober.Failure) {
	g.cellsTold[i] = true
	r := g.base
	r.Playback, r.Started = g.playbacks[i].ID, g.published
	r = c.measured(r, obs)
	if f == nil {
		r.Figures.TTFF = max(obs.PlayingSince.Sub(g.published), 0)
	}
	g.env.report(judged(r, f))
}
