package hls

import (
	"net/url"
	"time"

	"streamcanary/prober"
)

// sight is a segment with our marker in it.
type sight struct {
	first, last prober.Marker
	at          time.Time // when its last byte had come
	sequence    uint64
}

// judge says whether a downloaded segment is media, ours, and from now.
func (r *rendition) judge(where *url.URL, segment, init []byte, at time.Time) (sight, *prober.Failure) {
	summary, err := r.f.cfg.Inspect(segment, init)
	if err != nil {
		return sight{}, failf(prober.StageMedia, prober.ReasonNotMedia, "%s (%d bytes): %v", place(where), len(segment), err)
	}
	markers := summary.Markers
	if len(markers) == 0 {
		return sight{}, failf(prober.StageMedia, prober.ReasonNoMarker, "%s (%d bytes): media without any marker", place(where), len(segment))
	}
	s, ok := r.ours(markers)
	if !ok {
		return sight{}, failf(prober.StageMedia, prober.ReasonNotOurs, "%s: another broadcast's media, sent at %s", place(where), markers[0].Clock.Format(time.TimeOnly))
	}
	s.at = at
	if age := at.Sub(s.last.Clock); age > r.f.cfg.MaxMarkerAge {
		return s, failf(prober.StageMedia, prober.ReasonMarkerStale, "%s: our media, but sent %s ago (marker %d), bound %s",
			place(where), age.Round(time.Second), s.last.Seq, r.f.cfg.MaxMarkerAge)
	}
	return s, nil
}

// ours picks our first and last marker. A run may begin in mid-segment.
func (r *rendition) ours(markers []prober.Marker) (s sight, found bool) {
	for _, m := range markers {
		if m.Tag != r.f.tag {
			continue
		}
		if !found {
			s.first, found = m, true
		}
		s.last = m
	}
	return s, found
}
