package hub

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"streamcanary/prober"
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
	// MaxStore is how many bytes of disk the server may use; 0 is three quarters
	// of what is free at the start.
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
	password string // of the hub itself; lives as long as the server
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
	fatal := &natsLogger{log: log}
	srv.SetLoggerV2(fatal, false, false, false)
	n := &NATS{srv: srv, password: password, done: make(chan struct{})}
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

		JetStream:         true,
		StoreDir:          cfg.StoreDir,
		JetStreamMaxStore: cmp.Or(cfg.MaxStore, -1),
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

// Close ends every connection, writes what is to be written and waits for that.
func (n *NATS) Close() {
	n.srv.Shutdown()
	n.srv.WaitForShutdown()
	<-n.done
}

// natsLogger passes on what an operator can act on; the server's own notices are
// details.
type natsLogger struct {
	log    *slog.Logger
	reason atomic.Pointer[string] // the first fatal message
}

func (l *natsLogger) Noticef(format string, v ...any) { l.write(slog.LevelDebug, format, v) }
func (l *natsLogger) Debugf(format string, v ...any)  { l.write(slog.LevelDebug, format, v) }
func (l *natsLogger) Tracef(format string, v ...any)  { l.write(slog.LevelDebug, format, v) }
func (l *natsLogger) Errorf(format string, v ...any)  { l.write(slog.LevelError, format, v) }

func (l *natsLogger) Warnf(format string, v ...any) {
	level := slog.LevelWarn
	if strings.Contains(format, "Plaintext passwords") {
		level = slog.LevelDebug // of a list in memory, not of a file
	}
	l.write(level, format, v)
}

// Fatalf keeps the reason for StartNATS. The server's own loggers end the
// process here.
func (l *natsLogger) Fatalf(format string, v ...any) {
	reason := fmt.Sprintf(format, v...)
	l.reason.CompareAndSwap(nil, &reason)
	l.write(slog.LevelError, format, v)
}

func (l *natsLogger) write(level slog.Level, format string, v []any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, "nats: "+fmt.Sprintf(format, v...))
	}
}
