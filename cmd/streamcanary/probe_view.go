package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"

	"github.com/fatih/color"
)

// probeView tells a probe's course, for a person as it happens or as JSON.
type probeView struct {
	mu      sync.Mutex
	w       io.Writer
	o       probeOptions
	start   time.Time
	last    map[string]string // of a watch: what was last said of each side
	said    time.Time
	rounds  int
	failed  int
	sent    int64
	seenOne bool
}

func newProbeView(w io.Writer, o probeOptions) *probeView {
	return &probeView{w: w, o: o, start: time.Now(), last: map[string]string{}}
}

func (v *probeView) printf(format string, a ...any) {
	if !v.o.json {
		_, _ = fmt.Fprintf(v.w, format+"\n", a...)
	}
}

func (v *probeView) stage(s prober.Stage, text string) {
	v.printf("  %s %s", stageText(s), text)
}

func (v *probeView) begin() {
	v.printf("push to   %s", shownIngest(v.o.ingest))
	v.printf("pull from %s", shownPlayback(v.o.playback, v.o.ingest))
}

// shownIngest shows where a broadcast goes without its key.
func shownIngest(ingest string) string {
	u, err := url.Parse(ingest)
	if err != nil {
		return "rtmp://..."
	}
	app, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	key := "[key]"
	if strings.HasSuffix(u.Path, "/"+prober.StreamVariable) {
		key = prober.StreamVariable
	}
	return u.Scheme + "://" + u.Host + "/" + app + "/" + key
}

// keyOf is the key that an ingest's URL holds; "" if each run has a fresh one.
func keyOf(ingest string) string {
	u, err := url.Parse(ingest)
	if err != nil {
		return ""
	}
	key := u.Path[strings.LastIndexByte(u.Path, '/')+1:]
	if key == prober.StreamVariable {
		return ""
	}
	return key
}

// conceal takes the ingest's key out of what is told of a playback's path. It may
// be a common word: elsewhere it stays.
func (v *probeView) conceal(detail string) string {
	if key := keyOf(v.o.ingest); key != "" {
		detail = strings.ReplaceAll(detail, "/"+key, "/[key]")
		detail = strings.ReplaceAll(detail, "/"+url.PathEscape(key), "/[key]")
	}
	return detail
}

// shownPlayback shows where a broadcast comes from: without user and query, which
// may hold tokens, and without the ingest's key.
func shownPlayback(playback, ingest string) string {
	u, err := url.Parse(playback)
	if err != nil {
		return "http://..."
	}
	path := u.Path
	if key := keyOf(ingest); key != "" {
		path = strings.ReplaceAll(path, key, "[key]")
	}
	return u.Scheme + "://" + u.Host + prober.Clip(path, 200)
}

// probeReport is one result as --json gives it. Durations are in milliseconds.
type probeReport struct {
	At           time.Time          `json:"at"`
	Kind         prober.Kind        `json:"kind"`
	Side         string             `json:"side"` // push or pull
	Outcome      prober.Outcome     `json:"outcome"`
	Stage        prober.Stage       `json:"stage,omitempty"`
	Reason       prober.Reason      `json:"reason,omitempty"`
	Detail       string             `json:"detail,omitempty"`
	Run          string             `json:"run"`
	Stages       map[string]float64 `json:"stages_ms"`
	TTFF         float64            `json:"ttff_ms,omitempty"`
	LatencyFirst float64            `json:"latency_first_ms,omitempty"`
	LatencyLast  float64            `json:"latency_last_ms,omitempty"`
	Sent         int64              `json:"bytes_sent,omitempty"`
	Received     int64              `json:"bytes_received,omitempty"`
	Stall        float64            `json:"send_stall_ms,omitempty"`
	Interrupted  int                `json:"interruptions,omitempty"`
	Interruption float64            `json:"interruption_ms,omitempty"`
	Queue        int64              `json:"send_queue_bytes,omitempty"`
	LatencyBy    prober.Means       `json:"latency_by,omitempty"`
	Proof        prober.Means       `json:"proof,omitempty"` // none: not proven
	Findings     []probeFinding     `json:"findings,omitempty"`
	Viewing      *probeViewing      `json:"viewing,omitempty"`
	HTTP         *probeHTTP         `json:"http,omitempty"`
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func side(r prober.Result) string {
	if r.Playback == "" {
		return "push"
	}
	return "pull"
}

func (v *probeView) json(r prober.Result) {
	report := probeReport{
		At: r.Ended.UTC(), Kind: r.Kind, Side: side(r), Outcome: r.Outcome, Stage: r.Stage, Reason: r.Reason, Detail: r.Detail, Run: r.Run,
		Stages: map[string]float64{}, TTFF: ms(r.Figures.TTFF), LatencyFirst: ms(r.Figures.LatencyFirst), LatencyLast: ms(r.Figures.LatencyLast),
		Sent: r.Figures.BytesSent, Received: r.Figures.BytesReceived, Stall: ms(r.Figures.SendStall),
		Interrupted: r.Figures.Interruptions, Interruption: ms(r.Figures.InterruptionTime),
		Queue: r.Figures.SendQueue, LatencyBy: r.Figures.LatencyBy, Proof: r.Figures.Proof,
		Findings: findingsOf(r.Findings, v.conceal), Viewing: viewingOf(r.Figures.Viewing), HTTP: httpOf(r.Figures.HTTP),
	}
	for _, s := range r.Figures.Stages {
		report.Stages[string(s.Stage)] += ms(s.Duration)
	}
	if b, err := json.Marshal(report); err == nil {
		_, _ = fmt.Fprintln(v.w, string(b))
	}
}

// result tells one result of a single run.
func (v *probeView) result(r prober.Result) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r.Detail = v.conceal(r.Detail)
	if v.o.json {
		v.json(r)
		return
	}
	switch {
	case r.Outcome != prober.Pass:
		if r.Reason != prober.ReasonNothingPushed {
			v.stage(r.Stage, paint(r.Outcome)("%s: %s", r.Reason, r.Detail))
		}
	case r.Playback == "":
		held := r.Ended.Sub(r.Started)
		v.stage(prober.StageIngest, fmt.Sprintf("held for %.1f s, %d kB taken, longest stall of a write %.1f ms", held.Seconds(), r.Figures.BytesSent/1000, ms(r.Figures.SendStall)))
	default:
		for _, s := range r.Figures.Stages {
			if s.Stage == prober.StageManifest || s.Stage == prober.StageSegment {
				v.stage(s.Stage, fmt.Sprintf("%.1f ms", ms(s.Duration)))
			}
		}
		v.stage(prober.StageMedia, fmt.Sprintf("our marker came back %.2f s after the publish", r.Figures.TTFF.Seconds()))
		v.stage(prober.StageLatency, fmt.Sprintf("%.2f s for the first frame of a segment, %.2f s for its last", r.Figures.LatencyFirst.Seconds(), r.Figures.LatencyLast.Seconds()))
	}
}

// watched tells a round of a watch: what has changed, and every ten seconds
// that all is well.
func (v *probeView) watched(r prober.Result) {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := side(r)
	r.Detail = v.conceal(r.Detail)
	v.rounds++
	if r.Outcome == prober.Fail {
		v.failed++
	}
	v.sent += r.Figures.BytesSent
	now := string(r.Outcome) + string(r.Reason)
	const every = 10 * time.Second
	if now == v.last[s] && time.Since(v.said) < every {
		return
	}
	changed := now != v.last[s]
	v.last[s] = now
	if v.o.json {
		v.json(r)
		return
	}
	at := r.Ended.Format("15:04:05")
	switch {
	case changed && r.Outcome == prober.Pass && r.Figures.InterruptionTime > 0:
		v.printf("%s  %s  %s", at, s, paint(r.Outcome)("up again after %.2f s away (interruption %d)", r.Figures.InterruptionTime.Seconds(), r.Figures.Interruptions))
	case changed && r.Outcome == prober.Pass:
		v.printf("%s  %s  %s", at, s, paint(r.Outcome)("good"))
	case changed && r.Reason == prober.ReasonNothingPushed:
		v.printf("%s  %s  %s", at, s, r.Detail)
	case changed:
		v.printf("%s  %s  %s", at, s, paint(r.Outcome)("%s at %s: %s: %s", r.Outcome, stageOr(r.Stage, "start"), r.Reason, r.Detail))
	case s == "pull" && r.Outcome == prober.Pass && r.Figures.LatencyFirst > 0: // measured in this round
		v.said = time.Now()
		v.printf("%s  after %s: %d kB sent, latency %.2f to %.2f s", at, time.Since(v.start).Round(time.Second), v.sent/1000, r.Figures.LatencyLast.Seconds(), r.Figures.LatencyFirst.Seconds())
	}
}

