package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"

	"github.com/spf13/cobra"
)

const probeHelp = `Run one go-live probe against any RTMP and HLS server, now: push a fresh test
broadcast, hold it for five seconds, and pull it back until what was pushed is
seen in the segments. It tells each stage with its time. Flags that have a key's
name in a hub's file mean what that key means there.

{stream} in both URLs is replaced by a fresh name for each run. Without it the
URLs are used as they are, and runs on that key never overlap: a second run on
this machine is inconclusive while the first goes on.

What stands on a command line can be read by every user of the machine, in the
list of processes. To keep a key from them, leave --ingest or --playback out and
put the URL into the environment, as STREAMCANARY_INGEST or STREAMCANARY_PLAYBACK.
Keys, users and queries are never printed.

With --playback-only nothing is pushed: any HLS stream is validated, with up to 16 of its
renditions and by all rules. A live stream is watched for a minute, or for two target
durations and ten seconds where that is longer (250 s at most); where nothing new came
of it by then, and no rule says so, that is inconclusive. One that has an end is loaded
to it. What is found is told as what must be fixed (viewers are without pictures or
sound), what should be fixed (it plays worse than it could), and notes. Of the address
the host and the last part of the path are shown; what stands between may be a token.

With --watch the broadcast stays up as a canary and is followed, until Ctrl-C or
for the time given with --for; every drop and return is told, and with --json every
round of each side.

On a terminal it shows itself live, and leaves a report for a ticket when it ends; with
--plain, and where stdout is no terminal, it is told line by line. --report, --junit and
--html write files, whole and at the end; one that cannot be written is told before
anything is probed.

Exit codes: 0 pass or degraded, 1 fail, 2 usage, 3 inconclusive (a result, but it says nothing
about the platform), 4 an error of the prober itself.`

const probeExample = `  streamcanary probe --ingest rtmp://localhost/live/{stream} --playback http://localhost/hls/{stream}.m3u8
  streamcanary probe --ingest rtmp://HOST/APP/KEY --playback https://HOST/PATH/index.m3u8 --json
  streamcanary probe --ingest rtmp://localhost/live/{stream} --playback http://localhost/hls/{stream}.m3u8 --watch --for 5m
  streamcanary probe --ingest rtmp://HOST/APP/{stream} --playback https://HOST/PATH/{stream}.m3u8 --size 720p --bitrate 2500000 --ladder 720p,360p
  streamcanary probe --playback-only https://HOST/PATH/index.m3u8 --for 30s`

type probeOptions struct {
	probeSettings
	probeOutputs

	ingest   string
	playback string
	json     bool
	watch    bool
	pullOnly bool
	length   time.Duration
	timeout  time.Duration
}

