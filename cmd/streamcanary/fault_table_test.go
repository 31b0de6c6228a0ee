package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
	"streamcanary/prober/origin"
	"streamcanary/prober/report"
	"streamcanary/prober/signal"
)

// faultRow is what is expected of a fault: which probe sees it, as what, and how soon.
type faultRow struct {
	fault   string
	kind    prober.Kind // whose result says so
	stage   prober.Stage
	reason  prober.Reason
	outcome prober.Outcome  // of the result; "" where it is a finding that says so
	finding prober.Severity // of the finding
	within  time.Duration
	setup   func(*origin.Config) // of the origin; nil leaves it plain
	heals   time.Duration        // until it is seen that it has healed, where that takes long
	pushes  int                  // broadcasts that run; 0 is one
	full    bool                 // the broadcast has 4 Mbit/s
	decodes bool                 // it is seen with ffmpeg's help alone
	latency time.Duration        // max_latency of the target; 0 is the default
	parts   bool                 // low_latency of the target: each part is looked into
	after   int                  // results of playback that pass before the fault
}

// verdict is a row whose result ends there; noted one with such a finding.
func verdict(fault string, kind prober.Kind, outcome prober.Outcome, stage prober.Stage, reason prober.Reason, within time.Duration) faultRow {
	return faultRow{fault: fault, kind: kind, stage: stage, reason: reason, outcome: outcome, within: within}
}

func noted(fault string, kind prober.Kind, severity prober.Severity, stage prober.Stage, reason prober.Reason, within time.Duration) faultRow {
	return faultRow{fault: fault, kind: kind, stage: stage, reason: reason, finding: severity, within: within}
}

// warm strikes once the broadcast has run for a while.
func (r faultRow) warm() faultRow {
	r.after = 10
	return r
}

// settled strikes once what a viewer feels is graded, and is well again when a
// window without it has passed.
func (r faultRow) settled() faultRow {
	r.after, r.heals = 16, 30*time.Second
	return r
}

// granted is graded, with another bound of the live latency than the default.
func (r faultRow) granted(latency time.Duration) faultRow {
	r.latency = latency
	return r.settled()
}

// slowlyHealed takes half a minute to be well again: blocking reloads are tried
// that seldom after one went wrong.
func (r faultRow) slowlyHealed() faultRow {
	r.heals = 30 * time.Second
	return r
}

// decoded needs ffmpeg.
func (r faultRow) decoded() faultRow {
	r.decodes = true
	return r
}

// twice runs two broadcasts.
func (r faultRow) twice() faultRow {
	r.pushes = 2
	return r
}

// large runs a broadcast of 4 Mbit/s, which fills what buffers there are.
func (r faultRow) large() faultRow {
	r.full = true
	return r
}

// inParts is at an origin of low latency, of which that is asked.
func (r faultRow) inParts() faultRow {
	r.parts = true
	return r.with(lowLatency)
}

// with gives a row another origin.
func (r faultRow) with(setup func(*origin.Config)) faultRow {
	r.setup = setup
	return r
}

func renditions(c *origin.Config) { c.Renditions = []string{"high", "low"} }
func twoSeconds(c *origin.Config) { c.SegmentDuration = 2 * time.Second }
func secured(c *origin.Config)    { c.RTMPSAddr, c.HTTPSAddr = "127.0.0.1:0", "127.0.0.1:0" }
func lowLatency(c *origin.Config) { c.Container = origin.LowLatency }
func recorded(c *origin.Config)   { c.Record = true }

// matches says whether a result is what the row expects.
func (r faultRow) matches(got prober.Result) bool {
	if got.Kind != r.kind {
		return false
	}
	if r.outcome != "" {
		return got.Outcome == r.outcome && got.Stage == r.stage && got.Reason == r.reason
	}
	return slices.ContainsFunc(got.Findings, func(f prober.Finding) bool {
		return r.finding != "" && f.Severity == r.finding && f.Stage == r.stage && f.Reason == r.reason
	})
}

