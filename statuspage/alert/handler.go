package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Feed is the engine's events in order, as the handler needs them.
type Feed interface {
	// Events returns up to limit events with a sequence above after, in order.
	Events(ctx context.Context, after int64, limit int) ([]Event, error)
	// LastEvent returns the newest event's sequence, 0 when there is none.
	LastEvent(ctx context.Context) (int64, error)
	// Changed returns a channel that is closed when there is a newer event than
	// there was when Changed was called.
	Changed() <-chan struct{}
}

// The bounds of one page of the feed.
const (
	pageDefault = 100
	pageMax     = 1000
)

// HandlerConfig is what the /alerts handler needs.
type HandlerConfig struct {
	Feed      Feed
	Token     Secret            // bearer token; required
	People    map[string]Secret // tokens as good, by the name of who has one
	PageURL   string            // of the public page, for links; "" is none
	Heartbeat time.Duration     // of an event stream; 0 is 15 s
	Logger    *slog.Logger      // nil: none
}

type handler struct {
	HandlerConfig
	guarded http.Handler // what comes with the token
}

// NewHandler serves the feed to whoever holds the token: as JSON, one page per
// request ({"alerts":[...],"next":N}; ask again with ?after=N), or, with Accept:
// text/event-stream, as server-sent events whose id is the feed's sequence. A
// stream begins after Last-Event-ID, or ?after=, or else now.
func NewHandler(c HandlerConfig) (http.Handler, error) {
	if c.Token == "" {
		return nil, errors.New("alerts: no token is configured: whoever asks could read the evidence")
	}
	if c.Heartbeat <= 0 {
		c.Heartbeat = 15 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	h := &handler{HandlerConfig: c}
	h.guarded = RequireTokens(c.Token, c.People, http.HandlerFunc(h.serve))
	return h, nil
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Add("Vary", "Accept, Authorization")
	h.guarded.ServeHTTP(w, r)
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "alerts: only GET", http.StatusMethodNotAllowed)
	case r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/event-stream"):
		h.stream(w, r)
	default:
		h.page(w, r)
	}
}

func (h *handler) page(w http.ResponseWriter, r *http.Request) {
	after, err := number(r.URL.Query().Get("after"), 0)
	if err != nil {
		http.Error(w, "alerts: after: "+err.Error(), http.StatusBadRequest)
		return
	}
	limit, err := number(r.URL.Query().Get("limit"), pageDefault)
	if err != nil {
		http.Error(w, "alerts: limit: "+err.Error(), http.StatusBadRequest)
		return
	}
	alerts, next, err := h.read(r.Context(), after, int(min(max(limit, 1), pageMax)))
	if err != nil {
		h.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(struct { // the client went away: nobody to tell
		Alerts []Alert `json:"alerts"`
		Next   int64   `json:"next"`
	}{alerts, next})
}

// read reads alerts above after, and where to go on. Events that are not for
// on-call are passed over; an empty list means that there is nothing newer.
func (h *handler) read(ctx context.Context, after int64, limit int) ([]Alert, int64, error) {
	alerts := []Alert{}
	for len(alerts) == 0 {
		events, err := h.Feed.Events(ctx, after, limit)
		if err != nil || len(events) == 0 {
			return alerts, after, err
		}
		for _, e := range events {
			if a, ok := FromEvent(h.PageURL, e); ok {
				alerts = append(alerts, a)
			}
			after = max(after, e.Seq)
		}
	}
	return alerts, after, nil
}

func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return
	}
	h.Logger.ErrorContext(r.Context(), "alerts: cannot read the feed", "err", err)
	http.Error(w, "alerts: the feed cannot be read at the moment; try again", http.StatusServiceUnavailable)
}

func number(s string, def int64) (int64, error) {
	if s == "" {
		return def, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%.20q is not a sequence number: use the \"next\" of the page before", s)
	}
	return n, nil
}
