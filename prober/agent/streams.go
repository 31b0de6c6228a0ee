package agent

import (
	"context"
	"time"

	"streamcanary/prober"
)

// streams makes and deletes one target's streams for the probes, and sees to it
// that nothing of ours stays behind.
type streams struct {
	env      *env
	target   string
	platform Platform
}

// create makes a stream under a fresh name. A call that ended without an answer
// may have made one all the same, so that is looked for and deleted.
func (s *streams) create(ctx context.Context) (Stream, *prober.Failure) {
	if ctx.Err() != nil {
		return Stream{}, nothing(prober.ReasonCancelled, "the agent stopped")
	}
	name := streamName(s.env.Agent, s.target)
	made, failure, err := s.platform.Create(ctx, name)
	if err != nil {
		return Stream{}, broken(prober.StageProvision, err)
	}
	if failure != nil {
		if mayHaveMade(failure.Reason) {
			s.sweep(context.WithoutCancel(ctx), name)
		}
		return Stream{}, failure
	}
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
	s.env.log.Warn("a stream stays behind until the next start sweeps it",
		"target", s.target, "reason", failure.Reason, "detail", failure.Detail)
}

// sweep deletes the streams whose names begin with prefix.
func (s *streams) sweep(ctx context.Context, prefix string) {
	ctx, cancel := context.WithTimeout(ctx, sweepBound)
	defer cancel()
	deleted, failure, err := s.platform.Sweep(ctx, prefix)
	if err != nil {
		failure = broken(prober.StageTeardown, err)
	}
	if failure != nil {
		s.env.log.Warn("sweep failed", "target", s.target, "reason", failure.Reason, "detail", failure.Detail)
	}
	if deleted > 0 {
		s.env.log.Info("swept streams that were left behind", "target", s.target, "streams", deleted)
	}
}
