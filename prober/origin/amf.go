package origin

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	maxAMFMessage = 64 << 10
	maxAMFDepth   = 16
)

// AMF0's type markers that have content (AMF 0 specification, 2.1).
const (
	amfNumber      = 0x00
	amfBoolean     = 0x01
	amfString      = 0x02
	amfObject      = 0x03
	amfNull        = 0x05
	amfUndefined   = 0x06
	amfReference   = 0x07
	amfECMAArray   = 0x08
	amfObjectEnd   = 0x09
	amfStrictArray = 0x0a
	amfDate        = 0x0b
	amfLongString  = 0x0c
	amfTypedObject = 0x10
)

// errAMFEnds stops a walk where go-amf0's decoder stops, too.
var errAMFEnds = errors.New("the values end")

// isAMF says of a message type whether go-rtmp decodes its body: 15 to 20,
// data, shared objects and commands in AMF3 and AMF0.
func isAMF(typeID byte) bool { return typeID >= 15 && typeID <= 20 }

// checkAMF refuses what go-amf0 v0.1.0 would allocate or recurse without a
// bound for: it takes an array's or a string's announced length on trust, and
// an out of memory or a stack overflow is no panic that can be recovered.
func checkAMF(b []byte) error {
	for len(b) > 0 {
		rest, err := skipAMF(b, 0)
		if errors.Is(err, errAMFEnds) {
			return nil
		}
		if err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// skipAMF gives what follows the value that b begins with.
func skipAMF(b []byte, depth int) ([]byte, error) {
	if depth > maxAMFDepth {
		return nil, fmt.Errorf("amf: values are nested deeper than %d", maxAMFDepth)
	}
	if len(b) == 0 {
		return nil, errAMFEnds
	}
	marker, b := b[0], b[1:]
	switch marker {
	case amfNumber:
		return skip(b, 8)
	case amfBoolean:
		return skip(b, 1)
	case amfNull, amfUndefined, amfObjectEnd:
		return b, nil
	case amfReference:
		return skip(b, 2)
	case amfDate:
		return skip(b, 10)
	case amfString:
		return skipString(b)
	case amfObject:
		return skipProperties(b, depth)
	case amfTypedObject:
		b, err := skipString(b)
		if err != nil {
			return nil, err
		}
		return skipProperties(b, depth)
	}
	return skipCounted(marker, b, depth)
}

// skipCounted skips the values that announce a length of four bytes.
func skipCounted(marker byte, b []byte, depth int) ([]byte, error) {
	if len(b) < 4 {
		return nil, errAMFEnds
	}
	n, b := int64(binary.BigEndian.Uint32(b)), b[4:]
	switch marker {
	case amfECMAArray: // the count is a hint
		return skipProperties(b, depth)
	case amfStrictArray, amfLongString:
		if n > int64(len(b)) {
			return nil, fmt.Errorf("amf: a length of %d with %d bytes left", n, len(b))
		}
	default:
		return nil, errAMFEnds // unknown to go-amf0, too
	}
	if marker == amfLongString {
		return b[n:], nil
	}
	for range n {
		var err error
		if b, err = skipAMF(b, depth+1); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// skipProperties skips names and values up to the object's end.
func skipProperties(b []byte, depth int) ([]byte, error) {
	for {
		if len(b) >= 3 && b[0] == 0 && b[1] == 0 && b[2] == amfObjectEnd {
			return b[3:], nil
		}
		var err error
		if b, err = skipString(b); err != nil {
			return nil, err
		}
		if b, err = skipAMF(b, depth+1); err != nil {
			return nil, err
		}
	}
}

func skipString(b []byte) ([]byte, error) {
	if len(b) < 2 {
		return nil, errAMFEnds
	}
	return skip(b[2:], int(binary.BigEndian.Uint16(b)))
}

func skip(b []byte, n int) ([]byte, error) {
	if n > len(b) {
		return nil, errAMFEnds
	}
	return b[n:], nil
}
