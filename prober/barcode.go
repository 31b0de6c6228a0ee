package prober

import (
	"errors"
	"fmt"
	"image"
	"time"
)

// The barcode: three rows of 32 cells over the lowest sixth of the picture, the
// first cell upper left, light for one, dark for zero. It is given in fractions
// of the picture, so it survives scaling.
const (
	BarcodeColumns = 32
	BarcodeRows    = 3
	BarcodeHeight  = 6 // the picture is so many times higher
)

// Barcode is what a picture shows of its marker: enough to know whose it is, which,
// and when it was sent, where nothing but the picture comes through.
type Barcode struct {
	Tag   [3]byte // the first bytes of the run's tag
	Seq   uint32  // of the picture in its run, modulo 1<<24
	Clock uint32  // wall clock of the pusher at sending: milliseconds since 1970, modulo 1<<32 (50 days)
}

// Barcode gives what a picture shows of its marker.
func (m Marker) Barcode() Barcode {
	return Barcode{
		Tag:   [3]byte(m.Tag[:3]),
		Seq:   uint32(m.Seq & (1<<24 - 1)),
		Clock: uint32(m.Clock.UnixMilli() & (1<<32 - 1)),
	}
}

// Matches tells whether a barcode is of the run with a tag. One of 16 million
// other runs looks the same.
func (b Barcode) Matches(tag Tag) bool { return b.Tag == [3]byte(tag[:3]) }

// At is the barcode's clock: of all times that show alike, the one nearest to a time.
func (b Barcode) At(near time.Time) time.Time {
	ms := near.UnixMilli()
	ahead := int32(b.Clock - uint32(ms&(1<<32-1))) //nolint:gosec // the nearest modulo 1<<32 is meant
	return time.UnixMilli(ms + int64(ahead)).UTC()
}

// Rows gives the cells of each row, the first in the highest bit: the tag and the
// highest byte of the sequence; the rest of it and the check; the clock.
func (b Barcode) Rows() [BarcodeRows]uint32 {
	return [BarcodeRows]uint32{
		uint32(b.Tag[0])<<24 | uint32(b.Tag[1])<<16 | uint32(b.Tag[2])<<8 | b.Seq>>16&0xff,
		b.Seq&0xffff<<16 | uint32(b.check()),
		b.Clock,
	}
}

// check is CRC-16/IBM-3740 (polynomial 0x1021, initial value 0xffff) over tag,
// sequence and clock. The initial value keeps a barcode of one colour from being
// a valid one.
func (b Barcode) check() uint16 {
	crc := uint16(0xffff)
	add := func(v uint32, bytes int) {
		for shift := 8 * (bytes - 1); shift >= 0; shift -= 8 {
			crc ^= uint16(v>>shift&0xff) << 8
			for range 8 {
				high := crc & 0x8000
				crc <<= 1
				if high != 0 {
					crc ^= 0x1021
				}
			}
		}
	}
	add(uint32(b.Tag[0])<<16|uint32(b.Tag[1])<<8|uint32(b.Tag[2]), 3)
	add(b.Seq, 3)
	add(b.Clock, 4)
	return crc
}

// ErrNoBarcode says that a picture shows nothing that could be a barcode.
var ErrNoBarcode = errors.New("no barcode in the picture: its lowest sixth has no contrast")

// ReadBarcode reads the barcode from a decoded picture of any size. It fails when
// there is no contrast (ErrNoBarcode) or the check does not match.
func ReadBarcode(img image.Image) (Barcode, error) {
	const cells = BarcodeColumns * BarcodeRows
	var luma [cells]float64
	lowest, highest := 255.0, 0.0
	for i := range luma {
		luma[i] = cellLuma(img, i)
		lowest, highest = min(lowest, luma[i]), max(highest, luma[i])
	}
	if highest-lowest < 40 {
		return Barcode{}, ErrNoBarcode
	}
	var rows [BarcodeRows]uint32
	for i, v := range luma {
		row := &rows[i/BarcodeColumns]
		*row <<= 1
		if v > (lowest+highest)/2 {
			*row |= 1
		}
	}
	b := Barcode{
		Tag:   [3]byte{byte(rows[0] >> 24), byte(rows[0] >> 16 & 0xff), byte(rows[0] >> 8 & 0xff)},
		Seq:   rows[0]&0xff<<16 | rows[1]>>16,
		Clock: rows[2],
	}
	if got, want := rows[1]&0xffff, uint32(b.check()); got != want {
		return Barcode{}, fmt.Errorf("no barcode in the picture: its check reads %04x, what it shows would make it %04x", got, want)
	}
	return b, nil
}

// cellLuma is the mean luma of the middle of a cell.
func cellLuma(img image.Image, cell int) float64 {
	b := img.Bounds()
	w, h := float64(b.Dx())/BarcodeColumns, float64(b.Dy())/BarcodeHeight/BarcodeRows
	left := float64(b.Min.X) + w*float64(cell%BarcodeColumns)
	top := float64(b.Max.Y) - h*float64(BarcodeRows-cell/BarcodeColumns)
	sum, n := 0.0, 0
	for y := int(top + h/4); y < int(top+h*3/4)+1; y++ {
		for x := int(left + w/4); x < int(left+w*3/4)+1; x++ {
			sum += lumaAt(img, x, y)
			n++
		}
	}
	return sum / float64(max(n, 1))
}

// lumaAt is a sample's luma (BT.709), 0 to 255.
func lumaAt(img image.Image, x, y int) float64 {
	if grey, ok := img.(*image.Gray); ok {
		return float64(grey.GrayAt(x, y).Y)
	}
	r, g, b, _ := img.At(x, y).RGBA()
	return (0.2126*float64(r) + 0.7152*float64(g) + 0.0722*float64(b)) / 257
}
