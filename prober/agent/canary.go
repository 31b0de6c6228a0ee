package agent

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"streamcanary/prober"
)

// phase is where a canary's broadcast is.
type phase int

const (
	starting  phase = iota // never been up, and nothing failed yet
	down                   // dropped, or cannot be started
	trying                 // accepted, which proves nothing yet
	up                     // held for holdTime, or its marker came back
	reconnect = 250 * time.Millisecond
	slowest   = 2 * time.Second  // between reconnects
	patience  = 10 * time.Second // between attempts to make the stream
	// An ingest that turns a stream away so often in a row may have forgotten it:
	// it is made again, and then after twice as many, up to the second figure,
	// which at slowest is five minutes.
	forgottenAfter, forgottenMost = 4, 150
)

// canary keeps one broadcast to one ingest up, and follows it at every playback.
type canary struct {
	env     *env
	streams *streams
	target  string
	ingest  prober.Ingest
	run     string
	small   bool
	tell    func(...prober.Result) // what cannot wait for a round

	confirm chan struct{} // a marker came back
	turn    chan struct{} // asks for a fresh connection
	pulls   sync.WaitGroup

	mu            sync.Mutex
	ctx           context.Context // of the followers
	ended         bool            // no more of them
	phase         phase
	turned        bool            // the last connection was up, and ended by ourselves
	turnedAt      time.Time       // when that was
	failure       *prober.Failure // the latest, until up
	stream        Stream
	broadcast     Broadcast
	startedAt     time.Time // the latest broadcast's
	downSince     time.Time
	interruptions int
	sentBefore    Sent // at the last round
	owed          owed
	playbacks     []prober.Playback
	cells         map[string]*cell // by playback id
}

func newCanary(e *env, s *streams, target string, ingest prober.Ingest, playbacks []prober.Playback) *canary {
	return &canary{env: e, streams: s, target: target, ingest: ingest, run: e.newRun(), tell: func(...prober.Result) {},
		confirm: make(chan struct{}, 1), turn: make(chan struct{}, 1), playbacks: playbacks, cells: map[string]*cell{}}
}

// loop makes the stream and keeps the broadcast up until ctx is done.
func (c *canary) loop(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer func() {
		stop()
		c.end()
	}()
	if !c.provision(ctx) {
		return
	}
	defer func() { c.streams.remove(ctx, c.stream) }()
	feed, err := c.env.Feed(Picture{Run: c.run, Label: c.ingest.Region, RTMP: c.ingest.RTMP, Signal: c.ingest.Signal, Small: c.small})
	if err != nil {
		c.env.log.Error("no canary: its signal cannot be made", "target", c.target, "ingest", c.ingest.ID, "error", err)
		c.failed(broken("", err))
		return
	}
	lock := c.env.keys.lock(c.ingest.URL)
	if lock != nil {
		select {
		case lock <- struct{}{}:
			defer func() { <-lock }()
		case <-ctx.Done():
			return
		}
	}
	c.keepUp(ctx, feed, lock == nil)
}

// keepUp connects again and again until ctx is done. A stream may be replaced
// where mayRename.
func (c *canary) keepUp(ctx context.Context, feed Feed, mayRename bool) {
	wait := backoff{first: reconnect, most: slowest}
	away := refusals{next: forgottenAfter}
	for ctx.Err() == nil {
		began, wasUp := time.Now(), false
		if url, failure := c.streams.pushURL(ctx, c.ingest, c.stream); failure != nil {
			c.failed(failure)
		} else {
			wasUp = c.connect(ctx, feed, url)
		}
		if c.hasTurned() {
			if !wasUp && !sleep(ctx, reconnect) { // the server still holds the name for us
				return
			}
			continue // at once: ended by ourselves
		}
		if wasUp && time.Since(began) >= holdTime {
			wait.reset()
		}
		if !sleep(ctx, wait.next()) {
			return
		}
		if forgotten := away.count(wasUp, c.lastFailure()); mayRename && (forgotten || c.nameInUse()) {
			c.rename(ctx)
		}
	}
}

func (c *canary) lastFailure() *prober.Failure {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

func (c *canary) hasTurned() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.turned
}

