package hub_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"streamcanary/prober/report"
	"streamcanary/statuspage/hub"
)

// smallDisk mounts a disk of some megabytes, which takes root.
func smallDisk(t *testing.T, megabytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes)); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no small disk, and CI=true: run this as root: %v", err)
		}
		t.Skipf("no small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill takes all but some megabytes of the disk.
func fill(t *testing.T, dir string, leave int64) {
	t.Helper()
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	size := int64(fs.Bavail)*fs.Bsize - leave<<20
	if err := os.WriteFile(filepath.Join(dir, "of-somebody-else"), make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
}

// journalOn runs do with a hub's journal in dir, and its bound.
func journalOn(t *testing.T, cfg hub.NATSConfig, do func(j *report.Journal, maxBytes int64)) {
	t.Helper()
	n, err := hub.StartNATS(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	nc, err := n.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	j, err := n.OpenJournal(t.Context(), nc)
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), report.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	do(j, stream.CachedInfo().Config.MaxBytes)
}

// TestJournalFitsItsDisk: a hub starts on a small disk, and again when that is
// full, with the same journal.
func TestJournalFitsItsDisk(t *testing.T) {
	t.Parallel()
	for name, configured := range map[string]int64{"default": 0, "configured": 64 << 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := natsConfig(t)
			dir := smallDisk(t, 96)
			cfg.StoreDir, cfg.MaxBytes, cfg.SyncInterval = filepath.Join(dir, "nats"), configured, 1<<40
			var tail report.Cursor
			journalOn(t, cfg, func(j *report.Journal, maxBytes int64) {
				if want := max(configured, 48<<20); maxBytes > want || maxBytes < want-1<<20 {
					t.Errorf("the journal may hold %d bytes, want about %d", maxBytes, want)
				}
				for i := range 100 {
					if _, err := j.Change(t.Context(), fmt.Sprint(i), make([]byte, 400<<10)); err != nil {
						t.Fatal(err)
					}
				}
				var err error
				if tail, err = j.Tail(t.Context()); err != nil {
					t.Fatal(err)
				}
			})
			fill(t, dir, 4)
			journalOn(t, cfg, func(j *report.Journal, maxBytes int64) {
				if maxBytes > 23<<20 || maxBytes < 19<<20 {
					t.Errorf("the journal may hold %d bytes, want half of what it held and 4 MB", maxBytes)
				}
				if again, err := j.Tail(t.Context()); err != nil || again != tail {
					t.Errorf("tail %+v (%v), want %+v", again, err, tail)
				}
				if _, err := j.Change(t.Context(), "after", make([]byte, 400<<10)); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestDiskTooSmall: the error is for the person who has to do something.
func TestDiskTooSmall(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*hub.NATSConfig)
		want   string
	}{
		"default":    {func(*hub.NATSConfig) {}, "the journal needs 33 MB (33554432 bytes), free are 8 MB (8388608 bytes)"},
		"configured": {func(c *hub.NATSConfig) { c.MaxBytes = 512e6 }, "the journal needs 512 MB (512000000 bytes), free are 8 MB (8388608 bytes)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := natsConfig(t)
			cfg.StoreDir = smallDisk(t, 8)
			test.change(&cfg)
			checkTooSmall(t, cfg, test.want)
		})
	}
}

// TestStoreTooSmall is of a server with a bound of its own.
func TestStoreTooSmall(t *testing.T) {
	t.Parallel()
	cfg := natsConfig(t)
	cfg.MaxStore, cfg.MaxBytes = 20<<20, 24e6
	checkTooSmall(t, cfg, "the journal needs 24 MB (24000000 bytes), free are ")
}

func checkTooSmall(t *testing.T, cfg hub.NATSConfig, want string) {
	t.Helper()
	n := startNATS(t, cfg)
	_, err := n.OpenJournal(t.Context(), own(t, n))
	if err == nil {
		t.Fatal("opened")
	}
	for _, part := range []string{"not enough disk at " + cfg.StoreDir + ": ", want, "; make room, set nats.max_bytes lower, or move the data folder to a larger disk"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

// TestFullDisk: the server goes silent when it cannot write, so it has to be told
// otherwise; started again, with some room, it goes on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	cfg := natsConfig(t)
	dir := smallDisk(t, 64)
	cfg.StoreDir = filepath.Join(dir, "nats")
	n := startNATS(t, cfg)
	nc := own(t, n)
	j, err := n.OpenJournal(t.Context(), nc)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, dir, 2)
	for i := range 8 {
		if err := nc.PublishMsg(&nats.Msg{Subject: "streamcanary.change", Data: make([]byte, 400<<10)}); err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
	}
	select {
	case err := <-n.Failed():
		for _, part := range []string{"not enough disk at " + cfg.StoreDir, "make room", "no space left on device"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("error %q does not say %q", err, part)
			}
		}
	case <-time.After(20 * time.Second):
		t.Fatal("nobody was told within 20 s")
	}
	nc.Close()
	n.Close()
	if err := os.Remove(filepath.Join(dir, "of-somebody-else")); err != nil {
		t.Fatal(err)
	}
	journalOn(t, cfg, func(again *report.Journal, _ int64) {
		seq, err := again.Change(t.Context(), "room", nil)
		if err != nil || seq < 2 || again.Identity() != j.Identity() {
			t.Errorf("with room again: entry %d of %s (%v), want a later one of %s", seq, again.Identity(), err, j.Identity())
		}
	})
}
