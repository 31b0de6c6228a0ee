package store_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"streamcanary/statuspage/incident"
	"streamcanary/statuspage/store"
)

const day = 24 * time.Hour

// rows is what a query finds, a row a word.
func rows(t *testing.T, path, query string) string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	found, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	var words []string
	for found.Next() {
		var word string
		if err := found.Scan(&word); err != nil {
			t.Fatal(err)
		}
		words = append(words, word)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(words, " ")
}

func TestPruneTransitions(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hub.db")
	s := open(t, path)
	types := []incident.EventType{incident.AgentSick, incident.ProbeRequested, incident.IncidentOpened}
	n := uint64(0)
	for _, age := range []int{500, 401, 399, 8, 6, 0} {
		for _, typ := range types {
			n++
			e := event(fmt.Sprintf("%s-%d", typ, age), n, typ, "k")
			e.At = start.Add(-time.Duration(age) * day)
			if typ == incident.IncidentOpened {
				e = withIncident(e, incident.Incident{ID: e.ID, CreatedAt: e.At})
			}
			commit(t, s, step(n, e))
		}
	}
	// What a sink still has to be told is not forgotten, however old.
	n++
	waiting := event("waiting-500", n, incident.AgentSick, "w")
	waiting.At = start.Add(-500 * day)
	c := step(n, waiting)
	c.Deliveries = []store.Delivery{{Sink: "hook", Key: "w", Action: "trigger", EventID: waiting.ID, Body: []byte("{}")}}
	commit(t, s, c)

	for range 2 { // the second time there is nothing to do
		if err := s.Prune(t.Context(), start); err != nil {
			t.Fatal(err)
		}
		want := "agent_sick-399 incident_opened-399 agent_sick-8 incident_opened-8 agent_sick-6 probe_requested-6 incident_opened-6 agent_sick-0 probe_requested-0 incident_opened-0 waiting-500"
		if got := rows(t, path, `SELECT id FROM transitions ORDER BY n`); got != strings.NewReplacer(
			"agent_sick", string(incident.AgentSick), "probe_requested", string(incident.ProbeRequested), "incident_opened", string(incident.IncidentOpened)).Replace(want) {
			t.Errorf("transitions that are left: %s\nwant: %s", got, want)
		}
		feed, err := s.Events(t.Context(), 0, 100)
		if err != nil || len(feed) != 9 || feed[0].Seq != 5 || !strings.HasSuffix(feed[0].Event.ID, "-399") {
			t.Errorf("feed %+v (%v), want 9 events from the fifth on", feed, err)
		}
		if tail, err := s.FeedTail(t.Context()); err != nil || tail != 13 {
			t.Errorf("the feed ends at %d (%v), want 13", tail, err)
		}
		if all, err := s.Incidents(t.Context(), store.Query{}); err != nil || len(all) != 6 {
			t.Errorf("%d incidents (%v), want all 6", len(all), err)
		}
	}
	n++
	commit(t, s, step(n, event("later", n, incident.AgentSick, "k"))) // and it goes on
	if feed, err := s.Events(t.Context(), 13, 10); err != nil || len(feed) != 1 || feed[0].Seq != 14 {
		t.Errorf("feed behind 13: %+v (%v), want the 14th", feed, err)
	}
}

func TestPruneDeliveries(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hub.db")
	s := open(t, path)
	deliver(t, s, 1, "hook a trigger")
	deliver(t, s, 2, "hook b trigger")
	found, _ := due(t, s, "hook", at(9))
	before := time.Now()
	if err := s.Delivered(t.Context(), found[0].ID); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		now  time.Time
		want string
	}{{before.Add(30*day - time.Second), "a b"}, {time.Now().Add(30*day + time.Second), "b"}, {before.Add(5000 * day), "b"}} {
		if err := s.Prune(t.Context(), test.now); err != nil {
			t.Fatal(err)
		}
		if got := rows(t, path, `SELECT key FROM deliveries ORDER BY n`); got != test.want {
			t.Errorf("at %v there are deliveries of %s, want %s", test.now, got, test.want)
		}
	}
}

// TestPruneMany is of more rows than one transaction takes; commits go on beside it.
func TestPruneMany(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hub.db")
	s := open(t, path)
	c := step(1)
	for i := range 1700 {
		e := event(fmt.Sprintf("old-%d", i), 1, incident.AgentSick, "k")
		c.Events = append(c.Events, e)
		c.Deliveries = append(c.Deliveries, store.Delivery{Sink: "gone", Key: fmt.Sprint(i % 2), Action: "update", EventID: e.ID, Body: []byte("{}")})
	}
	commit(t, s, c)
	if err := s.KeepSinks(t.Context(), []string{"hook"}); err != nil {
		t.Fatal(err)
	}
	if got := rows(t, path, `SELECT event_id FROM deliveries ORDER BY n`); got != "old-1698 old-1699" {
		t.Errorf("deliveries of %s are left, want the newest of each key", got)
	}
	done := make(chan error, 1)
	go func() { done <- s.Prune(t.Context(), at(1).Add(401*day)) }()
	for n := uint64(2); n <= 20; n++ {
		commit(t, s, step(n))
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := rows(t, path, `SELECT id FROM transitions ORDER BY n`); got != "old-1698 old-1699" {
		t.Errorf("transitions %s are left, want those that have a delivery", got)
	}
}

func TestKeepSinks(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	deliver(t, s, 1, "hook a trigger", "pager a trigger")
	deliver(t, s, 2, "hook a update", "pager a update", "pager b trigger")
	deliver(t, s, 3, "hook a resolve", "pager a resolve")
	if err := s.KeepSinks(t.Context(), []string{"hook", "pager"}); err != nil {
		t.Fatal(err)
	}
	if _, got := due(t, s, "pager", at(9)); got != "a trigger, b trigger" {
		t.Errorf("due for a sink that is kept: %s", got)
	}
	if err := s.KeepSinks(t.Context(), []string{"hook"}); err != nil {
		t.Fatal(err)
	}
	if _, got := due(t, s, "pager", at(9)); got != "b trigger, a resolve" {
		t.Errorf("due for a sink that comes back: %s, want the newest of each key", got)
	}
	if _, got := due(t, s, "hook", at(9)); got != "a trigger" {
		t.Errorf("due for the other: %s", got)
	}
	if err := s.KeepSinks(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, got := due(t, s, "hook", at(9)); got != "a resolve" {
		t.Errorf("due without any sink: %s", got)
	}
}

// TestPruneUsesIndexes: a year of history must not be read to forget a day of it.
func TestPruneUsesIndexes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hub.db")
	open(t, path)
	for _, q := range store.PruneQueries() {
		steps := plan(t, path, q)
		if !strings.HasPrefix(steps, "SEARCH") || strings.Contains(steps, "SCAN") || strings.Contains(steps, "TEMP B-TREE") {
			t.Errorf("%s\nreads or sorts more than it needs:\n%s", q, steps)
		}
	}
}

// plan is how SQLite goes about a query with two arguments.
func plan(t *testing.T, path, query string) string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	found, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	var steps []string
	for found.Next() {
		var id, parent, unused int
		var step string
		if err := found.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(steps, "\n")
}
