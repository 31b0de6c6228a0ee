package report_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"streamcanary/prober"
	"streamcanary/prober/report"
)

func TestJournalIsOneOrder(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	j := n.journal(report.JournalConfig{})
	entries := read(t, j, report.Cursor{})
	write := func(seq uint64, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if seq == 0 {
			t.Error("no sequence")
		}
	}
	due := time.Now()
	write(j.Config(t.Context(), "1", []byte("config")))
	write(j.Tick(t.Context(), due))
	write(j.Change(t.Context(), "1", []byte("change")))
	write(j.Command(t.Context(), "1", []byte("command")))
	for seq, want := range []report.Entry{
		{Kind: report.KindConfig, Payload: []byte("config")},
		{Kind: report.KindTick},
		{Kind: report.KindChange, Payload: []byte("change")},
		{Kind: report.KindCommand, Payload: []byte("command")},
	} {
		e := next(t, entries, "entry")
		if e.Kind != want.Kind || string(e.Payload) != string(want.Payload) || e.Err != "" || e.Seq != uint64(seq+1) || e.Result != nil {
			t.Errorf("entry %+v, want %+v at %d", e, want, seq+1)
		}
	}
	// Once is enough: the same id gives the first one's sequence.
	for name, again := range map[string]func() (uint64, error){
		"2": func() (uint64, error) { return j.Tick(t.Context(), due) },
		"3": func() (uint64, error) { return j.Change(t.Context(), "1", []byte("change")) },
	} {
		if seq, err := again(); err != nil || fmt.Sprint(seq) != name {
			t.Errorf("written again: %d, %v, want %s", seq, err, name)
		}
	}
	if _, err := j.Config(t.Context(), "2", make([]byte, 600<<10)); err == nil {
		t.Error("an entry of 600 KB was written")
	}
}

// TestUnreadableEntriesDoNotStop: the journal goes on behind whatever an agent,
// or a later version, has written.
func TestUnreadableEntriesDoNotStop(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	j := n.journal(report.JournalConfig{})
	fra := n.connect("fra", "key-fra", nats.CustomInboxPrefix("_INBOX_fra"))
	js, err := jetstream.New(fra)
	if err != nil {
		t.Fatal(err)
	}
	stolen, err := report.Encode(result("nyc", 1))
	if err != nil {
		t.Fatal(err)
	}
	good, err := report.Encode(result("fra", 2))
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range [][]byte{[]byte("{"), nil, []byte(`{"version":2}`), stolen, make([]byte, 100<<10), good} {
		if _, err := js.Publish(t.Context(), "streamcanary.result.fra", body); err != nil {
			t.Fatal(err)
		}
	}
	entries := read(t, j, report.Cursor{})
	for seq, want := range []string{"decode result", "decode result", "it has 2, known is 1", `agent fra sent a result in the name of agent "nyc"`, "at most 16384", ""} {
		e := next(t, entries, "entry")
		if e.Seq != uint64(seq+1) || e.Agent != "fra" || e.Kind != report.KindResult || (e.Err == "") != (want == "") || !strings.Contains(e.Err, want) || (e.Result == nil) != (want != "") {
			t.Errorf("entry %+v, want error %q", e, want)
		}
	}
}

