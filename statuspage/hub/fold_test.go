package hub_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"streamcanary/prober/report"
)

// TestUnreadableEntries: what cannot be read is passed over and told, and what
// follows it counts.
func TestUnreadableEntries(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	h := p.start(t)
	nc, err := nats.Connect("nats://"+p.NATS, nats.UserInfo("fra", "key-fra"), nats.CustomInboxPrefix("_INBOX_fra"))
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	seq := uint64(0)
	other, err := report.Encode(turn("nyc", &seq, true)[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"no JSON", `{"version": 99}`, string(other)} {
		if _, err := js.Publish(t.Context(), "streamcanary.result.fra", []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Journal().Change(t.Context(), "bad", []byte("[]")); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Journal().Command(t.Context(), "new", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	nc.SetClosedHandler(func(*nats.Conn) { close(closed) })
	nc.Close()
	<-closed

	agents := startFleet(t, p.NATS).warm()
	agents.down.Store(true)
	waitIncident(t, h.url)
	log := h.log.String()
	if n := strings.Count(log, "cannot be read and is passed over"); n != 5 {
		t.Errorf("the log tells %d entries, want 5", n)
	}
	for _, want := range []string{
		"kind=result agent=fra", "it has 99", `in the name of agent \"nyc\"`, "kind=change", "neither a person's nor a maintenance's",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not say %s", want)
		}
	}
	if n := len(alerts(t, h.url)); n != 1 {
		t.Errorf("%d alerts, want that of the incident alone", n)
	}
}

// TestTicks: ticks come when one is due, and not in between.
func TestTicks(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	p.Settings.SilentAfter = time.Second
	h := p.start(t)
	waitAlert(t, h.url, "agents.none") // nothing but a tick can have brought it
	kinds := countEntries(t, h.Journal())
	// Each agent is due in the same second; a tick may come just before the stream's
	// own clock has it due, and housekeeping on a slow machine.
	if n := kinds[report.KindTick]; n < 1 || n > 3 {
		t.Errorf("%d ticks for one moment: %v", n, kinds)
	}
	if n := kinds[report.KindConfig]; n != 1 {
		t.Errorf("%d entries of a configuration, want 1: %v", n, kinds)
	}
}

// TestTicksInMidIncident counts the ticks of a whole incident.
func TestTicksInMidIncident(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	h := p.start(t)
	agents := startFleet(t, p.NATS).warm()
	agents.down.Store(true)
	waitIncident(t, h.url)
	agents.down.Store(false)
	waitResolved(t, h.url)
	kinds := countEntries(t, h.Journal())
	// The results' own times move the clock many times a second; ticks are for
	// what falls due in between: settling, hold, rounds, housekeeping.
	if ticks, results := kinds[report.KindTick], kinds[report.KindResult]; ticks > 20 || ticks > results/4 {
		t.Errorf("%d ticks beside %d results", ticks, results)
	}
}

func countEntries(t *testing.T, j *report.Journal) map[report.Kind]int {
	t.Helper()
	tail, err := j.Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[report.Kind]int{}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err = j.Read(ctx, report.Cursor{}, func(batch []report.Entry) error {
		for _, e := range batch {
			if kinds[e.Kind]++; e.Seq >= tail.Seq {
				cancel()
				return nil
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(fmt.Errorf("read the journal: %w", err))
	}
	return kinds
}
