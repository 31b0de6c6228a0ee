package rtmp

import (
	"context"
	"crypto/x509"
	"net"
	"net/netip"
	"time"

	"streamcanary/prober"
)

// Config says where to publish and how long to wait. The zero value of
// everything but URL is a default.
type Config struct {
	// URL is rtmp[s]://[user:password@]host[:port]/app/key. What follows the last
	// slash of the path is the stream key, with its query; neither that nor the
	// password ever appears in a Detail.
	URL string
	// User and Password are for a server that asks for them as Adobe's do
	// (authmod=adobe); where they are set, they go before the URL's. Servers that
	// read them from the key's query have them there.
	User     string
	Password prober.Secret

	CAs          *x509.CertPool // authorities for rtmps; nil: the system's
	Enhanced     bool           // connect says what enhanced RTMP v2 asks of a client
	EveryAddress bool           // every address of the host is looked at; what fails is a finding, unless none works

	// Pacer sends the broadcast; nil is one of its own. A process should have one.
	Pacer *Pacer

	ResolveTimeout   time.Duration // DNS; 0 is 5 s
	DialTimeout      time.Duration // TCP, over all addresses; 0 is 5 s
	HandshakeTimeout time.Duration // RTMP handshake; 0 is 5 s
	CommandTimeout   time.Duration // each of connect, createStream, publish; 0 is 5 s

	// StallTimeout is how long not a single byte may be taken; 0 is 6 s. With
	// the 64 KB send buffer and a server's receive buffer, a server that stops
	// reading a broadcast of 500 kbit/s is seen within 10 s.
	StallTimeout time.Duration
	// MaxLag is how far a broadcast may fall behind real time because its
	// server takes it too slowly; 0 is 5 s.
	MaxLag time.Duration
	// CloseTimeout bounds the teardown; 0 is 2 s.
	CloseTimeout time.Duration

	// Now is the clock of pacing and markers; nil is time.Now. Differences
	// between its times must be monotonic, as time.Now's are.
	Now func() time.Time
	// Lookup resolves the host; nil is the system's resolver.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)

	// dialTCP is d's DialContext when nil. A test gives errors that no address has on
	// every machine.
	dialTCP func(ctx context.Context, d net.Dialer, address string) (net.Conn, error)
}

const (
	defaultTimeout      = 5 * time.Second
	defaultStallTimeout = 6 * time.Second
	defaultMaxLag       = 5 * time.Second
	defaultCloseTimeout = 2 * time.Second
)

func (c Config) withDefaults() Config {
	fill := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	fill(&c.ResolveTimeout, defaultTimeout)
	fill(&c.DialTimeout, defaultTimeout)
	fill(&c.HandshakeTimeout, defaultTimeout)
	fill(&c.CommandTimeout, defaultTimeout)
	fill(&c.StallTimeout, defaultStallTimeout)
	fill(&c.MaxLag, defaultMaxLag)
	fill(&c.CloseTimeout, defaultCloseTimeout)
	if c.Pacer == nil {
		c.Pacer = NewPacer()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.dialTCP == nil {
		c.dialTCP = func(ctx context.Context, d net.Dialer, address string) (net.Conn, error) {
			return d.DialContext(ctx, "tcp", address)
		}
	}
	if c.Lookup == nil {
		c.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	return c
}

// endpoint takes the URL apart.
func (c Config) endpoint() (endpoint, error) {
	at, err := parseEndpoint(c.URL)
	if c.User != "" {
		at.user, at.password = c.User, c.Password
	}
	return at, err
}

// connectObject is the connect command's (RTMP 1.0, 7.2.1.1).
func (c Config) connectObject(at endpoint, query string) map[string]any {
	o := map[string]any{
		"app":      at.app + query,
		"type":     "nonprivate",
		"flashVer": "FMLE/3.0 (compatible; streamcanary)",
		"tcUrl":    at.tcURL + query,
	}
	if c.Enhanced {
		// Enhanced RTMP v2, "Enhancing NetConnection connect Command": we encode
		// AVC and AAC and can nothing else. No capability of capsEx is claimed:
		// neither multitrack nor a reconnect that the server asks for.
		const canEncode = 2
		o["fourCcList"] = []any{"avc1", "mp4a"}
		o["videoFourCcInfoMap"] = map[string]any{"avc1": canEncode}
		o["audioFourCcInfoMap"] = map[string]any{"mp4a": canEncode}
		o["capsEx"] = 0
	}
	return o
}
