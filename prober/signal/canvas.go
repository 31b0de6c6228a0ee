package signal

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
	dirty             []bool     // by macroblock
}

func newCanvas(width, height int) *canvas {
	c := &canvas{mbWidth: macroblocks(width), mbHeight: macroblocks(height)}
	n := c.mbWidth * c.mbHeight
	c.luma = make([]uint8, 16*n)
	c.chroma = [2][]uint8{make([]uint8, 4*n), make([]uint8, 4*n)}
	c.dirty = make([]bool, n)
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

// isGrey tells whether a macroblock has no colour.
func (c *canvas) isGrey(mbX, mbY int) bool {
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
				c.dirty[y/4*c.mbWidth+x/4] = true
			}
		}
	}
}

// fillColour gives a rectangle, in blocks of chroma, one colour.
func (c *canvas) fillColour(x0, y0, x1, y1 int, colour [3]uint8) {
	c.fill(2*x0, 2*y0, 2*x1, 2*y1, colour[0])
	stride := c.mbWidth * 2
	for y := y0; y < min(y1, c.mbHeight*2); y++ {
		for x := x0; x < min(x1, stride); x++ {
			c.chroma[0][y*stride+x], c.chroma[1][y*stride+x] = colour[1], colour[2]
		}
	}
}

// draw draws a character whose pixels are squares of scale blocks.
func (c *canvas) draw(x, y, scale int, r rune) {
	g := glyph(r)
	for col := range glyphColumns {
		for row := range 8 {
			v := uint8(dark)
			if g[col]>>row&1 == 1 {
				v = light
			}
			c.fill(x+col*scale, y+row*scale, x+(col+1)*scale, y+(row+1)*scale, v)
		}
	}
}
