package rtmp

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// Config says where to publish and how long to wait. The zero value of
// everything but URL is a default.
type Config struct {
	// URL is rtmp://host[:port]/app/key. What follows the last slash of the path
	// is the stream key, with its query; it never appears in a Detail.
	URL string

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
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Lookup == nil {
		c.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	return c
}
