package signal

import (
	"errors"
	"image"
	"image/color"
	"testing"
)

// drawn is a picture as it would be decoded without loss.
func drawn(width, height int, seq uint64) *image.Gray {
	p, err := newPicture(width, height, "x")
	if err != nil {
		panic(err)
	}
	p.update(seq, started())
	img := image.NewGray(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Pix[y*img.Stride+x] = p.luma[y/4*p.mbWidth*4+x/4]
		}
	}
	return img
}

func TestBarcodeReadsBack(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{320, 180}, {640, 360}, {854, 480}, {1280, 720}, {1000, 302}} {
		for seq, want := range map[uint64]uint32{0: 0, 1: 1, 0xffffff: 0xffffff, 0x1000000: 0, 0x7_abcdef: 0xabcdef} {
			got, err := ReadBarcode(drawn(size[0], size[1], seq))
			if err != nil || got != want {
				t.Errorf("%v, frame %d: reads %d, %v, want %d", size, seq, got, err, want)
			}
		}
	}
}

func TestBarcodeIsNeverOfOneColour(t *testing.T) {
	t.Parallel()
	for _, seq := range []uint64{0, 0xffffff} {
		if b := barcode(seq); b == 0 || b == 0xffffffff {
			t.Errorf("frame %d gives %08x: a blank picture would read as it", seq, b)
		}
	}
}

func TestReadBarcodeNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	if _, err := ReadBarcode(image.NewGray(image.Rect(0, 0, 640, 360))); !errors.Is(err, ErrNoBarcode) {
		t.Errorf("black picture: %v, want ErrNoBarcode", err)
	}
	if _, err := ReadBarcode(&image.Gray{}); !errors.Is(err, ErrNoBarcode) {
		t.Errorf("empty picture: %v, want ErrNoBarcode", err)
	}
	img := drawn(640, 360, 5)
	for y := 330; y < 360; y++ { // the last cell, turned over
		for x := 600; x < 640; x++ {
			img.SetGray(x, y, color.Gray{Y: light - img.GrayAt(x, y).Y})
		}
	}
	const want = "signal: barcode reads 00000531, but the check of sequence 5 would make it 00000530"
	if _, err := ReadBarcode(img); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
