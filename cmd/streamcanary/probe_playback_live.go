package main

import (
	"context"
	"io"
	"os"
	"slices"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
	"streamcanary/prober/summary"
)

// playbackShow notes once a second how a validation goes, for charts, and shows it
// where stdout is a terminal.
type playbackShow struct {
	o       probeOptions
	meter   *probeMeter
	live    *probeLive // nil: it is told line by line
	sampled time.Time
}

func showPlayback(ctx context.Context, w io.Writer, o probeOptions) *playbackShow {
	return &playbackShow{o: o, meter: newProbeMeter(false), live: liveOn(ctx, w, o)}
}

// follow has a follower seen by the meter.
func (s *playbackShow) follow(f agent.Follower) agent.Follower {
	made := s.meter.follower(func(prober.Playback, string, string, prober.Signal) agent.Follower { return f }, func() {})
	return made(prober.Playback{}, "", "", prober.Signal{})
}

func (s *playbackShow) turn(at time.Time, v *validation) {
	if at.Sub(s.sampled) < time.Second {
		return
	}
	s.sampled = at
	now, sample := s.meter.sample(at)
	v.rec.Sample(sample)
	if s.live == nil {
		return
	}
	now.PullFinding = slices.Clone(now.PullFinding)
	for i, f := range now.PullFinding {
		now.PullFinding[i].Where, now.PullFinding[i].Detail = v.clean(f.Where), v.clean(f.Detail)
	}
	now.Renditions = v.cleanRenditions(now.Renditions)
	s.live.show(probeFrame{sum: v.rec.Snapshot(), now: now, at: at, limit: s.o.length, last: map[summary.Side]prober.Result{}})
}

func (s *playbackShow) close() error {
	if s.live == nil {
		return nil
	}
	return s.live.close()
}

// liveOn is nil where there is no live view: stdout is no terminal, or something else
// was asked for.
func liveOn(ctx context.Context, w io.Writer, o probeOptions) *probeLive {
	f, ok := w.(*os.File)
	if !ok || o.plain || o.json || isLive(f, os.Getenv) != nil {
		return nil
	}
	return openLive(ctx, f, os.Environ(), interrupt)
}
