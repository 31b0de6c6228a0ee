package alert

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// run starts a dispatcher with one sink and quick retries, and ends it with the
// test. It returns the log.
func run(t *testing.T, m *memory, sink Sink, change ...func(*DispatcherConfig)) *logs {
	t.Helper()
	l := &logs{}
	c := DispatcherConfig{
		Outbox: m, Sinks: map[string]Sink{"hook": sink}, Changed: m.Changed, Interval: 5 * time.Millisecond,
		Delay:  func(int) time.Duration { return 10 * time.Millisecond },
		Logger: slog.New(slog.NewTextHandler(l, nil)),
	}
	for _, f := range change {
		f(&c)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		NewDispatcher(c).Run(ctx)
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return l
}

type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// inbox is a receiver that remembers what it acknowledged.
type inbox struct {
	mu     sync.Mutex
	got    []string // "event-1 200", in order of arrival
	answer func(event string, attempt int) int
}

func (i *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	i.mu.Lock()
	defer i.mu.Unlock()
	event, attempt := r.Header.Get("webhook-id"), 1
	for _, g := range i.got {
		if strings.HasPrefix(g, event+" ") {
			attempt++
		}
	}
	code := http.StatusOK
	if i.answer != nil {
		code = i.answer(event, attempt)
	}
	i.got = append(i.got, fmt.Sprintf("%s %d", event, code))
	w.WriteHeader(code)
}

func (i *inbox) all() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.got)
}

func TestRetriesUntilAcknowledged(t *testing.T) {
	t.Parallel()
	in := &inbox{answer: func(event string, attempt int) int {
		if event == "event-2" && attempt < 4 { // the resolve is refused three times, each time otherwise
			return []int{500, 400, 503}[attempt-1]
		}
		return http.StatusNoContent
	}}
	s := receive(t, in.ServeHTTP)
	m := newMemory(delivery(1, "incident/a", ActionTrigger), delivery(2, "incident/a", ActionResolve))
	run(t, m, hook(t, s.URL))
	m.wait(t, "the resolve to be acknowledged", isEmpty)
	want := []string{"event-1 204", "event-2 500", "event-2 400", "event-2 503", "event-2 204"}
	if got := in.all(); !slices.Equal(got, want) {
		t.Errorf("received %q, want %q", got, want)
	}
}

// TestDownForAWhile: nothing listens, then something does, on the same port.
func TestDownForAWhile(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	m := newMemory(delivery(1, "incident/a", ActionTrigger), delivery(2, "incident/a", ActionUpdate), delivery(3, "incident/a", ActionResolve))
	log := run(t, m, hook(t, "http://user:canarypassword@"+address+"/canaryurl"))
	m.wait(t, "three failed attempts", func(m *memory) bool { return len(m.reasons) >= 3 })

	in := &inbox{}
	l, err = net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: in, ReadHeaderTimeout: time.Second}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-served
	})
	m.wait(t, "everything to be delivered", isEmpty)
	if got, want := in.all(), []string{"event-1 200", "event-2 200", "event-3 200"}; !slices.Equal(got, want) {
		t.Errorf("received %q, want %q", got, want)
	}
	for _, told := range append(m.reasons, log.String()) {
		if strings.Contains(told, "canary") || strings.Contains(told, vectorSecret) {
			t.Errorf("a secret is told: %s", told)
		}
	}
	if !strings.Contains(m.reasons[0], "connection refused") {
		t.Errorf("the reason says %q", m.reasons[0])
	}
}

