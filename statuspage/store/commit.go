package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"streamcanary/statuspage/incident"
)

// Cursor is a place in the journal: of the last entry that was taken. The zero
// cursor is before the first.
type Cursor struct {
	Stream string // the stream's identity: one made anew starts its sequences again
	Seq    uint64
}

// Snapshot is where the hub stood after its last commit.
type Snapshot struct {
	Cursor     Cursor
	State      []byte // the engine's; nil when new
	PolicyHash string // under which the state was made; "" when new
	Policy     []byte // nil when no commit brought it
}

// Delivery is one alert for one sink.
type Delivery struct {
	Sink    string
	Key     string // of the alert; deliveries of a key arrive in order
	Action  string // trigger, update, resolve and the like: the sink's business
	EventID string // of an event of the same commit, or of an earlier one
	Body    []byte // what the sink makes its request of
}

// Commit is one step of the hub: everything, or nothing.
type Commit struct {
	From       Cursor    // what the caller believes to be stored
	To         Cursor    // behind it, or in another stream
	At         time.Time // when its deliveries become due; zero is now
	State      []byte
	PolicyHash string
	Policy     []byte // kept under its hash; nil when it was committed before
	Events     []incident.Event
	Deliveries []Delivery
}

// ErrFenced is what Commit returns, wrapped, when somebody else has committed:
// the caller's state is old and must not be used any further.
var ErrFenced = errors.New("another hub has gone on from this state")

// Load returns the last commit; of a new store the zero snapshot.
func (s *Store) Load(ctx context.Context) (Snapshot, error) {
	var (
		snap Snapshot
		seq  int64
	)
	err := s.read.QueryRowContext(ctx, `
		SELECT e.stream, e.seq, e.state, e.policy_hash, p.body
		FROM engine e LEFT JOIN policies p ON p.hash = e.policy_hash WHERE e.id = 1`).
		Scan(&snap.Cursor.Stream, &seq, &snap.State, &snap.PolicyHash, &snap.Policy)
	if err != nil {
		return Snapshot{}, fmt.Errorf("store %s: load: %w", s.path, err)
	}
	snap.Cursor.Seq = uint64(seq) //nolint:gosec // Commit stores none that is negative
	return snap, nil
}

// Commit stores c in one transaction, synced. It writes a row for each event,
// the incidents as the events carry them, a row of the on-call feed for each
// event that is for on-call (all but requests to probe), and the deliveries.
func (s *Store) Commit(ctx context.Context, c Commit) error {
	if err := c.check(); err != nil {
		return fmt.Errorf("store %s: commit: %w", s.path, err)
	}
	if c.At.IsZero() {
		c.At = time.Now()
	}
	err := s.transaction(ctx, func(tx *sql.Tx) error { return c.write(ctx, tx) })
	if err != nil {
		return fmt.Errorf("store %s: commit of entry %d: %w", s.path, c.To.Seq, err)
	}
	return nil
}

func (c Commit) check() error {
	switch {
	case c.To.Stream == "":
		return errors.New("the cursor names no stream")
	case c.To.Seq > math.MaxInt64:
		return fmt.Errorf("sequence %d is too large", c.To.Seq)
	case c.To.Stream == c.From.Stream && c.To.Seq <= c.From.Seq:
		return fmt.Errorf("the cursor goes from %d to %d, want forwards", c.From.Seq, c.To.Seq)
	case c.PolicyHash == "":
		return errors.New("no policy hash")
	}
	return nil
}

