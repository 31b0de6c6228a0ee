package hls

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"streamcanary/prober"
)

// Follower follows one broadcast as players do: of a multivariant playlist each
// variant and rendition, in a goroutine of its own, so that none delays another.
type Follower struct {
	cfg        Config
	tag        prober.Tag
	fetch      fetcher
	ran        atomic.Bool
	askedAlone atomic.Bool // for a part without a segment
	started    time.Time
	first      chan struct{} // closed at the first good segment
	once       sync.Once
	again      chan struct{} // a rendition asks to begin at the top
	glances    chan glance   // to be decoded
	top        state         // conditions of the playback URL itself

	mu         sync.Mutex
	renditions []*rendition
	multi      *Playlist // the latest multivariant playlist; nil is none

	// Of Run's goroutine alone.
	loadedAt time.Time
	listed   []listing // by the latest multivariant playlist
	widest   []listing // the most that was ever listed at once
	failures int       // to load the playback URL, in a row
	running  sync.WaitGroup
}

// NewFollower makes a follower; Run starts it.
func NewFollower(cfg Config) *Follower {
	cfg = cfg.withDefaults()
	return &Follower{
		cfg: cfg, tag: prober.RunTag(cfg.Run), started: time.Now(),
		first: make(chan struct{}), again: make(chan struct{}, 1), glances: make(chan glance, 1),
	}
}

// First is closed at the first segment with our fresh marker.
func (f *Follower) First() <-chan struct{} { return f.first }

func (f *Follower) played() { f.once.Do(func() { close(f.first) }) }

// Run follows the broadcast until ctx ends, and then returns nil. What the
// platform does wrong is Observe's to tell; an error means that the follower
// cannot work: a bad URL, or a second Run.
func (f *Follower) Run(ctx context.Context) error {
	if f.ran.Swap(true) {
		return errors.New("hls: this follower has already run; make a new one")
	}
	top, err := f.cfg.playbackURL()
	if err != nil {
		return err
	}
	transport := f.cfg.Transport
	if transport == nil {
		own, err := NewVersionedTransport(TransportConfig{})
		if err != nil {
			return err
		}
		defer func() { _ = own.Close() }()
		transport = own
	}
	f.fetch = fetcher{
		client: newClient(transport, f.cfg.Headers), stall: f.cfg.StallTimeout, buffers: f.cfg.Buffers, headers: f.cfg.Headers, home: top,
	}
	defer f.running.Wait()
	if f.cfg.Look != nil {
		f.running.Go(func() { f.glanceAll(ctx) })
	}
	f.supervise(ctx, top)
	return nil
}

// supervise keeps the right renditions running: it loads the playback URL until
// it plays, again when a rendition fails, and now and then as new viewers do.
func (f *Follower) supervise(ctx context.Context, top *url.URL) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.again:
			timer.Reset(time.Until(f.loadedAt.Add(maxRetryDelay)))
			continue
		case <-timer.C:
		}
		f.loadedAt = time.Now()
		fail := f.loadTop(ctx, top)
		if ctx.Err() != nil {
			return
		}
		f.top.set(slotPoll, f.cfg.Rules.condition(fail), time.Now())
		timer.Reset(f.nextLoad(fail))
	}
}

// nextLoad is how long to wait before the playback URL is loaded again. A media
// playlist is reloaded by its rendition.
func (f *Follower) nextLoad(fail *prober.Failure) time.Duration {
	if fail == nil {
		f.failures = 0
		if f.alone() {
			return forever
		}
		return f.cfg.TopInterval
	}
	f.failures++
	delay := backoff(f.cfg.RetryDelay, f.failures)
	if !f.playing() {
		delay = min(delay, maxStartDelay)
	}
	return delay
}

const forever = 1 << 62

// loadTop loads the playback URL and starts, moves and stops renditions by it.
func (f *Follower) loadTop(ctx context.Context, top *url.URL) *prober.Failure {
	start := time.Now()
	p, base, fail := f.get(ctx, top, &f.top)
	if fail != nil {
		return fail
	}
	if !p.Multivariant {
		f.checkAlone(start)
		f.followAlone(ctx, top, p, base)
		return nil
	}
	all := listings(p, f.listed)
	if len(all) == 0 {
		return manifest(prober.ReasonNoRenditionPlayable, "%s: a multivariant playlist without variants", place(base))
	}
	f.listed = all
	f.mu.Lock()
	f.multi = p
	f.mu.Unlock()
	f.checkTop(p, all, start)
	f.followAll(ctx, toFollow(all), base)
	return nil
}

