package agent

import (
	"context"
	"sync"
	"time"

	"streamcanary/prober"
)

// streams makes and deletes one target's streams for the probes, and sees to it
// that nothing of ours stays behind.
type streams struct {
	env      *env
	target   string
	platform Platform
	used     *inUse // shared by all that make streams of one name prefix
}

// inUse is the streams that runs have: a sweep that goes on beside them spares
// them.
type inUse struct {
	mu    sync.Mutex
	names map[string]string // by the stream's id, or by another text while it is being made
}

func newInUse() *inUse { return &inUse{names: map[string]string{}} }

func (u *inUse) put(id, name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.names[id] = name
}

func (u *inUse) drop(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.names, id)
}

func (u *inUse) has(name string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, n := range u.names {
		if n == name {
			return true
		}
	}
	return false
}

// create makes a stream under a fresh name. A call that ended without an answer
// may have made one all the same, and one that was made may be known by its name
// alone: so that is looked for and deleted.
func (s *streams) create(ctx context.Context) (Stream, *prober.Failure) {
	if ctx.Err() != nil {
		return Stream{}, nothing(prober.ReasonCancelled, "the agent stopped")
	}
	name := streamName(s.env.Agent, s.target)
	making := "making " + name // no id has a space
	s.used.put(making, name)
	defer s.used.drop(making)
	made, failure, err := s.platform.Create(ctx, name)
	if err != nil {
		failure = broken(prober.StageProvision, err)
	}
	if failure != nil {
		switch {
		case made.ID != "": // it was made all the same
			s.remove(ctx, made)
		case made.Name != "", mayHaveMade(failure.Reason):
			s.used.drop(making)
			deleted, swept := s.sweep(context.WithoutCancel(ctx), Leftover{Prefix: name}, sweepBound)
			if swept && deleted == 0 && made.Name != "" {
				s.env.log.Warn("a stream that is known by its name alone is in no list of the platform's, and stays behind unless a later sweep finds it",
					"target", s.target, "stream", name)
			}
		}
		return Stream{}, failure
	}
	s.used.put(made.ID, name)
	return made, nil
}

// mayHaveMade says whether a stream may exist after a call that failed like that.
func mayHaveMade(r prober.Reason) bool {
	return r == prober.ReasonAPITimeout || r == prober.ReasonCancelled || r == prober.ReasonAPIBadAnswer
}

// remove deletes a stream whatever becomes of ctx; it tries again, since what
// stays behind costs the platform and counts against a quota.
func (s *streams) remove(ctx context.Context, made Stream) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deleteBound)
	defer cancel()
	defer s.used.drop(made.ID) // a sweep may have what could not be deleted
	var failure *prober.Failure
	for range 3 {
		var err error
		if failure, err = s.platform.Delete(ctx, made); err != nil {
			failure = broken(prober.StageTeardown, err)
			break
		}
		if failure == nil {
			return
		}
		if !sleep(ctx, time.Second) {
			break
		}
	}
	s.env.log.Warn("a stream stays behind until the next sweep",
		"target", s.target, "reason", failure.Reason, "detail", failure.Detail)
}

// sweep deletes streams that no run has, and says how many, and whether nothing was in
// its way.
func (s *streams) sweep(ctx context.Context, l Leftover, bound time.Duration) (deleted int, swept bool) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	l.Keep = s.used.has
	deleted, failure, err := s.platform.Sweep(ctx, l)
	if err != nil {
		failure = broken(prober.StageTeardown, err)
	}
	if failure != nil {
		s.env.log.Warn("sweep failed", "target", s.target, "prefix", l.Prefix, "reason", failure.Reason, "detail", failure.Detail)
	}
	if deleted > 0 {
		s.env.log.Info("swept streams that were left behind", "target", s.target, "streams", deleted)
	}
	return deleted, failure == nil
}

// sweepOften sweeps again and again until ctx is done: what could not be deleted
// at the end of its run is deleted then. What is younger than the longest run may
// be that of another process under the same name, and stays.
func (s *streams) sweepOften(ctx context.Context, prefix string, longestRun func() time.Duration) {
	for sleep(ctx, sweepEvery) {
		s.sweep(ctx, Leftover{Prefix: prefix, OlderThan: longestRun()}, sweepEvery/2)
	}
}
