package hub

import (
	"context"
	"fmt"
	"time"

	"streamcanary/statuspage/alert"
	"streamcanary/statuspage/incident"
)

const (
	stalledAfter = 3 * housekeeping // nothing was taken in: at least two ticks are missing
	stalledLook  = 5 * time.Second
	stalledAgain = time.Minute // between two attempts to tell a sink
	giveUpAfter  = 10 * time.Minute
)

// watchdog notices that the hub itself stands still: the journal takes nothing
// or the store cannot commit, as on a full disk. Then no event can be made of
// it, so the sinks are told past the outbox, and the page says that it does not
// know. A journal that ran into a full disk does not recover by itself; giving up
// lets whoever supervises the process start it anew.
func (h *Hub) watchdog(ctx context.Context) error {
	ticker := time.NewTicker(stalledLook)
	defer ticker.Stop()
	var w standstill
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-h.nats.Failed():
			h.log.Error("the journal takes nothing more until the hub is started again; the page goes on, and will say that it does not know", "error", err)
		case now := <-ticker.C:
			last := time.Unix(0, h.tookIn.Load())
			if now.Sub(last) > giveUpAfter {
				return fmt.Errorf("nothing was taken in since %s: is the disk under the data folder full?", last.UTC().Format(time.RFC3339))
			}
			w.look(ctx, h, now, last)
		}
	}
}

// standstill is what the sinks were told of one.
type standstill struct {
	since time.Time // zero: the hub is moving
	begun time.Time // of the one that was told last; keeps its key until it is resolved
	tried time.Time
	told  map[string]bool // sinks that know it
}

// look tells every sink of a standstill, and every sink that was told of its
// end, once each minute until it has acknowledged.
func (w *standstill) look(ctx context.Context, h *Hub, now, last time.Time) {
	stalled := now.Sub(last) > stalledAfter
	switch {
	case stalled && w.since.IsZero():
		w.since, w.tried = last, time.Time{}
		if len(w.told) == 0 {
			w.begun, w.told = last, map[string]bool{}
		}
		h.log.Error("the hub stands still: nothing is taken in. Is the disk under the data folder full?", "since", last)
	case !stalled && !w.since.IsZero():
		w.since, w.tried = time.Time{}, time.Time{}
		h.log.Info("the hub is moving again")
	}
	if w.begun.IsZero() || now.Sub(w.tried) < stalledAgain {
		return
	}
	w.tried = now
	for id, sink := range h.sinks {
		if w.told[id] == stalled {
			continue // it knows, or never heard of it
		}
		if err := h.tellStandstill(ctx, sink, w.begun, now, stalled); err != nil {
			h.log.Warn("a sink could not be told of a standstill", "sink", id, "error", err)
			continue
		}
		if w.told[id] = stalled; !stalled {
			delete(w.told, id)
		}
	}
	if !stalled && len(w.told) == 0 {
		w.begun = time.Time{}
	}
}

func (h *Hub) tellStandstill(ctx context.Context, sink alert.Sink, begun, now time.Time, stalled bool) error {
	key := "hub/standstill/" + begun.UTC().Format(time.RFC3339)
	a := alert.Alert{
		ID: key + "/resolve", Key: key, Type: "hub.moving", Action: alert.ActionResolve, Severity: alert.SeverityCritical,
		Summary: "The hub is moving again", At: now.UTC(), Links: []alert.Link{},
	}
	if stalled {
		a.ID, a.Type, a.Action = key, "hub.standstill", alert.ActionTrigger
		a.Summary = "The hub stands still: nothing is taken in since " + begun.UTC().Format(time.RFC3339) + ". Is the disk under its data folder full?"
	}
	body, err := alert.Body(a)
	if err != nil {
		return err
	}
	return sink.Send(ctx, alert.Delivery{Key: key, Action: a.Action, EventID: a.ID, Body: body, CreatedAt: now})
}

// honest marks everything as unknown when the view is from before a standstill:
// what nobody has looked at since is not good.
func (h *Hub) honest(v incident.View, now time.Time) incident.View {
	if now.Sub(time.Unix(0, h.tookIn.Load())) <= stalledAfter {
		return v
	}
	components := make([]incident.ComponentState, len(v.Components))
	for i, c := range v.Components {
		if c.UnknownSince.IsZero() {
			c.UnknownSince = c.CheckedAt
		}
		components[i] = c
	}
	v.Components = components
	return v
}