// asked says whether the row's probe runs when it is told to, not all the time.
func (r faultRow) asked() bool {
	return r.kind == prober.KindGoLive || r.kind == prober.KindRecording || r.kind == prober.KindAPI
}

const (
	faultLanes    = 24               // rows at a time: what two cores bear
	fullSize      = "full"           // region of an ingest whose broadcast is not small
	faultPatience = 45 * time.Second // for a broadcast to be well, before and after
)

// TestFaultTable breaks an origin in every way there is, and has one agent, wired
// as the real one, see each: at the stage, for the reason and within the time
// that the table says. Before and after, all is well.
func TestFaultTable(t *testing.T) {
	t.Parallel()
	b := startFaultBench(t)
	rows := faultTable()
	slices.SortStableFunc(rows, func(a, b faultRow) int { return cmp.Compare(b.within+b.heals, a.within+a.heals) }) // the longest first
	var running sync.WaitGroup
	lanes := make(chan struct{}, faultLanes)
	for i, row := range rows {
		lanes <- struct{}{}
		running.Go(func() {
			defer func() { <-lanes }()
			t.Run(row.fault, func(t *testing.T) {
				if row.decodes {
					needsProgram(t, "ffmpeg", "ffmpeg")
				}
				if err := b.run(t.Context(), t, fmt.Sprintf("%02d-%s", i, row.fault), row); err != nil {
					t.Error(err)
				}
			})
		})
	}
	running.Wait()
}

// TestNoFault has the same agent watch every kind of origin while nothing is broken.
func TestNoFault(t *testing.T) {
	t.Parallel()
	b := startFaultBench(t)
	var running sync.WaitGroup
	for name, setup := range map[string]func(*origin.Config){
		"mpegts":      func(*origin.Config) {},
		"renditions":  func(c *origin.Config) { renditions(c); c.AudioRendition, c.Record = true, true },
		"fmp4":        func(c *origin.Config) { renditions(c); c.Container = origin.FMP4 },
		"low-latency": func(c *origin.Config) { c.Container = origin.LowLatency },
		"long":        twoSeconds,
		"tls":         secured,
		"ipv6":        func(c *origin.Config) { c.RTMPAddr, c.HTTPAddr = "[::1]:0", "[::1]:0" },
	} {
		running.Go(func() {
			t.Run(name, func(t *testing.T) {
				row := faultRow{kind: prober.KindPlayback, setup: setup, after: 10}
				o, err := b.start(t.Context(), name, row)
				if name == "ipv6" {
					needs(t, err, "give the loopback interface its IPv6 address")
				}
				if err != nil {
					t.Fatal(err)
				}
				defer o.Close()
				defer b.drop(name)
				if err := b.well(t.Context(), name, row, 0); err != nil {
					t.Fatal(err)
				}
				if bad := slices.DeleteFunc(b.seen.all(name), healthy); len(bad) > 0 {
					t.Errorf("told: %s", told(bad))
				}
			})
		})
	}
	running.Wait()
}

// healthy says whether a result says nothing bad of a platform. How long things
// took is not asked: other tests keep this machine busy.
func healthy(r prober.Result) bool {
	slow := []prober.Reason{prober.ReasonSegmentSlow, prober.ReasonAVOffset, prober.ReasonRebuffering, prober.ReasonLatencyHigh}
	bad := r.Outcome == prober.Fail || r.Outcome == prober.Degraded
	return (!bad || slices.Contains(slow, r.Reason)) && !slices.ContainsFunc(r.Findings, func(f prober.Finding) bool {
		return f.Severity != prober.SeverityNote && !slices.Contains(slow, f.Reason)
	})
}

// startFaultBench runs an agent until the test ends.
func startFaultBench(t *testing.T) *faultBench {
	t.Helper()
	seen := &faultSink{t: t, of: make(map[string][]prober.Result), more: make(chan struct{})}
	cfg, release := agentConfig(agentParts{Agent: "agent-1", Sink: seen})
	cfg.Feed = faultFeed(cfg.Feed)
	a, err := agent.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		release()
	})
	return &faultBench{agent: a, seen: seen}
}

