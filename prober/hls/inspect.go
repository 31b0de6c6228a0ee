package hls

import (
	"streamcanary/prober"
	"streamcanary/prober/media"
)

// Inspector finds the markers inside a segment, in order of presentation. init
// is the segment's initialization section, or nil. Neither may be kept. The
// error says why the bytes are not media.
type Inspector func(segment, init []byte) ([]prober.Marker, error)

// inspectMedia is the default Inspector.
func inspectMedia(segment, init []byte) ([]prober.Marker, error) {
	s, err := media.Inspect(segment, init)
	return s.Markers, err
}