func (c *canary) nameInUse() bool {
	failure := c.lastFailure()
	return failure != nil && failure.Reason == prober.ReasonPublishNameInUse
}

// refusals counts connections in a row that a server ended by what it thinks of
// the stream: servers say so by an error, or just close.
type refusals struct{ row, next int }

// count says whether the stream should be made again.
func (r *refusals) count(wasUp bool, f *prober.Failure) bool {
	switch {
	case wasUp || f == nil || f.Outcome != prober.Fail:
		r.row, r.next = 0, forgottenAfter
		return false
	case f.Stage != prober.StagePublish && f.Stage != prober.StageIngest && f.Reason != prober.ReasonConnectRejected:
		r.row = 0
		return false
	}
	if r.row++; r.row < r.next {
		return false
	}
	r.row, r.next = 0, min(2*r.next, forgottenMost)
	return true
}

// rename makes another stream when the name of this one is still in use, or the
// platform seems to have forgotten it. An ingest that was not told of the end of
// the last connection, since the network between had gone, keeps that name for a
// minute and more, and is not down. If there is no other stream to be had, the
// old one is tried again.
func (c *canary) rename(ctx context.Context) {
	stream, failure := c.streams.create(ctx)
	if failure != nil {
		return
	}
	c.mu.Lock()
	old := c.stream
	c.stream = stream
	c.mu.Unlock()
	c.pulls.Go(func() { c.streams.remove(ctx, old) })
}

// provision makes the stream, however long that takes.
func (c *canary) provision(ctx context.Context) bool {
	wait := backoff{first: reconnect, most: patience}
	for {
		stream, failure := c.streams.create(ctx)
		if failure == nil {
			c.mu.Lock()
			c.stream, c.ctx = stream, ctx
			c.mu.Unlock()
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		c.failed(failure)
		if !sleep(ctx, wait.next()) {
			return false
		}
	}
}

// connect is one connection from its publish to its end. It says whether the
// broadcast was ever up on it.
func (c *canary) connect(ctx context.Context, feed Feed, url prober.Secret) (wasUp bool) {
	b, failure, err := feed.Publish(ctx, url)
	if err != nil {
		failure = broken("", err)
	}
	if ctx.Err() != nil && failure != nil {
		return false
	}
	if failure != nil {
		c.failed(failure)
		return false
	}
	c.published(b)
	ended, done := make(chan *prober.Failure, 1), make(chan struct{})
	sending, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		ended <- b.Send(sending)
		close(done)
	}()
	failure, wasUp = c.hold(ended)
	stop()
	<-done
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeBound)
	defer cancel()
	if failure != nil {
		c.failed(failure)
	}
	if err := b.Close(closing); err != nil && failure == nil {
		c.env.log.Debug("a canary did not end properly", "ingest", c.ingest.ID, "error", err)
	}
	return wasUp
}

// hold waits for the end of a broadcast, which counts as up as soon as it has
// proved itself.
func (c *canary) hold(ended <-chan *prober.Failure) (failure *prober.Failure, wasUp bool) {
	held := time.NewTimer(holdTime)
	defer held.Stop()
	for {
		select {
		case failure = <-ended:
			return failure, wasUp
		case <-c.turn:
			if wasUp {
				c.turning()
				return nil, true
			}
		case <-held.C:
		case <-c.confirm:
		}
		if !wasUp && (c.hasPlayed() || time.Since(c.began()) >= holdTime) {
			wasUp = true
			c.confirmed()
		}
	}
}

func (c *canary) began() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.startedAt
}

// hasPlayed says whether this broadcast came back anywhere.
func (c *canary) hasPlayed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cell := range c.cells {
		if _, played := cell.observe(); played {
			return true
		}
	}
	return false
}

// backoff is the wait between attempts: doubled each time up to a bound, with a
// fifth of jitter so that agents do not come back in step.
type backoff struct{ first, most, last time.Duration }

func (b *backoff) reset() { b.last = 0 }

func (b *backoff) next() time.Duration {
	b.last = min(max(2*b.last, b.first), b.most)
	return b.last - rand.N(b.last/5) //nolint:gosec // spreads load, hides nothing
}
