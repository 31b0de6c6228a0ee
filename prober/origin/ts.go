package origin

import (
	"encoding/binary"
	"errors"
)

// MPEG-TS (ISO/IEC 13818-1, 2.4.3 and 2.4.4), as far as gohlslib writes it:
// tables of one packet each.
const (
	packetSize     = 188
	syncByte       = 0x47
	streamTypeAAC  = 0x0f
	streamTypeH264 = 0x1b

	pesTimesAt  = 9 // of the PTS, in a PES packet
	timestamps  = 1 << 33
	pcrFieldAt  = 6 // in a packet
	pcrFieldEnd = pcrFieldAt + 6
)

var errNotTS = errors.New("not MPEG-TS as the muxer writes it")

// packet is one transport stream packet, of packetSize bytes.
type packet []byte

func (p packet) pid() uint16   { return binary.BigEndian.Uint16(p[1:]) & 0x1fff }
func (p packet) begins() bool  { return p[1]&0x40 != 0 } // payload_unit_start_indicator
func (p packet) hasPCR() bool  { return p.field() > 0 && p[5]&0x10 != 0 }
func (p packet) carries() bool { return p[3]&0x10 != 0 } // a payload

// field is the length of the adaptation field, 0 without one.
func (p packet) field() int {
	if p[3]&0x20 == 0 {
		return 0
	}
	return int(p[4])
}

func (p packet) payload() []byte {
	at := 4
	if p[3]&0x20 != 0 {
		at += 1 + int(p[4])
	}
	if !p.carries() || at >= packetSize {
		return nil
	}
	return p[at:]
}

// layout is which packets of a segment hold what.
type layout struct{ pmt, video, audio uint16 }

// packets takes a segment apart, without copying it.
func packets(segment []byte) ([]packet, error) {
	if len(segment) == 0 || len(segment)%packetSize != 0 {
		return nil, errNotTS
	}
	list := make([]packet, 0, len(segment)/packetSize)
	for ; len(segment) > 0; segment = segment[packetSize:] {
		if segment[0] != syncByte {
			return nil, errNotTS
		}
		list = append(list, packet(segment[:packetSize:packetSize]))
	}
	return list, nil
}

func layoutOf(list []packet) (layout, error) {
	var l layout
	for _, p := range list {
		switch payload := p.payload(); {
		case p.pid() == 0 && l.pmt == 0 && len(payload) > 12:
			l.pmt = binary.BigEndian.Uint16(payload[11:]) & 0x1fff
		case l.pmt != 0 && p.pid() == l.pmt:
			section, err := section(payload)
			if err != nil {
				return l, err
			}
			for _, e := range section.entries() {
				switch e[0] {
				case streamTypeH264:
					l.video = binary.BigEndian.Uint16(e[1:]) & 0x1fff
				case streamTypeAAC:
					l.audio = binary.BigEndian.Uint16(e[1:]) & 0x1fff
				}
			}
			return l, nil
		}
	}
	return l, errNotTS
}

// table is a program map section, from its table_id up to its CRC.
type table []byte

const (
	tableHead = 3  // table_id and section_length
	tableFix  = 12 // up to the program's descriptors
	crcSize   = 4
)

// section finds the program map section behind a pointer_field.
func section(payload []byte) (table, error) {
	if len(payload) < 1 || int(payload[0]) >= len(payload)-1 {
		return nil, errNotTS
	}
	b := payload[1+int(payload[0]):]
	if len(b) < tableFix+crcSize {
		return nil, errNotTS
	}
	n := tableHead + int(binary.BigEndian.Uint16(b[1:])&0x0fff)
	if n > len(b) || n < tableFix+crcSize || tableFix+int(binary.BigEndian.Uint16(b[10:])&0x0fff) > n-crcSize {
		return nil, errNotTS
	}
	return table(b[:n-crcSize]), nil
}

// entries are the elementary streams, each with its descriptors.
func (t table) entries() [][]byte {
	var list [][]byte
	for b := t[tableFix+int(binary.BigEndian.Uint16(t[10:])&0x0fff):]; len(b) >= 5; {
		n := 5 + int(binary.BigEndian.Uint16(b[3:])&0x0fff)
		if n > len(b) {
			break
		}
		list = append(list, b[:n])
		b = b[n:]
	}
	return list
}

// without gives the section's packet anew, without the streams of a type.
func (t table) without(streamType byte, p packet) packet {
	fixed := tableFix + int(binary.BigEndian.Uint16(t[10:])&0x0fff)
	body := append([]byte(nil), t[:fixed]...)
	for _, e := range t.entries() {
		if e[0] != streamType {
			body = append(body, e...)
		}
	}
	binary.BigEndian.PutUint16(body[1:], uint16(len(body)-tableHead+crcSize)|0xb000) //nolint:gosec // shorter than a packet
	fresh := make(packet, 0, packetSize)
	fresh = append(fresh, p[0], p[1], p[2], p[3]&^0x20, 0) // and a pointer_field
	fresh = append(fresh, body...)
	fresh = binary.BigEndian.AppendUint32(fresh, crc32MPEG(body))
	for len(fresh) < packetSize {
		fresh = append(fresh, 0xff)
	}
	return fresh
}

// crc32MPEG is the CRC of sections (Annex A).
func crc32MPEG(b []byte) uint32 {
	crc := uint32(0xffffffff)
	for _, c := range b {
		crc ^= uint32(c) << 24
		for range 8 {
			if crc&0x80000000 != 0 {
				crc = crc<<1 ^ 0x04c11db7
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

// withoutTrack gives a segment without the streams of a type. Clock references
// stay, in packets that hold nothing else.
func withoutTrack(segment []byte, streamType byte) ([]byte, error) {
	list, err := packets(segment)
	if err != nil {
		return nil, err
	}
	l, err := layoutOf(list)
	if err != nil {
		return nil, err
	}
	gone := l.audio
	if streamType == streamTypeH264 {
		gone = l.video
	}
	out := make([]byte, 0, len(segment))
	for _, p := range list {
		switch {
		case p.pid() == l.pmt:
			t, err := section(p.payload())
			if err != nil {
				return nil, err
			}
			out = append(out, t.without(streamType, p)...)
		case gone == 0 || p.pid() != gone:
			out = append(out, p...)
		case p.hasPCR():
			out = append(out, clockAlone(p)...)
		}
	}
	return out, nil
}

// clockAlone is a packet with the clock reference of another, and no payload.
func clockAlone(p packet) packet {
	fresh := make(packet, packetSize)
	copy(fresh, p[:pcrFieldEnd])
	fresh[1] &^= 0x40
	fresh[3], fresh[4], fresh[5] = 0x20, packetSize-5, 0x10
	for i := pcrFieldEnd; i < packetSize; i++ {
		fresh[i] = 0xff
	}
	return fresh
}
