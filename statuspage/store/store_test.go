package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/statuspage/incident"
	"streamcanary/statuspage/store"
)

// start is a time with nanoseconds, so that any rounding shows.
var start = time.Date(2024, 4, 8, 12, 0, 0, 123456789, time.UTC)

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func fresh(t *testing.T) *store.Store {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "hub.db"))
}

// step is the n-th commit of a well-behaved hub, from 1, with the given events.
func step(n uint64, events ...incident.Event) store.Commit {
	c := store.Commit{
		From: store.Cursor{Stream: "s1", Seq: n - 1}, To: store.Cursor{Stream: "s1", Seq: n},
		At: at(n), State: fmt.Appendf(nil, "state %d", n), PolicyHash: "p1", Policy: []byte("policy 1"), Events: events,
	}
	if n == 1 {
		c.From = store.Cursor{}
	}
	return c
}

func at(n uint64) time.Time { return start.Add(time.Duration(n) * time.Second) }

func event(id string, seq uint64, typ incident.EventType, key string) incident.Event {
	return incident.Event{ID: id, Seq: seq, At: at(seq), PolicyHash: "p1", Type: typ, Key: key, Summary: "what happened in " + id}
}

func withIncident(e incident.Event, i incident.Incident) incident.Event {
	e.Incident = &i
	return e
}

func commit(t *testing.T, s *store.Store, c store.Commit) {
	t.Helper()
	if err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func TestNewStoreIsEmpty(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a folder with # and ?", "hub.db")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	snap, err := s.Load(t.Context())
	if err != nil || !reflect.DeepEqual(snap, store.Snapshot{}) {
		t.Errorf("snapshot %+v, %v, want a zero one", snap, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, want 0600", info.Mode())
	}
}

// TestOldFileBecomesPrivate: whoever made it, and with whatever mode.
func TestOldFileBecomesPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hub.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	commit(t, open(t, path), step(1))
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) < 2 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want mode 0600", file, info.Mode(), err)
		}
	}
}

func TestCommitAndLoadOverARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hub.db")
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, s, step(1))
	second := step(2)
	second.Policy = nil // known already
	commit(t, s, second)
	third := step(3)
	third.PolicyHash, third.Policy = "p2", []byte("policy 2")
	commit(t, s, third)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	snap, err := open(t, path).Load(t.Context())
	want := store.Snapshot{Cursor: store.Cursor{Stream: "s1", Seq: 3}, State: []byte("state 3"), PolicyHash: "p2", Policy: []byte("policy 2")}
	if err != nil || !reflect.DeepEqual(snap, want) {
		t.Errorf("snapshot %+v, %v, want %+v", snap, err, want)
	}
}

// TestRefusedCommitsChangeNothing: each of them would leave traces if it were
// not one transaction.
func TestRefusedCommitsChangeNothing(t *testing.T) {
	t.Parallel()
	change := func(do func(*store.Commit)) store.Commit {
		c := step(2, withIncident(event("e2", 2, incident.IncidentOpened, "k"), incident.Incident{ID: "new"}))
		c.Deliveries = []store.Delivery{{Sink: "hook", Key: "k", Action: "trigger", EventID: "e2"}}
		do(&c)
		return c
	}
	for name, test := range map[string]struct {
		commit store.Commit
		fenced bool
		want   string
	}{
		"another hub went on": {change(func(c *store.Commit) { c.From = store.Cursor{} }), true, `stored is entry 1 of stream "s1", expected was 0`},
		"another stream":      {change(func(c *store.Commit) { c.From.Stream = "s0" }), true, "another hub"},
		"backwards":           {change(func(c *store.Commit) { c.To.Seq = 1 }), false, "want forwards"},
		"no stream":           {change(func(c *store.Commit) { c.To.Stream = "" }), false, "names no stream"},
		"too large":           {change(func(c *store.Commit) { c.To.Seq = 1 << 63 }), false, "too large"},
		"no policy":           {change(func(c *store.Commit) { c.PolicyHash = "" }), false, "no policy hash"},
		"event again":         {change(func(c *store.Commit) { c.Events = append(c.Events, event("e1", 2, incident.NoAgents, "k")) }), false, "event e1"},
		"delivery of nothing": {change(func(c *store.Commit) { c.Deliveries[0].EventID = "none" }), false, "delivery of none to hook"},
		"delivery twice":      {change(func(c *store.Commit) { c.Deliveries = append(c.Deliveries, c.Deliveries[0]) }), false, "delivery of e2 to hook"},
		"delivery, no action": {change(func(c *store.Commit) { c.Deliveries[0].Action = "" }), false, `action ""`},
		"delivery, no key":    {change(func(c *store.Commit) { c.Deliveries[0].Key = "" }), false, `key ""`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fresh(t)
			commit(t, s, step(1, event("e1", 1, incident.NoAgents, "k")))
			err := s.Commit(t.Context(), test.commit)
			if err == nil {
				t.Fatal("committed")
			}
			if !strings.Contains(err.Error(), test.want) || errors.Is(err, store.ErrFenced) != test.fenced {
				t.Errorf("error %q (fenced: %v), want %q (fenced: %v)", err, errors.Is(err, store.ErrFenced), test.want, test.fenced)
			}
			snap, err := s.Load(t.Context())
			if err != nil || snap.Cursor.Seq != 1 || string(snap.State) != "state 1" {
				t.Errorf("snapshot %+v, %v, want that of entry 1", snap, err)
			}
			if feed, err := s.Events(t.Context(), 0, 10); err != nil || len(feed) != 1 {
				t.Errorf("feed %+v, %v, want one event", feed, err)
			}
			if found, err := s.Incidents(t.Context(), store.Query{}); err != nil || len(found) != 0 {
				t.Errorf("incidents %+v, %v, want none", found, err)
			}
			if due, err := s.Due(t.Context(), "hook", at(99), 10); err != nil || len(due) != 0 {
				t.Errorf("due %+v, %v, want nothing", due, err)
			}
			commit(t, s, change(func(*store.Commit) {}))
		})
	}
}