// TestOnlyTheHubWritesItsKinds: whoever can publish to the hub's subjects still
// does not know the stream's identity.
func TestOnlyTheHubWritesItsKinds(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	j := n.journal(report.JournalConfig{})
	js, err := jetstream.New(n.connect("hub", "hub"))
	if err != nil {
		t.Fatal(err)
	}
	entries := read(t, j, report.Cursor{})
	for _, kind := range []report.Kind{report.KindTick, report.KindChange, report.KindConfig, report.KindCommand} {
		for _, id := range []string{"", "1", "x" + j.Identity() + " 1", j.Identity()} {
			m := nats.NewMsg("streamcanary." + string(kind))
			m.Data = []byte(`{"stream":"STREAMCANARY","seq":1}`)
			if id != "" {
				m.Header.Set(nats.MsgIdHdr, id+string(kind))
			}
			if _, err := js.PublishMsg(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			if e := next(t, entries, "entry"); e.Kind != kind || e.Payload != nil || !strings.Contains(e.Err, "was not written by the hub") {
				t.Errorf("message id %q: entry %+v", id, e)
			}
		}
	}
}

func TestReadFromACursor(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	j := n.journal(report.JournalConfig{})
	for i := range 600 {
		if _, err := j.Change(t.Context(), fmt.Sprint(i+1), fmt.Append(nil, i+1)); err != nil {
			t.Fatal(err)
		}
	}
	// Each batch is taken by another reader, as if the hub were killed after it.
	at, batches := report.Cursor{}, 0
	var got []string
	for len(got) < 600 {
		enough := errors.New("enough")
		err := j.Read(t.Context(), at, func(batch []report.Entry) error {
			if len(batch) == 0 || len(batch) > report.BatchSize {
				t.Errorf("a batch of %d", len(batch))
			}
			for _, e := range batch {
				got = append(got, string(e.Payload))
			}
			at = report.Cursor{Stream: j.Identity(), Seq: batch[len(batch)-1].Seq}
			return enough
		})
		if !errors.Is(err, enough) {
			t.Fatalf("Read: %v, want what do returned", err)
		}
		batches++
	}
	for i, p := range got {
		if p != fmt.Sprint(i+1) {
			t.Fatalf("entry %d has %q", i+1, p)
		}
	}
	if len(got) != 600 || batches < 3 {
		t.Errorf("%d entries in %d batches", len(got), batches)
	}
	if tail, err := j.Tail(t.Context()); err != nil || tail != at {
		t.Errorf("tail %+v, %v, want %+v", tail, err, at)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Read(ctx, at, func([]report.Entry) error { return nil }); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Read after its context ended: %v", err)
	}
}

func TestCursorThatDoesNotFit(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	j := n.journal(report.JournalConfig{})
	if _, err := j.Tick(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	nothing := func([]report.Entry) error { t.Error("entries came"); return nil }
	if err := j.Read(t.Context(), report.Cursor{Stream: j.Identity(), Seq: 2}, nothing); !errors.Is(err, report.ErrAhead) {
		t.Errorf("ahead: %v, want %v", err, report.ErrAhead)
	}
	old := report.Cursor{Stream: j.Identity(), Seq: 1}
	if again := n.journal(report.JournalConfig{MaxAge: time.Hour}); again.Identity() != j.Identity() {
		t.Error("opening the journal again changed its identity")
	}
	js, err := jetstream.New(n.connect("hub", "hub"))
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), report.StreamName); err != nil {
		t.Fatal(err)
	}
	if err := n.journal(report.JournalConfig{}).Read(t.Context(), old, nothing); !errors.Is(err, report.ErrOtherStream) {
		t.Errorf("made anew: %v, want %v", err, report.ErrOtherStream)
	}
}

