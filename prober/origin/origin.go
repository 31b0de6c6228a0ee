package origin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"streamcanary/prober"
)

// Container is what the media segments are.
type Container string

// The containers.
const (
	MPEGTS Container = "mpegts"
	FMP4   Container = "fmp4"
)

// Config says what an origin is. The zero values of the optional fields work.
type Config struct {
	Region          string        // for people and logs
	RTMPAddr        string        // host:port to take broadcasts at; port 0 takes a free one
	HTTPAddr        string        // host:port of HLS and the streams API; port 0 takes a free one
	SegmentDuration time.Duration // least duration of a media segment; 0 is 1 s. Segments begin at keyframes
	Container       Container     // "" is MPEGTS
	Auth            prober.Secret // bearer token that the streams API wants; "" lets everybody in
	Logger          *slog.Logger  // nil logs nothing
}

// rebindTimeout is how long a restart waits for its ports.
const rebindTimeout = 15 * time.Second

var errNotUp = errors.New("origin: not up")

// Origin takes broadcasts over RTMP and plays them over HLS. Its methods may
// be called from any goroutine.
type Origin struct {
	config   Config
	log      *slog.Logger
	platform *platform
	ingest   *ingest
	playback *playback
	api      *api

	rtmpAddr, httpAddr *net.TCPAddr // set by Start, then the same for ever

	mu      sync.Mutex
	life    *life           // nil before Start, during a restart, after Close
	closing context.Context // done from Close on: what a restart's binding waits by
	close   context.CancelFunc
}

// New makes an origin, alone on its platform until it is linked.
func New(c Config) (*Origin, error) {
	if c.SegmentDuration == 0 {
		c.SegmentDuration = time.Second
	}
	if c.Container == "" {
		c.Container = MPEGTS
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.SegmentDuration < 0 {
		return nil, fmt.Errorf("origin: segment duration %s is negative", c.SegmentDuration)
	}
	if c.Container != MPEGTS && c.Container != FMP4 {
		return nil, fmt.Errorf("origin: container %q: want %q or %q", c.Container, MPEGTS, FMP4)
	}
	o := &Origin{config: c, log: c.Logger.With("region", c.Region)}
	o.closing, o.close = context.WithCancel(context.Background())
	o.ingest = &ingest{origin: o}
	o.playback = &playback{origin: o, outputs: make(map[string]*output)}
	o.join(newPlatform(o))
	return o, nil
}

func (o *Origin) join(p *platform) {
	o.platform = p
	o.api = &api{platform: p, auth: o.config.Auth}
}

// Link makes origins one platform: a broadcast that is pushed at any plays at
// all, and the streams that one API makes are known to the others. It must be
// called before any of them starts, and forgets what they were linked to.
func Link(origins ...*Origin) {
	p := newPlatform(origins...)
	for _, o := range origins {
		o.join(p)
	}
}

// Start binds the ports and serves until Close. ctx bounds the binding alone.
func (o *Origin) Start(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.life != nil || o.rtmpAddr != nil || o.closing.Err() != nil {
		return errors.New("origin: started before")
	}
	life, err := bind(ctx, o.config.RTMPAddr, o.config.HTTPAddr, 0)
	if err != nil {
		return fmt.Errorf("origin %s: %w", o.config.Region, err)
	}
	if o.rtmpAddr, err = tcpAddr(life.rtmpListener); err != nil {
		return err
	}
	if o.httpAddr, err = tcpAddr(life.httpListener); err != nil {
		return err
	}
	o.begin(life)
	return nil
}

func tcpAddr(l net.Listener) (*net.TCPAddr, error) {
	a, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return nil, fmt.Errorf("origin: %s is not a TCP address", l.Addr())
	}
	return a, nil
}

// Close ends everything and frees the ports. Faults that are on end with it.
func (o *Origin) Close() {
	o.close()
	o.mu.Lock()
	l := o.life
	o.life = nil
	o.mu.Unlock()
	if l != nil {
		o.end(l)
	}
}

// RTMPURL is where to push, with {stream} for the stream key. Valid after Start.
func (o *Origin) RTMPURL() string {
	return "rtmp://" + reachable(o.rtmpAddr) + "/" + app + "/" + prober.StreamVariable
}

// HLSURL is where to pull, with {stream} for the playback id. Valid after Start.
func (o *Origin) HLSURL() string {
	return "http://" + reachable(o.httpAddr) + "/hls/" + prober.StreamVariable + "/index.m3u8"
}

// APIURL is the base of the streams API. Valid after Start.
func (o *Origin) APIURL() string { return "http://" + reachable(o.httpAddr) + "/api" }

// reachable is an address to connect to; what listens everywhere is reached
// on loopback.
func reachable(a *net.TCPAddr) string {
	if a == nil {
		return "not-started.invalid"
	}
	if a.IP.IsUnspecified() {
		return (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: a.Port}).String()
	}
	return a.String()
}