func stageOr(s prober.Stage, other string) string {
	if s == "" {
		return other
	}
	return string(s)
}

// end tells the verdict, and gives the exit code that it stands for.
func (v *probeView) end(r *prober.Result) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	err := exitOf(r)
	if r == nil {
		return err
	}
	took := time.Since(v.start).Seconds()
	switch {
	case v.o.watch:
		v.printf("%s", paint(r.Outcome)("%s: %d results in %.1f s, %d of them failures", strings.ToUpper(string(r.Outcome)), v.rounds, took, v.failed))
	case r.Outcome == prober.Pass:
		v.printf("%s", paint(r.Outcome)("PASS in %.1f s: what was pushed plays", took))
	default:
		v.printf("%s", paint(r.Outcome)("%s at %s: %s", strings.ToUpper(string(r.Outcome)), stageOr(r.Stage, "start"), r.Reason))
	}
	return err
}

func paint(o prober.Outcome) func(string, ...any) string {
	switch o {
	case prober.Pass:
		return color.New(color.FgGreen).Sprintf
	case prober.Fail:
		return color.New(color.FgRed).Sprintf
	case prober.Degraded, prober.Inconclusive:
	}
	return color.New(color.FgYellow).Sprintf
}

// feed tells of a connection's stages as they pass.
func (v *probeView) feed(next func(agent.Picture) (agent.Feed, error)) func(agent.Picture) (agent.Feed, error) {
	return func(p agent.Picture) (agent.Feed, error) {
		f, err := next(p)
		return toldFeed{f, v}, err
	}
}

type toldFeed struct {
	agent.Feed
	view *probeView
}

func (f toldFeed) Publish(ctx context.Context, url prober.Secret) (agent.Broadcast, *prober.Failure, error) {
	b, failure, err := f.Feed.Publish(ctx, url)
	if b == nil || failure != nil || err != nil || f.view.o.watch {
		return b, failure, err
	}
	f.view.mu.Lock()
	defer f.view.mu.Unlock()
	for _, s := range b.Sent().Stages {
		f.view.stage(s.Stage, fmt.Sprintf("%.1f ms", ms(s.Duration)))
	}
	return b, nil, nil
}

// follower tells when a broadcast is first seen.
type newFollower = func(p prober.Playback, url, run string, pushed prober.Signal) agent.Follower

func (v *probeView) follower(next newFollower) newFollower {
	return func(p prober.Playback, url, run string, pushed prober.Signal) agent.Follower {
		return toldFollower{next(p, url, run, pushed), v}
	}
}

type toldFollower struct {
	agent.Follower
	view *probeView
}

// Run returns once nothing more is told.
func (f toldFollower) Run(ctx context.Context) error {
	telling, stop := context.WithCancel(ctx)
	var told sync.WaitGroup
	told.Go(func() {
		select {
		case <-telling.Done():
		case <-f.First():
			f.view.first()
		}
	})
	defer told.Wait()
	defer stop()
	return f.Follower.Run(ctx)
}

func (v *probeView) first() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.seenOne && !v.o.watch {
		v.seenOne = true
		v.stage(prober.StageMedia, "it plays; holding the broadcast for five seconds in all")
	}
}
