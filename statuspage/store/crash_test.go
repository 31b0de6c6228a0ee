package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"

	"streamcanary/statuspage/incident"
	"streamcanary/statuspage/store"
)

// crashPath makes the test binary the hub that is killed.
const crashPath = "STREAMCANARY_TEST_CRASH_STORE"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashPath); path != "" {
		if err := commitForever(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1) //nolint:forbidigo // the child has no testing.T to tell
		}
	}
	goleak.VerifyTestMain(m)
}

// commitForever goes on from what is stored, and says each entry that is
// committed.
func commitForever(path string) error {
	ctx := context.Background()
	s, err := store.Open(ctx, path)
	if err != nil {
		return err
	}
	snap, err := s.Load(ctx)
	if err != nil {
		return err
	}
	for n := snap.Cursor.Seq + 1; ; n++ {
		if err := s.Commit(ctx, crashStep(n)); err != nil {
			return err
		}
		if _, err := fmt.Println(n); err != nil {
			return err
		}
	}
}

// crashStep has an event for on-call, one that is not, an incident and two
// deliveries: rows in every table.
func crashStep(n uint64) store.Commit {
	id := fmt.Sprintf("e%d", n)
	c := step(n,
		withIncident(event(id, n, incident.IncidentUpdated, "k"), incident.Incident{ID: fmt.Sprintf("i%d", n/10), CreatedAt: at(n), UpdatedAt: at(n)}),
		event(id+"p", n, incident.ProbeRequested, "p"))
	for _, sink := range []string{"hook", "pager"} {
		c.Deliveries = append(c.Deliveries, store.Delivery{Sink: sink, Key: id, Action: "trigger", EventID: id})
	}
	return c
}

// TestKilledInTheMiddle kills the hub again and again, at no particular moment:
// what it said is there, and whatever is there is whole.
func TestKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hub.db")
	for round := range 6 {
		said := runUntilKilled(t, path, time.Duration(round)*3*time.Millisecond)
		verify(t, path, said)
	}
}

func runUntilKilled(t *testing.T, path string, more time.Duration) (said uint64) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashPath+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for count := 0; lines.Scan(); count++ {
		if said, err = strconv.ParseUint(lines.Text(), 10, 64); err != nil {
			t.Fatal(err)
		}
		if count == 20 {
			time.AfterFunc(more, func() { _ = child.Process.Kill() })
		}
	}
	if err := child.Wait(); err == nil || child.ProcessState.Exited() {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return said
}

func verify(t *testing.T, path string, said uint64) {
	t.Helper()
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	snap, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// One commit may have been synced without its word getting out.
	n := snap.Cursor.Seq
	if n != said && n != said+1 {
		t.Fatalf("stored is entry %d, said was %d", n, said)
	}
	if want := fmt.Sprintf("state %d", n); string(snap.State) != want {
		t.Errorf("state %q, want %q", snap.State, want)
	}
	feed, err := s.Events(t.Context(), 0, 1_000_000)
	if err != nil || uint64(len(feed)) != n {
		t.Fatalf("%d events in the feed (%v), want %d", len(feed), err, n)
	}
	for i, f := range feed {
		if f.Seq != int64(i+1) || f.Event.ID != fmt.Sprintf("e%d", i+1) {
			t.Fatalf("feed[%d] is %d %s", i, f.Seq, f.Event.ID)
		}
	}
	for _, sink := range []string{"hook", "pager"} {
		due, err := s.Due(t.Context(), sink, at(n), 1_000_000)
		if err != nil || uint64(len(due)) != n {
			t.Errorf("%d deliveries to %s (%v), want %d", len(due), sink, err, n)
		}
	}
	found, err := s.Incidents(t.Context(), store.Query{Limit: 1_000_000})
	if err != nil || uint64(len(found)) != n/10+1 || !found[0].UpdatedAt.Equal(at(n)) {
		t.Errorf("%d incidents (%v), want %d, the newest of %v", len(found), err, n/10+1, at(n))
	}
}
