package signal

import (
	"fmt"
	"math/bits"
	"strconv"
	"time"
	"unicode"

	"streamcanary/prober"

	"golang.org/x/text/unicode/norm"
)

const (
	clockLayout  = "15:04:05.0" // UTC; the barcode has it to the millisecond
	counterWidth = 10           // "#" and nine digits
	textLines    = 3            // label, clock, counter
)

// layout says where things are, in blocks of 4x4 samples. From top to bottom:
// colour bars, label, clock, counter, barcode.
type layout struct {
	width, height int // the visible part
	scale         int // of a font pixel
	label         int // first row of each
	clock         int
	counter       int
	barcode       int
}

func newLayout(width, height int) (layout, error) {
	l := layout{width: width / 4, height: height / 4}
	l.scale = min(l.width/(len(clockLayout)*charWidth), (l.height-l.height/prober.BarcodeHeight)*3/4/(textLines*lineHeight))
	if l.scale < 1 || width%2 != 0 || height%2 != 0 {
		return layout{}, fmt.Errorf("signal: %dx%d: width and height have to be even and at least 288x176", width, height)
	}
	line := lineHeight * l.scale
	l.barcode = (height - height/prober.BarcodeHeight) / 4
	l.counter = l.barcode - line
	l.clock = l.counter - line
	l.label = l.clock - line
	return l, nil
}

// moving is the first row of macroblocks that changes from frame to frame.
func (l layout) moving() int { return l.clock / 4 }

// centred is the first column of a text of n characters.
func (l layout) centred(n, scale int) int { return max(0, (l.width-n*charWidth*scale)/2) }

// picture draws what moves over what does not.
type picture struct {
	layout
	*canvas
	tag          prober.Tag
	shownClock   [len(clockLayout)]byte
	shownCounter [counterWidth]byte
	shownCode    [prober.BarcodeRows]uint32
}

func newPicture(width, height int, label string, tag prober.Tag) (*picture, error) {
	l, err := newLayout(width, height)
	if err != nil {
		return nil, err
	}
	p := &picture{layout: l, canvas: newCanvas(width, height), tag: tag}
	p.drawBars()
	p.drawLabel(label)
	return p, nil
}

// drawBars draws 75 % colour bars in BT.709, limited range: Y, Cb, Cr.
func (p *picture) drawBars() {
	bars := [8][3]uint8{
		{180, 128, 128}, // white
		{168, 44, 136},  // yellow
		{145, 147, 44},  // cyan
		{133, 63, 52},   // green
		{63, 193, 204},  // magenta
		{51, 109, 212},  // red
		{28, 212, 120},  // blue
		{16, 128, 128},  // black
	}
	for i, colour := range bars {
		p.fillColour(i*p.width/2/len(bars), 0, (i+1)*p.width/2/len(bars), (p.label-1)/2, colour)
	}
}

// drawLabel draws the label as large as it fits and cuts one that never fits.
func (p *picture) drawLabel(label string) {
	runes := letters(label)
	scale := max(1, min(p.scale, p.width/charWidth/max(1, len(runes))))
	if room := p.width / charWidth / scale; len(runes) > room {
		runes = append(runes[:room-2], '.', '.')
	}
	x := p.centred(len(runes), scale)
	for i, r := range runes {
		p.draw(x+i*charWidth*scale, p.label, scale, r, ' ')
	}
}

// letters takes the marks off letters, for those that the font does not have.
func letters(s string) []rune {
	var plain []rune
	for _, r := range norm.NFD.String(s) {
		if !unicode.Is(unicode.Mn, r) {
			plain = append(plain, r)
		}
	}
	return plain
}

// update draws clock, counter and barcode of a frame, leaving alone what shows
// already.
func (p *picture) update(seq uint64, clock time.Time) {
	var text [24]byte // AppendFormat needs room for nine digits of a fraction
	p.text(p.clock, clock.UTC().AppendFormat(text[:0], clockLayout), p.shownClock[:])

	var digits [20]byte
	n := strconv.AppendUint(digits[:0], seq%1e9, 10)
	counter := [counterWidth]byte{'#', '0', '0', '0', '0', '0', '0', '0', '0', '0'}
	copy(counter[counterWidth-len(n):], n)
	p.text(p.counter, counter[:], p.shownCounter[:])

	p.cells(prober.Marker{Tag: p.tag, Seq: seq, Clock: clock}.Barcode().Rows())
}

// cells draws the barcode: what differs from the one that shows. At first all
// cells are dark, as zero would be.
func (p *picture) cells(rows [prober.BarcodeRows]uint32) {
	for y, row := range rows {
		changed := row ^ p.shownCode[y]
		top, bottom := p.cellTop(y), p.cellTop(y+1)
		for changed != 0 {
			x := bits.LeadingZeros32(changed)
			bit := uint32(1) << (prober.BarcodeColumns - 1 - x)
			changed &^= bit
			p.flip(nearest(x*p.width, prober.BarcodeColumns), top, nearest((x+1)*p.width, prober.BarcodeColumns), bottom, row&bit != 0)
		}
	}
	p.shownCode = rows
}

// cellTop is the first block of a row of cells. Behind the last row it is the
// end of the coded picture: below the visible one, and larger.
func (p *picture) cellTop(row int) int {
	if row == prober.BarcodeRows {
		return p.mbHeight * 4
	}
	return p.barcode + nearest(row*(p.height-p.barcode), prober.BarcodeRows)
}

// nearest is a/b, rounded.
func nearest(a, b int) int { return (2*a + b) / (2 * b) }

func (p *picture) text(y int, text, shown []byte) {
	x := p.centred(len(text), p.scale)
	for i, b := range text {
		if b != shown[i] {
			p.draw(x+i*charWidth*p.scale, y, p.scale, rune(b), rune(max(shown[i], ' ')))
			shown[i] = b
		}
	}
}
