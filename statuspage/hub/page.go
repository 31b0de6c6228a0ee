package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"streamcanary/statuspage"
	"streamcanary/statuspage/alert"
	"streamcanary/statuspage/incident"
	"streamcanary/statuspage/store"
	"streamcanary/statuspage/web"
)

// pastIncidents is how many resolved incidents the page gets: as many as
// Statuspage's documents list.
const pastIncidents = 50

// Page is the page as it is now. It comes from memory: however many look at it,
// the store is not asked.
func (h *Hub) Page(context.Context) (statuspage.Page, error) {
	return statuspage.Project(h.policy.Topology(), h.honest(*h.view.Load(), time.Now()), *h.past.Load()), nil
}

// remember reads the past incidents that the page shows.
func (h *Hub) remember(ctx context.Context) error {
	public, resolved := true, true
	past, err := h.store.Incidents(ctx, store.Query{Public: &public, Resolved: &resolved, Limit: pastIncidents})
	if err != nil {
		return fmt.Errorf("past incidents: %w", err)
	}
	h.past.Store(&past)
	return nil
}

// Incident is one public incident, however old.
func (h *Hub) Incident(ctx context.Context, id string) (statuspage.Incident, error) {
	in, err := h.store.Incident(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return statuspage.Incident{}, statuspage.ErrNotFound
	}
	if err != nil {
		return statuspage.Incident{}, fmt.Errorf("hub: incident %s: %w", id, err)
	}
	return statuspage.ProjectIncident(h.policy.Topology(), in)
}

// Handler serves the page to the public, and the feed and the intake of changes
// to whoever holds the token.
func (h *Hub) Handler() (http.Handler, error) {
	mux := http.NewServeMux()
	mux.Handle("/", web.New(web.Config{Source: h, Logger: h.log}))
	if h.token != "" {
		alerts, err := alert.NewHandler(alert.HandlerConfig{
			Feed: feed{h}, Token: h.token, People: h.people, PageURL: h.policy.Topology().Page.URL, Logger: h.log,
		})
		if err != nil {
			return nil, fmt.Errorf("hub: %w", err)
		}
		mux.Handle("/alerts", alerts)
		mux.Handle("POST /v1/changes", alert.RequireTokens(h.token, h.people, http.HandlerFunc(h.postChange)))
		mux.Handle("GET /v1/results", alert.RequireTokens(h.token, h.people, http.HandlerFunc(h.getResults)))
		h.handlePeople(mux)
	}
	return web.CleanPath(mux), nil
}

// feed is the store's events as the feed's handler wants them.
type feed struct{ h *Hub }

func (f feed) Events(ctx context.Context, after int64, limit int) ([]alert.Event, error) {
	stored, err := f.h.store.Events(ctx, after, limit)
	if err != nil {
		return nil, err
	}
	events := make([]alert.Event, len(stored))
	for i, e := range stored {
		events[i] = alert.Event{Seq: e.Seq, Event: e.Event}
	}
	return events, nil
}

func (f feed) LastEvent(ctx context.Context) (int64, error) { return f.h.store.FeedTail(ctx) }

func (f feed) Changed() <-chan struct{} { return f.h.feed.changed() }

// deliveries makes one delivery for each sink of each event for on-call.
func (h *Hub) deliveries(events []incident.Event) ([]store.Delivery, error) {
	var all []store.Delivery
	for _, e := range events {
		a, ok := alert.FromEvent(h.policy.Topology().Page.URL, alert.Event{Event: e})
		if !ok {
			continue
		}
		body, err := alert.Body(a)
		if err != nil {
			return nil, fmt.Errorf("alert %s: %w", a.Key, err)
		}
		for sink := range h.sinks {
			all = append(all, store.Delivery{Sink: sink, Key: a.Key, Action: string(a.Action), EventID: e.ID, Body: body})
		}
	}
	return all, nil
}

// deliver drains the outbox into the sinks.
func (h *Hub) deliver(ctx context.Context) error {
	alert.NewDispatcher(alert.DispatcherConfig{
		Outbox: outbox{h.store}, Sinks: h.sinks, Changed: h.feed.changed, Logger: h.log,
		Disabled: func(sink, reason string) {
			h.log.Error("a sink wants no more alerts; what waits for it is kept until the next start", "sink", sink, "reason", reason)
		},
	}).Run(ctx)
	return ctx.Err()
}