// faultFeed makes broadcasts small, since dozens of them run at a time, or large
// where a row wants that.
func faultFeed(wired func(agent.Picture) (agent.Feed, error)) func(agent.Picture) (agent.Feed, error) {
	return func(p agent.Picture) (agent.Feed, error) {
		p.Small = p.Label != fullSize
		made, err := wired(p)
		if err != nil || p.Small {
			return made, err
		}
		large, ok := made.(*feed)
		if !ok {
			return nil, fmt.Errorf("not our feed: %T", made)
		}
		large.source, err = signal.New(signal.Config{Run: p.Run, Width: 1280, Height: 720, Bitrate: 4_000_000})
		return large, err
	}
}

// faultBench runs rows of the table at one agent.
type faultBench struct {
	agent *agent.Agent
	seen  *faultSink

	mu       sync.Mutex
	assigned prober.Assignment
	asked    int
}

func (b *faultBench) run(ctx context.Context, t *testing.T, id string, row faultRow) error {
	t.Helper()
	o, err := b.start(ctx, id, row)
	if err != nil {
		return err
	}
	defer o.Close()
	defer b.drop(id)
	if row.stage == prober.StageProvision { // what the start asks of the API is over then
		b.probeNow(id, row)
	}
	if !row.asked() || row.stage == prober.StageProvision {
		if err := b.well(ctx, id, row, 0); err != nil {
			return fmt.Errorf("before the fault: %w", err)
		}
	}
	row.after = 0
	return b.strike(ctx, t, id, row, o)
}

// start makes a row's origin, and has the agent probe it.
func (b *faultBench) start(ctx context.Context, id string, row faultRow) (*origin.Origin, error) {
	c := origin.Config{Region: id, RTMPAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0"}
	if row.setup != nil {
		row.setup(&c)
	}
	o, err := origin.New(c)
	if err != nil {
		return nil, err
	}
	if err := o.Start(ctx); err != nil {
		return nil, err
	}
	b.assign(faultTarget(id, row, o), faultProbes(id, row, o))
	return o, nil
}

// strike injects the fault, waits for it to be seen, heals it, and waits until
// that is seen.
func (b *faultBench) strike(ctx context.Context, t *testing.T, id string, row faultRow, o *origin.Origin) error {
	t.Helper()
	inside, heal := context.WithCancel(ctx)
	defer heal()
	over := make(chan error, 1)
	begun := make(chan struct{})
	mark, began := b.seen.mark(id), time.Now()
	go func() {
		over <- o.Inject(inside, origin.Fault{Name: row.fault, For: time.Minute, Begun: func() { close(begun) }})
	}()
	select {
	case <-begun:
	case err := <-over:
		return err
	}
	b.probeNow(id, row)
	found, err := b.seen.wait(ctx, id, mark, row.within, row.matches)
	if err != nil {
		heal()
		<-over
		return err
	}
	t.Logf("%-28s %5.1f s of %3.0f: %s", row.fault, found.Sub(began).Seconds(), row.within.Seconds(), row.reason)
	heal()
	if err := <-over; !errors.Is(err, context.Canceled) {
		return fmt.Errorf("the fault ended with %w", err)
	}
	mark = b.seen.mark(id)
	b.probeNow(id, row)
	if err := b.well(ctx, id, row, mark); err != nil {
		return fmt.Errorf("after the fault: %w", err)
	}
	return nil
}

// well waits for a result that passes without what the row expects: of the row's
// kind, or of the canary and, as often as the row wants, its playback.
func (b *faultBench) well(ctx context.Context, id string, row faultRow, mark int) error {
	passes := map[prober.Kind]int{row.kind: 1}
	if !row.asked() {
		passes = map[prober.Kind]int{prober.KindCanary: 1, prober.KindPlayback: max(row.after, 1)}
	}
	for kind, times := range passes {
		if _, err := b.seen.wait(ctx, id, mark, faultPatience, func(r prober.Result) bool {
			if r.Kind == kind && r.Outcome == prober.Pass && !row.matches(r) {
				times--
			}
			return times <= 0
		}); err != nil {
			return err
		}
	}
	return nil
}

func (b *faultBench) probeNow(id string, row faultRow) {
	if !row.asked() {
		return
	}
	b.mu.Lock()
	b.asked++
	n := b.asked
	b.mu.Unlock()
	b.agent.ProbeNow(prober.ProbeNow{ID: fmt.Sprint("ask-", n), Target: id, Kinds: []prober.Kind{row.kind}, Rounds: 1})
}

func (b *faultBench) assign(t prober.Target, probes []prober.Probe) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.assigned.Targets = append(slices.Clone(b.assigned.Targets), t)
	b.assigned.Probes = append(slices.Clone(b.assigned.Probes), probes...)
	b.agent.Assign(b.assigned)
}

