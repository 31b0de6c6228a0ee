package origin

import (
	"crypto/rand"
	"net/http"
	"time"
)

func beginGarbageSegments(o *Origin) (heal func() error, err error) {
	return overrideBody(&o.playback.segments, func(body []byte) (string, []byte) {
		_, _ = rand.Read(body) // never fails
		return "", body
	}), nil
}

func beginErrorPageSegments(o *Origin) (heal func() error, err error) {
	return overrideBody(&o.playback.segments, asErrorPage), nil
}

func beginEmptySegments(o *Origin) (heal func() error, err error) {
	return overrideBody(&o.playback.segments, func([]byte) (string, []byte) { return "", nil }), nil
}

// beginHalfSegments answers with the first half as if it were all, as a cache
// does that kept what it had when its own download broke off.
func beginHalfSegments(o *Origin) (heal func() error, err error) {
	return overrideBody(&o.playback.segments, func(body []byte) (string, []byte) {
		return "", body[:len(body)/2]
	}), nil
}

// beginWrongLengthSegments announces a whole segment, sends half, and closes.
func beginWrongLengthSegments(o *Origin) (heal func() error, err error) {
	return overrideGood(&o.playback.segments, func(w http.ResponseWriter, _ *http.Request, answer *recorded) {
		announce(w, answer, len(answer.body))
		_, _ = w.Write(answer.body[:len(answer.body)/2]) // net/http closes what is short
	}), nil
}

// beginTrickleSegments sends a byte a second.
func beginTrickleSegments(o *Origin) (heal func() error, err error) {
	over := make(chan struct{})
	remove := overrideGood(&o.playback.segments, func(w http.ResponseWriter, r *http.Request, answer *recorded) {
		announce(w, answer, len(answer.body))
		for _, c := range answer.body {
			if _, err := w.Write([]byte{c}); err != nil || http.NewResponseController(w).Flush() != nil {
				return
			}
			if !wait(r, time.Second, over) {
				return
			}
		}
	})
	return func() error {
		close(over)
		return remove()
	}, nil
}

// beginPacedSegments sends segments about as slowly as they play, as a network
// does that is full.
func beginPacedSegments(o *Origin) (heal func() error, err error) {
	return pace(o, o.config.SegmentDuration*95/100), nil
}

// beginThrottledSegments sends half of what is played, as a network does that is
// too narrow.
func beginThrottledSegments(o *Origin) (heal func() error, err error) {
	return pace(o, 2*o.config.SegmentDuration), nil
}

// pace has each segment take that long to come.
func pace(o *Origin, whole time.Duration) (heal func() error) {
	const steps = 10
	over := make(chan struct{})
	remove := overrideGood(&o.playback.segments, func(w http.ResponseWriter, r *http.Request, answer *recorded) {
		announce(w, answer, len(answer.body))
		for rest, n := answer.body, len(answer.body)/steps+1; len(rest) > 0; rest = rest[min(n, len(rest)):] {
			if !wait(r, whole/steps, over) {
				return
			}
			if _, err := w.Write(rest[:min(n, len(rest))]); err != nil || http.NewResponseController(w).Flush() != nil {
				return
			}
		}
	})
	return func() error {
		close(over)
		return remove()
	}
}

// beginOtherStream plays another broadcast under each name.
func beginOtherStream(o *Origin) (heal func() error, err error) {
	swap := func(w http.ResponseWriter, r *http.Request, normal func(http.ResponseWriter)) {
		if other := o.playback.next(r.PathValue("stream")); other != nil {
			other.ServeHTTP(w, r)
			return
		}
		normal(w)
	}
	removePlaylists, removeSegments := o.playback.playlists.add(swap), o.playback.segments.add(swap)
	return func() error {
		removePlaylists()
		removeSegments()
		return nil
	}, nil
}
