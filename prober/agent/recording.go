package agent

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"streamcanary/prober"
)

// Waits between two looks for a recording.
const (
	firstLook = time.Second
	lastLook  = 10 * time.Second

	lastLookBound = 30 * time.Second // of the look that begins when the time is over
)

// recordingRound broadcasts for a while and looks for what is left of it. Each
// round pushes to the next ingest.
func (u *unit) recordingRound() {
	u.mu.Lock()
	target, probe, turn := u.target, u.kinds[prober.KindRecording], u.recordings
	u.recordings++
	u.mu.Unlock()
	if len(target.Ingests) == 0 || probe.Recording == nil {
		return
	}
	r := recording{unit: u, check: *probe.Recording, ingest: target.Ingests[turn%len(target.Ingests)]}
	r.result = prober.Result{Kind: prober.KindRecording, Target: target.ID, Ingest: r.ingest.ID, Run: u.env.newRun(),
		Round: u.env.newRound(prober.KindRecording), RoundOf: 1, Started: time.Now()}
	if !u.env.budget.allowGoLive() {
		u.env.report(judged(r.result, nothing(prober.ReasonBudget, "the agent's bytes of the hour are spent")))
		return
	}
	target.Platform.Record = true
	failure := r.run(u.ctx, target.Platform)
	if u.ctx.Err() != nil {
		failure = nothing(prober.ReasonCancelled, "the agent stopped")
	}
	u.env.report(judged(r.result, failure))
}

// recording is one run.
type recording struct {
	*unit
	check  prober.RecordingCheck
	ingest prober.Ingest
	result prober.Result
}

func (r *recording) run(ctx context.Context, words prober.Platform) *prober.Failure {
	if lock := r.env.keys.lock(r.ingest.URL); lock != nil {
		select {
		case lock <- struct{}{}:
			defer func() { <-lock }()
		default:
			return nothing(prober.ReasonOverlap, "another broadcast uses this ingest's only key")
		}
	}
	platform, err := r.env.Platform(words)
	if err != nil {
		return broken(prober.StageProvision, err)
	}
	s := &streams{env: r.env, target: r.result.Target, platform: platform, used: r.streams.used}
	made, failure := s.create(ctx)
	if failure != nil {
		return failure
	}
	defer s.remove(ctx, made)
	pushed, failure := r.broadcast(ctx, s, made)
	if failure != nil {
		return failure
	}
	return r.wait(ctx, s, made, pushed)
}

// broadcast pushes for as long as is asked. What goes wrong with that says
// nothing of recordings: go-live and canary are there to tell of it.
func (r *recording) broadcast(ctx context.Context, s *streams, made Stream) (pushed time.Duration, failure *prober.Failure) {
	feed, err := r.env.Feed(Picture{Run: r.result.Run, Label: r.ingest.Region, RTMP: r.ingest.RTMP, Signal: r.ingest.Signal})
	if err != nil {
		return 0, broken("", err)
	}
	url, failure := s.pushURL(ctx, r.ingest, made)
	if failure != nil {
		return 0, failure
	}
	b, failure, err := feed.Publish(ctx, url)
	if err != nil {
		return 0, broken("", err)
	}
	if failure == nil {
		began := time.Now()
		sending, stop := context.WithTimeout(ctx, r.check.Broadcast)
		failure = b.Send(sending)
		stop()
		pushed = time.Since(began)
		r.result.Figures.BytesSent = b.Sent().Bytes
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeBound)
		defer cancel()
		if err := b.Close(closing); err != nil && failure == nil {
			r.env.log.Debug("a recorded broadcast did not end properly", "ingest", r.ingest.ID, "error", err)
		}
	}
	if failure != nil {
		return 0, nothing(prober.ReasonNothingPushed, prober.Clip(fmt.Sprintf("nothing to be recorded: %s: %s", failure.Reason, failure.Detail), prober.MaxDetail))
	}
	return pushed, nil
}

