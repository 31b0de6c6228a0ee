package report_test

import (
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"streamcanary/prober"
	"streamcanary/prober/report"
)

func TestResultsArriveOnceAndInOrder(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	j := n.journal(report.JournalConfig{})
	entries := read(t, j, report.Cursor{})
	box := openOutbox(t, report.OutboxConfig{})
	c, _ := runClient(t, report.ClientConfig{URL: n.url(), Outbox: box})
	queue(t, c, 1, 100)
	for seq := uint64(1); seq <= 100; seq++ {
		e := next(t, entries, "result")
		if e.Err != "" || e.Kind != report.KindResult || e.Agent != "fra" || e.Seq != seq || e.Result.Seq != seq {
			t.Fatalf("entry %+v, want result %d of fra", e, seq)
		}
		if e.At.Location() != time.UTC || time.Since(e.At) > time.Minute {
			t.Errorf("entry %d is of %v", seq, e.At)
		}
	}
	waitEmpty(t, box)
}

// TestAgentWithoutItsHub is the heart of it: whatever happens between, the hub
// has each result once, with its true age.
func TestAgentWithoutItsHub(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	j := n.journal(report.JournalConfig{})
	box := openOutbox(t, report.OutboxConfig{})
	c, _ := runClient(t, report.ClientConfig{URL: n.url(), Outbox: box})
	waitState(t, c, report.Connected)
	queue(t, c, 1, 50)
	waitEmpty(t, box)

	n.stop()
	waitState(t, c, report.Disconnected)
	queue(t, c, 51, 300)
	if got := box.Len(); got != 250 {
		t.Errorf("%d results wait, want 250", got)
	}
	n.start()
	waitEmpty(t, box)
	waitState(t, c, report.Connected)

	// What was in flight when the server went may overtake its neighbours.
	entries := read(t, j, report.Cursor{})
	seen := map[uint64]bool{}
	for range 300 {
		e := next(t, entries, "result")
		if e.Result == nil || seen[e.Result.Seq] || e.Result.Seq < 1 || e.Result.Seq > 300 {
			t.Fatalf("entry %+v, want each of the results 1 to 300 once", e)
		}
		seen[e.Result.Seq] = true
	}
	if tail, err := j.Tail(t.Context()); err != nil || tail.Seq != 300 {
		t.Errorf("the journal ends at %d (%v), want 300", tail.Seq, err)
	}
}

// TestServerDiesUnderLoad restarts the server again and again while results are
// in flight, so that acknowledgements get lost and results are sent twice.
func TestServerDiesUnderLoad(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	j := n.journal(report.JournalConfig{})
	box := openOutbox(t, report.OutboxConfig{})
	c, _ := runClient(t, report.ClientConfig{URL: n.url(), Outbox: box, InFlight: 32})
	const rounds, each = 4, 150
	for i := range uint64(rounds) {
		queued := make(chan struct{})
		go func() {
			defer close(queued)
			queue(t, c, i*each+1, (i+1)*each)
		}()
		waitState(t, c, report.Connected)
		n.stop()
		<-queued
		n.start()
	}
	waitEmpty(t, box)
	entries := read(t, j, report.Cursor{})
	seen := map[uint64]bool{}
	for range rounds * each {
		e := next(t, entries, "result")
		if e.Result == nil || seen[e.Result.Seq] {
			t.Fatalf("entry %+v is no result, or came twice", e)
		}
		seen[e.Result.Seq] = true
	}
	if tail, err := j.Tail(t.Context()); err != nil || tail.Seq != rounds*each {
		t.Errorf("the journal ends at %d (%v), want %d", tail.Seq, err, rounds*each)
	}
}

// TestLateJournal starts the agent before the hub has ever made its stream.
func TestLateJournal(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	box := openOutbox(t, report.OutboxConfig{})
	c, _ := runClient(t, report.ClientConfig{URL: n.url(), Outbox: box})
	queue(t, c, 1, 3)
	if s := waitState(t, c, report.Refused); !strings.Contains(s.Detail, "no journal yet") {
		t.Errorf("state %+v does not say that there is no journal", s)
	}
	n.journal(report.JournalConfig{})
	waitEmpty(t, box)
	waitState(t, c, report.Connected)
}