func (c Commit) write(ctx context.Context, tx *sql.Tx) error {
	feed, err := c.advance(ctx, tx)
	if err != nil {
		return err
	}
	for _, e := range c.Events {
		body, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("event %s: %w", e.ID, err)
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO transitions (id, stream, seq, at, type, key, policy_hash, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			e.ID, c.To.Stream, int64(e.Seq), e.At.UnixNano(), string(e.Type), e.Key, e.PolicyHash, body); err != nil { //nolint:gosec // at most the cursor's
			return fmt.Errorf("event %s: %w", e.ID, err)
		}
		if e.Incident != nil {
			if err := upsert(ctx, tx, *e.Incident); err != nil {
				return fmt.Errorf("event %s: incident %s: %w", e.ID, e.Incident.ID, err)
			}
		}
		if forOnCall(e.Type) {
			feed++
			if _, err := tx.ExecContext(ctx, `INSERT INTO feed (seq, event_id) VALUES (?, ?)`, feed, e.ID); err != nil {
				return fmt.Errorf("event %s: feed: %w", e.ID, err)
			}
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE engine SET feed_seq = ? WHERE id = 1`, feed); err != nil {
		return err
	}
	return c.enqueue(ctx, tx)
}

// advance moves the cursor and the state, if the cursor is where the caller
// believes it to be. It returns the feed's last sequence.
func (c Commit) advance(ctx context.Context, tx *sql.Tx) (feed int64, err error) {
	if c.Policy != nil {
		if _, err := tx.ExecContext(ctx, `INSERT INTO policies (hash, body) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING`, c.PolicyHash, c.Policy); err != nil {
			return 0, fmt.Errorf("policy %s: %w", c.PolicyHash, err)
		}
	}
	var (
		stored Cursor
		seq    int64
	)
	err = tx.QueryRowContext(ctx, `SELECT stream, seq, feed_seq FROM engine WHERE id = 1`).Scan(&stored.Stream, &seq, &feed)
	if err != nil {
		return 0, err
	}
	stored.Seq = uint64(seq) //nolint:gosec // none that is negative is stored
	if stored != c.From {
		return 0, fmt.Errorf("%w: stored is entry %d of stream %q, expected was %d of %q", ErrFenced, stored.Seq, stored.Stream, c.From.Seq, c.From.Stream)
	}
	// The condition is for databases that let two transactions come this far.
	done, err := tx.ExecContext(ctx, `
		UPDATE engine SET stream = ?, seq = ?, state = ?, policy_hash = ? WHERE id = 1 AND stream = ? AND seq = ?`,
		c.To.Stream, int64(c.To.Seq), c.State, c.PolicyHash, stored.Stream, seq) //nolint:gosec // checked
	if err != nil {
		return 0, err
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return 0, errors.Join(ErrFenced, err)
	}
	return feed, nil
}

// forOnCall is whether an event is told to on-call, rather than to the agents.
func forOnCall(t incident.EventType) bool { return t != incident.ProbeRequested }

func upsert(ctx context.Context, tx *sql.Tx, i incident.Incident) error {
	body, err := json.Marshal(i)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO incidents (id, target, phase, public, created_at, updated_at, resolved_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET target = excluded.target, phase = excluded.phase, public = excluded.public,
			created_at = excluded.created_at, updated_at = excluded.updated_at, resolved_at = excluded.resolved_at, body = excluded.body`,
		i.ID, i.Target, string(i.Phase), i.Public, i.CreatedAt.UnixNano(), i.UpdatedAt.UnixNano(), nanos(i.ResolvedAt), body)
	return err
}

func (c Commit) enqueue(ctx context.Context, tx *sql.Tx) error {
	for _, d := range c.Deliveries {
		if d.Sink == "" || d.Key == "" || d.Action == "" {
			return fmt.Errorf("delivery of %s: sink %q, key %q, action %q, want all three", d.EventID, d.Sink, d.Key, d.Action)
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO deliveries (sink, key, action, event_id, body, created_at, next_at, attempts, error) VALUES (?, ?, ?, ?, ?, ?, ?, 0, '')`,
			d.Sink, d.Key, d.Action, d.EventID, append([]byte{}, d.Body...), c.At.UnixNano(), c.At.UnixNano()); err != nil {
			return fmt.Errorf("delivery of %s to %s: %w", d.EventID, d.Sink, err)
		}
	}
	return nil
}
