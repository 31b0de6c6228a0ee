package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"streamcanary/statuspage/incident"
)

// ErrNotFound is what Incident returns, wrapped, for an id that is not there.
var ErrNotFound = errors.New("not found")

// Query selects incidents. A zero field selects all.
type Query struct {
	Public   *bool
	Resolved *bool
	Target   string
	Before   time.Time // created before
	Limit    int       // 0 is 100
}

// FeedEvent is an event with its place in the on-call feed.
type FeedEvent struct {
	Seq   int64 // from 1, rising by 1; the id of a server-sent event
	Event incident.Event
}

// Incidents returns those that q selects, newest first.
func (s *Store) Incidents(ctx context.Context, q Query) ([]incident.Incident, error) {
	where := []string{"1 = 1"}
	var args []any
	if q.Public != nil {
		where, args = append(where, "public = ?"), append(args, *q.Public)
	}
	if q.Resolved != nil {
		condition := "resolved_at IS NULL"
		if *q.Resolved {
			condition = "resolved_at IS NOT NULL"
		}
		where = append(where, condition)
	}
	if q.Target != "" {
		where, args = append(where, "target = ?"), append(args, q.Target)
	}
	if !q.Before.IsZero() {
		where, args = append(where, "created_at < ?"), append(args, q.Before.UnixNano())
	}
	if q.Limit <= 0 {
		q.Limit = 100
	}
	found, err := collect(ctx, s.read, scanJSON[incident.Incident],
		`SELECT body FROM incidents WHERE `+strings.Join(where, " AND ")+` ORDER BY created_at DESC, id DESC LIMIT ?`,
		append(args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("store %s: incidents: %w", s.path, err)
	}
	return found, nil
}

// Incident returns one by its public id.
func (s *Store) Incident(ctx context.Context, id string) (incident.Incident, error) {
	found, err := collect(ctx, s.read, scanJSON[incident.Incident], `SELECT body FROM incidents WHERE id = ?`, id)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return incident.Incident{}, fmt.Errorf("store %s: incident %q: %w", s.path, id, err)
	}
	return found[0], nil
}

// Events returns the on-call feed behind a sequence (0: from the start), oldest
// first, at most limit.
func (s *Store) Events(ctx context.Context, after int64, limit int) ([]FeedEvent, error) {
	found, err := collect(ctx, s.read, scanFeed, `
		SELECT f.seq, t.body FROM feed f JOIN transitions t ON t.id = f.event_id
		WHERE f.seq > ? ORDER BY f.seq LIMIT ?`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("store %s: feed: %w", s.path, err)
	}
	return found, nil
}

// FeedTail returns the sequence of the newest event of the on-call feed, 0 when
// there is none. The newest n are behind FeedTail - n.
func (s *Store) FeedTail(ctx context.Context) (int64, error) {
	var seq int64
	if err := s.read.QueryRowContext(ctx, `SELECT feed_seq FROM engine WHERE id = 1`).Scan(&seq); err != nil {
		return 0, fmt.Errorf("store %s: feed: %w", s.path, err)
	}
	return seq, nil
}

func scanFeed(rows *sql.Rows) (FeedEvent, error) {
	var (
		f    FeedEvent
		body []byte
	)
	if err := rows.Scan(&f.Seq, &body); err != nil {
		return f, err
	}
	return f, json.Unmarshal(body, &f.Event)
}

func scanJSON[T any](rows *sql.Rows) (v T, err error) {
	var body []byte
	if err := rows.Scan(&body); err != nil {
		return v, err
	}
	return v, json.Unmarshal(body, &v)
}

func collect[T any](ctx context.Context, db *sql.DB, scan func(*sql.Rows) (T, error), query string, args ...any) (found []T, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, v)
	}
	return found, rows.Err()
}