func TestForeignStreamIsLeftAlone(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	nc := n.connect("hub", "hub")
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: report.StreamName, Subjects: []string{"x"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := report.OpenJournal(t.Context(), nc, report.JournalConfig{}); err == nil || !strings.Contains(err.Error(), "streamcanary did not make it") {
		t.Errorf("error %v", err)
	}
}

// TestReaderOutlivesTheServer: nothing is lost and nothing comes twice when the
// server goes and comes back below a reader.
func TestReaderOutlivesTheServer(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	j := n.journal(report.JournalConfig{})
	entries := read(t, j, report.Cursor{})
	c, _ := runClient(t, report.ClientConfig{URL: n.url()})
	for round := range uint64(3) {
		queue(t, c, round*40+1, round*40+40)
		for seq := round*40 + 1; seq <= round*40+40; seq++ {
			if e := next(t, entries, "result"); e.Seq != seq || e.Result == nil || e.Result.Seq != seq {
				t.Fatalf("entry %+v, want %d", e, seq)
			}
		}
		n.stop()
		n.start()
	}
}

func TestReadEndsWithItsConnection(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	nc := n.connect("hub", "hub")
	j, err := report.OpenJournal(t.Context(), nc, report.JournalConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Tick(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	err = j.Read(t.Context(), report.Cursor{}, func([]report.Entry) error { nc.Close(); return nil })
	if !errors.Is(err, jetstream.ErrConnectionClosed) {
		t.Errorf("Read: %v, want %v", err, jetstream.ErrConnectionClosed)
	}
}

// TestAgentCannotUseUpTheHubsIDs: an id that an agent has taken beforehand would
// make the stream swallow the hub's entry.
func TestAgentCannotUseUpTheHubsIDs(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	j := n.journal(report.JournalConfig{})
	js, err := jetstream.New(n.connect("fra", "key-fra", nats.CustomInboxPrefix("_INBOX_fra")))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"1", "change 1", "streamcanary.change 1"} {
		if _, err := js.Publish(t.Context(), "streamcanary.result.fra", []byte("{}"), jetstream.WithMsgID(id)); err != nil {
			t.Fatal(err)
		}
	}
	if seq, err := j.Change(t.Context(), "1", []byte("deploy")); err != nil || seq != 4 {
		t.Errorf("the change is entry %d (%v), want 4", seq, err)
	}
}

func TestAssignRefusesWhatNoAgentCanBe(t *testing.T) {
	t.Parallel()
	j := newServer(t).journal(report.JournalConfig{})
	if err := j.Assign(t.Context(), "fra.>", prober.Assignment{}); err == nil {
		t.Error("assigned")
	}
}

// TestKeepAssignments: they hold the platform's API key, so they go with their agent.
func TestKeepAssignments(t *testing.T) {
	t.Parallel()
	n := newServer(t)
	j := n.journal(report.JournalConfig{})
	for range 2 { // none yet, and none of those that are kept
		if err := j.KeepAssignments(t.Context(), []string{"fra", "nyc"}); err != nil {
			t.Fatal(err)
		}
	}
	a := prober.Assignment{Revision: 1, Targets: []prober.Target{{ID: "live", Platform: prober.Platform{Key: "the-api-key"}}}}
	for _, agent := range []string{"fra", "nyc", "old", "older"} {
		if err := j.Assign(t.Context(), agent, a); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.KeepAssignments(t.Context(), []string{"nyc", "fra", "new"}); err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(n.connect("hub", "hub"))
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := js.KeyValue(t.Context(), report.AssignmentBucket)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := bucket.Keys(t.Context())
	slices.Sort(keys)
	if err != nil || !slices.Equal(keys, []string{"fra", "nyc"}) {
		t.Errorf("assignments of %v (%v) are left, want of fra and nyc", keys, err)
	}
	for _, agent := range []string{"old", "older"} {
		history, err := bucket.History(t.Context(), agent)
		if err == nil && (len(history) != 1 || len(history[0].Value()) > 0) {
			t.Errorf("%s still has %q", agent, history)
		}
	}
	if err := j.Assign(t.Context(), "old", a); err != nil { // who comes back is assigned anew
		t.Fatal(err)
	}
	if entry, err := bucket.Get(t.Context(), "old"); err != nil || !strings.Contains(string(entry.Value()), "the-api-key") {
		t.Errorf("assigned again: %v, %v", entry, err)
	}
}

// BenchmarkWayToTheHub is from the queueing of one result to the reader, with the
// outbox's sync and the journal's.
func BenchmarkWayToTheHub(b *testing.B) {
	n := newServer(b)
	j := n.journal(report.JournalConfig{})
	entries := read(b, j, report.Cursor{})
	c, _ := runClient(b, report.ClientConfig{URL: n.url()})
	waitState(b, c, report.Connected)
	for seq := uint64(1); b.Loop(); seq++ {
		queue(b, c, seq, seq)
		next(b, entries, "result")
	}
}

// BenchmarkDrain is what an agent does when its hub comes back: per result.
func BenchmarkDrain(b *testing.B) {
	n := newServer(b)
	n.journal(report.JournalConfig{})
	box := openOutbox(b, report.OutboxConfig{})
	c, err := report.NewClient(report.ClientConfig{URL: n.url(), Agent: "fra", Outbox: box})
	if err != nil {
		b.Fatal(err)
	}
	queue(b, c, 1, uint64(b.N))
	b.ResetTimer()
	runClient(b, report.ClientConfig{URL: n.url(), Outbox: box})
	waitEmpty(b, box)
}
