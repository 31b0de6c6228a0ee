package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"streamcanary/statuspage/incident"
	"streamcanary/statuspage/store"
)

// deliver commits one event with deliveries "sink key action".
func deliver(t *testing.T, s *store.Store, n uint64, what ...string) {
	t.Helper()
	c := step(n, event(fmt.Sprintf("e%d", n), n, incident.IncidentUpdated, "k"))
	for _, w := range what {
		f := strings.Fields(w)
		c.Deliveries = append(c.Deliveries, store.Delivery{Sink: f[0], Key: f[1], Action: f[2], EventID: c.Events[0].ID, Body: []byte(w)})
	}
	commit(t, s, c)
}

// due is what is due for a sink, as "key action" in order.
func due(t *testing.T, s *store.Store, sink string, now time.Time) ([]store.Due, string) {
	t.Helper()
	found, err := s.Due(t.Context(), sink, now, 10)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, d := range found {
		if string(d.Body) != fmt.Sprintf("%s %s %s", d.Sink, d.Key, d.Action) {
			t.Errorf("body %q of %+v", d.Body, d)
		}
		words = append(words, d.Key+" "+d.Action)
	}
	return found, strings.Join(words, ", ")
}

func TestDeliveriesOfAKeyStayInOrder(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	deliver(t, s, 1, "hook a trigger", "pager a trigger")
	deliver(t, s, 2, "hook b trigger")
	deliver(t, s, 3, "hook a update")
	deliver(t, s, 4, "hook a resolve", "pager a resolve")

	found, got := due(t, s, "hook", at(4))
	if got != "a trigger, b trigger" {
		t.Fatalf("due: %s", got)
	}
	// A failure delays its own key only, and only until its time has come.
	if err := s.Failed(t.Context(), found[0].ID, at(60), "status 503"); err != nil {
		t.Fatal(err)
	}
	if _, got := due(t, s, "hook", at(59)); got != "b trigger" {
		t.Errorf("due while a waits: %s", got)
	}
	found, got = due(t, s, "hook", at(60))
	if got != "a trigger, b trigger" || found[0].Attempts != 1 || found[0].Error != "status 503" || !found[0].CreatedAt.Equal(at(1)) {
		t.Errorf("due at its time: %s, %+v", got, found[0])
	}
	for _, want := range []string{"a trigger", "a update", "a resolve"} {
		found, got = due(t, s, "hook", at(60))
		if !strings.Contains(got, want) {
			t.Fatalf("due: %s, want %s in it", got, want)
		}
		for _, d := range found {
			if d.Key == "a" {
				for range 2 { // a second acknowledgement changes nothing
					if err := s.Delivered(t.Context(), d.ID); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	if _, got := due(t, s, "hook", at(60)); got != "b trigger" {
		t.Errorf("due after a: %s", got)
	}
	if _, got := due(t, s, "pager", at(60)); got != "a trigger" {
		t.Errorf("due for the other sink: %s", got)
	}
}

// TestResolveWaitsForever: however often it fails, it is not given up.
func TestResolveWaitsForever(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	deliver(t, s, 1, "hook a trigger")
	deliver(t, s, 2, "hook a resolve")
	found, _ := due(t, s, "hook", at(2))
	if err := s.Delivered(t.Context(), found[0].ID); err != nil {
		t.Fatal(err)
	}
	for i := range uint64(200) {
		found, got := due(t, s, "hook", at(3+i))
		if got != "a resolve" || found[0].Attempts != int(i) {
			t.Fatalf("attempt %d: due %s, %+v", i, got, found)
		}
		if err := s.Failed(t.Context(), found[0].ID, at(4+i), strings.Repeat("ü", 1000)+"\xff"); err != nil {
			t.Fatal(err)
		}
	}
	found, _ = due(t, s, "hook", at(999))
	if text := found[0].Error; len(text) != 300 || !utf8.ValidString(text) {
		t.Errorf("error of %d bytes: %q", len(text), text)
	}
}

func TestLateFailureDoesNotTakeBackAnAcknowledgement(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	deliver(t, s, 1, "hook a trigger")
	found, _ := due(t, s, "hook", at(1))
	if err := s.Delivered(t.Context(), found[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := s.Failed(t.Context(), found[0].ID, at(1), "late"); err != nil {
		t.Fatal(err)
	}
	if _, got := due(t, s, "hook", at(9)); got != "" {
		t.Errorf("due: %s", got)
	}
	if err := s.Delivered(t.Context(), 12345); err == nil {
		t.Error("a delivery that does not exist was delivered")
	}
}
