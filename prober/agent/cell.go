package agent

import (
	"context"
	"sync"
	"time"

	"streamcanary/prober"
)

// cell is one broadcast pulled at one playback: a follower and what is known of
// it. It is replaced whenever the broadcast starts anew, so that what a player
// may rightly complain of across a restart is not held against the playback.
type cell struct {
	playback prober.Playback
	follower Follower
	began    time.Time // only younger markers count
	stop     context.CancelFunc
	ended    chan struct{} // closed once the follower is done

	mu     sync.Mutex
	played bool
	broke  error // of the follower itself
	// What no result has told of yet.
	segments int   // good ones
	bytes    int64 // all
	findings []prober.Finding
	counted  prober.Figures // what is counted, of all renditions and of each
}

// watch starts a follower of a run at a playback. Its first marker calls seen,
// which must not block. wg ends after stop.
func watch(ctx context.Context, s *streams, wg *sync.WaitGroup, p prober.Playback, made Stream, run string, pushed prober.Signal, seen func()) *cell {
	ctx, stop := context.WithCancel(ctx)
	c := &cell{playback: p, began: time.Now(), stop: stop, ended: make(chan struct{}), follower: s.follower(p, made, run, pushed)}
	wg.Go(func() {
		defer close(c.ended)
		if err := c.follower.Run(ctx); err != nil && ctx.Err() == nil {
			c.mu.Lock()
			c.broke = err
			c.mu.Unlock()
		}
	})
	wg.Go(func() {
		select {
		case <-ctx.Done():
		case <-c.follower.First():
			seen()
		}
	})
	return c
}

// observe asks the follower, and notes whether the broadcast has come through
// since it began: a marker from before a restart proves nothing.
func (c *cell) observe() (obs Observation, played bool) {
	obs = c.follower.Observe(time.Now())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.segments += obs.Segments
	c.bytes += obs.Bytes
	c.findings = prober.AddFindings(c.findings, prober.MaxFindings, obs.Findings...)
	c.counted = addCounts(c.counted, obs)
	if c.broke != nil {
		obs.Failure = broken(prober.StageManifest, c.broke)
	}
	if !obs.Marker.Clock.IsZero() && !obs.Marker.Clock.Before(c.began.Truncate(time.Microsecond)) {
		c.played = true
	}
	if obs.Marker.Clock.IsZero() && obs.Failure == nil && !obs.PlayingSince.IsZero() {
		c.played = true // where all is transcoded no marker comes, and nothing is proven
	}
	return obs, c.played
}

// isEndpoint says whether f is the playback endpoint's own failing, whatever is
// to be played there.
func isEndpoint(f *prober.Failure) bool {
	return f != nil && (f.Stage == prober.StageResolve || f.Stage == prober.StageConnect)
}

// markerMissing is the verdict on a cell whose follower complains of nothing
// while our marker is not there.
func markerMissing(obs Observation) *prober.Failure {
	if obs.Failure != nil {
		return obs.Failure
	}
	return &prober.Failure{Outcome: prober.Fail, Stage: prober.StageMedia, Reason: prober.ReasonMarkerMissing,
		Detail: "the broadcast is taken, but its marker did not come back"}
}

// measured puts into r what was seen since the last result. A latency is of a
// segment that came meanwhile, or not measured.
func (c *cell) measured(r prober.Result, obs Observation) prober.Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Figures = c.counted
	r.Figures.BytesReceived, r.Figures.Stages, r.Figures.Proof, r.Figures.HTTP = c.bytes, obs.Stages, obs.Proof, obs.HTTP
	if c.segments > 0 {
		r.Figures.LatencyFirst, r.Figures.LatencyLast, r.Figures.LatencyBy = obs.LatencyFirst, obs.LatencyLast, obs.LatencyBy
		r.Figures.PartLatency = obs.PartLatency
	}
	r.Findings = c.findings
	c.segments, c.bytes, c.findings, c.counted = 0, 0, nil, prober.Figures{}
	return r
}

// owe takes over what no result has told of another cell, of the same playback.
// Latencies are of its segments, and stay there.
func (c *cell) owe(old *cell) {
	told := old.untold()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes += told.Figures.BytesReceived
	c.findings = prober.AddFindings(c.findings, prober.MaxFindings, told.Findings...)
	f := told.Figures
	c.counted = addCounts(c.counted, Observation{Viewing: f.Viewing, Skipped: f.Skipped, Missed: f.Missed, Recovered: f.Recovered, Renditions: f.Renditions})
}

// untold is what no result has told of.
func (c *cell) untold() prober.Result {
	obs, _ := c.observe()
	return c.measured(prober.Result{}, obs)
}

// addCounts adds what was seen later to what was counted before.
func addCounts(f prober.Figures, later Observation) prober.Figures {
	f.Viewing = later.Viewing.After(f.Viewing)
	f.Skipped += later.Skipped
	f.Missed += later.Missed
	f.Recovered += later.Recovered
	f.Renditions = prober.AddRenditions(f.Renditions, later.Renditions)
	return f
}
