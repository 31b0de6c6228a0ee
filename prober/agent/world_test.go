package agent_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"streamcanary/prober"
	"streamcanary/prober/agent"
	"streamcanary/prober/report"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mediaDelay is how long after a publish the fake platform plays it.
const mediaDelay = time.Second

// world is a fake platform: ingests and playbacks by host, streams by name.
type world struct {
	t *testing.T

	mu         sync.Mutex
	begin      time.Time
	results    []prober.Result
	api        *prober.Failure            // of every create
	apiHangs   bool                       // creates a stream, then never answers
	half       bool                       // creates a stream, then fails
	noID       bool                       // does not say under which id it has created one
	unlisted   bool                       // lists no stream
	unswept    *prober.Failure            // of every sweep
	breaks     error                      // creates a stream, then cannot go on
	streams    map[string]bool            // that exist
	refuses    map[string]*prober.Failure // by ingest host
	resets     map[string]time.Duration   // ingest host says Publish.Start and resets after that
	swallows   map[string]bool            // ingest host takes the media and plays nothing
	unheard    map[string]bool            // ingest host is not told that a connection has ended
	playback   map[string]*prober.Failure // by playback host
	old        time.Time                  // if set, playbacks show markers of that time only
	live       map[string]*fakeBroadcast  // by playback id
	published  map[string]int             // by ingest host
	followers  int                        // made, ever
	following  int                        // now
	keeps      *prober.Failure            // of every delete
	created    int                        // streams, ever
	deletes    int                        // asked for
	unlocated  int                        // times that the API does not say where a stream plays
	recordings string                     // URL of every recording, "" is none yet
	findings   []prober.Finding           // of every look at a playback
	asked      []prober.Finding           // of every ingest, since its publish
	forgotten  map[string]bool            // streams that no ingest takes any more
	sent       int64                      // bytes of all broadcasts that have ended
	received   int64                      // bytes of all followers
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{t: t, begin: time.Now(), streams: map[string]bool{}, refuses: map[string]*prober.Failure{},
		resets: map[string]time.Duration{}, swallows: map[string]bool{}, unheard: map[string]bool{}, playback: map[string]*prober.Failure{},
		live: map[string]*fakeBroadcast{}, published: map[string]int{}}
}

// change changes the world under its lock.
func (w *world) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *world) Put(results ...prober.Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range results {
		if err := report.Check(r); err != nil {
			w.t.Errorf("result %+v: %v", r, err)
		}
	}
	w.results = append(w.results, results...)
}

type fakePlatform struct{ *world }

func (p fakePlatform) Create(ctx context.Context, name string) (agent.Stream, *prober.Failure, error) {
	p.mu.Lock()
	failure, hangs, half, noID, breaks := p.api, p.apiHangs, p.half, p.noID, p.breaks
	if failure == nil || half {
		p.streams[name] = true
		p.created++
	}
	p.mu.Unlock()
	if hangs {
		select {
		case <-ctx.Done():
			return agent.Stream{}, fails(prober.Inconclusive, prober.StageProvision, prober.ReasonCancelled), nil
		case <-time.After(10 * time.Second):
			return agent.Stream{}, fails(prober.Fail, prober.StageProvision, prober.ReasonAPITimeout), nil
		}
	}
	if failure != nil && !half {
		return agent.Stream{}, failure, nil
	}
	if noID {
		return agent.Stream{Name: name}, failure, nil
	}
	return agent.Stream{ID: name, Key: prober.Secret(name), PlaybackID: name}, failure, breaks
}

func (p fakePlatform) Delete(ctx context.Context, s agent.Stream) (*prober.Failure, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	p.deletes++
	if p.keeps != nil {
		return p.keeps, nil
	}
	delete(p.streams, s.ID)
	return nil, nil
}

func (p fakePlatform) Sweep(_ context.Context, l agent.Leftover) (int, *prober.Failure, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unswept != nil {
		return 0, p.unswept, nil
	}
	n := len(p.streams)
	for name := range p.streams {
		if strings.HasPrefix(name, l.Prefix) && !l.Keep(name) && !p.unlisted {
			delete(p.streams, name)
		}
	}
	return n - len(p.streams), nil, nil
}

func (p fakePlatform) PushURL(_ context.Context, s agent.Stream, node string) (prober.Secret, *prober.Failure, error) {
	return prober.Secret("rtmp://" + node + "/live/" + s.Key.Reveal()), nil, nil
}

func (p fakePlatform) PlayURL(_ context.Context, s agent.Stream, node string) (string, *prober.Failure, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unlocated > 0 {
		p.unlocated--
		return "", fails(prober.Fail, prober.StageProvision, prober.ReasonAPIError), nil
	}
	return "http://" + node + "/hls/" + s.PlaybackID, nil, nil
}

func (p fakePlatform) Recording(context.Context, agent.Stream) (string, *prober.Failure, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.recordings, nil, nil
}

type fakeFeed struct{ *world }