// followAlone follows the playback URL itself.
func (f *Follower) followAlone(ctx context.Context, top *url.URL, p *Playlist, base *url.URL) {
	if f.alone() {
		return
	}
	r := newRendition(f, listing{kind: kindAlone}, top)
	r.given, r.base = p, base
	f.replace(ctx, []*rendition{r})
}

// followAll follows what a multivariant playlist lists. What runs already goes
// on; when its URI is another, or it fails, it goes on there.
func (f *Follower) followAll(ctx context.Context, all []listing, base *url.URL) {
	have := map[string]*rendition{}
	for _, r := range f.current() {
		have[r.what.name] = r
	}
	next := make([]*rendition, 0, len(all))
	for _, l := range all {
		u, fail := locate(base, l)
		r := have[l.name]
		switch {
		case r == nil || r.what.kind != l.kind || !r.located:
			r = newRendition(f, l, u)
		case u != nil && (pathOf(l.uri) != pathOf(r.listedAt) || r.state.fails()):
			r.listedAt = l.uri
			r.move(u)
		}
		r.relist(l)
		if fail != nil {
			r.state.set(slotPoll, r.f.cfg.Rules.condition(fail), time.Now())
		}
		next = append(next, r)
	}
	f.replace(ctx, next)
}

// replace stops the renditions that are not in next, and starts those that do
// not run yet.
func (f *Follower) replace(ctx context.Context, next []*rendition) {
	before := f.current()
	kept := map[*rendition]bool{}
	for _, r := range next {
		kept[r] = true
	}
	running := map[*rendition]bool{}
	for _, r := range before {
		running[r] = true
		if !kept[r] {
			r.stop()
		}
	}
	f.mu.Lock()
	f.renditions = next
	f.mu.Unlock()
	for _, r := range next {
		if running[r] || !r.located {
			continue
		}
		own, stop := context.WithCancel(ctx)
		r.stop = stop
		f.running.Go(func() {
			defer stop()
			r.run(own)
		})
	}
}

// defines are the variables that media playlists may import (4.4.2.3).
func (f *Follower) defines() map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.multi == nil {
		return nil
	}
	return f.multi.Defines
}

func (f *Follower) current() []*rendition {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.renditions
}

// alone says whether the playback URL is itself the media playlist that is followed.
func (f *Follower) alone() bool {
	all := f.current()
	return len(all) == 1 && all[0].what.kind == kindAlone
}

func (f *Follower) playing() bool {
	for _, r := range f.current() {
		if r.state.playing() {
			return true
		}
	}
	return false
}

// askAgain makes the follower begin at the top soon.
func (f *Follower) askAgain() {
	if f.alone() {
		return // the playlist that fails is the top
	}
	f.wake()
}

// becameMultivariant is called when the playback URL is another kind of playlist
// than it was.
func (f *Follower) becameMultivariant(alone *rendition, fail *prober.Failure) {
	alone.stop()
	f.mu.Lock()
	f.renditions = nil
	f.mu.Unlock()
	f.top.set(slotPoll, f.cfg.Rules.condition(fail), time.Now())
	f.wake()
}

func (f *Follower) wake() {
	select {
	case f.again <- struct{}{}:
	default:
	}
}

// get fetches and parses one playlist, and adds it to the figures of s.
func (f *Follower) get(ctx context.Context, u *url.URL, s *state) (*Playlist, *url.URL, *prober.Failure) {
	p, base, _, fail := f.load(ctx, u, 0, s)
	return p, base, fail
}

// load is get with the status of the answer, and with a time that it may take in
// silence; 0 is as any playlist.
func (f *Follower) load(ctx context.Context, u *url.URL, hold time.Duration, s *state) (p *Playlist, base *url.URL, status int, fail *prober.Failure) {
	r, fail := f.fetch.get(ctx, request{
		url: u, stage: prober.StageManifest, limit: f.cfg.PlaylistBytes, timeout: max(hold, f.cfg.PlaylistTimeout), stall: hold, gzip: true,
	})
	s.count(r)
	if fail != nil {
		return nil, nil, r.status, fail
	}
	defer r.release()
	s.update(func(o *Observation) { o.ManifestTime, o.HTTP.Encoding = r.timing.Total, r.http.Encoding })
	p, fail = ParseFrom(r.body, Source{URL: r.url, Defines: f.defines()})
	if fail != nil {
		return nil, nil, r.status, at(place(r.url), fail)
	}
	return p, r.url, r.status, nil
}