func TestWrongKeyIsRefusedUntilItIsRight(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	c, _ := runClient(t, report.ClientConfig{URL: n.url(), Agent: "fra", Key: "wrong-key"})
	s := waitState(t, c, report.Refused)
	if !strings.Contains(s.Detail, "agent fra") || strings.Contains(s.Detail, "wrong-key") {
		t.Errorf("detail %q: want the agent's name and not the key", s.Detail)
	}
	n.stop()
	n.opts.Users[1].Password = "wrong-key"
	n.start()
	waitState(t, c, report.Connected)
}

func TestForbiddenPublishIsRefused(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	n.stop()
	n.opts.Users[1].Permissions.Publish.Allow = []string{"nothing"}
	n.start()
	n.journal(report.JournalConfig{})
	box := openOutbox(t, report.OutboxConfig{})
	c, _ := runClient(t, report.ClientConfig{URL: n.url(), Outbox: box, AckTimeout: 200 * time.Millisecond})
	queue(t, c, 1, 1)
	if s := waitState(t, c, report.Refused); !strings.Contains(strings.ToLower(s.Detail), "permissions violation") {
		t.Errorf("detail %q does not speak of permissions", s.Detail)
	}
	if box.Len() != 1 {
		t.Error("a refused result is not kept")
	}
	n.stop()
	n.opts.Users[1].Permissions = user("fra").Permissions
	n.start()
	waitEmpty(t, box)
	waitState(t, c, report.Connected)
}

func TestAssignments(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	j := n.journal(report.JournalConfig{})
	want := prober.Assignment{
		Revision: 7,
		Targets: []prober.Target{{ID: "live", Platform: prober.Platform{Type: "livepeer", API: "http://x/api", Key: "api-key"},
			Ingests: []prober.Ingest{{ID: "fra", Region: "eu", URL: "rtmp://x/live/{stream}"}}}},
		Probes: []prober.Probe{{Kind: prober.KindGoLive, Target: "live", Schedule: "@every 2s", Offset: time.Second}},
	}
	assign := func(agent string, a prober.Assignment) {
		t.Helper()
		if err := j.Assign(t.Context(), agent, a); err != nil {
			t.Fatal(err)
		}
	}
	assign("fra", want) // before the agent is there
	assign("nyc", prober.Assignment{Revision: 99})
	c, _ := runClient(t, report.ClientConfig{URL: n.url()})
	got := next(t, c.Assignments(), "first assignment")
	if got.Revision != 7 || got.Targets[0].Platform.Key.Reveal() != "api-key" || !reflect.DeepEqual(got.Probes[0], want.Probes[0]) {
		t.Errorf("assignment %+v, want %+v", got, want)
	}
	want.Revision = 8
	assign("fra", want) // while it is there
	if got := next(t, c.Assignments(), "second assignment"); got.Revision != 8 {
		t.Errorf("revision %d, want 8", got.Revision)
	}
	n.stop()
	n.start()
	want.Revision = 9
	j2 := n.journal(report.JournalConfig{})
	if err := j2.Assign(t.Context(), "fra", want); err != nil {
		t.Fatal(err)
	}
	if got := next(t, c.Assignments(), "assignment after a restart"); got.Revision != 9 {
		t.Errorf("revision %d, want 9: the unchanged one must not be repeated", got.Revision)
	}
}

