package hls

import (
	"streamcanary/prober"
	"streamcanary/prober/media"
)

// sent is where the latest segment's frames lie between the pusher's clock and the
// media timeline.
type sent struct {
	video, audio  media.Moment
	container     media.Container
	discontinuity uint64
}

// sentAt keeps that of the latest segment.
func (s *state) sentAt(m media.Summary, discontinuity uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = sent{m.VideoSent, m.AudioSent, m.Container, discontinuity}
}

// apart finds sound in a rendition of its own that does not belong to the pictures
// of the others: no segment shows that by itself.
func (f *Follower) apart() []prober.Finding {
	var pictures sent
	var found []prober.Finding
	for _, r := range f.current() {
		r.state.mu.Lock()
		s := r.state.sent
		r.state.mu.Unlock()
		if pictures.video.Clock.IsZero() {
			pictures = s
		}
		if !s.video.Clock.IsZero() || s.container != pictures.container || s.discontinuity != pictures.discontinuity {
			continue
		}
		offset, known := media.Apart(pictures.video, s.audio, s.container)
		if !known {
			continue
		}
		if finding, wrong := (media.Limits{}).Sync(r.what.name, offset); wrong {
			found = append(found, finding)
		}
	}
	return found
}