func (f fakeFeed) Publish(_ context.Context, url prober.Secret) (agent.Broadcast, *prober.Failure, error) {
	parts := strings.Split(url.Reveal(), "/")
	host, key := parts[2], parts[len(parts)-1]
	f.mu.Lock()
	defer f.mu.Unlock()
	if failure := f.refuses[host]; failure != nil {
		return nil, failure, nil
	}
	if f.forgotten[key] {
		return nil, fails(prober.Fail, prober.StagePublish, prober.ReasonPublishDenied), nil
	}
	if old := f.live[key]; old != nil {
		return nil, fails(prober.Fail, prober.StagePublish, prober.ReasonPublishNameInUse), nil
	}
	b := &fakeBroadcast{world: f.world, host: host, key: key, began: time.Now(), killed: make(chan *prober.Failure, 1)}
	f.published[host]++
	f.live[key] = b
	return b, nil, nil
}

type fakeBroadcast struct {
	*world
	host, key string
	began     time.Time
	killed    chan *prober.Failure
	ended     time.Time // zero: it runs
}

func (b *fakeBroadcast) Send(ctx context.Context) *prober.Failure {
	b.mu.Lock()
	reset := b.resets[b.host]
	b.mu.Unlock()
	var after <-chan time.Time
	if reset > 0 {
		after = time.After(reset)
	}
	select {
	case <-ctx.Done():
		return nil
	case <-after:
		b.end()
		return fails(prober.Fail, prober.StageIngest, prober.ReasonConnectionReset)
	case f := <-b.killed:
		b.end()
		return f
	}
}

func (b *fakeBroadcast) end() {
	b.change(func() {
		if !b.unheard[b.host] {
			delete(b.live, b.key)
		}
		if b.ended.IsZero() {
			b.ended = time.Now()
			b.sent += b.bytes()
		}
	})
}

func (b *fakeBroadcast) Sent() agent.Sent {
	b.mu.Lock()
	defer b.mu.Unlock()
	return agent.Sent{Bytes: b.bytes(), SendQueue: 7, Findings: slices.Clone(b.asked), Stages: []prober.StageTime{{Stage: prober.StageConnect, Duration: time.Millisecond}}}
}

// bytes is a kilobyte a second. The world's lock is held.
func (b *fakeBroadcast) bytes() int64 {
	if !b.ended.IsZero() {
		return b.ended.Sub(b.began).Milliseconds()
	}
	return time.Since(b.began).Milliseconds()
}

func (b *fakeBroadcast) Close(context.Context) error {
	b.end()
	return nil
}

// kill drops every broadcast at a host.
func (w *world) kill(host string, f *prober.Failure) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range w.live {
		if b.host == host {
			b.killed <- f
		}
	}
}

type fakeFollower struct {
	*world
	host, key, run string
	first          chan struct{}

	seen agent.Observation
	had  int // segments
}

func (w *world) follower(_ prober.Playback, url, run string, _ prober.Signal) agent.Follower {
	parts := strings.Split(url, "/") // http://host/hls/key/index.m3u8
	w.change(func() { w.followers++ })
	return &fakeFollower{world: w, host: parts[2], key: parts[4], run: run, first: make(chan struct{}),
		seen: agent.Observation{Failure: fails(prober.Fail, prober.StageMedia, prober.ReasonMarkerMissing)}}
}

func (f *fakeFollower) First() <-chan struct{} { return f.first }

func (f *fakeFollower) Run(ctx context.Context) error {
	f.change(func() { f.following++ })
	defer f.change(func() { f.following-- })
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			f.look(now)
		}
	}
}

func (f *fakeFollower) look(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.live[f.key]
	switch {
	case f.playback[f.host] != nil:
		f.seen.Failure = f.playback[f.host]
	case b == nil, f.swallows[b.host], now.Sub(b.began) < mediaDelay:
		f.seen.Failure = fails(prober.Fail, prober.StageManifest, prober.ReasonHTTPStatus)
	default:
		f.seen.Failure = nil
		f.seen.Segments++
		f.renew()
		bytes := int64(100)
		if strings.HasPrefix(f.key, "nyc-1-") { // another agent's
			bytes += 900
		}
		f.seen.Bytes += bytes
		f.received += bytes
		f.seen.LatencyLast, f.seen.LatencyBy, f.seen.Proof = mediaDelay/2, prober.MeansSEI, prober.MeansSEI
		f.seen.Viewing.Watched += 100 * time.Millisecond
		f.seen.Skipped, f.seen.Missed, f.seen.Recovered, f.seen.PartLatency = f.seen.Skipped+1, f.seen.Missed+2, f.seen.Recovered+3, mediaDelay/4
		f.seen.Renditions = []prober.Rendition{{Name: "720p", Type: prober.RenditionVariant, Downloaded: f.seen.Segments, PeakBitrate: 7}}
		f.seen.Findings = append(f.seen.Findings, f.findings...)
		clock := now.Add(-mediaDelay / 2)
		if !f.old.IsZero() {
			clock = f.old
		}
		f.seen.Marker = prober.Marker{Tag: prober.RunTag(f.run), Clock: clock}
		if f.seen.PlayingSince.IsZero() {
			f.seen.PlayingSince = now
			close(f.first)
		}
	}
}

