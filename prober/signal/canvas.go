package signal

import "math/bits"

// The luma of text and barcode, in limited range.
const (
	dark  = 24
	light = 235
)

// canvas is a picture as it shall look: flat blocks of 4x4 luma samples, chroma
// in the matching blocks of 8x8. It remembers which macroblocks were drawn on.
type canvas struct {
	mbWidth, mbHeight int
	luma              []uint8    // mbWidth*4 a row
	chroma            [2][]uint8 // mbWidth*2 a row: Cb, Cr
	coloured          int        // rows of macroblocks, from the top, that may have colour
	dirty             []uint64   // a bit for each macroblock, the lowest first
}

func newCanvas(width, height int) *canvas {
	c := &canvas{mbWidth: macroblocks(width), mbHeight: macroblocks(height)}
	n := c.mbWidth * c.mbHeight
	c.luma = make([]uint8, 16*n)
	c.chroma = [2][]uint8{make([]uint8, 4*n), make([]uint8, 4*n)}
	c.dirty = make([]uint64, (n+63)/64)
	for i := range c.luma {
		c.luma[i] = dark
	}
	for _, plane := range c.chroma {
		for i := range plane {
			plane[i] = 128
		}
	}
	return c
}

// touch marks a macroblock.
func (c *canvas) touch(mb int) { c.dirty[mb>>6] |= 1 << (mb & 63) }

// takeDirty gives the next marked macroblock from one on and unmarks it, or -1.
func (c *canvas) takeDirty(from int) int {
	mask := ^uint64(0) << (from & 63)
	for i := from >> 6; i < len(c.dirty); i++ {
		if word := c.dirty[i] & mask; word != 0 {
			c.dirty[i] &^= word & -word
			return i<<6 + bits.TrailingZeros64(word)
		}
		mask = ^uint64(0)
	}
	return -1
}

func (c *canvas) lumaBlocks(mbX, mbY int) (b [16]uint8) {
	stride := c.mbWidth * 4
	at := mbY*4*stride + mbX*4
	for y := range 4 {
		copy(b[4*y:4*y+4], c.luma[at+y*stride:])
	}
	return b
}

func (c *canvas) chromaBlocks(plane, mbX, mbY int) [4]uint8 {
	p, stride := c.chroma[plane], c.mbWidth*2
	at := mbY*2*stride + mbX*2
	return [4]uint8{p[at], p[at+1], p[at+stride], p[at+stride+1]}
}

// isGrey tells whether a macroblock has no colour. Where there never was one it
// does not look: what moves is there, and to fetch that memory costs.
func (c *canvas) isGrey(mbX, mbY int) bool {
	if mbY >= c.coloured {
		return true
	}
	grey := [4]uint8{128, 128, 128, 128}
	return c.chromaBlocks(0, mbX, mbY) == grey && c.chromaBlocks(1, mbX, mbY) == grey
}

// fill gives the blocks of a rectangle, in blocks, one luma.
func (c *canvas) fill(x0, y0, x1, y1 int, v uint8) {
	stride := c.mbWidth * 4
	x1, y1 = min(x1, stride), min(y1, c.mbHeight*4)
	for y := y0; y < y1; y++ {
		row := c.luma[y*stride : (y+1)*stride]
		for x := x0; x < x1; x++ {
			if row[x] != v {
				row[x] = v
				c.touch(y/4*c.mbWidth + x/4)
			}
		}
	}
}

// fillColour gives a rectangle, in blocks of chroma, one colour.
func (c *canvas) fillColour(x0, y0, x1, y1 int, colour [3]uint8) {
	c.fill(2*x0, 2*y0, 2*x1, 2*y1, colour[0])
	c.coloured = max(c.coloured, (y1+1)/2)
	stride := c.mbWidth * 2
	for y := y0; y < min(y1, c.mbHeight*2); y++ {
		for x := x0; x < min(x1, stride); x++ {
			c.chroma[0][y*stride+x], c.chroma[1][y*stride+x] = colour[1], colour[2]
		}
	}
}

// Rows of blocks, to be copied: that is several times faster than a loop.
const (
	darkRow  = "\x18\x18\x18\x18\x18\x18\x18\x18\x18\x18\x18\x18\x18\x18\x18\x18"
	lightRow = "\xeb\xeb\xeb\xeb\xeb\xeb\xeb\xeb\xeb\xeb\xeb\xeb\xeb\xeb\xeb\xeb"
)

// flip is fill for a rectangle within the picture that shows the other tone.
func (c *canvas) flip(x0, y0, x1, y1 int, bright bool) {
	tone := darkRow
	if bright {
		tone = lightRow
	}
	stride := c.mbWidth * 4
	for y := y0; y < y1; y++ {
		for row := c.luma[y*stride+x0 : y*stride+x1]; len(row) > 0; {
			row = row[copy(row, tone):]
		}
	}
	for y := y0 / 4; y <= (y1-1)/4; y++ {
		for x := x0 / 4; x <= (x1-1)/4; x++ {
			c.touch(y*c.mbWidth + x)
		}
	}
}

// draw draws a character over another, or over a space. Pixels are squares of
// scale blocks.
func (c *canvas) draw(x, y, scale int, r, over rune) {
	g, shown := glyph(r), glyph(over)
	for col := range glyphColumns {
		left := x + col*scale
		for differ := g[col] ^ shown[col]; differ != 0; differ &= differ - 1 {
			row := bits.TrailingZeros8(differ)
			top := y + row*scale
			c.flip(left, top, left+scale, top+scale, g[col]>>row&1 == 1)
		}
	}
}
