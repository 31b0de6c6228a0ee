package report

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite", without cgo

	"streamcanary/prober"
)

// Default bounds of an outbox.
const (
	DefaultMaxResults = 100_000
	DefaultMaxBytes   = 128 << 20 // of encoded results; the file is somewhat larger
)

// OutboxConfig says where an outbox is and what it may hold. It is not bounded
// by age: after a restart an agent has only its wall clock to tell an age, and a
// clock that is set would throw away results that the hub can still place.
type OutboxConfig struct {
	Path       string // of the SQLite file; its folder must exist
	MaxResults int    // 0 is DefaultMaxResults
	MaxBytes   int64  // 0 is DefaultMaxBytes
}

// Outbox keeps results on disk until the hub has them. When it is full the
// oldest make room, and are counted in the same transaction. Every Put is synced
// (WAL, synchronous FULL): a result that was put survives kill -9 and the loss
// of power. All methods may be called concurrently.
type Outbox struct {
	cfg   OutboxConfig
	db    *sql.DB // one connection; it holds the file's lock until Close
	epoch time.Time
	era   string // names this process's epoch in the rows it makes

	pendingMu sync.Mutex
	pending   []*put

	writeMu sync.Mutex // guards the fields below and every write
	results int
	bytes   int64
	dropped uint64 // as the file has it
	refused uint64 // lost since then, because the disk took nothing
}

// Pending is a result that waits in an outbox.
type Pending struct {
	N      int64 // its place: rises from result to result, never used again
	Result prober.Result
}

const outboxSchema = `
CREATE TABLE IF NOT EXISTS results (
	n      INTEGER PRIMARY KEY AUTOINCREMENT,
	size   INTEGER NOT NULL,
	era    TEXT    NOT NULL, -- process whose monotonic clock mono is of
	mono   INTEGER NOT NULL, -- ns from the process's epoch to the put
	wall   INTEGER NOT NULL, -- ns since 1970 at the put
	body   BLOB    NOT NULL  -- wire form; its age is that at the put
);
CREATE TABLE IF NOT EXISTS counters (
	name  TEXT PRIMARY KEY,
	value INTEGER NOT NULL
);
INSERT INTO counters (name, value) VALUES ('dropped', 0) ON CONFLICT DO NOTHING;`

// OpenOutbox opens an outbox, or makes one. Only one process can have it open.
func OpenOutbox(ctx context.Context, cfg OutboxConfig) (*Outbox, error) {
	if cfg.MaxResults == 0 {
		cfg.MaxResults = DefaultMaxResults
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = DefaultMaxBytes
	}
	if cfg.MaxResults < 1 || cfg.MaxBytes < MaxResultSize {
		return nil, fmt.Errorf("outbox %s: bounds of %d results and %d bytes, want at least 1 and %d", cfg.Path, cfg.MaxResults, cfg.MaxBytes, MaxResultSize)
	}
	if err := private(cfg.Path); err != nil {
		return nil, fmt.Errorf("outbox %s: %w; is its folder there, and writable?", cfg.Path, err)
	}
	o := &Outbox{cfg: cfg, epoch: time.Now(), era: newID()}
	dsn := "file:" + (&url.URL{Path: cfg.Path}).EscapedPath() + "?" + url.Values{
		"_busy_timeout": {"2000"},
		"_txlock":       {"immediate"},
		"_pragma":       {"locking_mode(EXCLUSIVE)", "journal_mode(WAL)", "synchronous(FULL)"},
	}.Encode()
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("outbox %s: %w", cfg.Path, err)
	}
	db.SetMaxOpenConns(1)
	o.db = db
	if err := o.load(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("outbox %s: %w; is its folder writable, and no other agent using it?", cfg.Path, err), db.Close())
	}
	return o, nil
}

// private makes the file, with mode 0600, or takes from others what they may do with
// the one that is there, for results name hosts and what is wrong with them. SQLite
// gives its other files the mode of the first.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o600), f.Close()); err != nil {
		return err
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Chmod(path+suffix, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (o *Outbox) load(ctx context.Context) error {
	if _, err := o.db.ExecContext(ctx, outboxSchema); err != nil {
		return err
	}
	if err := o.db.QueryRowContext(ctx, `SELECT value FROM counters WHERE name = 'dropped'`).Scan(&o.dropped); err != nil {
		return err
	}
	return o.db.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(size), 0) FROM results`).Scan(&o.results, &o.bytes)
}

// Close ends the outbox. A Put that has not returned may fail.
func (o *Outbox) Close() error {
	o.writeMu.Lock()
	defer o.writeMu.Unlock()
	if err := o.db.Close(); err != nil {
		return fmt.Errorf("outbox %s: %w", o.cfg.Path, err)
	}
	return nil
}

// Len is the number of results that wait.
func (o *Outbox) Len() int {
	o.writeMu.Lock()
	defer o.writeMu.Unlock()
	return o.results
}

// Dropped is the number of results that were lost, ever: to the bounds, or because
// the disk did not take them. Of the latter those are forgotten at a restart after
// which nothing could be written.
func (o *Outbox) Dropped() uint64 {
	o.writeMu.Lock()
	defer o.writeMu.Unlock()
	return o.dropped + o.refused
}

// Batch returns the oldest results behind place after (0: from the start), at
// most limit, as they are to be sent now: Age is brought up to now and Dropped
// is this outbox's. Within the process that put it an age is by the monotonic
// clock; after a restart the time since the put is by the wall clock, which is
// all that is left. A row that this version cannot read is dropped and counted.
func (o *Outbox) Batch(ctx context.Context, after int64, limit int) ([]Pending, error) {
	rows, err := o.db.QueryContext(ctx, `SELECT n, era, mono, wall, body FROM results WHERE n > ? ORDER BY n LIMIT ?`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	batch, bad, err := o.scan(rows)
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	if len(bad) > 0 {
		if err := o.remove(ctx, bad, true); err != nil {
			return nil, err
		}
	}
	dropped := o.Dropped()
	for i := range batch {
		batch[i].Result.Dropped = dropped
	}
	return batch, nil
}

func (o *Outbox) scan(rows *sql.Rows) (batch []Pending, bad []int64, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var (
			n, mono, wall int64
			era           string
			body          []byte
		)
		if err := rows.Scan(&n, &era, &mono, &wall, &body); err != nil {
			return nil, nil, err
		}
		r, err := Decode(body)
		if err != nil {
			bad = append(bad, n)
			continue
		}
		waited := time.Since(time.Unix(0, wall))
		if era == o.era {
			waited = time.Since(o.epoch) - time.Duration(mono)
		}
		r.Age += max(waited, 0)
		batch = append(batch, Pending{N: n, Result: r})
	}
	return batch, bad, rows.Err()
}
