package signal

import "bytes"

// quantizer is the QP of every macroblock. At 28 the arithmetic of 8.5.10 and
// 8.5.11 comes out even: a DC coefficient moves the samples by exactly one step
// of luma and two of chroma, so what a decoder shows is known without rounding.
const quantizer = 28

// Values of mb_type in I slices (Table 7-11): Intra_16x16 with DC prediction,
// without luma AC, without and with chroma DC.
const (
	macroblockGrey   = 3
	macroblockColour = 7
)

// edge is what later macroblocks predict from: the blocks at the right and lower
// edge of one that was coded.
type edge struct {
	line          uint64 // the slice in which it was coded, and its row; it counts for no other
	right, bottom [4]uint8
	chroma        [2][4]uint8 // whole: Cb, Cr
	grey          bool        // without colour
}

// coder codes macroblocks of a canvas, intra and DC only.
type coder struct {
	canvas  *canvas
	book    *codebook
	codes   *Codes
	edges   []edge // by column: of the last row that was coded there
	slice   uint64
	trial   bitWriter
	decoded func(mbX, mbY int, luma [16]uint8, chroma [2][4]uint8) // for tests: what a decoder will show
}

// begin starts a slice: nothing coded before can be predicted from. In P slices
// skipped neighbours cannot either, because of constrained_intra_pred_flag.
func (c *coder) begin() { c.slice++ }

// line is the present slice and a row of it; the row above is one less.
func (c *coder) line(mbY int) uint64 { return c.slice<<16 | uint64(mbY) } //nolint:gosec // bounded by the level

// neighbours are those that a macroblock can be predicted from; top until its own
// edge takes that place.
func (c *coder) neighbours(mbX, mbY int) (left, top *edge) {
	line := c.line(mbY)
	if mbX > 0 && c.edges[mbX-1].line == line {
		left = &c.edges[mbX-1]
	}
	if mbY > 0 && c.edges[mbX].line == line-1 {
		top = &c.edges[mbX]
	}
	return left, top
}

// macroblock writes one macroblock layer (7.3.5); intraTypes is the number that
// mb_type of an intra macroblock starts from: 0 in I slices, 5 in P slices.
func (c *coder) macroblock(w *bitWriter, mbX, mbY int, intraTypes uint32) {
	left, top := c.neighbours(mbX, mbY)
	predicted := predictLuma(left, top)
	key, simple := c.canvas.codedKey(mbX, mbY, predicted, intraTypes)
	if !simple || left != nil && !left.grey || top != nil && !top.grey || c.decoded != nil {
		c.edges[mbX] = c.compute(w, mbX, mbY, intraTypes)
		return
	}
	slot := c.codes.slot(key)
	known := slot.Load()
	if known == nil || known.key != key {
		c.trial.reset()
		e := c.compute(&c.trial, mbX, mbY, intraTypes)
		known = &coded{
			key: key, bits: bytes.Clone(c.trial.buf), n: c.trial.n, rest: uint32(c.trial.acc & (1<<c.trial.n - 1)), //nolint:gosec // n is below 32
			right: e.right, bottom: e.bottom,
		}
		slot.Store(known)
	}
	w.again(known)
	c.edges[mbX] = edge{line: c.line(mbY), right: known.right, bottom: known.bottom, grey: true, chroma: greyChroma()}
}

func greyChroma() [2][4]uint8 { return [2][4]uint8{{128, 128, 128, 128}, {128, 128, 128, 128}} }

// compute codes a macroblock, and gives its edge.
func (c *coder) compute(w *bitWriter, mbX, mbY int, intraTypes uint32) edge {
	left, top := c.neighbours(mbX, mbY)
	luma, coeffs := codeLuma(c.canvas.lumaBlocks(mbX, mbY), predictLuma(left, top))
	e := edge{line: c.line(mbY), right: [4]uint8{luma[3], luma[7], luma[11], luma[15]}, bottom: [4]uint8(luma[12:])}

	var chroma [2][4]int32 // of chroma
	mbType := intraTypes + macroblockGrey
	e.grey = c.canvas.isGrey(mbX, mbY) && (left == nil || left.grey) && (top == nil || top.grey)
	if e.grey { // as predicted: nothing to code
		e.chroma = greyChroma()
	} else {
		mbType = intraTypes + macroblockColour
		for p := range e.chroma {
			e.chroma[p], chroma[p] = codeChroma(c.canvas.chromaBlocks(p, mbX, mbY), predictChroma(p, left, top))
		}
	}

	w.ue(mbType)
	w.u(2, 0b11) // intra_chroma_pred_mode and mb_qp_delta: both 0
	c.book.residual(w, coeffs[:])
	if !e.grey {
		c.book.residual(w, chroma[0][:])
		c.book.residual(w, chroma[1][:])
	}
	if c.decoded != nil {
		c.decoded(mbX, mbY, luma, e.chroma)
	}
	return e
}
