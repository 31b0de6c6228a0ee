package platform

import (
	"context"
	"strings"
	"time"

	"streamcanary/prober"
)

// listed is a stream, or what was recorded of one, in a platform's list.
type listed struct {
	id      string
	name    string
	created time.Time // zero: not told
}

// left picks what a sweep deletes. Names are compared as they are, case
// included; an id that could change the URL of a delete is left alone.
func (l Leftover) left(all []listed, now time.Time) []string {
	var ids []string
	for _, s := range all {
		switch {
		case !strings.HasPrefix(s.name, l.Prefix), !usable(s.id):
		case !s.created.IsZero() && now.Sub(s.created) < l.OlderThan:
		case l.Keep != nil && l.Keep(s.name):
		default:
			ids = append(ids, s.id)
		}
	}
	return ids
}

// Bounds of one sweep; what is left is for the next.
const (
	maxDeletes    = 500 // streams
	maxRecordings = 20  // that are looked for of one stream
)

// deleteAll tries every one, so that one that cannot be deleted does not keep
// the others alive, and gives the first failure.
func deleteAll(ctx context.Context, ids []string, del func(ctx context.Context, id string) (*prober.Failure, error)) (deleted int, first *prober.Failure, err error) {
	for _, id := range ids[:min(len(ids), maxDeletes)] {
		if !alive(ctx) {
			break
		}
		failure, broke := del(ctx, id)
		switch {
		case broke != nil:
			return deleted, first, broke
		case failure == nil:
			deleted++
		case first == nil:
			first = failure
		}
	}
	return deleted, first, nil
}

func alive(ctx context.Context) bool { return ctx.Err() == nil }
