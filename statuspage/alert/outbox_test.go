package alert

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// memory is an Outbox that keeps what the interface promises.
type memory struct {
	mu      sync.Mutex
	queue   []Delivery
	next    map[int64]time.Time
	reasons []string
	changed chan struct{}
}

func newMemory(deliveries ...Delivery) *memory {
	m := &memory{next: map[int64]time.Time{}, changed: make(chan struct{})}
	m.add(deliveries...)
	return m
}

func (m *memory) add(deliveries ...Delivery) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queue = append(m.queue, deliveries...)
	m.notify()
}

func (m *memory) notify() {
	close(m.changed)
	m.changed = make(chan struct{})
}

func (m *memory) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

func (m *memory) Due(_ context.Context, sink string, now time.Time, limit int) ([]Delivery, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var due []Delivery
	waiting := map[string]bool{}
	for _, d := range m.queue {
		if d.Sink != sink || waiting[d.Key] || len(due) == limit {
			continue
		}
		if m.next[d.ID].After(now) {
			waiting[d.Key] = true
			continue
		}
		due = append(due, d)
	}
	return due, nil
}

func (m *memory) Delivered(_ context.Context, id int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queue = slices.DeleteFunc(m.queue, func(d Delivery) bool { return d.ID == id })
	m.notify()
	return nil
}

func (m *memory) Failed(_ context.Context, id int64, next time.Time, reason string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.queue {
		if m.queue[i].ID == id {
			m.queue[i].Attempts++
		}
	}
	m.next[id] = next
	m.reasons = append(m.reasons, reason)
	m.notify()
	return nil
}

// wait blocks until done says so of the outbox.
func (m *memory) wait(t *testing.T, what string, done func(m *memory) bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		m.mu.Lock()
		ok, changed := done(m), m.changed
		m.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("waited too long for: %s", what)
		}
	}
}

func isEmpty(m *memory) bool { return len(m.queue) == 0 }

func delivery(id int64, key string, action Action) Delivery {
	return Delivery{ID: id, Sink: "hook", Key: key, Action: action, EventID: fmt.Sprintf("event-%d", id), Body: []byte(`{"id":` + fmt.Sprint(id) + `}`)}
}