// renew takes a segment: the second is new.
func (f *fakeFollower) renew() {
	f.had++
	if f.seen.Unrenewed = nil; f.had == 1 {
		f.seen.Unrenewed = []string{"720p"}
	}
}

func (f *fakeFollower) Observe(time.Time) agent.Observation {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := f.seen
	f.seen.Segments, f.seen.Bytes, f.seen.Findings, f.seen.Viewing.Watched = 0, 0, nil, 0
	f.seen.Skipped, f.seen.Missed, f.seen.Recovered, f.seen.Renditions = 0, 0, 0, nil
	return seen
}

func fails(o prober.Outcome, s prober.Stage, r prober.Reason) *prober.Failure {
	return &prober.Failure{Outcome: o, Stage: s, Reason: r, Detail: "as the test has it"}
}

// target has an ingest and a playback for each host.
func target(hosts ...string) prober.Target {
	t := prober.Target{ID: "video", Platform: prober.Platform{Type: "fake"}}
	for _, h := range hosts {
		t.Ingests = append(t.Ingests, prober.Ingest{ID: h, Region: h, URL: "rtmp://" + h + "/live/{stream}"})
		t.Playbacks = append(t.Playbacks, prober.Playback{ID: h, Region: h, URL: "http://" + h + "/hls/{stream}/index.m3u8"})
	}
	return t
}

func every(kind prober.Kind, period time.Duration) prober.Probe {
	return prober.Probe{Kind: kind, Target: "video", Schedule: "@every " + period.String()}
}

func assign(t prober.Target, probes ...prober.Probe) prober.Assignment {
	return prober.Assignment{Revision: 1, Targets: []prober.Target{t}, Probes: probes}
}

// play runs an agent in a world of its own, in fake time. script gets both and
// moves time on; afterwards the agent has to stop within five seconds and leave
// nothing behind, and every round has to be whole.
func play(t *testing.T, as prober.Assignment, script func(w *world, a *agent.Agent), options ...func(*agent.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		cfg := agent.Config{Agent: "fra-1", Site: "fra", Sink: w,
			Platform: func(p prober.Platform) (agent.Platform, error) {
				if p.Type != "fake" {
					return nil, errors.New("no such platform")
				}
				return fakePlatform{w}, nil
			},
			Feed:     func(agent.Picture) (agent.Feed, error) { return fakeFeed{w}, nil },
			Follower: w.follower}
		for _, o := range options {
			o(&cfg)
		}
		a, err := agent.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		a.Assign(as)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			if err := a.Run(ctx); err != nil {
				t.Error(err)
			}
		}()
		script(w, a)
		asked := time.Now()
		cancel()
		<-stopped
		if took := time.Since(asked); took > 5*time.Second {
			t.Errorf("the stop took %v", took)
		}
		w.checkEnd()
	})
}

// until waits for a time after the world's begin.
func (w *world) until(d time.Duration) {
	w.t.Helper()
	if ahead := d - time.Since(w.begin); ahead > 0 {
		<-time.After(ahead)
	}
	synctest.Wait()
}

func (w *world) checkEnd() {
	w.t.Helper()
	if len(w.streams) > 0 || len(w.live) > 0 {
		w.t.Errorf("left behind: streams %v, broadcasts %v", w.streams, w.live)
	}
	rounds := map[string]int{}
	for i, r := range w.results {
		if r.Seq != uint64(i)+1 || r.ID != fmt.Sprintf("%s-%d", r.Boot, r.Seq) || r.Agent != "fra-1" || r.Site != "fra" || r.Pusher != "fra-1" && r.Kind != prober.KindPlayback {
			w.t.Errorf("result %d: %+v", i, r)
		}
		rounds[r.Round]++
	}
	for _, r := range w.results {
		if rounds[r.Round] != r.RoundOf {
			w.t.Errorf("round %s has %d results of %d", r.Round, rounds[r.Round], r.RoundOf)
			rounds[r.Round] = r.RoundOf
		}
	}
}

// story tells what was said of a path: "second outcome stage reason", one a
// line, without the words that are empty.
func (w *world) story(kind prober.Kind, ingest, playback string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var lines []string
	for _, r := range w.results {
		if r.Kind == kind && r.Ingest == ingest && r.Playback == playback {
			at := float64(r.Ended.Sub(w.begin)/(100*time.Millisecond)) / 10
			lines = append(lines, strings.Join(strings.Fields(fmt.Sprint(at, " ", r.Outcome, " ", r.Stage, " ", r.Reason)), " "))
		}
	}
	return lines
}

func (w *world) expect(kind prober.Kind, ingest, playback string, want ...string) {
	w.t.Helper()
	if got := w.story(kind, ingest, playback); !slices.Equal(got, want) {
		w.t.Errorf("%s of %s at %q:\n got %s\nwant %s", kind, ingest, playback, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}
