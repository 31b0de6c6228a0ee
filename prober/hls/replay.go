package hls

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/media"
)

// ReplayConfig says what Replay plays. Only URL is needed.
type ReplayConfig struct {
	URL       string // of a multivariant or media playlist that has an end
	Run       string // whose markers have to be in it, where markers are; "" is nobody's
	Transport http.RoundTripper
	Headers   http.Header // of each request to the host of URL, and to no other: they may hold a token
	Inspect   Inspector   // nil is media.Inspect
	// Sample bounds the segments that are downloaded: the first, the last, and
	// others evenly between. 0 is every one.
	Sample int
	// Rules are the severities that failures have by their reasons: what is degraded is
	// told when all was played, and what is a note, or off, is no failure. Where nothing
	// could be played it is one all the same.
	Rules        Rules
	SegmentBytes int64 // bound on one segment; 0 is 16 MiB
}

// Replayed is what Replay found.
type Replayed struct {
	// Failure is the first thing that is wrong, in the reasons of playlists and
	// segments, and the first that is degraded where nothing fails; nil: it plays from its
	// beginning to its end.
	Failure    *prober.Failure
	Status     int           // of the HTTP answer behind Failure; 0 is none
	Denied     bool          // Failure is 401, 403, or a storage's "AccessDenied"
	Unfinished bool          // Failure is that EXT-X-ENDLIST is missing (4.4.3.4)
	Duration   time.Duration // by the playlist's EXTINF
	Listed     int           // segments
	Segments   int           // of them, downloaded and looked into
	Sealed     int           // downloaded, but their samples are encrypted: nothing is known of what is inside
	Gaps       int           // listed as not there (EXT-X-GAP, 4.4.4.7)
	Bytes      int64
	Pictures   int          // with our marker
	Missing    int          // pictures between the first and the last of ours that are not there; only when all was downloaded
	Proof      prober.Means // of Run; "" is not proven
}

// Bounds of one replay.
const (
	maxReplaySegments = 4000
	maxReplayBytes    = 2 << 30
	maxReplayDepth    = 2 // playlists, one inside the other
)

// Replay plays what has an end: a recording, or other VOD. Of a multivariant
// playlist it plays the first variant with video and loads the others' playlists.
// An error means that it cannot be asked for.
func Replay(ctx context.Context, cfg ReplayConfig) (Replayed, error) {
	top, err := Config{URL: cfg.URL}.playbackURL()
	if err != nil {
		return Replayed{}, err
	}
	base := cfg.Transport
	if base == nil {
		own := NewTransport()
		defer own.CloseIdleConnections()
		base = own
	}
	last := &lastStatus{RoundTripper: base}
	defaults := Config{Inspect: cfg.Inspect, SegmentBytes: cfg.SegmentBytes}.withDefaults()
	r := &replay{cfg: cfg, limits: defaults, fetch: fetcher{client: newClient(last, cfg.Headers), stall: defaults.StallTimeout,
		buffers: defaults.Buffers, headers: cfg.Headers, home: top}}
	r.status = last
	w := r.wrong(r.play(ctx, top))
	switch {
	case w.fail != nil:
	case r.mild.fail != nil:
		w = r.mild
	case r.found.Segments+r.found.Sealed == 0:
		w = r.dropped
		w.fail = cfg.Rules.lasting(w.fail)
	}
	r.found.Failure, r.found.Status, r.found.Denied, r.found.Unfinished = w.fail, w.status, w.denied, w.unfinished
	return r.found, nil
}

// wrong is a failure, and what it came with.
type wrong struct {
	fail               *prober.Failure
	status             int
	denied, unfinished bool
}

// wrong takes what is known of the latest failure.
func (r *replay) wrong(fail *prober.Failure) wrong {
	if fail == nil {
		return wrong{}
	}
	w := wrong{fail: fail, denied: r.denied, unfinished: r.unfinished}
	r.denied, r.unfinished = false, false
	if fail.Reason == prober.ReasonHTTPStatus {
		w.status = r.status.code
		w.denied = w.denied || w.status == http.StatusUnauthorized || w.status == http.StatusForbidden
	}
	return w
}

// grade gives a failure that ends the replay. What is milder is kept for later.
func (r *replay) grade(fail *prober.Failure) *prober.Failure {
	graded := r.cfg.Rules.condition(fail)
	switch {
	case fail == nil:
	case graded == nil && r.dropped.fail == nil:
		r.dropped = r.wrong(fail)
	case graded != nil && graded.Outcome == prober.Degraded:
		if r.mild.fail == nil {
			r.mild = r.wrong(graded)
		}
		return nil
	}
	return graded
}

// lastStatus notes the status of the latest answer. One goroutine uses it.
type lastStatus struct {
	http.RoundTripper
	code int
}

func (l *lastStatus) RoundTrip(r *http.Request) (*http.Response, error) {
	l.code = 0
	res, err := l.RoundTripper.RoundTrip(r)
	if err == nil {
		l.code = res.StatusCode
	}
	return res, err //nolint:wrapcheck // a transport gives what it was given
}

