package hub

import (
	"context"
	"time"

	"streamcanary/statuspage/alert"
	"streamcanary/statuspage/store"
)

// outbox is the store's as the dispatcher wants it.
type outbox struct{ *store.Store }

func (o outbox) Due(ctx context.Context, sink string, now time.Time, limit int) ([]alert.Delivery, error) {
	due, err := o.Store.Due(ctx, sink, now, limit)
	if err != nil {
		return nil, err
	}
	all := make([]alert.Delivery, len(due))
	for i, d := range due {
		all[i] = alert.Delivery{
			ID: d.ID, Sink: d.Sink, Key: d.Key, Action: alert.Action(d.Action), EventID: d.EventID,
			Body: d.Body, Attempts: d.Attempts, CreatedAt: d.CreatedAt,
		}
	}
	return all, nil
}

// prunePeriod is how often the store forgets what nobody will look up.
const prunePeriod = 6 * time.Hour

func (h *Hub) prune(ctx context.Context) error {
	for {
		if err := h.store.Prune(ctx, time.Now()); err != nil && ctx.Err() == nil {
			h.log.Warn("old deliveries and events are kept until the next attempt", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(prunePeriod):
		}
	}
}
