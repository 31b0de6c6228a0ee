package rtmp

import (
	"encoding/binary"
	"errors"
	"math"
)

// Bounds on an AMF0 body from a server.
const (
	maxAMFDepth  = 8
	maxAMFValues = 1024
)

var (
	errAMFShort       = errors.New("AMF0: ends in mid-value")
	errAMFBounds      = errors.New("AMF0: too deep or too many values")
	errAMFUnsupported = errors.New("AMF0: unsupported type")
)

// amfReader reads AMF0 (AMF 0 specification, 2). The library's own decoder is
// not used on what a server sends: it allocates a strict array's announced
// length (4 bytes ask for 32 GB) and gives up at undefined.
type amfReader struct {
	b      []byte
	values int
}

// decodeAMF reads the values of b: float64, bool, string, map[string]any, []any
// or nil. What was read before an error is returned with it.
func decodeAMF(b []byte) ([]any, error) {
	r := amfReader{b: b}
	var all []any
	for len(r.b) > 0 {
		v, err := r.value(0)
		if err != nil {
			return all, err
		}
		all = append(all, v)
	}
	return all, nil
}

func (r *amfReader) take(n int) ([]byte, error) {
	if n < 0 || n > len(r.b) {
		return nil, errAMFShort
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p, nil
}

func (r *amfReader) value(depth int) (any, error) {
	r.values++
	if depth > maxAMFDepth || r.values > maxAMFValues {
		return nil, errAMFBounds
	}
	marker, err := r.take(1)
	if err != nil {
		return nil, err
	}
	switch marker[0] {
	case 0x00: // number
		p, err := r.take(8)
		if err != nil {
			return nil, err
		}
		return math.Float64frombits(binary.BigEndian.Uint64(p)), nil
	case 0x01: // boolean
		p, err := r.take(1)
		if err != nil {
			return nil, err
		}
		return p[0] != 0, nil
	case 0x02:
		return r.text(2)
	case 0x0c: // long string
		return r.text(4)
	case 0x03:
		return r.object(depth)
	case 0x08: // ECMA array: a count that binds nobody, then an object
		if _, err := r.take(4); err != nil {
			return nil, err
		}
		return r.object(depth)
	case 0x0a:
		return r.array(depth)
	case 0x05, 0x06: // null, undefined
		return nil, nil
	case 0x0b: // date: milliseconds and a time zone
		_, err := r.take(10)
		return nil, err
	}
	return nil, errAMFUnsupported
}

func (r *amfReader) text(width int) (string, error) {
	p, err := r.take(width)
	if err != nil {
		return "", err
	}
	n := 0
	for _, c := range p {
		n = n<<8 | int(c)
	}
	p, err = r.take(n)
	return string(p), err
}

func (r *amfReader) object(depth int) (map[string]any, error) {
	o := map[string]any{}
	for {
		key, err := r.text(2)
		if err != nil {
			return nil, err
		}
		if key == "" && len(r.b) > 0 && r.b[0] == 0x09 { // object end
			r.b = r.b[1:]
			return o, nil
		}
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		o[key] = v
	}
}

func (r *amfReader) array(depth int) ([]any, error) {
	p, err := r.take(4)
	if err != nil {
		return nil, err
	}
	var all []any
	for range binary.BigEndian.Uint32(p) {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}
