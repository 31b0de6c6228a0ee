package agent

import (
	"context"
	"sync"
	"time"

	"streamcanary/prober"
)

// pushURL is where a stream is pushed to: the ingest's URL, or what the platform
// says where that is a variable.
func (s *streams) pushURL(ctx context.Context, in prober.Ingest, made Stream) (prober.Secret, *prober.Failure) {
	if in.URL != prober.PushVariable {
		return prober.Secret(prober.StreamURL(in.URL, made.Key.Reveal())), nil
	}
	url, failure, err := s.platform.PushURL(ctx, made, in.Node)
	if err != nil {
		failure = broken(prober.StageProvision, err)
	}
	return url, failure
}

// follower follows a stream at a playback, wherever the platform says that is.
func (s *streams) follower(p prober.Playback, made Stream, run string, pushed prober.Signal) Follower {
	if p.URL != prober.PlayVariable {
		return s.env.Follower(p, prober.StreamURL(p.URL, made.PlaybackID), run, pushed)
	}
	return &located{first: make(chan struct{}),
		where: func(ctx context.Context) (string, *prober.Failure) {
			url, failure, err := s.platform.PlayURL(ctx, made, p.Node)
			if err != nil {
				failure = broken(prober.StageProvision, err)
			}
			if failure != nil { // the API's failing, which is told where streams are made, is not the playback's
				failure.Outcome = prober.Inconclusive
			}
			return url, failure
		},
		follow: func(url string) Follower { return s.env.Follower(p, url, run, pushed) },
	}
}

// located is a follower that first asks the platform where to follow.
type located struct {
	where  func(ctx context.Context) (string, *prober.Failure)
	follow func(url string) Follower
	first  chan struct{}

	mu       sync.Mutex
	follower Follower // nil until it is known where
	failure  *prober.Failure
}

func (l *located) Run(ctx context.Context) error {
	wait := backoff{first: time.Second, most: patience}
	for {
		url, failure := l.where(ctx)
		if failure == nil {
			return l.run(ctx, url)
		}
		l.mu.Lock()
		l.failure = failure
		l.mu.Unlock()
		if !sleep(ctx, wait.next()) {
			return nil
		}
	}
}

func (l *located) run(ctx context.Context, url string) error {
	f := l.follow(url)
	l.mu.Lock()
	l.follower = f
	l.mu.Unlock()
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	wg.Go(func() {
		select {
		case <-ctx.Done():
		case <-f.First():
			close(l.first)
		}
	})
	return f.Run(ctx)
}

func (l *located) Observe(now time.Time) Observation {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.follower == nil {
		return Observation{Failure: l.failure}
	}
	return l.follower.Observe(now)
}

func (l *located) First() <-chan struct{} { return l.first }
