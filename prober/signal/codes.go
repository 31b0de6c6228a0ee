package signal

import (
	"encoding/binary"
	"sync/atomic"
)

// Codes remembers how macroblocks of text and barcode were coded, which are the
// same few thousand again and again. One may be shared by all sources of a
// process, at once: it takes under a megabyte.
type Codes struct {
	slots [1 << codesBits]atomic.Pointer[coded]
}

const codesBits = 13

// NewCodes makes an empty one.
func NewCodes() *Codes { return new(Codes) }

// coded is a macroblock layer without colour. It is never written to again.
type coded struct {
	key           uint32
	bits          []byte // whole words of 32 bits
	rest          uint32 // what is behind them, n bits
	n             uint
	right, bottom [4]uint8 // of what a decoder shows
}

func (c *Codes) slot(key uint32) *atomic.Pointer[coded] {
	return &c.slots[key*0x9e3779b1>>(32-codesBits)] // Fibonacci hashing
}

// codedKey is what a macroblock's code depends on: which blocks are light, what is
// predicted, and in which kind of slice it is. It is ok for two tones without
// colour.
func (c *canvas) codedKey(mbX, mbY int, predicted int32, intraTypes uint32) (key uint32, ok bool) {
	stride := c.mbWidth * 4
	at := mbY*4*stride + mbX*4
	for range 4 {
		const each, step = 0x01010101, light - dark
		row := binary.LittleEndian.Uint32(c.luma[at:])
		bright := row >> 7 & each
		if row != bright*step+dark*each {
			return 0, false
		}
		key = key<<4 | bright*0x08040201>>24&0xf
		at += stride
	}
	return key | uint32(predicted)<<16 | intraTypes<<24 | 1<<31, c.isGrey(mbX, mbY) //nolint:gosec // 0 to 255
}

// again writes a macroblock as it was coded before.
func (w *bitWriter) again(c *coded) {
	for b := c.bits; len(b) > 0; b = b[4:] {
		w.u(32, binary.BigEndian.Uint32(b))
	}
	w.u(c.n, c.rest)
}
