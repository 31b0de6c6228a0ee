package signal

import (
	"errors"
	"fmt"
	"image"
)

// The barcode: two rows of 16 cells over the lowest sixth of the picture, the
// first cell upper left, light for one, dark for zero. The first 24 are the
// frame's sequence number modulo 1<<24, highest bit first, the last eight its
// CRC. It is given in fractions of the picture, so it survives scaling.
const (
	barcodeColumns = 16
	barcodeRows    = 2
	barcodeCells   = barcodeColumns * barcodeRows
	barcodeHeight  = 6 // the picture is so many times higher

	// SequenceMask is the part of a frame's sequence number that its barcode shows.
	SequenceMask = 1<<24 - 1
)

// barcode gives the 32 cells for a frame, the first in the highest bit.
func barcode(seq uint64) uint32 {
	v := uint32(seq & SequenceMask)
	return v<<8 | uint32(crc8(v))
}

// crc8 is CRC-8 (polynomial 0x07, initial value 0xff) over three bytes. The
// initial value keeps an all dark barcode from being a valid one.
func crc8(v uint32) uint8 {
	crc := uint8(0xff)
	for shift := 16; shift >= 0; shift -= 8 {
		crc ^= uint8(v >> shift) //nolint:gosec // one byte after the other
		for range 8 {
			high := crc & 0x80
			crc <<= 1
			if high != 0 {
				crc ^= 0x07
			}
		}
	}
	return crc
}

// ErrNoBarcode says that a picture shows nothing that could be a barcode.
var ErrNoBarcode = errors.New("signal: no barcode in the picture: its lowest sixth has no contrast")

// ReadBarcode reads the barcode from a decoded picture of any size: the frame's
// sequence number modulo 1<<24. It fails when there is no contrast
// (ErrNoBarcode) or the check does not match.
func ReadBarcode(img image.Image) (uint32, error) {
	var cells [barcodeCells]float64
	lowest, highest := 255.0, 0.0
	for i := range cells {
		cells[i] = cellLuma(img, i)
		lowest, highest = min(lowest, cells[i]), max(highest, cells[i])
	}
	if highest-lowest < 40 {
		return 0, ErrNoBarcode
	}
	var bits uint32
	for _, v := range cells {
		bits <<= 1
		if v > (lowest+highest)/2 {
			bits |= 1
		}
	}
	seq := bits >> 8
	if want := barcode(uint64(seq)); bits != want {
		return 0, fmt.Errorf("signal: barcode reads %08x, but the check of sequence %d would make it %08x", bits, seq, want)
	}
	return seq, nil
}

// cellLuma is the mean luma of the middle of a cell.
func cellLuma(img image.Image, cell int) float64 {
	b := img.Bounds()
	w, h := float64(b.Dx())/barcodeColumns, float64(b.Dy())/barcodeHeight/barcodeRows
	left := float64(b.Min.X) + w*float64(cell%barcodeColumns)
	top := float64(b.Max.Y) - h*float64(barcodeRows-cell/barcodeColumns)
	sum, n := 0.0, 0
	for y := int(top + h/4); y <= int(top+h*3/4); y++ {
		for x := int(left + w/4); x <= int(left+w*3/4); x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			sum += (0.2126*float64(r) + 0.7152*float64(g) + 0.0722*float64(b)) / 257
			n++
		}
	}
	return sum / float64(max(n, 1))
}
