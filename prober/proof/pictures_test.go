package proof

import (
	"testing"

	"streamcanary/prober"
)

// FuzzPictures reads whatever ffmpeg, or what is called so, writes.
func FuzzPictures(f *testing.F) {
	f.Add([]byte("P5\n2 1\n255\nabP5\n2 1\n255\nab"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var look prober.Look
		if err := sumPictures(&look, raw); err != nil {
			return
		}
		if look.Width > maxWidth || look.Height > maxHeight || look.HasVideo != (look.Pictures > 0) || look.Frozen && look.Pictures < 2 {
			t.Errorf("%q: %+v", raw, look)
		}
	})
}

func TestComplaints(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ said, trouble, err string }{
		{said: ""},
		{said: "\n[h264 @ 0x55aa] no frame!\nmore\n", trouble: "h264: no frame!"},
		{said: "Output file #0 does not contain any stream\n"},
		{said: "Stream map '0:a:0' matches no streams.\nTo ignore this\n"},
		{said: "Decoder (codec none) not found for input stream #0:0\n", trouble: "Decoder (codec none) not found for input stream #0:0"},
		{said: "Decoder (codec av1) not found for input stream #0:0\n", err: "look at a segment: this ffmpeg cannot: Decoder (codec av1) not found for input stream #0:0"},
		{said: "[mpegts @ 0x1] Codec 'vp9' is not on whitelist\n", err: "look at a segment: this ffmpeg cannot: [mpegts @ 0x1] Codec 'vp9' is not on whitelist"},
	} {
		trouble, err := complaint(tt.said)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if trouble != tt.trouble || text != tt.err {
			t.Errorf("%q: %q, %q", tt.said, trouble, text)
		}
	}
}
