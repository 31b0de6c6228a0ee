package media

import (
	"encoding/binary"
	"fmt"
)

func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

// box is an ISO base media file box (ISO/IEC 14496-12, 4.2).
type box struct {
	kind string
	at   int    // offset of its header in what was walked
	data []byte // without header
}

// isBoxes tells whether bytes begin with a box that may begin a segment.
func isBoxes(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	switch string(b[4:8]) {
	case "styp", "moof", "sidx", "ftyp", "moov", "mdat", "emsg", "prft", "free", "skip":
		return true
	}
	return false
}

// walk calls f for every box in b, in order, until f says no. The error says
// which box does not fit.
func walk(b []byte, f func(box) error) error {
	for at := 0; at < len(b); {
		rest := b[at:]
		if len(rest) < 8 {
			return fmt.Errorf("cut short: %d bytes are left where a box begins", len(rest))
		}
		size, header := uint64(be32(rest)), uint64(8)
		switch {
		case size == 1 && len(rest) >= 16:
			size, header = binary.BigEndian.Uint64(rest[8:]), 16
		case size == 0: // to the end
			size = uint64(len(rest))
		}
		if size < header {
			return fmt.Errorf("malformed: box %s at byte %d says it is %d bytes long", printable(rest[4:8]), at, size)
		}
		if size > uint64(len(rest)) {
			return fmt.Errorf("cut short: box %s at byte %d says it is %d bytes long, %d are left", printable(rest[4:8]), at, size, len(rest))
		}
		if err := f(box{kind: string(rest[4:8]), at: at, data: rest[header:size]}); err != nil {
			return err
		}
		at += int(size) //nolint:gosec // at most len(rest)
	}
	return nil
}

// printable makes a box's type fit for an error.
func printable(b []byte) string {
	s := []byte(string(b))
	for i, c := range s {
		if c <= ' ' || c > '~' {
			s[i] = '?'
		}
	}
	return string(s)
}
