package report_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"streamcanary/prober"
	"streamcanary/prober/report"
)

// natsServer is a server of a test: user "hub" may do everything, agents "fra"
// and "nyc", each in an account of its own, what AgentPermissions lets them.
type natsServer struct {
	tb   testing.TB
	opts server.Options
	srv  *server.Server
}

func newServer(tb testing.TB) *natsServer {
	tb.Helper()
	n := &natsServer{tb: tb, opts: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: tb.TempDir(), SyncAlways: true,
		Users: []*server.User{{Username: "hub", Password: "hub"}, user("fra"), user("nyc")},
	}}
	n.start()
	tb.Cleanup(func() { n.stop() })
	return n
}

func user(agent string) *server.User {
	p := report.AgentPermissions(agent)
	return &server.User{Username: agent, Password: "key-" + agent, Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: p.Publish},
		Subscribe: &server.SubjectPermission{Allow: p.Subscribe},
	}}
}

// start starts the server, the second time on the port of the first.
func (n *natsServer) start() {
	n.tb.Helper()
	opts := n.opts
	opts.Accounts = n.accounts()
	srv, err := server.NewServer(&opts)
	if err != nil {
		n.tb.Fatal(err)
	}
	go srv.Start()
	if !srv.ReadyForConnections(10 * time.Second) {
		n.tb.Fatal("the test's NATS server does not start")
	}
	if err := srv.GlobalAccount().EnableJetStream(nil, nil); err != nil {
		n.tb.Fatal(err)
	}
	n.srv, n.opts.Port = srv, opts.Port
	if n.opts.Port == server.RANDOM_PORT || n.opts.Port == 0 {
		n.tb.Fatalf("port %d", n.opts.Port)
	}
}

// accounts gives every agent one that imports what AgentPermissions says.
func (n *natsServer) accounts() []*server.Account {
	n.tb.Helper()
	hub := server.NewAccount("$G")
	accounts := []*server.Account{hub}
	for _, u := range n.opts.Users[1:] {
		u.Account = server.NewAccount(u.Username)
		accounts = append(accounts, u.Account)
		p := report.AgentPermissions(u.Username)
		for _, subject := range p.Services {
			if err := errors.Join(hub.AddServiceExport(subject, nil), u.Account.AddServiceImport(hub, subject, subject)); err != nil {
				n.tb.Fatal(err)
			}
		}
		for _, subject := range p.Streams {
			if err := errors.Join(hub.AddStreamExport(subject, nil), u.Account.AddStreamImport(hub, subject, "")); err != nil {
				n.tb.Fatal(err)
			}
		}
	}
	return accounts
}

func (n *natsServer) stop() {
	n.srv.Shutdown()
	n.srv.WaitForShutdown()
}

func (n *natsServer) url() string { return fmt.Sprintf("nats://127.0.0.1:%d", n.opts.Port) }

func (n *natsServer) connect(name, key string, opts ...nats.Option) *nats.Conn {
	n.tb.Helper()
	nc, err := nats.Connect(n.url(), append(opts, nats.UserInfo(name, key), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))...)
	if err != nil {
		n.tb.Fatal(err)
	}
	closed := make(chan struct{})
	nc.SetClosedHandler(func(*nats.Conn) { close(closed) })
	n.tb.Cleanup(func() { nc.Close(); <-closed })
	return nc
}

func (n *natsServer) journal(cfg report.JournalConfig) *report.Journal {
	n.tb.Helper()
	j, err := report.OpenJournal(n.tb.Context(), n.connect("hub", "hub"), cfg)
	if err != nil {
		n.tb.Fatal(err)
	}
	return j
}

func openOutbox(tb testing.TB, cfg report.OutboxConfig) *report.Outbox {
	tb.Helper()
	if cfg.Path == "" {
		cfg.Path = tb.TempDir() + "/outbox.db"
	}
	o, err := report.OpenOutbox(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := o.Close(); err != nil {
			tb.Error(err)
		}
	})
	return o
}

// runClient runs a client until the test ends, or until stop is called.
func runClient(tb testing.TB, cfg report.ClientConfig) (c *report.Client, stop func()) {
	tb.Helper()
	if cfg.Outbox == nil {
		cfg.Outbox = openOutbox(tb, report.OutboxConfig{})
	}
	if cfg.Agent == "" {
		cfg.Agent, cfg.Key = "fra", "key-fra"
	}
	cfg.ReconnectMin, cfg.ReconnectMax = 10*time.Millisecond, 100*time.Millisecond
	c, err := report.NewClient(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("Run: %v", err)
		}
	}
	tb.Cleanup(stop)
	return c, stop
}

func queue(tb testing.TB, c *report.Client, from, to uint64) {
	tb.Helper()
	for seq := from; seq <= to; seq++ {
		if err := c.Queue(tb.Context(), result("fra", seq)); err != nil {
			tb.Fatal(err)
		}
	}
}

// read hands the journal's entries over one by one until the test ends.
func read(tb testing.TB, j *report.Journal, from report.Cursor) <-chan report.Entry {
	tb.Helper()
	entries := make(chan report.Entry, 100_000)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- j.Read(ctx, from, func(batch []report.Entry) error {
			for _, e := range batch {
				entries <- e
			}
			return nil
		})
	}()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("Read: %v", err)
		}
	})
	return entries
}

func next[T any](tb testing.TB, ch <-chan T, what string) T {
	tb.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(20 * time.Second):
		tb.Fatalf("%s: nothing within 20 s", what)
		panic("unreachable")
	}
}

func waitState(tb testing.TB, c *report.Client, want report.StateName) report.State {
	tb.Helper()
	deadline := time.After(20 * time.Second)
	for {
		if s := c.State(); s.Name == want {
			return s
		}
		select {
		case <-c.States():
		case <-deadline:
			tb.Fatalf("state is %+v after 20 s, want %s", c.State(), want)
		}
	}
}

// waitEmpty waits until the hub has everything.
func waitEmpty(tb testing.TB, o *report.Outbox) {
	tb.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for o.Len() > 0 {
		select {
		case <-tick.C:
		case <-deadline:
			tb.Fatalf("%d results are still in the outbox after 30 s", o.Len())
		}
	}
}

// result is a small valid one.
func result(agent string, seq uint64) prober.Result {
	now := time.Now()
	return prober.Result{
		ID: fmt.Sprintf("boot1-%d", seq), Agent: agent, Site: agent, Boot: "boot1", Seq: seq,
		Kind: prober.KindCanary, Target: "live", Ingest: "fra", Pusher: agent,
		Run: "run-1", Round: "round-1", RoundOf: 4, Outcome: prober.Pass,
		Started: now.Add(-time.Second), Ended: now, Control: prober.ControlPass,
	}
}