func newProbeCommand() *cobra.Command {
	var o probeOptions
	cmd := &cobra.Command{
		Use:     "probe {--ingest URL --playback URL | --playback-only URL}",
		Short:   "Probe any server once, watch it, or validate a stream",
		Long:    probeHelp,
		Example: probeExample,
		Args:    o.takeURL,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.playback = orEnvironment(o.playback, "STREAMCANARY_PLAYBACK")
			if o.pullOnly {
				if err := cmp.Or(refusePushFlags(cmd), o.checkPlayback(), o.read(), o.checkOutputs(o.json)); err != nil {
					return err
				}
				return runPlayback(cmd.Context(), o, cmd.OutOrStdout())
			}
			o.ingest = orEnvironment(o.ingest, "STREAMCANARY_INGEST")
			if err := cmp.Or(o.check(), o.read(), o.checkOutputs(o.json)); err != nil {
				return err
			}
			return runProbe(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.ingest, "ingest", "", "where to push, rtmp[s]://[USER:PASSWORD@]HOST[:PORT]/APP/KEY (default: $STREAMCANARY_INGEST)")
	f.StringVar(&o.playback, "playback", "", "where to pull, http(s)://.../index.m3u8 (default: $STREAMCANARY_PLAYBACK)")
	f.BoolVar(&o.json, "json", false, "tell results as JSON, one object a line")
	f.BoolVar(&o.pullOnly, "playback-only", false, "push nothing: validate the stream at this URL, or at that of --playback")
	f.BoolVar(&o.watch, "watch", false, "keep the broadcast up and watch it")
	f.DurationVar(&o.length, "for", 0, "with --watch: how long (default: until Ctrl-C); with --playback-only: at most (default: 1m of a live stream, or two target durations and 10s, 10m of one that has an end)")
	o.addOutputFlags(f)
	f.DurationVar(&o.timeout, "timeout", 12*time.Second, "how long the broadcast may take to come back")
	o.addPushFlags(f)
	o.addPullFlags(f)
	return cmd
}

func orEnvironment(flag, variable string) string {
	if flag != "" {
		return flag
	}
	return os.Getenv(variable)
}

func (o probeOptions) check() error {
	in, err := url.Parse(o.ingest)
	switch {
	case o.ingest == "" || o.playback == "":
		return usageErrorf("probe needs --ingest (or STREAMCANARY_INGEST) and --playback (or STREAMCANARY_PLAYBACK); see 'streamcanary probe --help'")
	case err != nil || in.Scheme != "rtmp" && in.Scheme != "rtmps" || in.Host == "" || strings.Count(strings.Trim(in.Path, "/"), "/") < 1:
		// The URL holds a stream key: it is not repeated.
		return usageErrorf("--ingest is not rtmp://HOST[:PORT]/APP/KEY or rtmps://HOST[:PORT]/APP/KEY")
	}
	if !isPlayback(o.playback) {
		return usageErrorf("--playback is not http://HOST/... or https://HOST/...")
	}
	if strings.Contains(o.ingest, prober.StreamVariable) != strings.Contains(o.playback, prober.StreamVariable) {
		return usageErrorf("%s is in only one of --ingest and --playback; write it in both or in neither", prober.StreamVariable)
	}
	if o.length != 0 && !o.watch {
		return usageErrorf("--for goes with --watch or --playback-only")
	}
	return o.checkTimes()
}

func isPlayback(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func (o probeOptions) checkTimes() error {
	const least, most = 6 * time.Second, 10 * time.Minute
	if o.timeout < least || o.timeout > most {
		return usageErrorf("--timeout is %s; it must be from %s to %s", o.timeout, least, most)
	}
	if o.length < 0 {
		return usageErrorf("--for is %s; it must be above 0", o.length)
	}
	return nil
}

// probeTarget is what the two URLs stand for: a self-run server.
func (o probeOptions) target() prober.Target {
	return prober.Target{
		ID: "probe", Platform: prober.Platform{Type: "static"},
		Ingests:   []prober.Ingest{{ID: "ingest", Region: "probe", URL: o.ingest, RTMP: o.rtmp, Signal: o.signal}},
		Playbacks: []prober.Playback{{ID: "playback", Region: "probe", URL: o.playback, Pull: o.pull}},
	}
}

// never is a schedule for a probe that only runs when it is asked to.
const never = "@every 876000h"

func runProbe(ctx context.Context, o probeOptions, w io.Writer) error {
	if !strings.Contains(o.ingest, prober.StreamVariable) {
		unlock, err := lockKey(o.ingest)
		if errors.Is(err, errInUse) {
			return &exitError{code: exitInconclusive, err: errors.New("another probe on this machine pushes to that key; wait until it has ended, or use {stream}")}
		}
		if err != nil {
			return &exitError{code: exitBroken, err: err}
		}
		defer unlock()
	}
	view := newProbeView(w, o)
	results := make(chan prober.Result, 256)
	cfg, release := agentConfig(agentParts{Agent: "probe", Site: "probe", Sink: resultSink(results)})
	defer release()
	cfg.Feed, cfg.Follower = view.feed(cfg.Feed), view.follower(cfg.Follower)
	a, err := agent.New(cfg)
	if err != nil {
		return &exitError{code: exitBroken, err: err}
	}
	if err := view.begin(ctx); err != nil {
		return err
	}
	defer func() { _ = view.close() }()
	running, stop := context.WithCancel(ctx)
	defer stop()
	var agents sync.WaitGroup
	agents.Go(func() {
		defer view.guard()
		err = a.Run(running)
	})
	var verdict *prober.Result
	if o.watch {
		verdict = watchProbe(ctx, o, a, view, results)
	} else {
		verdict = runOnce(ctx, o, a, view, results)
	}
	stop()
	agents.Wait()
	if err != nil {
		return &exitError{code: exitBroken, err: err}
	}
	return view.end(verdict)
}

// runOnce asks for one go-live round and waits until it is whole.
func runOnce(ctx context.Context, o probeOptions, a *agent.Agent, view *probeView, results <-chan prober.Result) *prober.Result {
	a.Assign(prober.Assignment{
		Targets: []prober.Target{o.target()},
		Probes:  []prober.Probe{{Kind: prober.KindGoLive, Target: "probe", Schedule: never, Timeout: o.timeout}},
	})
	a.ProbeNow(prober.ProbeNow{ID: "once", Target: "probe", Kinds: []prober.Kind{prober.KindGoLive}, Rounds: 1})
	// Every stage is bounded by itself; this only catches a prober that hangs.
	limit := time.NewTimer(o.timeout + time.Minute)
	defer limit.Stop()
	var worst *prober.Result
	for got := 0; ; {
		select {
		case <-ctx.Done():
			return worse(worst, &prober.Result{Outcome: prober.Inconclusive, Reason: prober.ReasonCancelled, Detail: "interrupted"})
		case <-limit.C:
			return nil
		case r := <-results:
			view.result(r)
			worst = worse(worst, &r)
			if got++; got >= r.RoundOf {
				return worst
			}
		}
	}
}

// watchProbe keeps a canary up and tells what changes.
func watchProbe(ctx context.Context, o probeOptions, a *agent.Agent, view *probeView, results <-chan prober.Result) *prober.Result {
	if o.length > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.length)
		defer cancel()
	}
	var probes []prober.Probe
	for _, kind := range []prober.Kind{prober.KindCanary, prober.KindPlayback} {
		probes = append(probes, prober.Probe{Kind: kind, Target: "probe", Schedule: "@every 1s"})
	}
	a.Assign(prober.Assignment{Targets: []prober.Target{o.target()}, Probes: probes})
	var worst *prober.Result
	for {
		select {
		case <-ctx.Done():
			if worst == nil {
				return &prober.Result{Outcome: prober.Inconclusive, Reason: prober.ReasonCancelled, Detail: "it ended before anything was known"}
			}
			return worst
		case r := <-results:
			view.watched(r)
			if r.Outcome != prober.Inconclusive {
				worst = worse(worst, &r)
			}
		}
	}
}

// worse keeps what decides the exit code: a failure before what is
// inconclusive, and that before a pass.
func worse(a, b *prober.Result) *prober.Result {
	rank := map[prober.Outcome]int{prober.Pass: 1, prober.Degraded: 2, prober.Inconclusive: 3, prober.Fail: 4}
	// That nothing was pulled only follows from a push side that failed.
	if a == nil || rank[b.Outcome] > rank[a.Outcome] {
		return b
	}
	return a
}

// resultSink takes an agent's results in this process.
type resultSink chan<- prober.Result

func (s resultSink) Put(results ...prober.Result) {
	for _, r := range results {
		select {
		case s <- r:
		default: // nobody reads any more: the command is ending
		}
	}
}

// exitOf is the exit code that an outcome stands for.
func exitOf(r *prober.Result) error {
	switch {
	case r == nil:
		return &exitError{code: exitBroken, err: errors.New("the probe came to no result; this is a defect of the prober, not of the server")}
	case r.Outcome == prober.Fail:
		return &exitError{code: exitFailure}
	case r.Outcome == prober.Inconclusive:
		return &exitError{code: exitInconclusive}
	}
	return nil
}

func stageText(s prober.Stage) string { return fmt.Sprintf("%-9s", s) }
