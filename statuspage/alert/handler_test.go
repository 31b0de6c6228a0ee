package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tmaxmax/go-sse"

	"streamcanary/statuspage/incident"
)

// tape is a Feed in memory.
type tape struct {
	mu      sync.Mutex
	events  []Event
	changed chan struct{}
	err     error
}

func newTape(types ...incident.EventType) *tape {
	t := &tape{changed: make(chan struct{})}
	t.add(types...)
	return t
}

func (t *tape) add(types ...incident.EventType) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, kind := range types {
		n := int64(len(t.events) + 1)
		t.events = append(t.events, Event{Seq: n, Event: incident.Event{ID: fmt.Sprintf("e%d", n), Type: kind, Key: "k", At: began}})
	}
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *tape) Events(_ context.Context, after int64, limit int) ([]Event, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	rest := t.events[min(after, int64(len(t.events))):]
	return rest[:min(limit, len(rest))], t.err
}

func (t *tape) LastEvent(context.Context) (int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return int64(len(t.events)), t.err
}

func (t *tape) Changed() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.changed
}

const bearer = "canary-token"

func alerts(t *testing.T, f Feed) http.Handler {
	t.Helper()
	h, err := NewHandler(HandlerConfig{Feed: f, Token: bearer, Heartbeat: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestNoTokenNoHandler(t *testing.T) {
	t.Parallel()
	if _, err := NewHandler(HandlerConfig{Feed: newTape()}); err == nil {
		t.Error("a handler without a token would be open to all")
	}
}

func TestAuthorization(t *testing.T) {
	t.Parallel()
	h := alerts(t, newTape(incident.IncidentOpened))
	for name, c := range map[string]struct {
		header, query string
		want          int
	}{
		"right":            {header: "Bearer " + bearer, want: 200},
		"right, lowercase": {header: "bearer " + bearer, want: 200},
		"none":             {want: 401},
		"wrong":            {header: "Bearer canary-tokem", want: 401},
		"a prefix":         {header: "Bearer canary", want: 401},
		"longer":           {header: "Bearer " + bearer + "x", want: 401},
		"empty":            {header: "Bearer ", want: 401},
		"basic":            {header: "Basic " + bearer, want: 401},
		"bare":             {header: bearer, want: 401},
		"in the address":   {query: "?token=" + bearer, want: 401},
		"as access_token":  {query: "?access_token=" + bearer, want: 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/alerts"+c.query, nil)
			if c.header != "" {
				r.Header.Set("Authorization", c.header)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("status %d, want %d", w.Code, c.want)
			}
			if w.Code != 200 && strings.Contains(w.Body.String(), "e1") {
				t.Errorf("an alert is told without the token: %s", w.Body)
			}
		})
	}
}

func ask(t *testing.T, h http.Handler, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	r.Header.Set("Authorization", "Bearer "+bearer)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPages(t *testing.T) {
	t.Parallel()
	h := alerts(t, newTape(incident.IncidentOpened, incident.ProbeRequested, incident.ProbeRequested, incident.IncidentUpdated, incident.IncidentResolved, incident.ProbeRequested))
	for _, c := range []struct {
		query string
		ids   string
		next  int64
	}{
		{"", "e1 e4 e5", 6},
		{"?limit=1", "e1", 1},
		{"?after=1&limit=1", "e4", 4}, // what is not for on-call is passed over
		{"?after=5", "", 6},
		{"?after=6", "", 6},
		{"?after=99", "", 99},
		{"?limit=0", "e1", 1},
	} {
		w := ask(t, h, http.MethodGet, "/alerts"+c.query)
		var got struct {
			Alerts []Alert `json:"alerts"`
			Next   int64   `json:"next"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v in %s", c.query, err, w.Body)
		}
		var ids []string
		for _, a := range got.Alerts {
			ids = append(ids, a.ID)
		}
		if strings.Join(ids, " ") != c.ids || got.Next != c.next || got.Alerts == nil {
			t.Errorf("%q: got %v, next %d; want %s, next %d", c.query, ids, got.Next, c.ids, c.next)
		}
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	h := alerts(t, newTape(incident.IncidentOpened))
	for target, want := range map[string]int{
		"GET /alerts?after=x": 400, "GET /alerts?after=-1": 400, "GET /alerts?limit=many": 400,
		"POST /alerts": 405, "DELETE /alerts": 405, "HEAD /alerts": 200,
	} {
		method, path, _ := strings.Cut(target, " ")
		if w := ask(t, h, method, path); w.Code != want {
			t.Errorf("%s: status %d, want %d", target, w.Code, want)
		}
	}
	broken := newTape()
	broken.err = errors.New("canary: disk on fire")
	w := ask(t, alerts(t, broken), http.MethodGet, "/alerts")
	if w.Code != 503 || strings.Contains(w.Body.String(), "canary") {
		t.Errorf("a broken feed answers %d %s", w.Code, w.Body)
	}
}

// follow opens a stream and returns its events, until stop is called.
func follow(t *testing.T, address, lastID string) (next func() sse.Event, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	r.Header.Set("Accept", "text/event-stream")
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if got := answer.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("content type %q", got)
	}
	events := make(chan sse.Event)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e, err := range sse.Read(answer.Body, nil) {
			if err != nil {
				return
			}
			if e.Data == "" { // only a place; a browser does not show it either
				continue
			}
			select {
			case events <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	stop = func() {
		cancel()
		<-done
		_ = answer.Body.Close()
	}
	t.Cleanup(stop)
	return func() sse.Event {
		t.Helper()
		select {
		case e := <-events:
			return e
		case <-time.After(10 * time.Second):
			t.Fatal("no event in time")
			return sse.Event{}
		}
	}, stop
}

// TestStreamResumesWithoutGap: who loses the connection gets what came meanwhile,
// and nothing twice.
func TestStreamResumesWithoutGap(t *testing.T) {
	t.Parallel()
	feed := newTape(incident.AgentSick, incident.AgentRecovered) // long ago: not told to who comes now
	s := httptest.NewServer(alerts(t, feed))
	t.Cleanup(s.Close)

	next, stop := follow(t, s.URL, "")
	feed.add(incident.IncidentOpened)
	first := next()
	if first.LastEventID != "3" || first.Type != "trigger" {
		t.Fatalf("first event %+v, want the opening with id 3", first)
	}
	var a Alert
	if err := json.Unmarshal([]byte(first.Data), &a); err != nil || a.ID != "e3" || a.Seq != 3 {
		t.Fatalf("data %s: %+v, %v", first.Data, a, err)
	}
	stop()

	feed.add(incident.IncidentUpdated, incident.ProbeRequested, incident.IncidentResolved)
	next, _ = follow(t, s.URL, first.LastEventID)
	feed.add(incident.ChangeReported)
	for _, want := range []string{"4 update", "6 resolve", "7 notice"} {
		if e := next(); e.LastEventID+" "+e.Type != want {
			t.Errorf("got %s %s, want %s", e.LastEventID, e.Type, want)
		}
	}
}

// TestStreamStartsSomewhere: the place is told before the first alert, and by
// the address where a header cannot be set.
func TestStreamStartsSomewhere(t *testing.T) {
	t.Parallel()
	feed := newTape(incident.AgentSick, incident.AgentRecovered)
	s := httptest.NewServer(alerts(t, feed))
	t.Cleanup(s.Close)
	next, _ := follow(t, s.URL+"?after=1", "")
	if e := next(); e.LastEventID != "2" {
		t.Errorf("after=1 begins with %q, want 2", e.LastEventID)
	}

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/alerts", nil)
	r.Header.Set("Authorization", "Bearer "+bearer)
	r.Header.Set("Accept", "text/event-stream")
	w := &watcher{ResponseRecorder: httptest.NewRecorder(), until: ": still here", found: cancel}
	alerts(t, feed).ServeHTTP(w, r)
	if !strings.HasPrefix(w.Body.String(), "id: 2\n\n") || ctx.Err() == nil {
		t.Errorf("stream begins with %q, want the place and then heartbeats", w.Body)
	}
}

// watcher is a recorder that says when something has been written.
type watcher struct {
	*httptest.ResponseRecorder
	until string
	found func()
}

func (w *watcher) FlushError() error {
	if strings.Contains(w.Body.String(), w.until) {
		w.found()
	}
	return nil
}
