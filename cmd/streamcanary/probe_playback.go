package main

import (
	"context"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
	"streamcanary/prober/summary"

	"github.com/spf13/cobra"
)

const (
	validationTurn = 500 * time.Millisecond
	validationTop  = 3 * time.Second // from one load of a multivariant playlist to the next
	liveLength     = time.Minute     // at least, see watching
	endingLength   = 10 * time.Minute
	expectLive     = "live"          // of --expect: the zero value of prober.Expect, and here not what is taken for granted
	startLength    = 5 * time.Second // in which a rendition may not play yet, or something that fails may come to be
)

// takeURL takes the URL that stands behind --playback-only.
func (o *probeOptions) takeURL(cmd *cobra.Command, args []string) error {
	if !o.pullOnly || len(args) == 0 {
		return noArgs(cmd, args)
	}
	if len(args) > 1 || o.playback != "" {
		return usageErrorf("--playback-only takes one URL; write it once, behind --playback-only or --playback")
	}
	o.playback = args[0]
	return nil
}

func (o *probeOptions) checkPlayback() error {
	switch {
	case o.playback == "":
		return usageErrorf("--playback-only needs the URL of a playlist behind it (or STREAMCANARY_PLAYBACK); see 'streamcanary probe --help'")
	case !isPlayback(o.playback):
		return usageErrorf("the URL of --playback-only is not http://HOST/... or https://HOST/...")
	case strings.Contains(o.playback, prober.StreamVariable):
		return usageErrorf("the URL of --playback-only has %s in it, which stands for what a probe pushes; write the stream's name", prober.StreamVariable)
	}
	return o.checkTimes()
}

// runPlayback validates a stream that others push.
func runPlayback(ctx context.Context, o probeOptions, w io.Writer) error {
	pulls := newPuller(nil, "")
	defer pulls.close()
	files, err := o.openFiles()
	if err != nil {
		return err
	}
	defer files.discard()
	v := newValidation(o, time.Now())
	view := playbackView{w: w, o: o}
	view.begin(v)
	show := showPlayback(ctx, w, o)
	defer func() { _ = show.close() }()
	following, stop := context.WithCancel(ctx)
	defer stop()
	follower := show.follow(pulls.validator(o.pull, o.playback, o.Expect == expectLive))
	var broke error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		broke = follower.Run(following)
	}()
	ticker := time.NewTicker(validationTurn)
	defer ticker.Stop()
	for running := true; running; {
		select {
		case <-ctx.Done():
			v.interrupted, running = true, false
		case <-ended:
			if ctx.Err() == nil {
				return &exitError{code: exitBroken, err: broke}
			}
			v.interrupted, running = true, false
		case now := <-ticker.C:
			running = !v.turn(now, follower.Observe(now))
			if show.turn(now, v); show.live == nil {
				view.turn(now, v)
			}
		}
	}
	stop()
	<-ended
	if err := show.close(); err != nil {
		return &exitError{code: exitBroken, err: err}
	}
	found := v.end(time.Now())
	if err := files.write(found); err != nil {
		return &exitError{code: exitBroken, err: err}
	}
	return view.end(v, found)
}

// validation takes what a follower finds of a stream, and comes to a verdict.
type validation struct {
	o     probeOptions
	began time.Time
	rec   *summary.Recorder
	clean func(string) string // takes out what may be secret

	active      map[trouble]prober.Severity // conditions that hold
	told        map[trouble]prober.Severity // what findings have told of, the gravest of each
	live        bool                        // a playlist without an end
	played      bool
	ended       time.Time // when all of it was had; zero: not yet
	failing     time.Time // since when nothing plays and something fails; zero: it does not
	last        *prober.Failure
	segments    int                // looked into
	shown       []prober.Rendition // in the last look
	renewals    map[renewed]renewal
	listed      time.Time // the first media playlist
	interrupted bool
}

// trouble is a condition by what and where it is.
type trouble struct {
	where  string
	stage  prober.Stage
	reason prober.Reason
}

