package platform

import (
	"context"
	"strings"
	"time"

	"streamcanary/prober"
)

// listed is a stream, or what was recorded of one, in a platform's list.
type listed struct {
	Stream            // its name and id; key and playback id where the list has them
	created time.Time // zero: not told
}

// left picks what a sweep deletes. Names are compared as they are, case
// included; an id that could change the URL of a delete is left alone.
func (l Leftover) left(all []listed, now time.Time) []Stream {
	var ours []Stream
	for _, s := range all {
		switch {
		case !strings.HasPrefix(s.Name, l.Prefix), !usable(s.ID):
		case !s.created.IsZero() && now.Sub(s.created) < l.OlderThan:
		case l.Keep != nil && l.Keep(s.Name):
		default:
			ours = append(ours, s.Stream)
		}
	}
	return ours
}

// Bounds of one sweep; what is left is for the next.
const (
	maxDeletes    = 500 // streams
	maxRecordings = 20  // of one stream, in one attempt to delete it
)

// deleteAll tries every one, so that one that cannot be deleted does not keep
// the others alive, and gives the first failure.
func deleteAll(ctx context.Context, streams []Stream, del func(ctx context.Context, s Stream) (*prober.Failure, error)) (deleted int, first *prober.Failure, err error) {
	for _, s := range streams[:min(len(streams), maxDeletes)] {
		if !alive(ctx) {
			break
		}
		failure, broke := del(ctx, s)
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
