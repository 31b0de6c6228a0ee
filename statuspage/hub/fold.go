package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"streamcanary/prober/report"
	"streamcanary/statuspage/incident"
	"streamcanary/statuspage/store"
)

// fold reads the journal from the cursor and lets the engine decide. What a
// batch led to, and the cursor behind it, are committed together: a hub that
// dies in between takes the batch again, one that dies after does not.
func (h *Hub) fold(ctx context.Context) error {
	err := h.journal.Read(ctx, h.from, func(batch []report.Entry) error { return h.take(ctx, batch) })
	switch {
	case errors.Is(err, report.ErrAhead):
		return fmt.Errorf("hub: the database is ahead of the journal: restore hub.db and the nats folder from the same backup, or delete the nats folder to begin a new journal: %w", err)
	case err != nil:
		return fmt.Errorf("hub: journal: %w", err)
	}
	return ctx.Err()
}

func (h *Hub) take(ctx context.Context, batch []report.Entry) error {
	var events []incident.Event
	for _, e := range batch {
		in := incident.Input{Seq: e.Seq, At: e.At, Result: e.Result}
		if e.Err == "" {
			e.Err = decode(e, &in)
		}
		if e.Err != "" {
			h.log.Warn("an entry of the journal cannot be read and is passed over", "seq", e.Seq, "kind", e.Kind, "agent", e.Agent, "error", e.Err)
			continue
		}
		var decided []incident.Event
		h.state, decided = h.policy.Step(h.state, in)
		events = append(events, decided...)
	}
	state, err := h.state.Encode()
	if err != nil {
		return err
	}
	commit := store.Commit{
		From: h.cursor, To: store.Cursor{Stream: h.journal.Identity(), Seq: batch[len(batch)-1].Seq},
		At: h.state.At, State: state, PolicyHash: h.policy.Hash(), Policy: h.policy.Content(), Events: events,
	}
	if commit.Deliveries, err = h.deliveries(events); err != nil {
		return err
	}
	if err := h.store.Commit(ctx, commit); err != nil {
		return fmt.Errorf("hub: %w", err)
	}
	h.cursor = commit.To
	if slices.ContainsFunc(events, func(e incident.Event) bool { return e.Type == incident.IncidentResolved }) {
		if err := h.remember(ctx); err != nil {
			return err
		}
	}
	h.show()
	h.publish(events)
	return nil
}

// decode reads an entry's payload, and says what is wrong with it.
func decode(e report.Entry, in *incident.Input) string {
	var target any
	switch e.Kind {
	case report.KindChange:
		in.Change = &incident.Change{}
		target = in.Change
	case report.KindConfig:
		in.Config = &incident.ConfigChange{}
		target = in.Config
	case report.KindCommand:
		return "commands are not known to this version"
	default:
		return ""
	}
	if err := json.Unmarshal(e.Payload, target); err != nil {
		return err.Error()
	}
	return ""
}

// publish does what was decided, after it is stored.
func (h *Hub) publish(events []incident.Event) {
	for _, e := range events {
		if e.ProbeNow != nil {
			if err := h.journal.ProbeNow(*e.ProbeNow); err != nil {
				h.log.Warn("agents could not be asked to probe now", "error", err)
			}
			continue
		}
		h.log.Info(string(e.Type), "key", e.Key, "summary", e.Summary)
	}
	if len(events) > 0 {
		h.feed.notify()
	}
}

// show makes what the state says visible to the page.
func (h *Hub) show() {
	view := h.policy.View(h.state)
	h.view.Store(&view)
	due := int64(0)
	if next := h.policy.Next(h.state); !next.IsZero() {
		due = next.UnixNano()
	}
	h.nextDue.Store(due)
}

// announce writes the policy that the inputs from here on are judged by.
func (h *Hub) announce(ctx context.Context) error {
	payload, err := json.Marshal(incident.ConfigChange{PolicyHash: h.policy.Hash()})
	if err != nil {
		return fmt.Errorf("hub: %w", err)
	}
	id := fmt.Sprintf("config-%s-%d", h.policy.Hash()[:16], time.Now().UnixNano())
	if _, err := h.journal.Config(ctx, id, payload); err != nil {
		return fmt.Errorf("hub: write the configuration into the journal: %w", err)
	}
	return nil
}

// ticks writes a tick whenever one is due and nothing else has moved the
// engine's clock past it.
func (h *Hub) ticks(ctx context.Context) error {
	const step = 100 * time.Millisecond
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-ticker.C:
			due := h.nextDue.Load()
			isDue := due != 0 && due <= now.UnixNano() && now.Sub(last) >= step
			if !isDue && now.Sub(last) < housekeeping {
				continue
			}
			last = now
			if _, err := h.journal.Tick(ctx, now); err != nil {
				h.log.Warn("a tick could not be written", "error", err)
			}
		}
	}
}