func newValidation(o probeOptions, now time.Time) *validation {
	v := &validation{o: o, began: now, clean: cleanPaths(o.playback), active: map[trouble]prober.Severity{}, told: map[trouble]prober.Severity{}}
	info, _ := debug.ReadBuildInfo()
	v.rec = summary.NewRecorder(summary.Summary{Version: versionLine(version, info), Mode: summary.ModePlayback, Playback: shownPlaylist(o.playback), Began: now})
	return v
}

// turn takes one look, and says whether it was the last that is needed.
func (v *validation) turn(now time.Time, obs agent.Observation) (done bool) {
	v.last = obs.Failure
	v.segments += obs.Segments
	v.live = false
	for _, r := range obs.Renditions {
		v.played = v.played || r.Playing
		v.live = v.live || goesOn(r)
	}
	v.renew(now, obs.Renditions)
	switch {
	case v.played || obs.Failure == nil || obs.Failure.Reason == prober.ReasonMarkerMissing:
		v.failing = time.Time{}
	case v.failing.IsZero():
		v.failing = now
	}
	if v.ended.IsZero() && over(obs, now.Sub(v.began)) {
		v.ended = now
	}
	done = v.done(now, len(obs.Renditions))
	v.record(now, obs, done)
	return done
}

// over says whether all was had that can be had.
func over(obs agent.Observation, age time.Duration) bool {
	had := false
	for _, r := range obs.Renditions {
		hopeless := !r.Playing && r.Failure != nil && age > startLength
		if !r.Ended && !hopeless {
			return false
		}
		had = had || r.Ended
	}
	return had
}

// done says whether there is nothing more to wait for. Renditions are compared
// when the multivariant playlist is loaded, so once more after the end.
func (v *validation) done(now time.Time, renditions int) bool {
	age := now.Sub(v.began)
	limit := v.o.length
	switch {
	case limit > 0:
	case v.live, v.o.Expect == expectLive, v.o.pull.Expect == prober.ExpectEvent: // what ends too soon is not waited for
		limit = v.watching()
	default:
		limit = endingLength
	}
	switch {
	case age >= limit, !v.played && age >= v.o.timeout:
		return true
	case !v.failing.IsZero() && now.Sub(v.failing) >= startLength:
		return true
	}
	return !v.ended.IsZero() && (renditions == 1 || now.Sub(v.ended) > validationTop+time.Second)
}

// record notes a look as a result: what is wrong in it, and its figures.
func (v *validation) record(now time.Time, obs agent.Observation, last bool) {
	r := prober.Result{Kind: prober.KindPlayback, Target: "probe", Playback: "playback", Outcome: prober.Pass, Started: v.began, Ended: now}
	r.Figures = prober.Figures{
		Stages: obs.Stages, LatencyFirst: obs.LatencyFirst, LatencyLast: obs.LatencyLast, LatencyBy: obs.LatencyBy, PartLatency: obs.PartLatency,
		BytesReceived: obs.Bytes, Viewing: obs.Viewing, HTTP: obs.HTTP, Skipped: obs.Skipped, Missed: obs.Missed, Recovered: obs.Recovered,
		Renditions: v.cleanRenditions(obs.Renditions),
	}
	if !obs.PlayingSince.IsZero() {
		r.Figures.TTFF = obs.PlayingSince.Sub(v.began)
	}
	for _, f := range obs.Findings {
		if at := (trouble{f.Where, f.Stage, f.Reason}); !covers(v.told[at], f.Severity) {
			v.told[at] = f.Severity
		}
		r.Findings = append(r.Findings, f)
	}
	conditions := v.conditions(now, obs, last)
	r.Findings = append(r.Findings, conditions...)
	if f := obs.Failure; f != nil && (v.played || last) && (len(conditions) > 0 || f.Outcome == prober.Degraded) {
		r.Outcome, r.Stage, r.Reason, r.Detail = f.Outcome, f.Stage, f.Reason, v.clean(f.Detail)
	}
	for i := range r.Findings {
		r.Findings[i].Where, r.Findings[i].Detail = v.clean(r.Findings[i].Where), v.clean(r.Findings[i].Detail)
	}
	v.rec.Add(r)
}

