package signal

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// NAL unit headers: nal_ref_idc and nal_unit_type (ISO/IEC 14496-10, 7.4.1).
const (
	nalSlice  = 2<<5 | 1
	nalIDR    = 3<<5 | 5
	nalSEI    = 6
	nalSPS    = 3<<5 | 7
	nalPPS    = 3<<5 | 8
	nalFiller = 12
)

// bitWriter writes an RBSP, without emulation prevention.
type bitWriter struct {
	buf []byte
	acc uint64 // the last n bits are not in buf yet
	n   uint
}

func (w *bitWriter) reset() { w.buf, w.acc, w.n = w.buf[:0], 0, 0 }

// u writes the low n bits of v; n is at most 32.
func (w *bitWriter) u(n uint, v uint32) {
	w.acc = w.acc<<n | uint64(v)
	w.n += n
	if w.n >= 32 {
		w.n -= 32
		w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(w.acc>>w.n)) //nolint:gosec // the low 32 bits are meant
	}
}

// ue writes an unsigned Exp-Golomb code (9.1).
func (w *bitWriter) ue(v uint32) {
	n := uint(bits.Len32(v+1)) - 1
	w.u(n, 0)
	w.u(n+1, v+1)
}

// se writes a signed Exp-Golomb code (9.1.1).
func (w *bitWriter) se(v int32) {
	if v > 0 {
		w.ue(uint32(v)*2 - 1)
		return
	}
	w.ue(uint32(-v) * 2)
}

// trailing ends the RBSP: a one, then zeros up to the byte (7.3.2.11).
func (w *bitWriter) trailing() {
	w.u(1, 1)
	if w.n%8 > 0 {
		w.u(8-w.n%8, 0)
	}
	for ; w.n > 0; w.n -= 8 {
		w.buf = append(w.buf, byte(w.acc>>(w.n-8))) //nolint:gosec // the low byte is meant
	}
}

// appendEscaped appends a NAL unit: its header, and the RBSP with an emulation
// prevention byte wherever two zeros are followed by a byte of 3 or less (7.4.1).
func appendEscaped(dst []byte, header byte, rbsp []byte) []byte {
	dst = append(dst, header)
	for {
		n := bytes.Index(rbsp, []byte{0, 0})
		if n < 0 || n+2 == len(rbsp) {
			return append(dst, rbsp...)
		}
		dst, rbsp = append(dst, rbsp[:n+2]...), rbsp[n+2:]
		if rbsp[0] <= 3 {
			dst = append(dst, 3)
		}
	}
}

// appendNAL appends a NAL unit behind its length in four bytes, as FLV carries it
// (ISO/IEC 14496-15, 5.3.4.2.1).
func appendNAL(dst []byte, header byte, rbsp []byte) []byte {
	at := len(dst)
	dst = appendEscaped(append(dst, 0, 0, 0, 0), header, rbsp)
	putLength(dst[at:])
	return dst
}

// putLength fills the length of the one NAL unit in b.
func putLength(b []byte) {
	n := len(b) - 4
	b[0], b[1], b[2], b[3] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n) //nolint:gosec // its four bytes
}
