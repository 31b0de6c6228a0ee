package report

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"streamcanary/prober"
)

const dialTimeout = 5 * time.Second

// ClientConfig says how an agent reaches its hub. Zero values have the stated
// defaults.
type ClientConfig struct {
	URL    string        // nats://host:port, or tls://host:port
	Agent  string        // the agent's id; also its user name
	Key    prober.Secret // the agent's password
	Roots  *x509.CertPool
	Outbox *Outbox
	Logger *slog.Logger // default: nowhere

	InFlight      int           // results that are sent and not acknowledged; default 256
	AckTimeout    time.Duration // default 5 s
	ReconnectMin  time.Duration // wait before the first reconnect; doubled each time; default 100 ms
	ReconnectMax  time.Duration // default 5 s
	RefreshPeriod time.Duration // how often the assignment is read without being told to; default 1 min
}

// Client is the agent's end: it sends what its outbox holds, again and again
// until the hub has it, and hears the hub's orders. Being without a hub is an
// ordinary state, not an error.
type Client struct {
	cfg         ClientConfig
	log         *slog.Logger
	wake        chan struct{} // there is something in the outbox, or a connection
	refresh     chan uint64   // a newer assignment: its revision in the bucket
	assignments chan prober.Assignment
	probeNow    chan prober.ProbeNow
	broadcasts  chan prober.Broadcasts
	states      chan State

	mu    sync.Mutex
	state State
	nc    *nats.Conn // while Run runs
}

