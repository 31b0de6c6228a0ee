package report

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"streamcanary/prober"
)

// put is one Put on its way to the disk.
type put struct {
	body []byte
	mono time.Duration
	wall time.Time
	done bool
	err  error
}

// newID is 128 random bits as 26 characters A-Z and 2-7.
func newID() string { return rand.Text() }

// Put writes r to the disk and returns when it is there. Concurrent calls share
// one sync: whoever gets the turn writes what all have brought. Age is set from
// r.Ended, which should carry Go's monotonic reading (time.Now, not parsed).
func (o *Outbox) Put(ctx context.Context, r prober.Result) error {
	r.Age = max(time.Since(r.Ended), 0)
	body, err := Encode(r)
	if err != nil {
		return err
	}
	p := &put{body: body, mono: time.Since(o.epoch), wall: time.Now()}
	o.pendingMu.Lock()
	o.pending = append(o.pending, p)
	o.pendingMu.Unlock()

	o.writeMu.Lock()
	defer o.writeMu.Unlock()
	if p.done {
		return p.err
	}
	o.pendingMu.Lock()
	batch := o.pending
	o.pending = nil
	o.pendingMu.Unlock()
	// The results of others are in the batch too: this caller's context must not
	// end them.
	err = o.writePuts(context.WithoutCancel(ctx), batch)
	for _, p := range batch {
		p.done, p.err = true, err
	}
	return err
}

// writePuts adds a batch and makes room for it, in one transaction. o.writeMu
// is held.
func (o *Outbox) writePuts(ctx context.Context, batch []*put) error {
	results, bytes, dropped := o.results, o.bytes, o.dropped+o.refused
	err := o.transaction(ctx, func(tx *sql.Tx) error {
		for _, p := range batch {
			const insert = `INSERT INTO results (size, era, mono, wall, body) VALUES (?, ?, ?, ?, ?)`
			if _, err := tx.ExecContext(ctx, insert, len(p.body), o.era, int64(p.mono), p.wall.UnixNano(), p.body); err != nil {
				return err
			}
			results++
			bytes += int64(len(p.body))
		}
		for results > o.cfg.MaxResults || bytes > o.cfg.MaxBytes {
			var n, size int64
			if err := tx.QueryRowContext(ctx, `SELECT n, size FROM results ORDER BY n LIMIT 1`).Scan(&n, &size); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM results WHERE n = ?`, n); err != nil {
				return err
			}
			results--
			bytes -= size
			dropped++
		}
		return o.saveDropped(ctx, tx, dropped)
	})
	if err != nil {
		o.refused += uint64(len(batch)) // counted for good with the next write
		return fmt.Errorf("write outbox: %w", err)
	}
	o.results, o.bytes, o.dropped, o.refused = results, bytes, dropped, 0
	return nil
}

// Delete removes results that the hub has. A place that is not there any more,
// because a bound dropped it meanwhile, is no error.
func (o *Outbox) Delete(ctx context.Context, places []int64) error {
	return o.remove(ctx, places, false)
}

func (o *Outbox) remove(ctx context.Context, places []int64, drop bool) error {
	o.writeMu.Lock()
	defer o.writeMu.Unlock()
	results, bytes, dropped := o.results, o.bytes, o.dropped+o.refused
	err := o.transaction(ctx, func(tx *sql.Tx) error {
		for _, n := range places {
			var size int64
			err := tx.QueryRowContext(ctx, `DELETE FROM results WHERE n = ? RETURNING size`, n).Scan(&size)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			results--
			bytes -= size
			if drop {
				dropped++
			}
		}
		return o.saveDropped(ctx, tx, dropped)
	})
	if err != nil {
		return fmt.Errorf("delete from outbox: %w", err)
	}
	o.results, o.bytes, o.dropped, o.refused = results, bytes, dropped, 0
	return nil
}

func (o *Outbox) saveDropped(ctx context.Context, tx *sql.Tx, dropped uint64) error {
	if dropped == o.dropped {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE counters SET value = ? WHERE name = 'dropped'`, int64(dropped)) //nolint:gosec // a count of rows
	return err
}

func (o *Outbox) transaction(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := o.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}