// wait looks for the recording until it is good or its time is over.
func (r *recording) wait(ctx context.Context, s *streams, made Stream, pushed time.Duration) *prober.Failure {
	ended := time.Now()
	ctx, cancel := context.WithDeadline(ctx, ended.Add(r.check.Within+lastLookBound))
	defer cancel()
	wait := backoff{first: firstLook, most: lastLook}
	for {
		failure := r.look(ctx, s, made, pushed)
		if failure == nil {
			r.result.Figures.Stages = append(r.result.Figures.Stages, prober.StageTime{Stage: prober.StageRecording, Duration: time.Since(ended)})
			return nil
		}
		left := r.check.Within - time.Since(ended)
		if left <= 0 || !sleep(ctx, min(wait.next(), left)) {
			return failure
		}
	}
}

// look is one look.
func (r *recording) look(ctx context.Context, s *streams, made Stream, pushed time.Duration) *prober.Failure {
	url := strings.ReplaceAll(prober.StreamURL(r.check.URL, made.PlaybackID), "{id}", made.ID)
	if url == "" {
		var failure *prober.Failure
		var err error
		url, failure, err = s.platform.Recording(ctx, made)
		switch {
		case err != nil:
			return broken(prober.StageRecording, err)
		case failure != nil:
			return failure
		case url == "":
			return missing(prober.ReasonRecordingMissing, "the platform's API knows no recording after %s", r.check.Within)
		}
	}
	found, err := r.env.Replay(ctx, Replay{URL: url, Pull: r.pulling(url), Run: r.result.Run})
	r.result.Figures.BytesReceived += found.Bytes
	r.result.Figures.Proof = found.Proof
	off := found.Duration - pushed
	switch f := found.Failure; {
	case err != nil:
		return broken(prober.StageRecording, err)
	case f != nil && f.Outcome == prober.Degraded: // as its severity is set: it plays
		milder := missing(prober.ReasonRecordingUnplayable, "%s: %s", f.Reason, f.Detail)
		milder.Outcome = prober.Degraded
		return milder
	case f != nil && found.Denied:
		return missing(prober.ReasonRecordingDenied, "access denied: %s", f.Detail)
	case f != nil && found.Absent && f.Stage == prober.StageManifest, f != nil && found.Unfinished:
		return missing(prober.ReasonRecordingMissing, "after %s: %s", r.check.Within, f.Detail)
	case f != nil && f.Outcome == prober.Inconclusive:
		return f
	case f != nil:
		return missing(prober.ReasonRecordingUnplayable, "%s: %s", f.Reason, f.Detail)
	case off.Abs() > r.check.Tolerance:
		return missing(prober.ReasonRecordingDuration, "it lasts %s, and %s were broadcast; want no more than %s between them",
			found.Duration.Round(time.Millisecond), pushed.Round(time.Millisecond), r.check.Tolerance)
	}
	if found.Missing > 0 {
		r.result.Findings = []prober.Finding{{Severity: prober.SeverityDegraded, Stage: prober.StageRecording, Reason: prober.ReasonRecordingDuration,
			Detail: fmt.Sprintf("%d pictures that were pushed are not in it", found.Missing), Count: 1}}
	}
	return nil
}

// pulling is how a recording is reached: as the target's playbacks are. Their
// headers may hold a token, and go to no other host than theirs.
func (r *recording) pulling(address string) prober.Pulling {
	r.mu.Lock()
	playbacks := r.target.Playbacks
	r.mu.Unlock()
	if len(playbacks) == 0 {
		return prober.Pulling{}
	}
	for _, p := range playbacks {
		if origin(p.URL) != "" && origin(p.URL) == origin(address) {
			return p.Pull
		}
	}
	how := playbacks[0].Pull
	how.Headers = nil
	return how
}

// origin is a URL's scheme and host; "" is none.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

// missing is a failure of the recording.
func missing(reason prober.Reason, format string, args ...any) *prober.Failure {
	return &prober.Failure{Outcome: prober.Fail, Stage: prober.StageRecording, Reason: reason,
		Detail: prober.Clip(fmt.Sprintf(format, args...), prober.MaxDetail)}
}
