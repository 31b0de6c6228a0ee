package origin

import "math/bits"

// bitWriter writes a slice (ISO/IEC 14496-10, 7.2), a bit at a time: it writes
// little, and only while a fault is on.
type bitWriter struct {
	buf  []byte
	free int // bits of the last byte
}

// u writes the low n bits of v.
func (w *bitWriter) u(n int, v uint32) {
	for n--; n >= 0; n-- {
		if w.free == 0 {
			w.buf, w.free = append(w.buf, 0), 8
		}
		w.free--
		w.buf[len(w.buf)-1] |= byte(v>>n&1) << w.free
	}
}

// ue writes an unsigned Exp-Golomb code (9.1).
func (w *bitWriter) ue(v uint32) {
	n := bits.Len32(v + 1)
	w.u(n-1, 0)
	w.u(n, v+1)
}

func (w *bitWriter) align() { w.free = 0 }

// nalu ends the slice and gives it behind its header, with emulation prevention (7.4.1).
func (w *bitWriter) nalu(header byte) []byte {
	w.u(1, 1)
	b, zeros := []byte{header}, 0
	for _, c := range w.buf {
		if zeros == 2 && c <= 3 {
			b, zeros = append(b, 3), 0
		}
		b = append(b, c)
		if zeros++; c != 0 {
			zeros = 0
		}
	}
	return b
}
