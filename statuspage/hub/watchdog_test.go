package hub

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"streamcanary/statuspage/alert"
	"streamcanary/statuspage/incident"
)

// scriptedSink refuses as often as it is told to.
type scriptedSink struct {
	refuse int
	got    []string
}

func (s *scriptedSink) Send(_ context.Context, d alert.Delivery) error {
	if s.refuse > 0 {
		s.refuse--
		return errors.New("refused")
	}
	s.got = append(s.got, string(d.Action)+" "+d.Key)
	return nil
}

func TestStandstillIsToldUntilAcknowledged(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	key := "hub/standstill/2026-11-22T12:00:00Z"
	good, slow := &scriptedSink{}, &scriptedSink{refuse: 2}
	h := &Hub{log: slog.New(slog.DiscardHandler), sinks: map[string]alert.Sink{"good": good, "slow": slow}}
	var w standstill
	last := begun
	look := func(after time.Duration) { w.look(t.Context(), h, begun.Add(after), last) }

	look(stalledAfter)
	if len(good.got) > 0 {
		t.Fatalf("told %v of a hub that only waits for its next tick", good.got)
	}
	look(stalledAfter + time.Second)
	look(stalledAfter + 2*time.Second) // too early for another attempt
	if want := []string{"trigger " + key}; !slices.Equal(good.got, want) || len(slow.got) > 0 {
		t.Fatalf("good got %v, slow got %v", good.got, slow.got)
	}
	look(stalledAfter + 2*time.Minute) // refused again
	look(stalledAfter + 4*time.Minute)
	if want := []string{"trigger " + key}; !slices.Equal(good.got, want) || !slices.Equal(slow.got, want) {
		t.Fatalf("good got %v, slow got %v", good.got, slow.got)
	}
	slow.refuse = 1
	last = begun.Add(stalledAfter + 4*time.Minute)
	look(stalledAfter + 4*time.Minute + time.Second)
	last = begun.Add(stalledAfter + 6*time.Minute)
	look(stalledAfter + 6*time.Minute)
	want := []string{"trigger " + key, "resolve " + key}
	if !slices.Equal(good.got, want) || !slices.Equal(slow.got, want) {
		t.Errorf("good got %v, slow got %v, want %v", good.got, slow.got, want)
	}
	if !w.begun.IsZero() || len(w.told) > 0 {
		t.Errorf("it is over, but %+v is kept", w)
	}
}

// What nobody has looked at since is not good.
func TestPageOfAStandstillIsUnknown(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	checked := now.Add(-2 * time.Minute)
	v := incident.View{At: checked, Components: []incident.ComponentState{{ID: "a", Status: incident.Operational, CheckedAt: checked}}}
	var h Hub
	h.tookIn.Store(now.Add(-time.Second).UnixNano())
	if got := h.honest(v, now).Components[0]; !got.UnknownSince.IsZero() {
		t.Errorf("a hub that moves: unknown since %v", got.UnknownSince)
	}
	h.tookIn.Store(checked.UnixNano())
	if got := h.honest(v, now).Components[0]; !got.UnknownSince.Equal(checked) || got.Status != incident.Operational {
		t.Errorf("a hub that stands still: %+v, want unknown since %v and the last status", got, checked)
	}
	if !v.Components[0].UnknownSince.IsZero() {
		t.Error("the view itself was changed")
	}
}