// TestStreamMadeAnew: its sequences start again, the state goes on.
func TestStreamMadeAnew(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	commit(t, s, step(1))
	commit(t, s, step(2))
	c := step(1)
	c.From, c.To.Stream = store.Cursor{Stream: "s1", Seq: 2}, "s2"
	commit(t, s, c)
	if snap, err := s.Load(t.Context()); err != nil || snap.Cursor != (store.Cursor{Stream: "s2", Seq: 1}) {
		t.Errorf("snapshot %+v, %v", snap, err)
	}
}

func TestFeed(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	full := event("e1", 1, incident.ChangeReported, "change-1")
	full.Agent = "fra"
	full.Change = &incident.Change{ID: "c1", At: at(1), Summary: "deploy <7>", Source: "ci", Link: "https://x/7"}
	commit(t, s, step(1, full, event("e2", 1, incident.ProbeRequested, "p"), event("e3", 1, incident.AgentSick, "a")))
	commit(t, s, step(2))
	commit(t, s, step(3, event("e4", 3, incident.AgentRecovered, "a")))
	feed, err := s.Events(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"e1", "e3", "e4"} {
		if feed[i].Seq != int64(i+1) || feed[i].Event.ID != want {
			t.Errorf("feed[%d] is %d %s, want %d %s", i, feed[i].Seq, feed[i].Event.ID, i+1, want)
		}
	}
	if len(feed) != 3 {
		t.Errorf("%d in the feed, want 3: a request to probe is not for on-call", len(feed))
	}
	if !reflect.DeepEqual(feed[0].Event, full) {
		t.Errorf("event %+v came back as %+v", full, feed[0].Event)
	}
	if rest, err := s.Events(t.Context(), 2, 10); err != nil || len(rest) != 1 || rest[0].Seq != 3 {
		t.Errorf("behind 2: %+v, %v", rest, err)
	}
	if tail, err := s.FeedTail(t.Context()); err != nil || tail != 3 {
		t.Errorf("tail: %d, %v, want 3", tail, err)
	}
}

