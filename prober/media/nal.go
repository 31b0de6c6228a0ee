package media

import (
	"bytes"
	"iter"
)

// codec is a video codec, as far as it matters here.
type codec int

const (
	otherCodec codec = iota
	h264
	h265
)

// startsWithKeyframe tells whether an access unit can be decoded on its own: an
// IDR picture of H.264, an IRAP picture of H.265.
func startsWithKeyframe(c codec, nals iter.Seq[[]byte]) bool {
	for nal := range nals {
		if len(nal) == 0 {
			continue
		}
		switch kind := nal[0]; {
		case c == h264 && kind&0x1f == 5:
			return true
		case c == h264 && kind&0x1f == 1:
			return false
		case c == h265 && kind>>1&0x3f < 32: // a slice
			return kind>>1&0x3f >= 16 && kind>>1&0x3f <= 23
		}
	}
	return false
}

// annexB iterates over NAL units behind start codes (14496-10, B.1).
func annexB(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		startCode := []byte{0, 0, 1}
		for {
			at := bytes.Index(b, startCode)
			if at < 0 {
				return
			}
			b = b[at+len(startCode):]
			end := bytes.Index(b, startCode)
			if end < 0 {
				end = len(b)
			}
			if !yield(b[:end]) {
				return
			}
		}
	}
}

// lengthPrefixed iterates over NAL units behind lengths of four bytes.
func lengthPrefixed(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(b) >= 4 {
			n := int(be32(b))
			if n > len(b)-4 || !yield(b[4:4+n]) {
				return
			}
			b = b[4+n:]
		}
	}
}
