package media

import "bytes"

// codec is a codec whose units are looked into.
type codec int

const (
	otherCodec codec = iota
	codecH264
	codecH265
	codecAAC
	codecMP3
	codecAC3 // and E-AC-3
	codecOpus
)

// nalKind is what a NAL unit is for, as far as it matters here.
type nalKind int

const (
	otherNAL  nalKind = iota
	parameter         // a sequence parameter set
	message           // supplemental enhancement information
	keySlice          // of an IDR picture of H.264, an IRAP picture of HEVC
	slice             // of any other picture
)

// kindOf reads a NAL unit's header (ISO/IEC 14496-10, 7.3.1; 23008-2, 7.3.1.2).
func kindOf(c codec, header byte) nalKind {
	switch t := header & 0x1f; {
	case c != codecH264:
	case t == 5:
		return keySlice
	case t >= 1 && t <= 4:
		return slice
	case t == 6:
		return message
	case t == 7:
		return parameter
	}
	switch t := header >> 1 & 0x3f; {
	case c != codecH265:
	case t >= 16 && t <= 23:
		return keySlice
	case t < 32:
		return slice
	case t == 33:
		return parameter
	}
	return otherNAL
}

// look reads a picture's NAL units up to its first slice, and tells whether
// decoding can start with it. The first parameter set is read.
func (s *stream) look(data []byte) (key bool) {
	nals := nalReader{data: data, length: s.nalLength}
	for nals.next() {
		switch kindOf(s.codec, nals.data[0]) {
		case keySlice:
			return true
		case slice:
			return key
		case parameter:
			if s.config == nil {
				s.config = nals.unit()
				s.parameters(s.config)
			}
		case message:
			key = key || recoveryPoint(nals.data[1:])
		case otherNAL:
		}
	}
	return key
}

// recoveryPoint tells whether an SEI message says that decoding can start here
// (ISO/IEC 14496-10, D.1.8), as in an open GOP. Only the first messages are read.
func recoveryPoint(b []byte) bool {
	const recovery, few = 6, 4
	for range few {
		if len(b) < 2 || b[0] == 0xff {
			return false
		}
		kind, size := b[0], 0
		for b = b[1:]; len(b) > 0 && b[0] == 0xff; b = b[1:] {
			size += 0xff
		}
		if kind == recovery {
			return true
		}
		if len(b) == 0 || 1+size+int(b[0]) > len(b) {
			return false
		}
		b = b[1+size+int(b[0]):]
		if len(b) > 0 && b[0] == 0x80 { // the NAL unit's last bits
			return false
		}
	}
	return false
}

// nalReader steps from NAL unit to NAL unit, behind start codes (14496-10, B.1)
// or behind lengths (14496-15, 4.3.2). What is left is in data.
type nalReader struct {
	data   []byte
	length int // of the length, bytes; 0: start codes
	rest   int // behind lengths: of the present unit
}

// startCode is a string, so that searching for it allocates nothing.
const startCode = "\x00\x00\x01"

func (n *nalReader) next() bool {
	if n.length > 0 {
		return n.nextPrefixed()
	}
	at := bytes.Index(n.data, []byte(startCode))
	if at < 0 || at+len(startCode) >= len(n.data) {
		return false
	}
	n.data = n.data[at+len(startCode):]
	return true
}

func (n *nalReader) nextPrefixed() bool {
	n.data = n.data[n.rest:]
	for len(n.data) > n.length {
		size := 0
		for _, b := range n.data[:n.length] {
			size = size<<8 | int(b)
		}
		n.data = n.data[n.length:]
		if size > len(n.data) {
			return false
		}
		if n.rest = size; size > 0 {
			return true
		}
	}
	return false
}

// unit is the present NAL unit.
func (n *nalReader) unit() []byte {
	if n.length > 0 {
		return n.data[:n.rest]
	}
	if end := bytes.Index(n.data, []byte(startCode)); end >= 0 {
		return bytes.TrimRight(n.data[:end], "\x00")
	}
	return n.data
}
