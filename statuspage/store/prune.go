package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// How long it is kept. Incidents are kept for ever.
const (
	keepDelivered   = 30 * 24 * time.Hour  // deliveries, once they were acknowledged
	keepTransitions = 400 * 24 * time.Hour // and what of them is in the on-call feed: a year can be looked back at
	keepRequests    = 7 * 24 * time.Hour   // transitions that only asked agents to probe
)

// pruneBatch is how many rows go in one transaction: commits come in between.
const pruneBatch = 500

// What is to be forgotten: rows before a time, so many at once. A transition stays
// as long as a delivery of it does.
const (
	oldDeliveries  = `SELECT n FROM deliveries WHERE delivered_at IS NOT NULL AND delivered_at < ? ORDER BY delivered_at, n LIMIT ?`
	oldTransitions = `SELECT id FROM transitions t WHERE at < ?
		AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = t.id) ORDER BY at, n LIMIT ?`
	oldRequests = `SELECT id FROM transitions t WHERE type = 'probe_requested' AND at < ?
		AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = t.id) ORDER BY at, n LIMIT ?`
)

// Prune forgets what is older, at now, than it is kept: acknowledged deliveries
// after 30 days, requests to probe after 7, other transitions, with their places in
// the on-call feed, after 400. What waits for a sink stays until it is delivered.
// It works in small transactions; what it has done stays done when ctx ends.
func (s *Store) Prune(ctx context.Context, now time.Time) error {
	for _, p := range []struct {
		keep   time.Duration
		delete []string // each with a time and a number of rows
	}{
		{keepDelivered, []string{`DELETE FROM deliveries WHERE n IN (` + oldDeliveries + `)`}},
		{keepRequests, []string{`DELETE FROM transitions WHERE id IN (` + oldRequests + `)`}},
		{keepTransitions, []string{
			`DELETE FROM feed WHERE event_id IN (` + oldTransitions + `)`,
			`DELETE FROM transitions WHERE id IN (` + oldTransitions + `)`,
		}},
	} {
		if err := s.deleteAll(ctx, p.delete, now.Add(-p.keep).UnixNano(), pruneBatch); err != nil {
			return fmt.Errorf("store %s: prune: %w", s.path, err)
		}
	}
	return nil
}

// deleteAll runs the queries together, again and again, until the last of them
// deletes nothing more.
func (s *Store) deleteAll(ctx context.Context, queries []string, args ...any) error {
	for deleted := int64(1); deleted > 0; {
		err := s.transaction(ctx, func(tx *sql.Tx) error {
			for _, query := range queries {
				done, err := tx.ExecContext(ctx, query, args...)
				if err != nil {
					return err
				}
				if deleted, err = done.RowsAffected(); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// KeepSinks says which sinks are delivered to. Of any other, because it is no
// longer configured or was disabled, only the newest delivery of each key is kept:
// that is what it is told first, should it come back.
func (s *Store) KeepSinks(ctx context.Context, ids []string) error {
	known, err := collect(ctx, s.read, scanText, `SELECT DISTINCT sink FROM deliveries`)
	if err != nil {
		return fmt.Errorf("store %s: sinks: %w", s.path, err)
	}
	kept := map[string]bool{}
	for _, id := range ids {
		kept[id] = true
	}
	for _, sink := range known {
		if kept[sink] {
			continue
		}
		if err := s.deleteAll(ctx, []string{`
			DELETE FROM deliveries WHERE n IN (
				SELECT n FROM deliveries WHERE sink = ? AND n NOT IN (
					SELECT MAX(n) FROM deliveries WHERE sink = ? GROUP BY key)
				LIMIT ?)`}, sink, sink, pruneBatch); err != nil {
			return fmt.Errorf("store %s: deliveries of %s: %w", s.path, sink, err)
		}
	}
	return nil
}

func scanText(rows *sql.Rows) (text string, err error) {
	err = rows.Scan(&text)
	return text, err
}