func (b *faultBench) drop(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.assigned.Targets = slices.DeleteFunc(slices.Clone(b.assigned.Targets), func(t prober.Target) bool { return t.ID == id })
	b.assigned.Probes = slices.DeleteFunc(slices.Clone(b.assigned.Probes), func(p prober.Probe) bool { return p.Target == id })
	b.agent.Assign(b.assigned)
}

func faultTarget(id string, row faultRow, o *origin.Origin) prober.Target {
	t := prober.Target{ID: id, Platform: prober.Platform{Type: "static"},
		Ingests:   []prober.Ingest{{ID: "in", Region: "in", URL: o.RTMPURL()}},
		Playbacks: []prober.Playback{{ID: "out", Region: "out", URL: o.HLSURL()}},
	}
	t.Playbacks[0].Pull = prober.Pulling{MaxLatency: row.latency, LowLatency: row.parts, Delta: row.parts} // as a file's low_latency
	if row.full {
		t.Ingests[0].Region = fullSize
	}
	if ca := o.CA(); ca != nil {
		t.Ingests[0].URL, t.Ingests[0].RTMP.CA = o.RTMPSURL(), string(ca)
		t.Playbacks[0].URL, t.Playbacks[0].Pull.CA = o.HTTPSURL(), string(ca)
	}
	for i := 1; i < row.pushes; i++ {
		t.Ingests = append(t.Ingests, prober.Ingest{ID: fmt.Sprint("in", i), Region: "in", URL: o.RTMPURL()})
	}
	if row.stage == prober.StageProvision {
		t.Platform = prober.Platform{Type: "livepeer", API: o.APIURL()}
	}
	return t
}

func faultProbes(id string, row faultRow, o *origin.Origin) []prober.Probe {
	const rare = "@every 1h" // when it is asked for
	switch row.kind {
	case prober.KindGoLive:
		return []prober.Probe{{Kind: row.kind, Target: id, Schedule: rare, Offset: time.Minute}}
	case prober.KindRecording:
		return []prober.Probe{{Kind: row.kind, Target: id, Schedule: rare, Offset: time.Minute, Recording: &prober.RecordingCheck{
			Broadcast: 6 * time.Second, Within: 3 * time.Second, Tolerance: 4 * time.Second, URL: o.RecordingURL(),
		}}}
	default:
		return []prober.Probe{
			{Kind: prober.KindCanary, Target: id, Schedule: "@every 1s"},
			{Kind: prober.KindPlayback, Target: id, Schedule: "@every 1s"},
		}
	}
}

// faultSink keeps results by target, and wakes whoever waits for one.
type faultSink struct {
	t *testing.T

	mu   sync.Mutex
	of   map[string][]prober.Result
	more chan struct{} // closed at the next
}

func (s *faultSink) Put(results ...prober.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range results {
		if err := report.Check(r); err != nil {
			s.t.Errorf("result %+v: %v", r, err)
		}
		s.of[r.Target] = append(s.of[r.Target], r)
	}
	close(s.more)
	s.more = make(chan struct{})
}

func (s *faultSink) all(target string) []prober.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.of[target])
}

func (s *faultSink) mark(target string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.of[target])
}