func (v *validation) cleanRenditions(all []prober.Rendition) []prober.Rendition {
	all = slices.Clone(all)
	for i := range all {
		if f := all[i].Failure; f != nil {
			told := *f
			told.Detail = v.clean(f.Detail)
			all[i].Failure = &told
		}
	}
	return all
}

// conditions are findings of what is wrong now and no finding tells of: once for as
// long as it lasts. Many rules share a reason, so what is milder tells nothing of it.
func (v *validation) conditions(now time.Time, obs agent.Observation, last bool) []prober.Finding {
	var found []prober.Finding
	holds := map[trouble]prober.Severity{}
	add := func(where string, playing bool, f *prober.Failure) {
		if f == nil || !playing && !last && now.Sub(v.began) < startLength {
			return
		}
		at, severity := trouble{where, f.Stage, f.Reason}, severityOf(f.Outcome)
		if !covers(holds[at], severity) { // two renditions may have one name
			holds[at] = severity
		}
		if !covers(v.active[at], severity) && !covers(v.told[at], severity) {
			found = append(found, prober.Finding{Section: f.Section, Severity: severity, Stage: f.Stage, Reason: f.Reason, Where: where, Detail: f.Detail, Count: 1})
		}
	}
	for _, r := range obs.Renditions {
		add(r.Name, r.Playing, r.Failure)
	}
	if top := obs.Failure; top != nil && !v.known(top, obs.Renditions) {
		add("", v.played, top)
	}
	v.active = holds
	return found
}

// known says whether the failure of the whole is a rendition's, or a finding's, and no
// graver than that.
func (v *validation) known(f *prober.Failure, all []prober.Rendition) bool {
	severity := severityOf(f.Outcome)
	for at, told := range v.told {
		if at.stage == f.Stage && at.reason == f.Reason && covers(told, severity) {
			return true
		}
	}
	return slices.ContainsFunc(all, func(r prober.Rendition) bool {
		return r.Failure != nil && r.Failure.Stage == f.Stage && r.Failure.Reason == f.Reason && covers(severityOf(r.Failure.Outcome), severity)
	})
}

// covers says whether what was told, "" being nothing, is at least as grave.
func covers(told, severity prober.Severity) bool {
	grave := prober.Severities()
	return told != "" && slices.Index(grave, told) <= slices.Index(grave, severity)
}

func severityOf(o prober.Outcome) prober.Severity {
	switch o {
	case prober.Fail:
		return prober.SeverityFail
	case prober.Degraded:
		return prober.SeverityDegraded
	case prober.Pass, prober.Inconclusive:
	}
	return prober.SeverityNote
}

// end comes to the verdict: the gravest that was found.
func (v *validation) end(now time.Time) summary.Summary {
	verdict := prober.Result{Outcome: prober.Pass}
	found := v.rec.Snapshot().Findings
	switch {
	case len(found) > 0 && found[0].Severity != prober.SeverityNote:
		worst := found[0]
		verdict.Outcome = prober.Degraded
		if worst.Severity == prober.SeverityFail {
			verdict.Outcome = prober.Fail
		}
		verdict.Stage, verdict.Reason, verdict.Detail = worst.Stage, worst.Reason, worst.Detail
	case v.played:
		v.doubt(now, &verdict)
	case v.interrupted:
		verdict.Outcome, verdict.Reason, verdict.Detail = prober.Inconclusive, prober.ReasonCancelled, "interrupted before anything played"
	case v.last != nil:
		verdict.Outcome, verdict.Stage, verdict.Reason, verdict.Detail = v.last.Outcome, v.last.Stage, v.last.Reason, v.clean(v.last.Detail)
	default:
		verdict.Outcome, verdict.Stage, verdict.Reason, verdict.Detail = prober.Fail, prober.StageMedia, prober.ReasonHTTPTimeout, "nothing played in time"
	}
	return v.rec.End(now, &verdict)
}