// TestBadAssignmentIsRefused: what is no assignment must not stop an agent's probes.
func TestBadAssignmentIsRefused(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	j := n.journal(report.JournalConfig{})
	js, err := jetstream.New(n.connect("hub", "hub"))
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := js.KeyValue(t.Context(), report.AssignmentBucket)
	if err != nil {
		t.Fatal(err)
	}
	logged := make(chan string, 16)
	c, _ := runClient(t, report.ClientConfig{URL: n.url(), RefreshPeriod: 10 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(lines(logged), nil))})
	good := prober.Assignment{Revision: 1, Targets: []prober.Target{{ID: "live"}}}
	for i, bad := range []string{
		`{"stream":"STREAMCANARY","seq":7}`, "{", "", `{"version":1}`, `{"version":1,"assignment":null}`, `{"version":1,"assignment":{"revision":9}}`,
		`{"version":1,"assignment":{"revision":9,"targets":null}}`, `{"version":1,"assignment":{"revision":9,"targets":{}}}`,
		`{"version":1,"assignment":{"revision":9,"targets":[{}]}}`,
		`{"version":1,"assignment":{"revision":9,"targets":[],"probes":[{"kind":"x"}]}}`,
		`{"version":1,"assignment":{"revision":9,"targets":[],"probes":[{"kind":"canary","target":"live"}]}}`,
	} {
		good.Revision = uint64(i + 1)
		if err := j.Assign(t.Context(), "fra", good); err != nil {
			t.Fatal(err)
		}
		if got := next(t, c.Assignments(), "good assignment"); got.Revision != good.Revision {
			t.Errorf("before %s: revision %d, want %d", bad, got.Revision, good.Revision)
		}
		if _, err := bucket.Put(t.Context(), "fra", []byte(bad)); err != nil {
			t.Fatal(err)
		}
		if line := next(t, logged, "a word about "+bad); !strings.Contains(line, "the last one stays") {
			t.Errorf("%s: logged %q", bad, line)
		}
	}
	// An agent without targets is one that waits.
	if err := j.Assign(t.Context(), "fra", prober.Assignment{Revision: 99}); err != nil {
		t.Fatal(err)
	}
	if got := next(t, c.Assignments(), "empty assignment"); got.Revision != 99 || len(got.Targets) != 0 {
		t.Errorf("assignment %+v, want an empty one of revision 99", got)
	}
}

// lines takes what a logger writes, a line at a time.
type lines chan<- string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func TestProbeNow(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	j := n.journal(report.JournalConfig{})
	c, _ := runClient(t, report.ClientConfig{URL: n.url()})
	waitState(t, c, report.Connected)
	want := prober.ProbeNow{ID: "p1", Target: "live", Kinds: []prober.Kind{prober.KindGoLive, prober.KindCanary}, Rounds: 4, Spacing: 2 * time.Second}
	tick := time.NewTicker(50 * time.Millisecond) // until the subscription is there
	defer tick.Stop()
	for {
		if err := j.ProbeNow(want); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-c.ProbeNow():
			if got.ID != want.ID || len(got.Kinds) != 2 || got.Rounds != 4 || got.Spacing != want.Spacing {
				t.Errorf("got %+v, want %+v", got, want)
			}
			return
		case <-tick.C:
		}
	}
}

func TestProbeNowIsBounded(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	j := n.journal(report.JournalConfig{})
	for name, p := range map[string]prober.ProbeNow{
		"no rounds":    {Kinds: []prober.Kind{prober.KindCanary}},
		"many rounds":  {Kinds: []prober.Kind{prober.KindCanary}, Rounds: 1000},
		"no kind":      {Rounds: 1},
		"unknown kind": {Rounds: 1, Kinds: []prober.Kind{"x"}},
	} {
		if err := j.ProbeNow(p); err == nil {
			t.Errorf("%s: sent", name)
		}
	}
}

func TestQueueRefusesWhatTheHubWould(t *testing.T) {
	t.Parallel()
	box := openOutbox(t, report.OutboxConfig{})
	c, err := report.NewClient(report.ClientConfig{URL: "nats://127.0.0.1:1", Agent: "fra", Outbox: box})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Queue(t.Context(), result("nyc", 1)); err == nil {
		t.Error("a result of another agent was taken")
	}
	bad := result("fra", 1)
	bad.Outcome = "sideways"
	if err := c.Queue(t.Context(), bad); err == nil {
		t.Error("a result that cannot be sent was taken")
	}
	if box.Len() != 0 {
		t.Errorf("%d results in the outbox, want none", box.Len())
	}
}

// TestLatency holds the way of a result to the hub to a bound; see also
// BenchmarkWayToTheHub.
func TestLatency(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	j := n.journal(report.JournalConfig{})
	entries := read(t, j, report.Cursor{})
	c, _ := runClient(t, report.ClientConfig{URL: n.url()})
	waitState(t, c, report.Connected)
	best := time.Hour
	for seq := uint64(1); seq <= 20; seq++ {
		start := time.Now()
		queue(t, c, seq, seq)
		next(t, entries, "result")
		best = min(best, time.Since(start))
	}
	if best > 50*time.Millisecond {
		t.Errorf("the fastest of 20 results took %v, want 50 ms or less", best)
	}
}
