package hls

import "streamcanary/prober/media"

// Inspector looks into a segment. init is the segment's initialization section,
// or nil. Neither may be kept. The error says why the bytes are not media.
type Inspector func(segment, init []byte) (media.Summary, error)
