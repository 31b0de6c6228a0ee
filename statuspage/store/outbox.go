package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

const maxErrorSize = 300 // bytes

// Due is a delivery whose time has come.
type Due struct {
	ID int64
	Delivery
	CreatedAt time.Time
	Attempts  int    // that failed
	Error     string // of the last one
}

// Due returns what a sink is to be sent now, oldest first, at most limit. Of each
// key that is only the oldest delivery that was not acknowledged: a resolve
// never overtakes its trigger, and waits as long as it takes.
func (s *Store) Due(ctx context.Context, sink string, now time.Time, limit int) ([]Due, error) {
	due, err := collect(ctx, s.read, scanDue, `
		SELECT n, sink, key, action, event_id, body, created_at, attempts, error FROM deliveries d
		WHERE sink = ? AND delivered_at IS NULL AND next_at <= ? AND NOT EXISTS (
			SELECT 1 FROM deliveries earlier
			WHERE earlier.sink = d.sink AND earlier.key = d.key AND earlier.n < d.n AND earlier.delivered_at IS NULL)
		ORDER BY n LIMIT ?`, sink, now.UnixNano(), limit)
	if err != nil {
		return nil, fmt.Errorf("store %s: due deliveries of %s: %w", s.path, sink, err)
	}
	return due, nil
}

func scanDue(rows *sql.Rows) (Due, error) {
	var (
		d       Due
		created int64
	)
	err := rows.Scan(&d.ID, &d.Sink, &d.Key, &d.Action, &d.EventID, &d.Body, &created, &d.Attempts, &d.Error)
	d.CreatedAt = fromNanos(created)
	return d, err
}

// Delivered notes that the sink has acknowledged a delivery; the next of its key
// is then due. A second time changes nothing.
func (s *Store) Delivered(ctx context.Context, id int64) error {
	return s.settle(ctx, id, `UPDATE deliveries SET delivered_at = COALESCE(delivered_at, ?), error = '' WHERE n = ?`,
		time.Now().UnixNano(), id)
}

// Failed notes a failed attempt, and when to try again. The text is cut at 300
// bytes. A delivery that was acknowledged meanwhile stays so.
func (s *Store) Failed(ctx context.Context, id int64, next time.Time, text string) error {
	return s.settle(ctx, id, `UPDATE deliveries SET attempts = attempts + 1, next_at = ?, error = ? WHERE n = ?`,
		next.UnixNano(), cut(text), id)
}

func (s *Store) settle(ctx context.Context, id int64, query string, args ...any) error {
	err := s.transaction(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if err == nil && n == 0 {
			err = errors.New("there is none")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store %s: delivery %d: %w", s.path, id, err)
	}
	return nil
}

func cut(text string) string {
	text = strings.ToValidUTF8(text, "?")
	if len(text) <= maxErrorSize {
		return text
	}
	return strings.ToValidUTF8(text[:maxErrorSize], "") // without half a character
}
