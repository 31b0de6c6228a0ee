package report_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober/report"
)

func put(t *testing.T, o *report.Outbox, from, to uint64) {
	t.Helper()
	for seq := from; seq <= to; seq++ {
		if err := o.Put(t.Context(), result("fra", seq)); err != nil {
			t.Fatal(err)
		}
	}
}

func batch(t *testing.T, o *report.Outbox, after int64, limit int) []report.Pending {
	t.Helper()
	b, err := o.Batch(t.Context(), after, limit)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// seqs is what waits, as "1 2 3".
func seqs(t *testing.T, o *report.Outbox) string {
	t.Helper()
	var s []string
	for _, p := range batch(t, o, 0, 1000) {
		s = append(s, strconv.FormatUint(p.Result.Seq, 10))
	}
	return strings.Join(s, " ")
}

func TestOutboxKeepsOrderAndPlaces(t *testing.T) {
	t.Parallel()
	o := openOutbox(t, report.OutboxConfig{})
	put(t, o, 1, 5)
	first := batch(t, o, 0, 2)
	rest := batch(t, o, first[1].N, 10)
	if len(first) != 2 || len(rest) != 3 || first[0].Result.Seq != 1 || rest[0].Result.Seq != 3 {
		t.Fatalf("batches %+v and %+v", first, rest)
	}
	if err := o.Delete(t.Context(), []int64{first[1].N, rest[2].N, 12345}); err != nil {
		t.Fatal(err)
	}
	put(t, o, 6, 6)
	if got := seqs(t, o); got != "1 3 4 6" || o.Len() != 4 || o.Dropped() != 0 {
		t.Errorf("%s wait (%d, %d dropped), want 1 3 4 6", got, o.Len(), o.Dropped())
	}
	if last := batch(t, o, rest[2].N, 1); len(last) != 1 || last[0].N <= rest[2].N {
		t.Errorf("place %+v was used before", last)
	}
}

func TestOutboxDropsTheOldestAndCounts(t *testing.T) {
	t.Parallel()
	one, err := report.Encode(result("fra", 1))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a folder with # and ?", "outbox.db")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	cfg := report.OutboxConfig{Path: path, MaxResults: 3}
	o, err := report.OpenOutbox(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	put(t, o, 1, 5)
	if got := seqs(t, o); got != "3 4 5" || o.Dropped() != 2 {
		t.Errorf("%s wait, %d dropped; want 3 4 5 and 2", got, o.Dropped())
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	cfg.MaxResults, cfg.MaxBytes = 0, max(report.MaxResultSize, int64(len(one))*2)
	o = openOutbox(t, cfg)
	if o.Dropped() != 2 || o.Len() != 3 {
		t.Errorf("after a restart %d wait and %d are dropped, want 3 and 2", o.Len(), o.Dropped())
	}
	put(t, o, 6, 80)
	kept := batch(t, o, 0, 1000)
	if total := int(o.Dropped()) + len(kept); total != 80 || kept[len(kept)-1].Result.Seq != 80 || len(kept) > 60 {
		t.Errorf("%d kept and %d dropped of 80; the last is %d", len(kept), o.Dropped(), kept[len(kept)-1].Result.Seq)
	}
	if kept[0].Result.Dropped != o.Dropped() {
		t.Errorf("a result says %d dropped, want %d", kept[0].Result.Dropped, o.Dropped())
	}
}

// TestOutboxAge: by the monotonic clock while the agent runs, by the wall clock
// over a restart.
func TestOutboxAge(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outbox.db")
	synctest.Test(t, func(t *testing.T) {
		o, err := report.OpenOutbox(t.Context(), report.OutboxConfig{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		r := result("fra", 1)
		<-time.After(2 * time.Second) // of the bubble's clock: the result waits before it is put
		if err := o.Put(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Hour)
		if age := batch(t, o, 0, 1)[0].Result.Age; age != time.Hour+2*time.Second {
			t.Errorf("age %v, want 1h0m2s", age)
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		if o, err = report.OpenOutbox(t.Context(), report.OutboxConfig{Path: path}); err != nil {
			t.Fatal(err)
		}
		if age := batch(t, o, 0, 1)[0].Result.Age; age != time.Hour+time.Minute+2*time.Second {
			t.Errorf("age after a restart %v, want 1h1m2s", age)
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestOutboxIsOfOneProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outbox.db")
	openOutbox(t, report.OutboxConfig{Path: path})
	if o, err := report.OpenOutbox(t.Context(), report.OutboxConfig{Path: path}); err == nil {
		_ = o.Close()
		t.Error("opened twice")
	} else if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "no other agent using it") {
		t.Errorf("error %q does not say what to do", err)
	}
}

// TestOutboxDropsWhatItCannotRead: a row of another version does not block the way.
func TestOutboxDropsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outbox.db")
	o, err := report.OpenOutbox(t.Context(), report.OutboxConfig{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	put(t, o, 1, 3)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `UPDATE results SET body = '{"version":9}' WHERE n = 2`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	o = openOutbox(t, report.OutboxConfig{Path: path})
	if got := seqs(t, o); got != "1 3" || o.Dropped() != 1 || o.Len() != 2 {
		t.Errorf("%s wait (%d), %d dropped; want 1 3 and 1", got, o.Len(), o.Dropped())
	}
}

func TestOutboxTakesManyAtOnce(t *testing.T) {
	t.Parallel()
	o := openOutbox(t, report.OutboxConfig{})
	var wg sync.WaitGroup
	for i := range uint64(8) {
		wg.Go(func() { put(t, o, i*20+1, i*20+20) })
	}
	wg.Go(func() {
		for range 50 {
			batch(t, o, 0, 10)
		}
	})
	wg.Wait()
	seen := map[uint64]bool{}
	for _, p := range batch(t, o, 0, 1000) {
		seen[p.Result.Seq] = true
	}
	if len(seen) != 160 || o.Len() != 160 {
		t.Errorf("%d different results of 160, Len %d", len(seen), o.Len())
	}
}

// putForever is the agent that is killed; it says each result that is safe.
func putForever(path string) error {
	ctx := context.Background()
	o, err := report.OpenOutbox(ctx, report.OutboxConfig{Path: path})
	if err != nil {
		return err
	}
	for seq := uint64(o.Len()) + 1; ; seq++ {
		if err := o.Put(ctx, result("fra", seq)); err != nil {
			return err
		}
		if _, err := fmt.Println(seq); err != nil {
			return err
		}
	}
}

// TestOutboxSurvivesKill kills an agent again and again, at no particular moment.
func TestOutboxSurvivesKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outbox.db")
	for round := range 6 {
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
		var said int
		lines := bufio.NewScanner(out)
		for count := 0; lines.Scan(); count++ {
			if said, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(err)
			}
			if count == 20 {
				time.AfterFunc(time.Duration(round)*2*time.Millisecond, func() { _ = child.Process.Kill() })
			}
		}
		if err := child.Wait(); err == nil || child.ProcessState.Exited() {
			t.Fatalf("the child ended by itself: %v", err)
		}
		o, err := report.OpenOutbox(t.Context(), report.OutboxConfig{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		// One result may have been synced without its word getting out.
		all := batch(t, o, 0, 100_000)
		if len(all) != said && len(all) != said+1 || o.Len() != len(all) {
			t.Errorf("%d results are there (Len %d), %d were said", len(all), o.Len(), said)
		}
		for i, p := range all {
			if p.Result.Seq != uint64(i+1) {
				t.Fatalf("result %d at place %d", p.Result.Seq, i+1)
			}
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOutboxIsPrivate: results name hosts and say what is wrong with them.
func TestOutboxIsPrivate(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]os.FileMode{"new": 0, "of an older version": 0o644} {
		path := filepath.Join(t.TempDir(), "outbox.db")
		if mode != 0 {
			o, err := report.OpenOutbox(t.Context(), report.OutboxConfig{Path: path})
			if err != nil {
				t.Fatal(err)
			}
			put(t, o, 1, 1)
			if err := o.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path+"-wal", nil, mode); err != nil { // as a kill leaves it
				t.Fatal(err)
			}
			for _, file := range []string{path, path + "-wal"} {
				if err := os.Chmod(file, mode); err != nil {
					t.Fatal(err)
				}
			}
		}
		put(t, openOutbox(t, report.OutboxConfig{Path: path}), 2, 2)
		files, err := filepath.Glob(path + "*")
		if err != nil || len(files) < 2 {
			t.Fatalf("files %v, %v", files, err)
		}
		for _, file := range files {
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %s has mode %v, want 0600", name, filepath.Base(file), info.Mode())
			}
		}
	}
}

// TestOutboxCountsWhatTheDiskRefuses: a result that could not be stored is lost,
// and the hub is told so once there is room again.
func TestOutboxCountsWhatTheDiskRefuses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "outbox.db")
	o, err := report.OpenOutbox(t.Context(), report.OutboxConfig{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	put(t, o, 1, 1)
	limit := o.LimitPages(t)
	lost := uint64(0)
	for seq := uint64(2); seq < 40; seq++ {
		r := result("fra", seq)
		r.Detail = strings.Repeat("x", 300)
		if o.Put(t.Context(), r) != nil {
			lost++
		}
	}
	if lost == 0 || o.Dropped() != lost {
		t.Errorf("%d dropped, want %d", o.Dropped(), lost)
	}
	if got := batch(t, o, 0, 1)[0].Result.Dropped; got != lost {
		t.Errorf("a result says %d dropped, want %d", got, lost)
	}
	limit(false)
	put(t, o, 50, 50)
	if o.Dropped() != lost {
		t.Errorf("with room again %d dropped, want %d", o.Dropped(), lost)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if o = openOutbox(t, report.OutboxConfig{Path: path}); o.Dropped() != lost {
		t.Errorf("after a restart %d dropped, want %d", o.Dropped(), lost)
	}
	// What cannot be sent at all was never a result to lose.
	if err := o.Put(t.Context(), result("a b", 1)); err == nil || o.Dropped() != lost {
		t.Errorf("an invalid result: %v, %d dropped, want %d", err, o.Dropped(), lost)
	}
}
