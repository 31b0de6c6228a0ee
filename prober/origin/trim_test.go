package origin

import "testing"

func TestTrim(t *testing.T) {
	t.Parallel()
	const head, tail = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n", "#EXT-X-PROGRAM-DATE-TIME:c\n#EXTINF:1.0,\nc.ts\n#EXTINF:1.0,\nd.ts\n"
	const first = "#EXT-X-PROGRAM-DATE-TIME:a\n#EXTINF:1.0,\na.ts\n#EXT-X-PROGRAM-DATE-TIME:b\n#EXTINF:1.0,\nb.ts\n"
	const multivariant = "#EXTM3U\n\n#EXT-X-STREAM-INF:BANDWIDTH=1\nmain.m3u8\n"
	for _, of := range []struct {
		name, playlist string
		n              int
		want           string
	}{
		{"longer", head + "#EXT-X-MEDIA-SEQUENCE:7\n" + first + tail, 2, head + "#EXT-X-MEDIA-SEQUENCE:9\n" + tail},
		{"longer, fMP4", head + "#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-MAP:URI=\"i.mp4\"\n#EXTINF:1.0,\na.mp4\n" + tail, 2,
			head + "#EXT-X-MEDIA-SEQUENCE:8\n#EXT-X-MAP:URI=\"i.mp4\"\n" + tail},
		{"as long", head + "#EXT-X-MEDIA-SEQUENCE:7\n" + tail, 2, head + "#EXT-X-MEDIA-SEQUENCE:7\n" + tail},
		{"multivariant", multivariant, 1, multivariant},
		{"nothing", "", 1, ""},
	} {
		if got := trim(of.playlist, of.n); got != of.want {
			t.Errorf("%s: %q, want %q", of.name, got, of.want)
		}
	}
}
