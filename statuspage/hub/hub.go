package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/report"
	"streamcanary/statuspage/alert"
	"streamcanary/statuspage/incident"
	"streamcanary/statuspage/store"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"
)

// Config is all that a hub is told.
type Config struct {
	Data        string // folder of the database and the journal
	Policy      incident.Policy
	Assignments map[string]prober.Assignment // by agent
	NATS        NATSConfig                   // StoreDir is set by the hub
	Token       prober.Secret                // of /alerts and /v1/changes; "" closes both
	Sinks       map[string]alert.Sink        // by id
	Logger      *slog.Logger
}

// Hub is one running hub.
type Hub struct {
	policy  incident.Policy
	log     *slog.Logger
	token   prober.Secret
	nats    *NATS
	conn    *nats.Conn
	journal *report.Journal
	store   *store.Store
	sinks   map[string]alert.Sink
	feed    *signal // there is something new for on-call

	// Of the fold alone: nothing else may touch them.
	state  incident.State
	cursor store.Cursor  // as the store has it
	from   report.Cursor // where reading begins

	past    atomic.Pointer[[]incident.Incident] // resolved and public, newest first
	view    atomic.Pointer[incident.View]       // what the state last said
	nextDue atomic.Int64                        // Unix nanoseconds of the next tick; 0: none
}

// housekeeping is the longest that the engine goes without a look at the clock.
const housekeeping = 10 * time.Second

// Open starts the NATS server, opens journal and store, and gives every agent
// its assignment. Results are taken in by Run.
func Open(ctx context.Context, cfg Config) (_ *Hub, err error) {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("hub: data folder: %w", err)
	}
	h := &Hub{policy: cfg.Policy, log: cfg.Logger, token: cfg.Token, feed: newSignal(), sinks: cfg.Sinks}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	defer func() {
		if err != nil {
			h.Close()
		}
	}()
	cfg.NATS.StoreDir = filepath.Join(cfg.Data, "nats")
	if h.nats, err = StartNATS(cfg.NATS); err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	if h.conn, err = h.nats.Connect(); err != nil {
		return nil, fmt.Errorf("hub: connect to its own NATS server: %w", err)
	}
	if h.journal, err = report.OpenJournal(ctx, h.conn, report.JournalConfig{Logger: h.log}); err != nil {
		return nil, fmt.Errorf("hub: journal: %w", err)
	}
	if h.store, err = store.Open(ctx, filepath.Join(cfg.Data, "hub.db")); err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	if err := h.load(ctx); err != nil {
		return nil, err
	}
	for agent, a := range cfg.Assignments {
		if err := h.journal.Assign(ctx, agent, a); err != nil {
			return nil, fmt.Errorf("hub: assign probes to agent %s: %w", agent, err)
		}
	}
	return h, nil
}

// load takes up where the store left off.
func (h *Hub) load(ctx context.Context) error {
	snapshot, err := h.store.Load(ctx)
	if err != nil {
		return fmt.Errorf("hub: %w", err)
	}
	if h.state, err = incident.DecodeState(snapshot.State); err != nil {
		return fmt.Errorf("hub: %w", err)
	}
	h.cursor = snapshot.Cursor
	h.from = report.Cursor{Stream: h.cursor.Stream, Seq: h.cursor.Seq}
	if h.from.Stream != "" && h.from.Stream != h.journal.Identity() {
		// A journal made anew counts from 1 again; the state must not take its
		// entries for old ones.
		h.log.Warn("the journal is not the one that the state was made from; going on at its beginning")
		h.state.Seq, h.from = 0, report.Cursor{}
	}
	if err := h.remember(ctx); err != nil {
		return err
	}
	h.show()
	return nil
}

// Run takes in the journal, publishes and delivers until ctx ends.
func (h *Hub) Run(ctx context.Context) error {
	// A start is an entry like any other, so that a replay sees that nobody
	// could be heard before it.
	if err := h.announce(ctx); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return h.fold(ctx) })
	group.Go(func() error { return h.ticks(ctx) })
	group.Go(func() error { return h.deliver(ctx) })
	err := group.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// ClientURL is where agents on this machine report to.
func (h *Hub) ClientURL() string { return h.nats.ClientURL() }

// Close ends what Open started. Call it after Run has returned.
func (h *Hub) Close() {
	if h.conn != nil {
		h.conn.Close()
	}
	if h.nats != nil {
		h.nats.Close()
	}
	if h.store != nil {
		if err := h.store.Close(); err != nil {
			h.log.Error("close the store", "error", err)
		}
	}
}