// NewClient checks cfg. Nothing is connected before Run.
func NewClient(cfg ClientConfig) (*Client, error) {
	if err := CheckAgent(cfg.Agent); err != nil {
		return nil, err
	}
	if cfg.URL == "" {
		return nil, errors.New("hub: no URL, want nats://host:port or tls://host:port")
	}
	if cfg.Outbox == nil {
		return nil, errors.New("hub: no outbox")
	}
	cfg.InFlight = cmp.Or(cfg.InFlight, 256)
	cfg.AckTimeout = cmp.Or(cfg.AckTimeout, 5*time.Second)
	cfg.ReconnectMin = cmp.Or(cfg.ReconnectMin, 100*time.Millisecond)
	cfg.ReconnectMax = cmp.Or(cfg.ReconnectMax, 5*time.Second)
	cfg.RefreshPeriod = cmp.Or(cfg.RefreshPeriod, time.Minute)
	c := &Client{
		cfg: cfg, log: cfg.Logger,
		wake:        make(chan struct{}, 1),
		refresh:     make(chan uint64, 1),
		assignments: make(chan prober.Assignment, 1),
		probeNow:    make(chan prober.ProbeNow, 16),
		broadcasts:  make(chan prober.Broadcasts, 64),
		states:      make(chan State, 1),
		state:       State{Name: Disconnected, Detail: "not started"},
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

// Queue puts r into the outbox and wakes the sender. The result is safe when it
// returns without an error.
func (c *Client) Queue(ctx context.Context, r prober.Result) error {
	if r.Agent != c.cfg.Agent {
		return fmt.Errorf("queue result %q: it is of agent %q, this is %q", r.ID, r.Agent, c.cfg.Agent)
	}
	if err := c.cfg.Outbox.Put(ctx, r); err != nil {
		return err
	}
	poke(c.wake)
	return nil
}

// Assignments gives the newest assignment; one that was not taken yet is
// replaced by a newer one. An assignment that did not change is not repeated.
func (c *Client) Assignments() <-chan prober.Assignment { return c.assignments }

// ProbeNow gives the requests for extra rounds. They are not kept: one that
// came while 16 were waiting, or while there was no connection, is lost.
func (c *Client) ProbeNow() <-chan prober.ProbeNow { return c.probeNow }

// Run connects and works until ctx ends; results that are in the outbox then
// wait for the next start. Whatever the network or the hub does, it goes on:
// the error is for a URL or a disk that cannot be used.
func (c *Client) Run(ctx context.Context) error {
	closed := make(chan struct{})
	nc, err := nats.Connect(c.cfg.URL, append(c.options(),
		nats.SetCustomDialer(dialer{ctx}),
		nats.ClosedHandler(func(*nats.Conn) { close(closed) }))...)
	if err != nil {
		return fmt.Errorf("hub %s: %w", safeURL(c.cfg.URL), err)
	}
	defer func() {
		nc.Close()
		<-closed
		c.setState(State{Name: Disconnected, Detail: "stopped"})
	}()
	c.use(nc)
	defer c.use(nil)
	if err := c.subscribe(nc); err != nil {
		return fmt.Errorf("hub %s: %w", safeURL(c.cfg.URL), err)
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { c.followAssignment(ctx, nc) })
	defer wg.Wait()
	defer cancel()
	s, err := newSender(c, nc)
	if err != nil {
		return fmt.Errorf("hub %s: %w", safeURL(c.cfg.URL), err)
	}
	return s.run(ctx)
}

func (c *Client) use(nc *nats.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nc = nc
}

func (c *Client) options() []nats.Option {
	o := []nats.Option{
		nats.Name("streamcanary agent " + c.cfg.Agent),
		nats.UserInfo(c.cfg.Agent, c.cfg.Key.Reveal()),
		nats.CustomInboxPrefix(inboxPrefix + c.cfg.Agent),
		nats.Timeout(dialTimeout),
		nats.PingInterval(5 * time.Second), // a dead path is noticed within 15 s
		nats.MaxPingsOutstanding(2),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // a key may be put right at the hub
		nats.CustomReconnectDelay(c.reconnectDelay),
		nats.ReconnectBufSize(-1), // the outbox is the buffer
		nats.ConnectHandler(func(*nats.Conn) { c.connected() }),
		nats.ReconnectHandler(func(*nats.Conn) { c.connected() }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { c.disconnected(err) }),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { c.disconnected(err) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { c.asyncError(err) }),
	}
	if c.cfg.Roots != nil {
		o = append(o, nats.Secure(&tls.Config{RootCAs: c.cfg.Roots, MinVersion: tls.VersionTLS12}))
	}
	return o
}

// reconnectDelay doubles from ReconnectMin to ReconnectMax, and takes up to a
// quarter off, so that agents do not come back all at once.
func (c *Client) reconnectDelay(attempts int) time.Duration {
	d := c.cfg.ReconnectMin << min(max(attempts-1, 0), 16)
	if d > c.cfg.ReconnectMax || d <= 0 {
		d = c.cfg.ReconnectMax
	}
	return d - rand.N(d/4+1) //nolint:gosec // spreads load, protects nothing
}

func (c *Client) subscribe(nc *nats.Conn) error {
	if _, err := nc.Subscribe(subjectAssignment+c.cfg.Agent, func(m *nats.Msg) {
		replace(c.refresh, parseRevision(m.Data))
	}); err != nil {
		return err
	}
	if _, err := nc.Subscribe(subjectFleet, c.heardBroadcasts); err != nil {
		return err
	}
	_, err := nc.Subscribe(subjectProbeNow, func(m *nats.Msg) {
		p, err := decodeProbeNow(m.Data)
		if err != nil {
			c.log.Error("an order of the hub cannot be read", "err", err)
			return
		}
		select {
		case c.probeNow <- p:
		default:
			c.log.Warn("a request to probe now is lost, too many wait", "id", p.ID)
		}
	})
	return err
}

// dialer ends a dial with the client's context; nats.go knows none.
type dialer struct{ ctx context.Context }

func (d dialer) Dial(network, address string) (net.Conn, error) {
	return (&net.Dialer{Timeout: dialTimeout}).DialContext(d.ctx, network, address)
}

// poke leaves a note in ch unless there is one.
func poke(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// replace puts v into ch, of capacity 1, in place of what is not taken yet.
// Of callers at the same time one wins.
func replace[T any](ch chan T, v T) {
	for {
		select {
		case ch <- v:
			return
		default:
		}
		select {
		case <-ch:
		default:
		}
	}
}
