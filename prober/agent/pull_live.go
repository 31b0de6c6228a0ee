package agent

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
)

// pullPatience is how long one stream is played for: as configured, or until a second
// segment must have come.
type pullPatience struct {
	fixed  bool
	bound  time.Duration
	began  time.Time
	expire *time.Timer
}

// newPullPatience ends a pull after a timeout; 0 is as long as it takes.
func newPullPatience(timeout time.Duration, end func()) *pullPatience {
	p := &pullPatience{fixed: timeout > 0, bound: timeout, began: time.Now()}
	if !p.fixed {
		p.bound = pullBound
	}
	p.expire = time.AfterFunc(p.bound, end)
	return p
}

// of knows the stream's target duration.
func (p *pullPatience) of(target time.Duration) {
	if bound := prober.RenewalWait(target); !p.fixed && bound > p.bound && p.expire.Reset(time.Until(p.began.Add(bound))) {
		p.bound = bound
	}
}

// short says that a timeout ends before a second segment need have come.
func (p *pullPatience) short(target time.Duration) bool {
	return p.bound < prober.RenewalDue(target)
}

// livePull is a live stream that is played, up to its verdict.
type livePull struct {
	wait     *pullPatience
	how      prober.Pulling
	failedAt time.Time // since when it fails; zero: it does not
	figures  prober.Figures
	findings []prober.Finding
}

// pullLive follows a stream until each of its renditions has shown that it goes on.
func (u *unit) pullLive(ctx context.Context, p prober.Pull, wait *pullPatience) (*prober.Failure, prober.Figures, []prober.Finding) {
	playback := u.playback(p.Playback)
	follower := u.env.Follower(playback, p.URL, "", prober.Signal{})
	running, stop := context.WithCancel(ctx)
	var broke error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		broke = follower.Run(running)
	}()
	defer func() {
		stop()
		<-ended
		u.env.budget.spend(follower.Observe(time.Now()).Bytes) // after the verdict
	}()
	l := livePull{wait: wait, how: playback.Pull}
	for {
		alive := sleep(ctx, pullLook)
		obs := follower.Observe(time.Now())
		l.take(obs)
		select {
		case <-ended:
			if broke != nil && u.ctx.Err() == nil {
				return broken(prober.StageManifest, broke), l.figures, l.findings
			}
		default:
		}
		fail, told := l.verdict(obs)
		if !told && !alive {
			fail, told = l.expired(obs), true
		}
		if told {
			return fail, l.figures, l.findings
		}
	}
}

// take adds one look.
func (l *livePull) take(obs Observation) {
	failing := obs.Failure != nil && obs.Failure.Outcome == prober.Fail && !starts(obs)
	if !failing {
		l.wait.of(targetOf(obs))
		l.failedAt = time.Time{}
	} else if l.failedAt.IsZero() {
		l.failedAt = time.Now()
	}
	l.figures.BytesReceived += obs.Bytes
	l.figures.Stages, l.figures.HTTP = obs.Stages, obs.HTTP
	l.findings = prober.AddFindings(l.findings, prober.MaxFindings, obs.Findings...)
}

// verdict is what a look comes to, if it does; nil is good.
func (l *livePull) verdict(obs Observation) (fail *prober.Failure, told bool) {
	plays := obs.Failure == nil && !obs.PlayingSince.IsZero()
	switch {
	case plays && obs.Ended && l.how.MayEnd():
		return nil, true
	case obs.Failure == nil && obs.Ended:
		return &prober.Failure{Outcome: prober.Fail, Stage: prober.StageManifest, Reason: prober.ReasonStreamEnded,
			Detail: "it has an end, and has to be live"}, true
	case plays && len(obs.Unrenewed) == 0:
		return nil, true
	case !l.failedAt.IsZero() && !l.wait.fixed && time.Since(l.wait.began) >= pullBound && time.Since(l.failedAt) >= pullHeals:
		return obs.Failure, true // it has had the time to heal
	}
	return nil, false
}

// expired is the verdict on what has not shown in time that it goes on.
func (l *livePull) expired(obs Observation) *prober.Failure {
	target := targetOf(obs)
	switch {
	case (obs.Failure == nil || starts(obs) && l.wait.bound < min(target, pullSegment)) && l.wait.short(target):
		return nothing(prober.ReasonConfiguration, fmt.Sprintf("within %s no second segment need be had, where the target duration is %s: give the probe a timeout of %s",
			l.wait.bound, target, prober.RenewalDue(target)))
	case obs.Failure != nil:
		return obs.Failure
	}
	fail := &prober.Failure{Outcome: prober.Fail, Stage: prober.StageManifest, Reason: prober.ReasonPlaylistStale,
		Detail: fmt.Sprintf("no new segment came in %s", l.wait.bound)}
	if names := strings.Trim(strings.Join(obs.Unrenewed, ", "), ", "); names != "" {
		fail.Detail += " of " + names
	}
	if goesOn(obs) && !l.how.FailAlone {
		fail.Outcome = prober.Degraded
	}
	return fail
}

// starts says that nothing has come yet of a stream that can be reached: its first
// segment is made, or on its way.
func starts(obs Observation) bool {
	f := obs.Failure
	return f != nil && obs.PlayingSince.IsZero() && (f.Reason == prober.ReasonMarkerMissing || f.Reason == prober.ReasonPlaylistNoSegments)
}

// goesOn says that a variant has shown that it does.
func goesOn(obs Observation) bool {
	return slices.ContainsFunc(obs.Renditions, func(r prober.Rendition) bool {
		return r.Type == prober.RenditionVariant && r.Playing && !slices.Contains(obs.Unrenewed, r.Name)
	})
}

// targetOf is the longest target duration of what has to go on.
func targetOf(obs Observation) time.Duration {
	longest := obs.Target
	for _, r := range obs.Renditions {
		if r.Type != prober.RenditionSubtitles {
			longest = max(longest, r.TargetDuration)
		}
	}
	return longest
}
