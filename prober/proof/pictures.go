package proof

import (
	"bytes"
	"fmt"
	"image"

	"streamcanary/prober"
)

const (
	maxWidth  = 640 // larger pictures are made so small
	maxHeight = 360
	maxHeader = 32 // of a greymap

	blackBelow  = 32  // of 255: what is dark is a tenth of white, and noise
	blackShare  = .98 // of a picture's samples
	sameBelow   = 20. // mean difference of a block's samples between pictures that are the same
	blockLength = 16
)

// sumPictures fills in what raw greymaps show.
func sumPictures(look *prober.Look, raw []byte) error {
	var first *image.Gray
	black, frozen := true, true
	for len(raw) > 0 {
		p, rest, err := parsePicture(raw)
		if err != nil {
			return err
		}
		raw = rest
		look.Pictures++
		black = black && isBlack(p)
		if first == nil {
			first = p
		} else {
			frozen = frozen && same(first, p)
		}
		if b, err := prober.ReadBarcode(p); err == nil {
			look.Barcodes = append(look.Barcodes, b)
		}
	}
	if first == nil {
		return nil
	}
	look.HasVideo, look.Width, look.Height = true, first.Rect.Dx(), first.Rect.Dy()
	look.Black, look.Frozen = black, frozen && look.Pictures > 1
	return nil
}

// parsePicture reads one portable greymap ("P5", width, height, 255, samples).
func parsePicture(raw []byte) (p *image.Gray, rest []byte, err error) {
	var width, height, most int
	head, _, _ := bytes.Cut(raw[:min(len(raw), maxHeader)], []byte("\n255\n"))
	if _, err := fmt.Sscanf(string(head)+"\n255\n", "P5\n%d %d\n%d\n", &width, &height, &most); err != nil {
		return nil, nil, fmt.Errorf("look at a segment: ffmpeg gave no greymap: %w", err)
	}
	if width < 1 || height < 1 || width > maxWidth || height > maxHeight {
		return nil, nil, fmt.Errorf("look at a segment: ffmpeg gave a picture of %dx%d", width, height)
	}
	body := raw[min(len(raw), len(head)+len("\n255\n")):]
	if len(body) < width*height {
		return nil, nil, fmt.Errorf("look at a segment: ffmpeg gave %d bytes of a picture of %dx%d", len(body), width, height)
	}
	return &image.Gray{Pix: body[:width*height], Stride: width, Rect: image.Rect(0, 0, width, height)}, body[width*height:], nil
}

func isBlack(p *image.Gray) bool {
	dark := 0
	for _, v := range p.Pix {
		if v < blackBelow {
			dark++
		}
	}
	return float64(dark) >= blackShare*float64(len(p.Pix))
}

// same tells whether two pictures differ by no more than a transcoder's noise, in
// any block.
func same(a, b *image.Gray) bool {
	if a.Rect != b.Rect {
		return false
	}
	for y := 0; y < a.Rect.Dy(); y += blockLength {
		for x := 0; x < a.Rect.Dx(); x += blockLength {
			if difference(a, b, x, y) >= sameBelow {
				return false
			}
		}
	}
	return true
}

func difference(a, b *image.Gray, left, top int) float64 {
	sum, n := 0, 0
	for y := top; y < min(top+blockLength, a.Rect.Dy()); y++ {
		for x := left; x < min(left+blockLength, a.Rect.Dx()); x++ {
			d := int(a.Pix[y*a.Stride+x]) - int(b.Pix[y*b.Stride+x])
			sum += max(d, -d)
			n++
		}
	}
	return float64(sum) / float64(n)
}
