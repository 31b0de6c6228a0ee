package hub

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"streamcanary/prober"
	"streamcanary/prober/report"
)

// hubUser cannot be an agent's name: a colon is not allowed there.
const hubUser = "streamcanary:hub"

// NATSConfig is the NATS server that the hub runs in its own process.
type NATSConfig struct {
	// Addr is where agents connect, host:port; port 0 takes a free one.
	Addr string
	// StoreDir holds the journal. No other process may use it.
	StoreDir string
	// TLS makes every agent's connection TLS. nil is plain text, for loopback
	// and for networks that encrypt by themselves.
	TLS *tls.Config
	// Agents may connect. Each sees only its own subjects.
	Agents []NATSAgent
	// SyncInterval is how often the journal is synced to the disk. 0 syncs every
	// message before it is acknowledged; anything else may lose the last
	// interval when the machine (not only the process) dies.
	SyncInterval time.Duration
	// MaxBytes is how many bytes the journal may hold; then the oldest entries go.
	// 0 is report.DefaultJournalBytes, or half of what the disk has free and the
	// journal holds, if that is less.
	MaxBytes int64
	// MaxStore is how many bytes the server may promise to its streams; 0 is no
	// bound of its own: the journal has one.
	MaxStore int64
	// StartTimeout bounds the start, which reads the journal's index; 0 is 30 s.
	StartTimeout time.Duration
	Logger       *slog.Logger // default: nowhere
}

// NATSAgent is one agent that may connect, with its id as the user name and its
// key as the password.
type NATSAgent struct {
	ID  string
	Key prober.Secret
}

// NATS is a running server.
type NATS struct {
	srv      *server.Server
	cfg      NATSConfig
	password string // of the hub itself; lives as long as the server
	failed   chan error
	done     chan struct{}
}

// StartNATS starts the server and returns when it takes connections. It touches
// no signal handlers and never ends the process.
func StartNATS(cfg NATSConfig) (*NATS, error) {
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	password := rand.Text()
	opts, err := natsOptions(cfg, password)
	if err != nil {
		return nil, fmt.Errorf("nats server: %w", err)
	}
	if ip := net.ParseIP(opts.Host); cfg.TLS == nil && opts.Host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		log.Warn("agents connect without TLS; their keys cross the network in plain text", "addr", cfg.Addr)
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("nats server: %w", err)
	}
	fatal := newNATSLogger(log, cfg.StoreDir)
	srv.SetLoggerV2(fatal, false, false, false)
	n := &NATS{srv: srv, cfg: cfg, password: password, failed: fatal.failed, done: make(chan struct{})}
	go func() {
		defer close(n.done)
		srv.Start()
	}()
	if err := n.ready(cmp.Or(cfg.StartTimeout, 30*time.Second), fatal); err != nil {
		n.Close()
		return nil, fmt.Errorf("nats server on %s, store %s: %w", cfg.Addr, cfg.StoreDir, err)
	}
	return n, nil
}

func (n *NATS) ready(timeout time.Duration, fatal *natsLogger) error {
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); {
		if n.srv.ReadyForConnections(100 * time.Millisecond) {
			// Of several accounts the server takes none for JetStream's by itself.
			return n.srv.GlobalAccount().EnableJetStream(nil, nil)
		}
		if reason := fatal.reason.Load(); reason != nil {
			return errors.New(*reason)
		}
	}
	return fmt.Errorf("not ready within %v", timeout)
}

func natsOptions(cfg NATSConfig, password string) (*server.Options, error) {
	host, port, err := splitAddr(cfg.Addr)
	if err != nil {
		return nil, err
	}
	if cfg.StoreDir == "" {
		return nil, errors.New("no folder for the journal")
	}
	accounts, users, err := natsAccounts(cfg.Agents)
	if err != nil {
		return nil, err
	}
	opts := &server.Options{
		ServerName: "streamcanary",
		Host:       host,
		Port:       port,
		NoSigs:     true,
		Accounts:   accounts,
		Users:      append(users, &server.User{Username: hubUser, Password: password}), // in hubAccount

		MaxPayload:   1 << 20,
		MaxConn:      4096,
		AuthTimeout:  5,
		PingInterval: 10 * time.Second,
		MaxPingsOut:  2,

		JetStream: true,
		StoreDir:  cfg.StoreDir,
		// By default the server would not take a journal back that promises more
		// than is free now, not even to make it smaller.
		JetStreamMaxStore: cmp.Or(cfg.MaxStore, math.MaxInt64),
		SyncAlways:        cfg.SyncInterval == 0,
		SyncInterval:      cfg.SyncInterval,
	}
	if cfg.TLS != nil {
		opts.TLS, opts.TLSConfig, opts.TLSTimeout = true, cfg.TLS.Clone(), 5
	}
	return opts, nil
}

func splitAddr(addr string) (host string, port int, err error) {
	host, p, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("address %q: want host:port", addr)
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("address %q: want a port from 0 to 65535", addr)
	}
	if n == 0 {
		return host, server.RANDOM_PORT, nil
	}
	return host, int(n), nil
}

// ClientURL is where agents on this machine connect.
func (n *NATS) ClientURL() string { return n.srv.ClientURL() }

// Connect gives the hub its own connection, without a network, and with every
// right. It stays until it is closed.
func (n *NATS) Connect(opts ...nats.Option) (*nats.Conn, error) {
	nc, err := nats.Connect("", append([]nats.Option{
		nats.InProcessServer(n.srv),
		nats.UserInfo(hubUser, n.password),
		nats.Name("streamcanary hub"),
		nats.MaxReconnects(-1),
	}, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("nats server: the hub's own connection: %w", err)
	}
	return nc, nil
}

// OpenJournal opens the journal over the hub's own connection, no larger than its
// disk allows.
func (n *NATS) OpenJournal(ctx context.Context, conn *nats.Conn) (*report.Journal, error) {
	return report.OpenJournal(ctx, conn, report.JournalConfig{
		MaxBytes: n.cfg.MaxBytes, Disk: disk(n.cfg.StoreDir), Logger: n.cfg.Logger,
	})
}

// Failed gives one error when the journal could not be written, as on a full disk.
// The server then takes nothing more into it until it is started again.
func (n *NATS) Failed() <-chan error { return n.failed }

// Close ends every connection, writes what is to be written and waits for that.
func (n *NATS) Close() {
	n.srv.Shutdown()
	n.srv.WaitForShutdown()
	<-n.done
}