// wait gives the time at which a result behind a mark came that matches.
func (s *faultSink) wait(ctx context.Context, target string, from int, within time.Duration, match func(prober.Result) bool) (time.Time, error) {
	late := time.NewTimer(within)
	defer late.Stop()
	for begin := from; ; {
		s.mu.Lock()
		results, more := s.of[target], s.more
		s.mu.Unlock()
		if slices.ContainsFunc(results[from:], match) {
			return time.Now(), nil
		}
		from = len(results)
		select {
		case <-more:
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		case <-late.C:
			return time.Time{}, fmt.Errorf("not seen within %s; told: %s", within, told(results[begin:]))
		}
	}
}

// told sums results up, for whoever has to find out why.
func told(results []prober.Result) string {
	times := make(map[string]int)
	for _, r := range results {
		times[fmt.Sprint(r.Kind, " ", r.Outcome, " ", r.Stage, " ", r.Reason, " ", r.Detail)]++
		for _, f := range r.Findings {
			times[fmt.Sprint(r.Kind, " finding ", f.Severity, " ", f.Stage, " ", f.Reason, " (", f.Section, ") ", f.Where, ": ", f.Detail)]++
		}
	}
	var lines []string
	for _, what := range slices.Sorted(maps.Keys(times)) {
		lines = append(lines, fmt.Sprintf("\n  %3d x %s", times[what], what))
	}
	return strings.Join(lines, "")
}

