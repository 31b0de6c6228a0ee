package alert

import (
	"context"
	"time"
)

// lane is the way to one sink.
type lane struct {
	d        *Dispatcher
	id       string
	sink     Sink
	up       bool // the last attempt was answered
	disabled bool
}

// pass sends what is due at now and says whether to look again at once.
func (l *lane) pass(ctx context.Context, now time.Time) (again bool) {
	due, err := l.d.Outbox.Due(ctx, l.id, now, batch)
	if err != nil {
		if ctx.Err() == nil {
			l.d.Logger.ErrorContext(ctx, "alert: cannot read the outbox", "sink", l.id, "err", err)
		}
		return false
	}
	wasUp, sent := l.up, 0
	held := map[string]bool{} // keys of which an older one could not be sent
	for _, x := range due {
		if ctx.Err() != nil || l.disabled {
			return false
		}
		if held[x.Key] {
			continue
		}
		if l.deliver(ctx, x) {
			sent++
		} else {
			held[x.Key] = true
		}
	}
	if !wasUp && l.up && !l.disabled {
		// The receiver is back: what waits for a far attempt need not wait.
		for l.pass(ctx, now.Add(48*time.Hour)) {
		}
	}
	return sent > 0 // a full batch, or the next of a key, may be due now
}

// deliver makes one attempt and says whether the next of the key may go.
func (l *lane) deliver(ctx context.Context, x Delivery) bool {
	attempt, cancel := context.WithTimeout(ctx, sendTimeout)
	err := l.sink.Send(attempt, x)
	cancel()
	if err != nil && ctx.Err() != nil {
		return false // we stopped; it is as if it had not been tried
	}
	l.up = err == nil || isRefusal(err)
	if err == nil {
		return l.settle(ctx, x)
	}
	log := l.d.Logger.With("sink", l.id, "key", x.Key, "action", x.Action, "event", x.EventID, "attempt", x.Attempts+1)
	if isRefusal(err) && x.Attempts+1 >= refusalsTaken && (x.Action == ActionUpdate || x.Action == ActionNotice) {
		// It would stand in the way of the resolve for ever.
		log.ErrorContext(ctx, "alert: given up, so that what follows can be delivered", "err", err)
		return l.settle(ctx, x)
	}
	next := time.Now().Add(l.d.Delay(x.Attempts + 1))
	if failed := l.d.Outbox.Failed(ctx, x.ID, next, err.Error()); failed != nil {
		log.ErrorContext(ctx, "alert: cannot write to the outbox", "err", failed)
	}
	if isGone(err) {
		l.disabled = true
		log.ErrorContext(ctx, "alert: the sink is disabled until the next start", "err", err)
		l.d.Disabled(l.id, err.Error())
		return false
	}
	log.WarnContext(ctx, "alert: not delivered, will be tried again", "err", err, "next", next)
	return false
}

// settle takes a delivery off the queue. If that fails it is sent again later,
// with the same id, which the receiver knows.
func (l *lane) settle(ctx context.Context, x Delivery) bool {
	if err := l.d.Outbox.Delivered(ctx, x.ID); err != nil {
		l.d.Logger.ErrorContext(ctx, "alert: cannot write to the outbox", "sink", l.id, "err", err)
		return false
	}
	return true
}
