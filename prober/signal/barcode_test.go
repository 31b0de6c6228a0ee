package signal

import (
	"image"
	"testing"

	"streamcanary/prober"
)

// TestPicturesShowTheirBarcode reads pictures as they would be decoded without loss.
func TestPicturesShowTheirBarcode(t *testing.T) {
	t.Parallel()
	tag := prober.RunTag("run")
	for _, size := range [][2]int{{288, 176}, {320, 180}, {640, 360}, {854, 480}, {1280, 720}, {1000, 302}, {1920, 1080}} {
		width, height := size[0], size[1]
		p, err := newPicture(width, height, "x", tag)
		if err != nil {
			t.Fatal(err)
		}
		img := image.NewGray(image.Rect(0, 0, width, height))
		for _, seq := range []uint64{0, 1, 0xffffff, 0x1000000, 0x7_abcdef} {
			p.update(seq, started())
			for i := range img.Pix {
				img.Pix[i] = p.luma[i/width/4*p.mbWidth*4+i%width/4]
			}
			want := prober.Marker{Tag: tag, Seq: seq, Clock: started()}.Barcode()
			if got, err := prober.ReadBarcode(img); err != nil || got != want {
				t.Errorf("%v, frame %d: reads %+v, %v, want %+v", size, seq, got, err, want)
			}
		}
	}
}