// faultTable is what the prober makes of each fault.
func faultTable() []faultRow {
	const (
		canary, playback, golive, rec = prober.KindCanary, prober.KindPlayback, prober.KindGoLive, prober.KindRecording
		fail, degraded, unclear       = prober.Fail, prober.Degraded, prober.Inconclusive
		grave, worse, note            = prober.SeverityFail, prober.SeverityDegraded, prober.SeverityNote
		s                             = time.Second
	)
	return []faultRow{
		verdict("restart", canary, fail, prober.StageIngest, prober.ReasonConnectionReset, 3*s),
		verdict("refuse-connect", golive, fail, prober.StageConnect, prober.ReasonConnectionRefused, 5*s),
		verdict("silent-accept", golive, fail, prober.StageConnect, prober.ReasonHandshakeTimeout, 12*s),
		verdict("silent-handshake", golive, fail, prober.StageConnect, prober.ReasonHandshakeTimeout, 12*s),
		verdict("not-rtmp", golive, fail, prober.StageConnect, prober.ReasonHandshakeFailed, 5*s),
		verdict("silent-connect", golive, fail, prober.StageConnect, prober.ReasonConnectNoAnswer, 12*s),
		verdict("reject-connect", golive, fail, prober.StageConnect, prober.ReasonConnectRejected, 5*s),
		verdict("redirect-connect", golive, fail, prober.StageConnect, prober.ReasonConnectRejected, 12*s),
		verdict("tls-expired", golive, fail, prober.StageConnect, prober.ReasonTLSFailed, 5*s).with(secured),
		verdict("tls-expired", playback, fail, prober.StageConnect, prober.ReasonTLSFailed, 6*s).with(secured),
		verdict("silent-publish", golive, fail, prober.StagePublish, prober.ReasonPublishNoAnswer, 12*s),
		verdict("refuse-publish", golive, fail, prober.StagePublish, prober.ReasonPublishDenied, 5*s),
		verdict("publish-bad-name", golive, fail, prober.StagePublish, prober.ReasonPublishNameInUse, 5*s),
		verdict("publish-unauthorized", golive, fail, prober.StagePublish, prober.ReasonPublishBadKey, 5*s),
		verdict("swallow-publish", golive, fail, prober.StagePublish, prober.ReasonPublishNameInUse, 5*s),
		verdict("reset-publish", golive, fail, prober.StageIngest, prober.ReasonConnectionReset, 5*s),
		verdict("drop-broadcasts", canary, fail, prober.StageIngest, prober.ReasonConnectionReset, 3*s),
		verdict("close-broadcasts", canary, fail, prober.StageIngest, prober.ReasonConnectionClosed, 3*s),
		verdict("stall-ingest", canary, fail, prober.StageIngest, prober.ReasonSendStalled, 20*s),
		verdict("throttle-ingest", canary, fail, prober.StageIngest, prober.ReasonSendThrottled, 30*s).large(),
		noted("change-window", golive, note, prober.StageIngest, prober.ReasonWindowChanged, 12*s),

		verdict("playlist-404", playback, fail, prober.StageManifest, prober.ReasonHTTPStatus, 6*s),
		verdict("playlist-500", playback, fail, prober.StageManifest, prober.ReasonHTTPStatus, 6*s),
		verdict("redirect-loop", playback, fail, prober.StageManifest, prober.ReasonRedirectLoop, 6*s),
		verdict("slow-playlists", playback, fail, prober.StageManifest, prober.ReasonHTTPTimeout, 10*s),
		verdict("empty-playlist", playback, fail, prober.StageManifest, prober.ReasonEmptyBody, 6*s),
		verdict("html-playlist", playback, fail, prober.StageManifest, prober.ReasonNotAPlaylist, 6*s),
		verdict("malformed-playlist", playback, fail, prober.StageManifest, prober.ReasonPlaylistMalformed, 6*s),
		verdict("no-segments", playback, fail, prober.StageManifest, prober.ReasonPlaylistNoSegments, 6*s),
		verdict("endlist", playback, fail, prober.StageManifest, prober.ReasonStreamEnded, 6*s),
		verdict("freeze-playlist", playback, fail, prober.StageManifest, prober.ReasonPlaylistStale, 8*s),
		verdict("freeze-rendition", playback, degraded, prober.StageManifest, prober.ReasonPlaylistStale, 8*s).with(renditions),
		verdict("rendition-404", playback, degraded, prober.StageManifest, prober.ReasonHTTPStatus, 8*s).with(renditions),
		verdict("missing-rendition", playback, degraded, prober.StageManifest, prober.ReasonRenditionMissing, 20*s).with(renditions),
		noted("wrong-codecs", golive, worse, prober.StageSegment, prober.ReasonRenditionsApart, 10*s),
		verdict("wrong-resolution", playback, degraded, prober.StageManifest, prober.ReasonRenditionMismatch, 20*s),
		noted("wrong-bandwidth", golive, worse, prober.StageSegment, prober.ReasonBitrateMismatch, 10*s),
		noted("rendition-behind", playback, worse, prober.StageManifest, prober.ReasonRenditionsApart, 45*s).with(renditions).warm(),
		verdict("short-window", playback, degraded, prober.StageManifest, prober.ReasonWindowShort, 6*s),
		verdict("stale-copies", playback, fail, prober.StageManifest, prober.ReasonSequenceRegression, 12*s).warm(),
		verdict("old-copies", playback, fail, prober.StageManifest, prober.ReasonPlaylistStale, 10*s),
		noted("small-target-duration", playback, worse, prober.StageManifest, prober.ReasonPlaylistMalformed, 6*s).with(twoSeconds),
		noted("wrong-durations", playback, worse, prober.StageMedia, prober.ReasonDurationMismatch, 6*s),
		verdict("sequence-reset", playback, fail, prober.StageManifest, prober.ReasonSequenceRegression, 6*s).warm(),
		noted("sequence-jump", playback, worse, prober.StageManifest, prober.ReasonPlaylistChanged, 6*s).warm(),
		noted("discontinuity-sequence-falls", playback, note, prober.StageManifest, prober.ReasonPlaylistChanged, 6*s),
		noted("missing-dates", playback, note, prober.StageManifest, prober.ReasonRenditionsApart, 20*s).with(renditions),
		noted("date-jump", playback, note, prober.StageManifest, prober.ReasonPlaylistMalformed, 20*s),
		noted("early-reload", playback, worse, prober.StageManifest, prober.ReasonLowLatency, 6*s).with(lowLatency).slowlyHealed(),
		noted("refuse-reload", playback, worse, prober.StageManifest, prober.ReasonLowLatency, 6*s).with(lowLatency).slowlyHealed(),

		verdict("segment-404", playback, fail, prober.StageSegment, prober.ReasonHTTPStatus, 6*s),
		verdict("slow-segments", playback, fail, prober.StageSegment, prober.ReasonHTTPTimeout, 10*s),
		noted("part-404", playback, worse, prober.StageSegment, prober.ReasonLowLatency, 15*s).inParts(),
		noted("slow-parts", playback, worse, prober.StageSegment, prober.ReasonLowLatency, 15*s).inParts(),
		noted("paced-segments", playback, worse, prober.StageSegment, prober.ReasonSegmentSlow, 6*s),
		verdict("throttled-segments", playback, degraded, prober.StageMedia, prober.ReasonRebuffering, 40*s).settled(),
		verdict("trickle-segments", playback, fail, prober.StageSegment, prober.ReasonHTTPTimeout, 12*s),
		verdict("empty-segments", playback, fail, prober.StageSegment, prober.ReasonEmptyBody, 6*s),
		verdict("half-segments", playback, fail, prober.StageMedia, prober.ReasonNotMedia, 6*s),
		verdict("short-segments", playback, fail, prober.StageSegment, prober.ReasonHTTPClosed, 6*s),
		verdict("error-page-segments", playback, fail, prober.StageMedia, prober.ReasonNotMedia, 6*s),
		verdict("garbage-segments", playback, fail, prober.StageMedia, prober.ReasonNotMedia, 6*s),

		verdict("other-stream", playback, fail, prober.StageMedia, prober.ReasonNotOurs, 6*s).twice(),
		verdict("old-recording", playback, fail, prober.StageMedia, prober.ReasonMarkerStale, 40*s),
		verdict("black-picture", playback, fail, prober.StageMedia, prober.ReasonPictureBlack, 25*s).decoded(),
		verdict("frozen-picture", playback, fail, prober.StageMedia, prober.ReasonPictureFrozen, 25*s).decoded(),
		verdict("silence", playback, fail, prober.StageMedia, prober.ReasonSoundSilent, 25*s).decoded(),
		noted("missing-video", playback, grave, prober.StageMedia, prober.ReasonVideoMissing, 6*s),
		noted("missing-audio", playback, grave, prober.StageMedia, prober.ReasonAudioMissing, 6*s),
		verdict("late-media", playback, degraded, prober.StageLatency, prober.ReasonLatencyHigh, 45*s).granted(6 * s),
		noted("av-offset", playback, worse, prober.StageMedia, prober.ReasonAVOffset, 6*s),
		verdict("timestamp-jump", playback, fail, prober.StageMedia, prober.ReasonTimestampJump, 6*s),
		noted("dropped-frames", playback, worse, prober.StageMedia, prober.ReasonFramesMissing, 6*s),
		noted("continuity-errors", playback, worse, prober.StageMedia, prober.ReasonContinuityError, 6*s),
		noted("no-keyframes", playback, note, prober.StageMedia, prober.ReasonNoKeyframe, 6*s),

		verdict("recording-404", rec, fail, prober.StageRecording, prober.ReasonRecordingMissing, 20*s).with(recorded),
		verdict("recording-denied", rec, fail, prober.StageRecording, prober.ReasonRecordingDenied, 20*s).with(recorded),
		verdict("short-recording", rec, fail, prober.StageRecording, prober.ReasonRecordingDuration, 20*s).with(recorded),

		verdict("api-500", golive, fail, prober.StageProvision, prober.ReasonAPIError, 5*s),
		verdict("api-401", golive, unclear, prober.StageProvision, prober.ReasonAPIUnauthorized, 5*s),
		verdict("api-429", golive, unclear, prober.StageProvision, prober.ReasonAPIQuota, 5*s),
		verdict("slow-api", golive, fail, prober.StageProvision, prober.ReasonAPITimeout, 20*s),
		verdict("api-bad-answer", golive, fail, prober.StageProvision, prober.ReasonAPIBadAnswer, 5*s),
	}
}