type replay struct {
	cfg    ReplayConfig
	limits Config
	fetch  fetcher
	found  Replayed

	status             *lastStatus
	denied, unfinished bool  // of the latest failure
	mild, dropped      wrong // the first that is degraded, and the first that is less
	init               initSection
	ring               keyring
	seen               bool // a picture of ours
	before             prober.Marker
}

func (r *replay) play(ctx context.Context, top *url.URL) *prober.Failure {
	rules := r.cfg.Rules
	p, base, fail := r.playlist(ctx, top, maxReplayDepth)
	if fail != nil {
		return rules.lasting(fail)
	}
	for _, s := range p.Segments {
		r.found.Duration += s.Duration
	}
	r.found.Listed = len(p.Segments)
	if !p.EndList {
		r.unfinished = true
		if fail := r.grade(manifest(prober.ReasonPlaylistStale, "%s: no EXT-X-ENDLIST: it is not finished", place(base))); fail != nil {
			return fail
		}
	}
	switch {
	case len(p.Segments) == 0:
		return rules.lasting(manifest(prober.ReasonPlaylistNoSegments, "%s: no segments", place(base)))
	case len(p.Segments) > maxReplaySegments && r.cfg.Sample == 0:
		return rules.lasting(manifest(prober.ReasonTooLarge, "%s: %d segments, more than the bound of %d", place(base), len(p.Segments), maxReplaySegments))
	}
	for _, i := range sampled(len(p.Segments), r.cfg.Sample) {
		fail := r.segment(ctx, base, p.Segments[i])
		if fail != nil {
			fail.Detail = prober.Clip(fmt.Sprintf("segment %d of %d: %s", i+1, len(p.Segments), fail.Detail), prober.MaxDetail)
		}
		if fail = r.grade(fail); fail != nil {
			return fail
		}
	}
	if r.found.Gaps == 0 {
		return nil
	}
	gaps := failf(prober.StageSegment, prober.ReasonSegmentGap, "%s: %d segments are gaps", place(base), r.found.Gaps)
	if r.found.Segments+r.found.Sealed > 0 {
		gaps.Outcome = prober.Degraded // what is there plays
	}
	return r.grade(gaps)
}

// sampled picks n of the segments, the first and the last among them; 0 is all.
func sampled(of, n int) []int {
	if n <= 0 || n >= of {
		n = of
	}
	picked := make([]int, n)
	for i := range picked {
		picked[i] = i
		if n > 1 {
			picked[i] = i * (of - 1) / (n - 1)
		}
	}
	return picked
}

// playlist loads a media playlist, by way of a multivariant one where that is
// what stands there. Every variant has to be there.
func (r *replay) playlist(ctx context.Context, at *url.URL, depth int) (*Playlist, *url.URL, *prober.Failure) {
	got, fail := r.fetch.get(ctx, request{url: at, stage: prober.StageManifest, limit: r.limits.PlaylistBytes, timeout: r.limits.PlaylistTimeout, gzip: true})
	r.found.Bytes += got.bytes
	if fail != nil {
		return nil, nil, fail
	}
	defer got.release()
	p, fail := Parse(got.body)
	if fail != nil {
		r.denied = accessDenied(got.body)
		fail.Detail = prober.Clip(place(got.url)+": "+fail.Detail, prober.MaxDetail)
		return nil, nil, fail
	}
	if !p.Multivariant {
		return p, got.url, nil
	}
	if depth == 1 || len(p.Variants) == 0 {
		return nil, nil, manifest(prober.ReasonNoRenditionPlayable, "%s: a multivariant playlist that lists nothing that can be played", place(got.url))
	}
	var first *Playlist
	var base *url.URL
	var last *prober.Failure
	for _, v := range videoFirst(p.Variants) {
		media, at, fail := r.variant(ctx, got.url, v, depth)
		if fail != nil {
			last = fail
			if r.grade(fail) != nil {
				return nil, nil, fail
			}
			continue
		}
		if first == nil {
			first, base = media, at
		}
	}
	if first == nil {
		return nil, nil, last
	}
	return first, base, nil
}

func (r *replay) variant(ctx context.Context, base *url.URL, v Variant, depth int) (*Playlist, *url.URL, *prober.Failure) {
	u, fail := resolveURL(base, v.URI)
	if fail != nil {
		return nil, nil, fail
	}
	return r.playlist(ctx, u, depth-1)
}

// accessDenied knows the page that object stores give in the place of what may
// not be read, sometimes with 200.
func accessDenied(body []byte) bool {
	head := body[:min(len(body), 1024)]
	return bytes.Contains(head, []byte("AccessDenied")) || bytes.Contains(head, []byte("Access Denied"))
}

