package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"streamcanary/statuspage/incident"
)

const (
	housekeeping = 10 * time.Second       // the longest that the engine goes without a look at the clock
	tickStep     = 100 * time.Millisecond // how late a tick may be
	tickRetry    = time.Second            // after one that could not be written
)

// announce writes the policy that the inputs from here on are judged by. A start
// is an entry like any other, so that a replay sees that nobody could be heard
// before it.
func (h *Hub) announce(ctx context.Context) error {
	payload, err := json.Marshal(incident.ConfigChange{PolicyHash: h.policy.Hash()})
	if err != nil {
		return err
	}
	id := fmt.Sprintf("%s-%d", h.policy.Hash()[:16], time.Now().UnixNano())
	if _, err := h.journal.Config(ctx, id, payload); err != nil {
		return fmt.Errorf("write the configuration into the journal: %w", err)
	}
	return nil
}

// ticks writes a tick whenever one is due and nothing else has moved the
// engine's clock past it.
func (h *Hub) ticks(ctx context.Context) error {
	ticker := time.NewTicker(tickStep)
	defer ticker.Stop()
	var t ticking
	t.last = time.Now()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-ticker.C:
			if !t.due(now, h.nextDue.Load(), h.folded.Load()) {
				continue
			}
			if err := h.tick(ctx, &t, now); err != nil && ctx.Err() == nil {
				h.log.Warn("a tick could not be written", "error", err)
				t.notBefore = now.Add(tickRetry)
			}
		}
	}
}

func (h *Hub) tick(ctx context.Context, t *ticking, now time.Time) (err error) {
	t.last = now
	t.seq, err = h.journal.Tick(ctx, now)
	return err
}

// ticking is what is known of the ticks that were written.
type ticking struct {
	last      time.Time // when one was written, or tried
	seq       uint64    // of the last one
	notBefore time.Time
}

// due says whether a tick is to be written: the engine waits for one (next, Unix
// nanoseconds; 0: for none), or has not looked at the clock for long. While the
// last one has not been folded the engine does not know yet what it waits for,
// and another one would tell it nothing new.
func (t *ticking) due(now time.Time, next int64, folded uint64) bool {
	switch {
	case t.seq > folded, now.Before(t.notBefore):
		return false
	case next != 0 && next <= now.UnixNano():
		return true
	}
	return now.Sub(t.last) >= housekeeping
}
