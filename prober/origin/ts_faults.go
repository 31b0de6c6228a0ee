package origin

import (
	"bytes"
	"encoding/binary"
)

// shiftTimes moves every timestamp and clock reference of a segment by that many
// ticks of 90 kHz, in place.
func shiftTimes(segment []byte, ticks uint64) error {
	list, err := packets(segment)
	if err != nil {
		return err
	}
	l, err := layoutOf(list)
	if err != nil {
		return err
	}
	for _, p := range list {
		if p.hasPCR() {
			shiftPCR(p[pcrFieldAt:pcrFieldEnd], ticks)
		}
		if p.begins() && (p.pid() == l.video || p.pid() == l.audio) {
			shiftPES(p.payload(), ticks)
		}
	}
	return nil
}

// shiftPES moves PTS and DTS (2.4.3.6).
func shiftPES(pes []byte, ticks uint64) {
	if len(pes) < pesTimesAt+5 || !bytes.HasPrefix(pes, []byte{0, 0, 1}) {
		return
	}
	if pes[7]&0x80 != 0 {
		shiftTimestamp(pes[pesTimesAt:], ticks)
	}
	if pes[7]&0x40 != 0 && len(pes) >= pesTimesAt+10 {
		shiftTimestamp(pes[pesTimesAt+5:], ticks)
	}
}

// shiftTimestamp moves 33 bits that lie between marker bits.
func shiftTimestamp(b []byte, ticks uint64) {
	t := uint64(b[0]>>1&7)<<30 | uint64(b[1])<<22 | uint64(b[2]>>1)<<15 | uint64(b[3])<<7 | uint64(b[4]>>1)
	t = (t + ticks) % timestamps
	b[0] = b[0]&0xf1 | byte(t>>30&7)<<1
	b[1], b[2] = byte(t>>22&0xff), byte(t>>15&0x7f)<<1|1
	b[3], b[4] = byte(t>>7&0xff), byte(t&0x7f)<<1|1
}

// shiftPCR moves the 33 bits of the base; the extension stays (2.4.3.5).
func shiftPCR(b []byte, ticks uint64) {
	base := uint64(binary.BigEndian.Uint32(b))<<1 | uint64(b[4]>>7)
	base = (base + ticks) % timestamps
	binary.BigEndian.PutUint32(b, uint32(base>>1))
	b[4] = b[4]&0x7f | byte(base&1)<<7
}

// loseVideoPacket gives a segment without one packet from the middle of its video.
func loseVideoPacket(segment []byte) ([]byte, error) {
	list, err := packets(segment)
	if err != nil {
		return nil, err
	}
	l, err := layoutOf(list)
	if err != nil {
		return nil, err
	}
	for i := len(list) / 2; i < len(list); i++ {
		if p := list[i]; p.pid() == l.video && p.carries() && !p.begins() {
			return append(segment[:i*packetSize:i*packetSize], segment[(i+1)*packetSize:]...), nil
		}
	}
	return segment, nil
}

// demoteKeyframe makes the picture that a segment begins with one that depends
// on others, in place: by its NAL unit type.
func demoteKeyframe(segment []byte) error {
	list, err := packets(segment)
	if err != nil {
		return err
	}
	l, err := layoutOf(list)
	if err != nil {
		return err
	}
	pictures := 0
	for _, p := range list {
		if p.pid() != l.video || !p.carries() {
			continue
		}
		if p.begins() {
			pictures++
		}
		if pictures > 1 {
			break
		}
		if p.field() > 0 {
			p[5] &^= 0x40 // random_access_indicator
		}
		demoteSlices(p.payload())
	}
	return nil
}

func demoteSlices(b []byte) {
	const idr, nonIDR = 5, 1
	for {
		at := bytes.Index(b, []byte{0, 0, 1})
		if at < 0 || at+3 >= len(b) {
			return
		}
		b = b[at+3:]
		if b[0]&naluTypeMask == idr {
			b[0] = b[0]&^naluTypeMask | nonIDR
		}
	}
}