func TestIncidents(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	yes, no := true, false
	made := func(id string, n uint64, public bool) incident.Incident {
		return incident.Incident{ID: id, Name: "name of " + id, Target: "live", Phase: incident.Investigating, Impact: incident.ImpactMajor,
			StartedAt: at(n - 1), CreatedAt: at(n), UpdatedAt: at(n), Public: public, Components: []string{"c"},
			Updates:  []incident.Update{{ID: "u", Phase: incident.Investigating, Body: "b", At: at(n)}},
			Failures: []incident.Failure{{Element: prober.Element{Target: "live", Type: prober.ElementAPI}, Kind: prober.KindAPI}}}
	}
	a, b, c := made("a", 1, true), made("b", 2, false), made("c", 3, true)
	commit(t, s, step(1, withIncident(event("e1", 1, incident.IncidentOpened, "a"), a)))
	commit(t, s, step(2, withIncident(event("e2", 2, incident.IncidentOpened, "b"), b)))
	commit(t, s, step(3, withIncident(event("e3", 3, incident.IncidentOpened, "c"), c)))
	c.Phase, c.ResolvedAt, c.UpdatedAt, c.Target = incident.Resolved, at(4), at(4), "vod"
	between := c
	between.Phase, between.ResolvedAt = incident.Monitoring, time.Time{}
	commit(t, s, step(4,
		withIncident(event("e4", 4, incident.IncidentUpdated, "c"), between),
		withIncident(event("e5", 4, incident.IncidentResolved, "c"), c)))

	for name, test := range map[string]struct {
		query store.Query
		want  string
	}{
		"all":           {store.Query{}, "cba"},
		"public":        {store.Query{Public: &yes}, "ca"},
		"not public":    {store.Query{Public: &no}, "b"},
		"resolved":      {store.Query{Resolved: &yes}, "c"},
		"open":          {store.Query{Resolved: &no}, "ba"},
		"public, open":  {store.Query{Public: &yes, Resolved: &no}, "a"},
		"target":        {store.Query{Target: "vod"}, "c"},
		"before":        {store.Query{Before: at(3)}, "ba"},
		"limit":         {store.Query{Limit: 2}, "cb"},
		"before, limit": {store.Query{Before: at(3), Limit: 1}, "b"},
	} {
		found, err := s.Incidents(t.Context(), test.query)
		if err != nil {
			t.Fatal(err)
		}
		var ids strings.Builder
		for _, i := range found {
			ids.WriteString(i.ID)
		}
		if ids.String() != test.want {
			t.Errorf("%s: %s, want %s", name, ids.String(), test.want)
		}
	}
	got, err := s.Incident(t.Context(), "c")
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("incident c is %+v, %v, want the last of its commit: %+v", got, err, c)
	}
	if _, err := s.Incident(t.Context(), "d"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("incident d: %v, want %v", err, store.ErrNotFound)
	}
}

// TestReadersWhileWriting: every read is of one whole commit.
func TestReadersWhileWriting(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	commit(t, s, step(1))
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var last uint64
			for ctx.Err() == nil {
				snap, err := s.Load(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if want := fmt.Sprintf("state %d", snap.Cursor.Seq); string(snap.State) != want || snap.Cursor.Seq < last {
					t.Errorf("read %q at %d, after %d", snap.State, snap.Cursor.Seq, last)
					return
				}
				last = snap.Cursor.Seq
				tail, err := s.FeedTail(t.Context())
				if err != nil || tail+1 < int64(last) { // one event for each commit but the first
					t.Errorf("the feed ends at %d (%v) after entry %d", tail, err, last)
					return
				}
				if tail > 0 {
					if feed, err := s.Events(t.Context(), tail-1, 1); err != nil || len(feed) != 1 {
						t.Errorf("event %d: %+v, %v", tail, feed, err)
						return
					}
				}
			}
		})
	}
	for n := uint64(2); n <= 60; n++ {
		c := step(n, event(fmt.Sprintf("e%d", n), n, incident.NoAgents, "k"))
		c.Deliveries = []store.Delivery{{Sink: "hook", Key: "k", Action: "update", EventID: c.Events[0].ID}}
		commit(t, s, c)
		due, err := s.Due(t.Context(), "hook", at(n), 10)
		if err != nil || len(due) != 1 {
			t.Fatalf("due %+v, %v", due, err)
		}
		if err := s.Delivered(t.Context(), due[0].ID); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	wg.Wait()
}

// TestTwoHubs: of two that go on from the same state one wins each time, and the
// loser is told.
func TestTwoHubs(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hub.db")
	hubs := []*store.Store{open(t, path), open(t, path)}
	for n := uint64(1); n <= 20; n++ {
		errs := make([]error, len(hubs))
		var wg sync.WaitGroup
		for i, s := range hubs {
			wg.Go(func() {
				errs[i] = s.Commit(t.Context(), step(n, event(fmt.Sprintf("e%d-%d", n, i), n, incident.NoAgents, "k")))
			})
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), store.ErrFenced) {
			t.Fatalf("entry %d: %v, want one nil and one %v", n, errs, store.ErrFenced)
		}
	}
	if feed, err := hubs[0].Events(t.Context(), 0, 100); err != nil || len(feed) != 20 {
		t.Errorf("%d events, %v, want 20", len(feed), err)
	}
}
