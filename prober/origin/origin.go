package origin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"streamcanary/prober"
)

// Container is what the media segments are.
type Container string

// The containers.
const (
	MPEGTS     Container = "mpegts"
	FMP4       Container = "fmp4"
	LowLatency Container = "low-latency" // fMP4 with parts, hints and blocking reload
)

// Config says what an origin is. The zero values of the optional fields work.
type Config struct {
	Region          string        // for people and logs
	RTMPAddr        string        // host:port to take broadcasts at; port 0 takes a free one
	HTTPAddr        string        // host:port of HLS and the streams API; port 0 takes a free one
	RTMPSAddr       string        // the same over TLS, with a certificate of its own; "" is none
	HTTPSAddr       string        // HTTP/1.1 and 2 over TLS; "" is none
	SegmentDuration time.Duration // least duration of a media segment; 0 is 1 s. Segments begin at keyframes
	Container       Container     // "" is MPEGTS
	Renditions      []string      // names under which the multivariant playlist lists the source; nil lists it once, nameless
	AudioRendition  bool          // MPEG-TS: the sound alone, too, as a group; fMP4 always has it
	Record          bool          // keep what was pushed, to be had once the broadcast has ended
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

	ports     ports
	authority *authority // nil without TLS

	mu      sync.Mutex
	started bool
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
	if !slices.Contains([]Container{MPEGTS, FMP4, LowLatency}, c.Container) {
		return nil, fmt.Errorf("origin: container %q: want %q, %q or %q", c.Container, MPEGTS, FMP4, LowLatency)
	}
	if err := checkRenditions(c); err != nil {
		return nil, err
	}
	o := &Origin{config: c, log: c.Logger.With("region", c.Region)}
	o.ports = ports{
		rtmp: port{configured: c.RTMPAddr, ethernet: true}, rtmps: port{configured: c.RTMPSAddr, ethernet: true},
		http: port{configured: c.HTTPAddr}, https: port{configured: c.HTTPSAddr},
	}
	if c.RTMPSAddr != "" || c.HTTPSAddr != "" {
		if err := o.secure(); err != nil {
			return nil, fmt.Errorf("origin: %w", err)
		}
	}
	o.closing, o.close = context.WithCancel(context.Background())
	o.ingest = &ingest{origin: o}
	o.playback = &playback{origin: o, outputs: make(map[string]*output)}
	o.join(newPlatform(o))
	return o, nil
}

// secure makes the certificate that RTMPS and HTTPS show.
func (o *Origin) secure() (err error) {
	if o.authority, err = newAuthority(o.hosts()...); err != nil {
		return err
	}
	o.ports.rtmps.tls, o.ports.https.tls = o.authority.config(), o.authority.config()
	// Without this it depends on which port is served first whether there is HTTP/2.
	o.ports.https.tls.NextProtos = []string{"h2", "http/1.1"}
	return nil
}

// hosts are the names and addresses that the certificate is for.
func (o *Origin) hosts() []string {
	var hosts []string
	for _, addr := range []string{o.config.RTMPSAddr, o.config.HTTPSAddr} {
		if host, _, err := net.SplitHostPort(addr); err == nil {
			hosts = append(hosts, host)
		}
	}
	return hosts
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
	if o.life != nil || o.started || o.closing.Err() != nil {
		return errors.New("origin: started before")
	}
	for _, p := range []*port{&o.ports.rtmp, &o.ports.http} {
		if p.configured == "" {
			p.configured = ":0"
		}
	}
	life, err := bind(ctx, &o.ports, 0)
	if err != nil {
		return fmt.Errorf("origin %s: %w", o.config.Region, err)
	}
	o.started = true
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
func (o *Origin) RTMPURL() string { return ingestURL("rtmp", o.ports.rtmp.addr) }

// RTMPSURL is the same over TLS, if the origin has that.
func (o *Origin) RTMPSURL() string { return ingestURL("rtmps", o.ports.rtmps.addr) }

func ingestURL(scheme string, a *net.TCPAddr) string {
	return scheme + "://" + reachable(a) + "/" + app + "/" + prober.StreamVariable
}

// HLSURL is where to pull, with {stream} for the playback id. Valid after Start.
func (o *Origin) HLSURL() string { return playbackURL("http", o.ports.http.addr, "hls") }

// HTTPSURL is the same over TLS, if the origin has that.
func (o *Origin) HTTPSURL() string { return playbackURL("https", o.ports.https.addr, "hls") }

// RecordingURL is where what was pushed can be had once the broadcast has ended,
// with {stream} for the playback id; 404 before. Valid after Start.
func (o *Origin) RecordingURL() string {
	return playbackURL("http", o.ports.http.addr, "recordings")
}

func playbackURL(scheme string, a *net.TCPAddr, path string) string {
	return scheme + "://" + reachable(a) + "/" + path + "/" + prober.StreamVariable + "/index.m3u8"
}

// APIURL is the base of the streams API. Valid after Start.
func (o *Origin) APIURL() string { return "http://" + reachable(o.ports.http.addr) + "/api" }

// CA is the certificate, in PEM, to trust when RTMPS and HTTPS are verified; nil
// without them.
func (o *Origin) CA() []byte {
	if o.authority == nil {
		return nil
	}
	return slices.Clone(o.authority.pem)
}

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
