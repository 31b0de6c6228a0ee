package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
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
	Data         string // folder of the database and the journal
	Policy       incident.Policy
	Assignments  map[string]prober.Assignment // by agent
	NATS         NATSConfig                   // StoreDir is set by the hub
	Token        prober.Secret                // of /alerts and /v1; "" closes both
	People       map[string]prober.Secret     // tokens by the name of who has one; as good as Token
	Maintenances []Maintenance                // that are scheduled
	Sinks        map[string]alert.Sink        // by id
	Logger       *slog.Logger
}

// Hub is one running hub.
type Hub struct {
	policy       incident.Policy
	log          *slog.Logger
	token        prober.Secret
	people       map[string]prober.Secret
	maintenances []Maintenance
	unlock       func() // lets another hub use the data folder
	nats         *NATS
	conn         *nats.Conn
	connClosed   chan struct{} // once conn and what it ran are gone
	journal      *report.Journal
	store        *store.Store
	sinks        map[string]alert.Sink
	feed         *signal // there is something new for on-call
	moved        *signal // something was folded and committed

	// Of the fold alone: nothing else may touch them.
	state  incident.State
	cursor store.Cursor  // as the store has it
	from   report.Cursor // where reading begins
	base   uint64        // what the engine has counted beyond the journal, see load
	hash   string        // of the policy that the store has already

	past    atomic.Pointer[[]incident.Incident] // resolved and public, newest first
	view    atomic.Pointer[incident.View]       // what the state last said
	nextDue atomic.Int64                        // Unix nanoseconds of the next tick; 0: none
	folded  atomic.Uint64                       // the journal's newest entry that was taken in
	tookIn  atomic.Int64                        // Unix nanoseconds, by this machine's clock, of when that was

	entered atomic.Uint64 // the journal's newest entry that is a person's command
	editing sync.Mutex    // held from reading a resolved incident until what is done to it is stored
	running sync.Mutex    // held by Run
	ran     bool          // guarded by running
	closing context.Context
	stop    context.CancelFunc // ends closing, and so Run
}

// Open starts the NATS server, opens journal and store, and gives every agent
// its assignment. Results are taken in by Run. The context is for the opening
// alone.
func Open(ctx context.Context, cfg Config) (_ *Hub, err error) {
	h := &Hub{policy: cfg.Policy, log: cfg.Logger, token: cfg.Token, people: cfg.People, maintenances: cfg.Maintenances,
		feed: newSignal(), moved: newSignal(), sinks: cfg.Sinks}
	h.closing, h.stop = context.WithCancel(context.Background())
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	defer func() {
		if err != nil {
			h.Close()
			err = fmt.Errorf("hub: %w", err)
		}
	}()
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w; make it writable for this user, or configure another", err)
	}
	if h.unlock, err = lockData(cfg.Data); err != nil {
		return nil, err
	}
	if err := h.openJournal(ctx, cfg); err != nil {
		return nil, err
	}
	if h.store, err = store.Open(ctx, filepath.Join(cfg.Data, "hub.db")); err != nil {
		return nil, err
	}
	if err := h.load(ctx); err != nil {
		return nil, err
	}
	if err := h.store.KeepSinks(ctx, slices.Sorted(maps.Keys(h.sinks))); err != nil {
		return nil, err
	}
	if err := h.journal.KeepAssignments(ctx, slices.Sorted(maps.Keys(cfg.Assignments))); err != nil {
		return nil, fmt.Errorf("forget the probes of agents that are not configured: %w", err)
	}
	for agent, a := range cfg.Assignments {
		if err := h.journal.Assign(ctx, agent, a); err != nil {
			return nil, fmt.Errorf("assign probes to agent %s: %w", agent, err)
		}
	}
	return h, nil
}

func (h *Hub) openJournal(ctx context.Context, cfg Config) (err error) {
	cfg.NATS.StoreDir = filepath.Join(cfg.Data, "nats")
	if h.nats, err = StartNATS(cfg.NATS); err != nil {
		return err
	}
	closed := make(chan struct{})
	if h.conn, err = h.nats.Connect(nats.ClosedHandler(func(*nats.Conn) { close(closed) })); err != nil {
		return err
	}
	h.connClosed = closed
	if h.journal, err = h.nats.OpenJournal(ctx, h.conn); err != nil {
		return err
	}
	// At once: agents are connecting already, and the first of them to be heard
	// must not make the others look silent.
	return h.announce(ctx)
}

// load takes up where the store left off.
func (h *Hub) load(ctx context.Context) error {
	snapshot, err := h.store.Load(ctx)
	if err != nil {
		return err
	}
	if h.state, err = incident.DecodeState(snapshot.State); err != nil {
		return err
	}
	h.cursor, h.hash = snapshot.Cursor, snapshot.PolicyHash
	h.from = report.Cursor(h.cursor)
	if h.from.Stream != "" && h.from.Stream != h.journal.Identity() {
		h.log.Warn("the journal is not the one that the state was made from; going on at its beginning")
		h.from = report.Cursor{}
	}
	// A journal made anew counts from 1 again. The engine goes on counting: it
	// must not take new entries for old ones, and ids, which derive from the
	// count, must not come twice.
	if h.state.Seq > h.from.Seq {
		h.base = h.state.Seq - h.from.Seq
	}
	h.folded.Store(h.from.Seq)
	h.tookIn.Store(time.Now().UnixNano())
	if err := h.remember(ctx); err != nil {
		return err
	}
	h.show()
	return nil
}

// Run takes in the journal, publishes and delivers until ctx ends or the hub is
// closed (nil). It runs once: what it could not store is in the state already,
// so after an error the hub has to be opened again.
func (h *Hub) Run(ctx context.Context) error {
	free := h.running.TryLock()
	if free {
		defer h.running.Unlock()
	}
	switch {
	case h.closing.Err() != nil: // Close may hold the lock
		return errors.New("hub: it was closed; open it again")
	case !free:
		return errors.New("hub: it runs already")
	case h.ran:
		return errors.New("hub: it has run before; open it again")
	}
	h.ran = true
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(h.closing, cancel)()

	// Agents tell each other of their broadcasts as soon as anybody decides.
	stopRelay, err := h.journal.RelayBroadcasts()
	if err != nil {
		return fmt.Errorf("hub: %w", err)
	}
	defer stopRelay()
	group, working := errgroup.WithContext(ctx)
	group.Go(func() error { return h.fold(working) })
	group.Go(func() error { return h.ticks(working) })
	group.Go(func() error { return h.maintain(working) })
	group.Go(func() error { return h.deliver(working) })
	group.Go(func() error { return h.watchdog(working) })
	group.Go(func() error { return h.prune(working) })
	if err := group.Wait(); ctx.Err() == nil {
		return fmt.Errorf("hub: %w", err)
	}
	return nil // whatever else is said then, only says that ctx ended
}

// ClientURL is where agents on this machine report to.
func (h *Hub) ClientURL() string { return h.nats.ClientURL() }

// Close ends what Open started, and Run. What was taken in is stored already.
func (h *Hub) Close() {
	h.stop()
	h.running.Lock() // until Run has returned
	defer h.running.Unlock()
	if h.conn != nil {
		h.conn.Close()
		<-h.connClosed
	}
	if h.nats != nil {
		h.nats.Close()
	}
	if h.store != nil {
		if err := h.store.Close(); err != nil {
			h.log.Error("close the store", "error", err)
		}
	}
	if h.unlock != nil {
		h.unlock()
	}
}
