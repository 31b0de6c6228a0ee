package prober_test

import (
	"errors"
	"image"
	"image/color"
	"testing"
	"time"

	"streamcanary/prober"
)

func clock() time.Time { return time.Date(2024, 4, 8, 13, 59, 58, 765e6, time.UTC) }

// drawn is a picture that shows a barcode.
func drawn(width, height int, b prober.Barcode) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, width, height))
	top := height - height/prober.BarcodeHeight
	for y := top; y < height; y++ {
		row := b.Rows()[(y-top)*prober.BarcodeRows/(height-top)]
		for x := range width {
			v := uint8(24)
			if row>>(prober.BarcodeColumns-1-x*prober.BarcodeColumns/width)&1 == 1 {
				v = 235
			}
			img.SetGray(x, y, color.Gray{Y: v})
		}
	}
	return img
}

func TestBarcodeReadsBack(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{256, 144}, {320, 180}, {640, 360}, {854, 480}, {1920, 1080}} {
		for _, seq := range []uint64{0, 1, 1<<24 - 1, 1 << 24, 0x7_abcdef} {
			m := prober.Marker{Tag: prober.RunTag("run"), Seq: seq, Clock: clock()}
			want := prober.Barcode{Tag: [3]byte(m.Tag[:3]), Seq: uint32(seq % (1 << 24)), Clock: uint32(clock().UnixMilli() % (1 << 32))}
			got, err := prober.ReadBarcode(drawn(size[0], size[1], m.Barcode()))
			if err != nil || got != want {
				t.Errorf("%v, frame %d: reads %+v, %v, want %+v", size, seq, got, err, want)
			}
		}
	}
}

func TestBarcodeKnowsItsRunOnly(t *testing.T) {
	t.Parallel()
	b := prober.Marker{Tag: prober.RunTag("run"), Clock: clock()}.Barcode()
	if !b.Matches(prober.RunTag("run")) || b.Matches(prober.RunTag("other")) {
		t.Errorf("%+v matches its run: %v, another: %v", b, b.Matches(prober.RunTag("run")), b.Matches(prober.RunTag("other")))
	}
}

func TestBarcodeClockIsPlacedNearATime(t *testing.T) {
	t.Parallel()
	for _, sent := range []time.Time{clock(), time.UnixMilli(1 << 32), time.UnixMilli(1<<32 - 1), time.UnixMilli(5<<32 + 3)} {
		b := prober.Marker{Clock: sent}.Barcode()
		for _, later := range []time.Duration{0, time.Second, -time.Second, 24 * 24 * time.Hour, -24 * 24 * time.Hour} {
			if got := b.At(sent.Add(later)); !got.Equal(sent) {
				t.Errorf("sent %s, seen %s later: placed at %s", sent, later, got)
			}
		}
	}
}

func TestReadBarcodeNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	if _, err := prober.ReadBarcode(image.NewGray(image.Rect(0, 0, 640, 360))); !errors.Is(err, prober.ErrNoBarcode) {
		t.Errorf("black picture: %v, want ErrNoBarcode", err)
	}
	if _, err := prober.ReadBarcode(&image.Gray{}); !errors.Is(err, prober.ErrNoBarcode) {
		t.Errorf("empty picture: %v, want ErrNoBarcode", err)
	}
	b := prober.Barcode{Tag: [3]byte{1, 2, 3}, Seq: 5}
	for cell := range prober.BarcodeColumns * prober.BarcodeRows { // whichever is turned over
		img := drawn(640, 360, b)
		x, y := cell%prober.BarcodeColumns*20, 300+cell/prober.BarcodeColumns*20
		for i := range 400 {
			v := &img.Pix[(y+i/20)*img.Stride+x+i%20]
			*v = 235 - *v + 24
		}
		if got, err := prober.ReadBarcode(img); err == nil {
			t.Errorf("cell %d turned over: reads %+v", cell, got)
		}
	}
}

// A picture of one colour below, or half and half, is no barcode.
func TestPlainPicturesAreNoBarcodes(t *testing.T) {
	t.Parallel()
	for _, cut := range []int{1, 320, 639} {
		img := image.NewGray(image.Rect(0, 0, 640, 360))
		for i := range img.Pix {
			if i%640 < cut {
				img.Pix[i] = 255
			}
		}
		if got, err := prober.ReadBarcode(img); err == nil {
			t.Errorf("white up to column %d: reads %+v", cut, got)
		}
	}
}
