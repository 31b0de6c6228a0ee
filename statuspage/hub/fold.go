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

// commitRetry is the wait after a commit that failed.
const commitRetry = 2 * time.Second

// fold reads the journal from the cursor and lets the engine decide. What a
// batch led to, and the cursor behind it, are committed together: a hub that
// dies in between takes the batch again, one that dies after does not.
func (h *Hub) fold(ctx context.Context) error {
	err := h.journal.Read(ctx, h.from, func(batch []report.Entry) error { return h.take(ctx, batch) })
	switch {
	case errors.Is(err, report.ErrAhead):
		return fmt.Errorf("the database is ahead of the journal: restore hub.db and the nats folder from the same backup, or delete the nats folder to begin a new journal: %w", err)
	case errors.Is(err, store.ErrFenced):
		return fmt.Errorf("%w: two hubs use one data folder; end the other one", err)
	case err != nil:
		return err
	}
	return ctx.Err()
}

func (h *Hub) take(ctx context.Context, batch []report.Entry) error {
	var events []incident.Event
	for _, e := range batch {
		events = append(events, h.step(e)...)
	}
	if err := h.commitOnceItCan(ctx, batch[len(batch)-1].Seq, events); err != nil {
		return err
	}
	past := func(e incident.Event) bool { return e.Incident != nil && !e.Incident.ResolvedAt.IsZero() }
	if slices.ContainsFunc(events, past) || slices.ContainsFunc(events, reopened) {
		if err := h.remember(ctx); err != nil {
			return err
		}
	}
	h.show()
	h.publish(events)
	h.folded.Store(h.cursor.Seq)
	h.tookIn.Store(time.Now().UnixNano())
	h.moved.notify()
	return nil
}

// reopened says whether an incident may no longer be past: one was opened.
func reopened(e incident.Event) bool { return e.Type == incident.IncidentOpened }

// step lets the engine take one entry. Of one that cannot be read it takes the
// time: each entry moves the engine's count by one, as it does the journal's.
func (h *Hub) step(e report.Entry) []incident.Event {
	in := incident.Input{Seq: h.base + e.Seq, At: e.At, Result: e.Result}
	if e.Err == "" {
		e.Err = decode(e, &in)
	}
	if e.Err != "" {
		h.log.Warn("an entry of the journal cannot be read and is passed over", "seq", e.Seq, "kind", e.Kind, "agent", e.Agent, "error", e.Err)
		in = incident.Input{Seq: in.Seq, At: in.At}
	}
	var events []incident.Event
	h.state, events = h.policy.Step(h.state, in)
	for i := range events {
		events[i].Seq = e.Seq // the entry that caused it can be looked up
	}
	return events
}

// commitOnceItCan tries again for as long as it takes: a disk that is full, say,
// is no reason to take the page down. Another hub on the same data is.
func (h *Hub) commitOnceItCan(ctx context.Context, seq uint64, events []incident.Event) error {
	for {
		err := h.commit(ctx, seq, events)
		if err == nil || errors.Is(err, store.ErrFenced) || ctx.Err() != nil {
			return err
		}
		h.log.Error("what was decided cannot be stored; trying again", "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(commitRetry):
		}
	}
}

func (h *Hub) commit(ctx context.Context, seq uint64, events []incident.Event) error {
	state, err := h.state.Encode()
	if err != nil {
		return err
	}
	commit := store.Commit{
		From: h.cursor, To: store.Cursor{Stream: h.journal.Identity(), Seq: seq},
		State: state, PolicyHash: h.policy.Hash(), Events: events,
	}
	if h.hash != commit.PolicyHash {
		commit.Policy = h.policy.Content()
	}
	if commit.Deliveries, err = h.deliveries(events); err != nil {
		return err
	}
	if err := h.store.Commit(ctx, commit); err != nil {
		return err
	}
	h.cursor, h.hash = commit.To, commit.PolicyHash
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
		return decodeCommand(e.Payload, in)
	default:
		return ""
	}
	if err := json.Unmarshal(e.Payload, target); err != nil {
		return err.Error()
	}
	return ""
}

// decodeCommand reads what a person or the schedule of maintenances wrote.
func decodeCommand(payload []byte, in *incident.Input) string {
	e, err := incident.DecodeEntered(payload)
	if err != nil {
		return err.Error()
	}
	in.Command, in.Maintenance = e.Command, e.Maintenance
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
