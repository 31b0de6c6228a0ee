package hls

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/media"
)

// pipeListener is a network in memory, so that a test's time is synctest's.
type pipeListener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
	dials atomic.Int64
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	l.dials.Add(1)
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.done:
		return nil, errors.New("listener closed")
	}
}

// serve runs handler inside the bubble and gives the transport that reaches it.
func serve(t *testing.T, handler http.Handler) *http.Transport {
	t.Helper()
	l := newPipeListener()
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(l) }()
	transport := NewTransport()
	transport.DialContext = l.dial
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		synctest.Wait()
	})
	return transport
}

// pass lets time pass inside a bubble.
func pass(d time.Duration) { <-time.After(d) }

// wait lets time pass in a handler, but not beyond its connection.
func wait(r *http.Request, d time.Duration) {
	select {
	case <-r.Context().Done():
	case <-time.After(d):
	}
}

const ourRun = "run-1"

// origin is a scripted live broadcast: a segment every two seconds, a window of
// five, markers every half second. A fault answers in its place while it holds.
type origin struct {
	start  time.Time
	target time.Duration
	run    string
	fault  func(o *origin, w http.ResponseWriter, r *http.Request) bool // true: answered
	from   time.Duration
	to     time.Duration
	polls  []time.Time
	gets   map[string]int
	mu     sync.Mutex
}

func newOrigin() *origin {
	return &origin{start: time.Now(), target: 2 * time.Second, run: ourRun, gets: map[string]int{}}
}

func (o *origin) age() time.Duration { return time.Since(o.start) }

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	if r.Header.Get("Range") != "bytes=0-0" { // which is asked of what was removed
		o.gets[r.URL.Path]++
	}
	if strings.HasSuffix(r.URL.Path, "live.m3u8") {
		o.polls = append(o.polls, time.Now())
	}
	o.mu.Unlock()
	if age := o.age(); o.fault != nil && age >= o.from && age < o.to && o.fault(o, w, r) {
		return
	}
	o.answer(w, r)
}

func (o *origin) answer(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/live/")
	switch {
	case name == "index.m3u8":
		_, _ = fmt.Fprint(w, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS=\"mp4a.40.2\"\naudio.m3u8\n"+
			"#EXT-X-STREAM-INF:BANDWIDTH=500000,CODECS=\"avc1.64001e,mp4a.40.2\"\nlive.m3u8?token=s3cret\n")
	case name == "live.m3u8", name == "audio.m3u8":
		_, _ = fmt.Fprint(w, o.window(0, o.complete()))
	case strings.HasPrefix(name, "seg"):
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(name, "seg"), ".ts"))
		if err != nil || n >= o.complete() {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(o.segment(n))
	default:
		http.NotFound(w, r)
	}
}

// complete is how many segments have been made by now.
func (o *origin) complete() int { return int(o.age() / o.target) }

// window writes a playlist of at most five segments that ends before end, with
// sequence numbers shifted by shift.
func (o *origin) window(shift, end int) string {
	begin := max(0, end-5)
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n", int(o.target/time.Second), begin+shift)
	for n := begin; n < end; n++ {
		fmt.Fprintf(&b, "#EXTINF:%.3f,\nseg%d.ts?token=s3cret\n", o.target.Seconds(), n)
	}
	return b.String()
}

func (o *origin) segment(n int) []byte {
	begin := o.start.Add(time.Duration(n) * o.target)
	return segmentOf(o.run, begin, begin.Add(o.target), uint64(n)*uint64(o.target/(500*time.Millisecond)))
}

// segmentOf is what testInspect takes for MPEG-TS.
func segmentOf(run string, from, to time.Time, seq uint64) []byte {
	b := []byte("\x47fake transport stream ")
	for at := from; at.Before(to); at = at.Add(500 * time.Millisecond) {
		if run != "" {
			b = prober.Marker{Tag: prober.RunTag(run), Seq: seq, Clock: at}.Append(b)
		}
		b = append(b, strings.Repeat("x", 100)...)
		seq++
	}
	return b
}

// testInspect takes whatever begins with a sync byte for media.
func testInspect(segment, _ []byte) (media.Summary, error) {
	if segment[0] != 0x47 {
		return media.Summary{}, errors.New("not media: no sync byte")
	}
	return summaryOf(prober.FindMarkers(segment, 0)), nil
}

// summaryOf is what a segment with these markers, one each half second, would show.
func summaryOf(markers []prober.Marker) media.Summary {
	s := media.Summary{Container: media.MPEGTS, HasVideo: true, HasAudio: true, Keyframe: true, Markers: markers}
	if len(markers) == 0 {
		return s
	}
	first, n := time.Duration(markers[0].Seq)*500*time.Millisecond, len(markers)
	s.Tracks = []media.Track{{Kind: media.Video, Units: n, Keyframes: 1, Keyframe: true}, {Kind: media.Audio, Units: n}}
	for i := range s.Tracks {
		t := &s.Tracks[i]
		t.First, t.End, t.UnitTime = first, first+time.Duration(n)*500*time.Millisecond, 500*time.Millisecond
		t.Last = t.End - t.UnitTime
	}
	s.FirstVideo, s.LastVideo, s.Pictures = first, s.Tracks[0].Last, n
	return s
}

// turn is one Observe of a timeline.
type turn struct {
	at time.Duration
	Observation
}

func (t turn) verdict() string {
	if t.Failure == nil {
		return "good"
	}
	verdict := string(t.Failure.Stage) + "/" + string(t.Failure.Reason)
	if t.Failure.Outcome == prober.Degraded {
		return "degraded " + verdict
	}
	return verdict
}

// watch follows url at an origin for some time and observes once a second. It
// must run inside a bubble.
func watch(t *testing.T, handler http.Handler, cfg Config, length time.Duration) []turn {
	t.Helper()
	cfg.Transport, cfg.Run = serve(t, handler), ourRun
	if cfg.URL == "" {
		cfg.URL = "http://origin.test/live/live.m3u8?token=s3cret"
	}
	if cfg.Inspect == nil {
		cfg.Inspect = testInspect
	}
	f := NewFollower(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	start := time.Now()
	var turns []turn
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for time.Since(start) < length {
		now := <-ticker.C
		turns = append(turns, turn{at: now.Sub(start), Observation: f.Observe(now)})
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatalf("Run: %v", err)
	}
	synctest.Wait()
	return turns
}

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }
