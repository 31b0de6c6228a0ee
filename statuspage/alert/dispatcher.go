package alert

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Delivery is one alert on its way to one sink.
type Delivery struct {
	ID        int64
	Sink      string
	Key       string
	Action    Action
	EventID   string // the same on every attempt
	Body      []byte
	Attempts  int // that have failed
	CreatedAt time.Time
}

// Outbox is what waits to be delivered, as the dispatcher needs it.
type Outbox interface {
	// Due returns up to limit deliveries to a sink whose next attempt is due at
	// now, oldest first. Of one key it returns none while an older one of the
	// same sink and key waits for a later attempt: order per key is kept.
	Due(ctx context.Context, sink string, now time.Time, limit int) ([]Delivery, error)
	// Delivered takes a delivery off the queue.
	Delivered(ctx context.Context, id int64) error
	// Failed counts an attempt; the next one is due at next.
	Failed(ctx context.Context, id int64, next time.Time, reason string) error
}

// Sink takes alerts somewhere. An error is a *StatusError where there was an
// HTTP answer, and never holds a secret.
type Sink interface {
	Send(ctx context.Context, d Delivery) error
}

// The dispatcher's bounds.
const (
	batch         = 32
	sendTimeout   = 20 * time.Second // above any sink's own
	refusalsTaken = 3                // of an update or notice, before it stands aside
)

// DispatcherConfig is what a dispatcher needs.
type DispatcherConfig struct {
	Outbox   Outbox
	Sinks    map[string]Sink                  // by id
	Changed  func() <-chan struct{}           // closed when something was queued; nil: only Interval
	Interval time.Duration                    // how often to look anyway; 0 is 1 s
	Delay    func(attempts int) time.Duration // until the next attempt; nil is Delay
	Logger   *slog.Logger                     // nil: none
	// Disabled is told when a sink answered that it wants no more (410). Nothing
	// is sent to it until the next start; what is queued stays queued. May be nil.
	Disabled func(sink, reason string)
}

// Dispatcher drains an outbox into its sinks: at least once, in order per key,
// until acknowledged.
type Dispatcher struct {
	DispatcherConfig
}

// NewDispatcher makes a dispatcher; Run starts it.
func NewDispatcher(c DispatcherConfig) *Dispatcher {
	if c.Interval <= 0 {
		c.Interval = time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Delay == nil {
		c.Delay = Delay
	}
	if c.Changed == nil {
		c.Changed = func() <-chan struct{} { return nil }
	}
	if c.Disabled == nil {
		c.Disabled = func(string, string) {}
	}
	return &Dispatcher{DispatcherConfig: c}
}

// Run delivers until ctx ends. Sinks do not wait for each other.
func (d *Dispatcher) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for id, sink := range d.Sinks {
		wg.Go(func() { d.runSink(ctx, &lane{d: d, id: id, sink: sink}) })
	}
	wg.Wait()
}

func (d *Dispatcher) runSink(ctx context.Context, l *lane) {
	look := time.NewTicker(d.Interval)
	defer look.Stop()
	for ctx.Err() == nil && !l.disabled {
		changed := d.Changed() // before looking: nothing falls in between
		if l.pass(ctx, time.Now()) {
			continue
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-look.C:
		}
	}
}
