package agent

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"sync"
	"time"

	"streamcanary/prober"
)

// Times that the design fixes.
const (
	holdTime      = 5 * time.Second  // an accepted broadcast counts once it has held this long
	goLiveBound   = 12 * time.Second // from the publish until the marker must be back
	playbackGrace = 8 * time.Second  // from a canary's (re)start until a cell must play
	closeBound    = 1500 * time.Millisecond
	deleteBound   = 3 * time.Second // closeBound and this are what a stop may take
	sweepBound    = 3 * time.Second // of the first sweep, which everything waits for
	sweepEvery    = 2 * time.Minute
)

// maxRequests bounds the orders to probe now that wait to be taken up.
const maxRequests = 16

// Config is what an agent needs. Agent, Site, Sink and the three constructors
// are required.
type Config struct {
	Agent string // this vantage point's id
	Site  string // its site's id; "" is Agent
	Boot  string // "" is a fresh random one; it must change with each start
	Sink  Sink

	Platform func(prober.Platform) (Platform, error)
	Feed     func(Picture) (Feed, error)
	// Follower follows a run at a URL of a playback, and what was pushed; the run ""
	// is somebody else's stream.
	Follower func(p prober.Playback, url, run string, pushed prober.Signal) Follower
	// Check and Replay are for probes of the kinds api, recording and, of VOD,
	// playback; without them those cannot run.
	Check  func(ctx context.Context, c prober.APICheck, bound time.Duration) (Checked, error)
	Replay func(ctx context.Context, r Replay) (Replayed, error)

	// Control is this agent's own loopback origin; nil leaves the control
	// state unknown for ever.
	Control *prober.Target
	// Meter measures this agent's machine; nil measures nothing.
	Meter func(clockServer string) Meter
	// Reference asks an independent public URL, bounded by itself; nil asks none.
	Reference func(ctx context.Context, url string) *prober.Failure
	// Controls are this agent's own: its reference and clock server stand before
	// those that the hub assigns.
	Controls prober.Controls
	// Announce tells other agents what this one has up; nil tells nobody. It is
	// called every prober.AnnouncePeriod and at each change, and must not block.
	Announce func([]prober.Broadcast)
	// Dropped is how many results the sink has lost at its bound, ever; nil is none.
	Dropped func() uint64
	Logger  *slog.Logger // nil is silent
}

// Agent runs the probes of one vantage point. Its methods are safe for use by
// several goroutines.
type Agent struct {
	env     *env
	control *control
	machine *machine

	assigned chan prober.Assignment // holds the newest only
	requests chan prober.ProbeNow
	others   chan prober.Broadcasts
	mu       sync.Mutex // guards the replacement in assigned
}

// env is what every part of a running agent shares.
type env struct {
	Config
	*reporter
	log     *slog.Logger
	keys    keyLocks
	budget  *budget
	changed chan struct{} // what is up, at this agent
}

// poke has the other agents told of a change.
func (e *env) poke() { signal(e.changed) }

// New checks cfg. Nothing runs before Run.
func New(cfg Config) (*Agent, error) {
	if cfg.Agent == "" || cfg.Sink == nil || cfg.Platform == nil || cfg.Feed == nil || cfg.Follower == nil {
		return nil, errors.New("agent: its id, sink, platform, feed and follower are all needed")
	}
	if cfg.Site == "" {
		cfg.Site = cfg.Agent
	}
	if cfg.Boot == "" {
		var b [8]byte
		_, _ = rand.Read(b[:]) // never fails, as documented
		cfg.Boot = hex.EncodeToString(b[:])
	}
	log := cfg.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	e := &env{Config: cfg, log: log, budget: newBudget(log), changed: make(chan struct{}, 1)}
	c := &control{env: e, state: prober.ControlUnknown}
	m := newMachine(e)
	e.reporter = newReporter(cfg, func() (prober.Control, string, prober.Host) {
		state, detail := c.current()
		host, trouble := m.current()
		if trouble != "" { // an agent that is in trouble itself sees trouble everywhere
			state, detail = prober.ControlFail, trouble
		}
		return state, detail, host
	}, e.budget)
	return &Agent{env: e, control: c, machine: m,
		assigned: make(chan prober.Assignment, 1), requests: make(chan prober.ProbeNow, maxRequests),
		others: make(chan prober.Broadcasts, maxRequests)}, nil
}

// Assign replaces what the agent does, once it runs. What did not change goes
// on undisturbed.
func (a *Agent) Assign(as prober.Assignment) {
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-a.assigned:
	default:
	}
	a.assigned <- as
}

// ProbeNow asks for extra rounds at once. A request that was already taken is
// ignored, and so are those beyond a bound.
func (a *Agent) ProbeNow(req prober.ProbeNow) {
	select {
	case a.requests <- req:
	default:
		a.env.log.Warn("request to probe now ignored: too many wait", "request", req.ID)
	}
}

// Heard says what another agent has up. Each list has to be repeated, see
// prober.AnnounceExpiry; those beyond a bound are ignored.
func (a *Agent) Heard(b prober.Broadcasts) {
	select {
	case a.others <- b:
	default:
	}
}

// Run probes until ctx is done, then ends every broadcast and deletes every
// stream, which takes at most five seconds.
func (a *Agent) Run(ctx context.Context) error {
	w := &work{env: a.env, machine: a.machine, units: map[string]*unit{}}
	var controls sync.WaitGroup
	controls.Go(func() { a.machine.run(ctx) })
	if a.env.Control != nil {
		controls.Go(func() { a.control.run(ctx, *a.env.Control) })
	}
	announce := time.NewTicker(prober.AnnouncePeriod)
	defer announce.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-announce.C:
			w.announce()
		case <-a.env.changed:
			w.announce()
		case b := <-a.others:
			w.heard(b)
		case as := <-a.assigned:
			w.assign(ctx, as)
		case req := <-a.requests:
			select { // what was assigned before the request comes first
			case as := <-a.assigned:
				w.assign(ctx, as)
			default:
			}
			w.probeNow(ctx, req)
		}
	}
	w.stop()
	controls.Wait()
	return nil
}