// TestOrderPerKey: what waits holds back its own key, and no other.
func TestOrderPerKey(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	in := &inbox{answer: func(event string, _ int) int {
		select {
		case <-release:
			return http.StatusOK
		default:
		}
		if event == "event-1" {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	}}
	s := receive(t, in.ServeHTTP)
	m := newMemory(delivery(1, "a", ActionTrigger), delivery(2, "a", ActionResolve), delivery(3, "b", ActionTrigger))
	run(t, m, hook(t, s.URL))
	m.wait(t, "the other key", func(m *memory) bool { return len(m.queue) == 2 })
	if slices.Contains(in.all(), "event-2 200") {
		t.Error("the resolve overtook its trigger")
	}
	close(release)
	m.wait(t, "the rest", isEmpty)
	got := in.all()
	if slices.Index(got, "event-2 200") < slices.Index(got, "event-1 200") {
		t.Errorf("received %q: the resolve came before its trigger", got)
	}
}

// TestRefusedUpdateStandsAside: an update that will never be taken must not keep
// the resolve from the receiver; a trigger or a resolve is never given up.
func TestRefusedUpdateStandsAside(t *testing.T) {
	t.Parallel()
	in := &inbox{answer: func(event string, attempt int) int {
		if event == "event-2" || attempt < 6 {
			return http.StatusRequestEntityTooLarge
		}
		return http.StatusOK
	}}
	s := receive(t, in.ServeHTTP)
	m := newMemory(delivery(1, "a", ActionTrigger), delivery(2, "a", ActionUpdate), delivery(3, "a", ActionResolve))
	log := run(t, m, hook(t, s.URL))
	m.wait(t, "the resolve", isEmpty)
	count := map[string]int{}
	for _, g := range in.all() {
		count[g]++
	}
	if count["event-1 200"] != 1 || count["event-3 200"] != 1 || count["event-2 413"] != refusalsTaken {
		t.Errorf("received %v", count)
	}
	if !strings.Contains(log.String(), "given up") {
		t.Errorf("nobody was told: %s", log)
	}
}

func TestGoneDisables(t *testing.T) {
	t.Parallel()
	in := &inbox{answer: func(string, int) int { return http.StatusGone }}
	s := receive(t, in.ServeHTTP)
	m := newMemory(delivery(1, "a", ActionTrigger), delivery(2, "b", ActionTrigger))
	told := make(chan string, 2)
	c := DispatcherConfig{
		Outbox: m, Sinks: map[string]Sink{"hook": hook(t, s.URL)}, Changed: m.Changed, Interval: time.Millisecond,
		Disabled: func(sink, reason string) { told <- sink + ": " + reason },
	}
	NewDispatcher(c).Run(t.Context()) // returns by itself: its only sink is disabled
	if got := <-told; !strings.Contains(got, "answered 410 Gone") || !strings.HasPrefix(got, "hook: ") {
		t.Errorf("told %q", got)
	}
	if got := in.all(); len(got) != 1 {
		t.Errorf("received %q, want one attempt in all", got)
	}
	if len(m.queue) != 2 {
		t.Errorf("%d deliveries stay queued, want 2", len(m.queue))
	}
}

// TestBackAtOnce: once the receiver is back, what waited for a far attempt is
// delivered at once.
func TestBackAtOnce(t *testing.T) {
	t.Parallel()
	down := make(chan struct{})
	in := &inbox{answer: func(string, int) int {
		select {
		case <-down:
			return http.StatusOK
		default:
			return http.StatusBadGateway
		}
	}}
	s := receive(t, in.ServeHTTP)
	m := newMemory(delivery(1, "a", ActionTrigger), delivery(2, "a", ActionResolve))
	run(t, m, hook(t, s.URL), func(c *DispatcherConfig) {
		c.Delay = func(int) time.Duration { return 20 * time.Hour }
	})
	m.wait(t, "the first failure", func(m *memory) bool { return len(m.reasons) == 1 })
	close(down)
	m.add(delivery(3, "b", ActionTrigger))
	m.wait(t, "everything", isEmpty)
}

// TestSlowSinkHoldsNobody: sinks do not wait for each other.
func TestSlowSinkHoldsNobody(t *testing.T) {
	t.Parallel()
	in := &inbox{}
	quick := receive(t, in.ServeHTTP)
	slow := receive(t, hang)
	other := delivery(1, "a", ActionTrigger)
	other.Sink = "slow"
	m := newMemory(other, delivery(2, "a", ActionTrigger))
	run(t, m, hook(t, quick.URL), func(c *DispatcherConfig) { c.Sinks["slow"] = hook(t, slow.URL) })
	m.wait(t, "the quick sink", func(m *memory) bool { return len(m.queue) == 1 })
}

func TestDelay(t *testing.T) {
	t.Parallel()
	total, before := time.Duration(0), time.Duration(0)
	for attempts := 1; attempts <= 40; attempts++ {
		d := Delay(attempts)
		if d < before || d <= 0 {
			t.Errorf("after %d attempts %v, after the one before %v", attempts, d, before)
		}
		if total < time.Hour && d > 10*time.Minute {
			t.Errorf("after %v the receiver waits %v for the next attempt", total, d)
		}
		before, total = d, total+d
	}
	if before != 24*time.Hour {
		t.Errorf("in the end every %v, want every day, for ever", before)
	}
}