func (r *replay) segment(ctx context.Context, base *url.URL, s Segment) *prober.Failure {
	if s.Gap {
		r.found.Gaps++
		return nil
	}
	if r.found.Bytes > maxReplayBytes {
		return failf(prober.StageSegment, prober.ReasonTooLarge, "more than %d bytes in all", maxReplayBytes)
	}
	u, fail := resolveURL(base, s.URI)
	if fail != nil {
		return fail
	}
	init, fail := r.initFor(ctx, base, s)
	if fail != nil {
		return fail
	}
	got, fail := r.fetch.get(ctx, request{url: u, stage: prober.StageSegment, limit: r.limits.SegmentBytes, part: s.Range,
		timeout: min(max(r.limits.SegmentTimeout, s.Duration), maxSegmentTime)})
	r.found.Bytes += got.bytes
	if fail != nil {
		return fail
	}
	defer got.release()
	body, fail := r.decrypt(ctx, base, s, got.body)
	if fail != nil {
		return fail
	}
	summary, err := r.limits.Inspect(body, init)
	if err != nil && s.Encryption != "" && s.Encryption != methodAES128 {
		r.found.Sealed++
		return nil // it can be had; what is inside is not ours to see
	}
	if err != nil {
		r.denied = accessDenied(got.body)
		return failf(prober.StageMedia, prober.ReasonNotMedia, "%s (%d bytes): %v", place(got.url), len(got.body), err)
	}
	r.found.Segments++
	return r.ours(got.url, summary)
}

// decrypt makes clear what is encrypted as a whole, in place.
func (r *replay) decrypt(ctx context.Context, base *url.URL, s Segment, body []byte) ([]byte, *prober.Failure) {
	if s.Encryption != methodAES128 {
		return body, nil
	}
	listed, ok := keyOf(s)
	if !ok {
		return nil, failf(prober.StageSegment, prober.ReasonKeyUnavailable, "no EXT-X-KEY gives its key by itself (KEYFORMAT identity)")
	}
	key, fail := r.key(ctx, base, listed)
	if fail != nil {
		return nil, fail
	}
	return unseal(listed, key, s.Sequence, body, "it")
}

// key fetches a key once.
func (r *replay) key(ctx context.Context, base *url.URL, k Key) ([]byte, *prober.Failure) {
	u, fail := resolveURL(base, k.URI)
	if fail != nil {
		return nil, fail
	}
	if key := r.ring.keys[u.String()]; key != nil {
		return key, nil
	}
	got, fail := r.fetch.get(ctx, request{url: u, stage: prober.StageSegment, limit: maxKeyBytes, timeout: r.limits.PlaylistTimeout})
	r.found.Bytes += got.bytes
	if fail != nil {
		fail.Detail = prober.Clip("key "+fail.Detail, prober.MaxDetail)
		return nil, fail
	}
	defer got.release()
	if len(got.body) != keyBytes {
		return nil, failf(prober.StageSegment, prober.ReasonKeyUnavailable, "key %s: %d bytes, and a key of AES-128 has %d", place(got.url), len(got.body), keyBytes)
	}
	key := bytes.Clone(got.body)
	r.ring.keep(u.String(), key)
	return key, nil
}

func (r *replay) initFor(ctx context.Context, base *url.URL, s Segment) ([]byte, *prober.Failure) {
	in := s.Init
	if in.URI == "" {
		return nil, nil
	}
	u, fail := resolveURL(base, in.URI)
	if fail != nil {
		return nil, fail
	}
	if r.init.url == u.String() && r.init.of == in {
		return r.init.body, nil
	}
	got, fail := r.fetch.get(ctx, request{url: u, stage: prober.StageSegment, limit: maxInit, timeout: r.limits.SegmentTimeout, part: in.Range})
	r.found.Bytes += got.bytes
	if fail != nil {
		return nil, fail
	}
	defer got.release()
	plain, fail := clearInit(in, s.Sequence, got.body, func(k Key) ([]byte, *prober.Failure) { return r.key(ctx, base, k) })
	if fail != nil {
		return nil, fail
	}
	r.init = initSection{url: u.String(), of: in, body: bytes.Clone(plain)}
	return r.init.body, nil
}

// ours looks at the markers, where there are any: a transcoded recording has none.
func (r *replay) ours(where *url.URL, s media.Summary) *prober.Failure {
	if r.cfg.Run == "" {
		return nil
	}
	markers, proof := s.Markers, prober.MeansSEI
	if len(markers) == 0 {
		markers, proof = s.AudioMarkers, prober.MeansAAC
	}
	tag := prober.RunTag(r.cfg.Run)
	for _, m := range markers {
		if m.Tag != tag {
			return failf(prober.StageMedia, prober.ReasonNotOurs, "%s: another broadcast's media, sent at %s", place(where), m.Clock.UTC().Format(time.TimeOnly))
		}
		r.found.Proof = proof
		if proof != prober.MeansSEI {
			continue
		}
		r.found.Pictures++
		if r.seen && r.cfg.Sample == 0 && m.Seq > r.before.Seq+1 {
			r.found.Missing += int(min(m.Seq-r.before.Seq-1, 1<<20))
		}
		r.seen, r.before = true, m
	}
	return nil
}
