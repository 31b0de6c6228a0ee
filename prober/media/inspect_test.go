package media

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts"

	"streamcanary/prober"
)

// marker is that of a frame of the broadcast in testdata.
func marker(seq uint64) prober.Marker {
	return prober.Marker{
		Tag: prober.RunTag(testRun), Seq: seq,
		Clock: testClock().Add(time.Duration(seq) * time.Second / 30).Truncate(time.Microsecond),
	}
}

func TestInspectRealSegments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, init string
		want       Summary // Markers are those of frames 30 to 59 where there are pictures
	}{
		{"segment.ts", "", Summary{Container: MPEGTS, HasVideo: true, HasAudio: true, Keyframe: true, Pictures: 30, FirstVideo: 2400 * time.Millisecond, LastVideo: 3366 * time.Millisecond}},
		{"segment.m4s", "init.mp4", Summary{Container: FMP4, HasVideo: true, HasAudio: true, Keyframe: true, Pictures: 30, FirstVideo: 999 * time.Millisecond, LastVideo: 1966 * time.Millisecond}},
		{"segment.m4s", "", Summary{Container: FMP4, HasVideo: true, Note: "times and tracks are not known: no initialization section (EXT-X-MAP)"}},
		{"segment.m4s", "segment.ts", Summary{Container: FMP4, HasVideo: true, Note: "times and tracks are not known: initialization section is no fMP4"}},
		{"sound.ts", "", Summary{Container: MPEGTS, HasAudio: true}},
		{"reordered.ts", "", Summary{Container: MPEGTS, HasVideo: true, Keyframe: true, Pictures: 30, FirstVideo: 2467 * time.Millisecond, LastVideo: 3433 * time.Millisecond}},
	} {
		t.Run(c.file+" "+c.init, func(t *testing.T) {
			t.Parallel()
			var init []byte
			if c.init != "" {
				init = testdata(t, c.init)
			}
			got, err := Inspect(testdata(t, c.file), init)
			if err != nil {
				t.Fatal(err)
			}
			var want []prober.Marker
			for seq := uint64(30); c.want.HasVideo && seq < 60; seq++ {
				want = append(want, marker(seq))
			}
			if !slices.Equal(got.Markers, want) {
				t.Errorf("markers\n got %v\nwant %v", got.Markers, want)
			}
			got.Markers = nil
			got.FirstVideo, got.LastVideo = got.FirstVideo.Round(time.Millisecond), got.LastVideo.Round(time.Millisecond)
			c.want.FirstVideo, c.want.LastVideo = c.want.FirstVideo.Round(time.Millisecond), c.want.LastVideo.Round(time.Millisecond)
			if !equal(got, c.want) {
				t.Errorf("summary\n got %+v\nwant %+v", got, c.want)
			}
		})
	}
}

// equal compares summaries but for their markers.
func equal(a, b Summary) bool {
	return a.Container == b.Container && a.HasVideo == b.HasVideo && a.HasAudio == b.HasAudio && a.Pictures == b.Pictures &&
		a.FirstVideo == b.FirstVideo && a.LastVideo == b.LastVideo && a.Keyframe == b.Keyframe && a.Note == b.Note
}

// TestInspectAgreesWithMediacommon compares our reading of MPEG-TS with a
// demultiplexer that we did not write.
func TestInspectAgreesWithMediacommon(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"segment.ts", "reordered.ts"} {
		segment := testdata(t, file)
		r := &mpegts.Reader{R: bytes.NewReader(segment)}
		if err := r.Initialize(); err != nil {
			t.Fatal(err)
		}
		var times []int64
		for _, track := range r.Tracks() {
			if track.Codec.IsVideo() {
				r.OnDataH264(track, func(pts, _ int64, _ [][]byte) error {
					times = append(times, pts)
					return nil
				})
			}
		}
		for r.Read() == nil { //nolint:revive // until the end
		}
		s, err := Inspect(segment, nil)
		if err != nil {
			t.Fatal(err)
		}
		at := func(pts int64) time.Duration {
			return (time.Duration(pts) * time.Millisecond / 90).Truncate(time.Microsecond)
		}
		if first, last := at(slices.Min(times)), at(slices.Max(times)); len(times) != s.Pictures || s.FirstVideo != first || s.LastVideo != last {
			t.Errorf("%s: %d pictures from %v to %v, mediacommon has %d from %v to %v", file, s.Pictures, s.FirstVideo, s.LastVideo, len(times), first, last)
		}
	}
}

func TestInspectNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	ts, mp4, init := testdata(t, "segment.ts"), testdata(t, "segment.m4s"), testdata(t, "init.mp4")
	without := func(pid int) []byte { // a stream without the packets of a PID
		var b []byte
		for p := range slices.Chunk(ts, packetSize) {
			if int(p[1]&0x1f)<<8|int(p[2]) != pid {
				b = append(b, p...)
			}
		}
		return b
	}
	moof := bytes.Index(mp4, []byte("moof")) - 4
	mdat := bytes.Index(mp4, []byte("mdat")) - 4
	for _, c := range []struct {
		name    string
		segment []byte
		want    string
	}{
		{"nothing", nil, "empty"},
		{"page", []byte("\n<!doctype html><title>502 for key s3cret</title>"), "an HTML page"},
		{"page of a proxy", []byte("<html>\r\n<head><title>404 Not Found</title></head>"), "an HTML page"},
		{"page with a byte order mark", []byte("\xef\xbb\xbf<HTML>"), "an HTML page"},
		{"XML of an object store", []byte(`<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>`), "XML"},
		{"other markup", []byte("<p>sorry</p>"), "HTML or XML"},
		{"JSON", []byte(` {"error":"not found","token":"s3cret"}`), "JSON"},
		{"JSON list", []byte(`[]`), "JSON"},
		{"text", []byte("404 page not found: s3cret\n"), "plain text"},
		{"text cut in mid-character", []byte("s3cret caf\xc3"), "plain text"},
		{"playlist", []byte("#EXTM3U\n#EXT-X-VERSION:3\n"), "a playlist"},
		{"subtitles without a time", []byte("WEBVTT\n\n00:01 --> 00:02.000\n"), "WebVTT with a cue whose time cannot be read"},
		{"packed audio, in its tag", []byte("ID3\x04\x00\x00"), "the beginning of packed audio, cut short"},
		{"packed audio, tag cut off", []byte("ID3\x04\x00\x00\x00\x00\x00\x3f1234"), "packed audio cut short: its ID3 tag says it is 63 bytes long, 4 are left"},
		{"packed audio without sound", []byte("ID3\x04\x00\x00\x00\x00\x00\x00silence"), "packed audio without any frame of sound in it"},
		{"ADTS", []byte("\xff\xf1\x4c\x80\x14\x5f\xfc\x21"), "packed audio cut short or damaged: 8 bytes at its end are no whole frame"},
		{"gzip", []byte("\x1f\x8b\x08\x00\x00\x00"), "compressed data (gzip) that nobody unpacked"},
		{"FLV", []byte("FLV\x01\x05\x00\x00\x00\x09"), "FLV"},
		{"zeros", make([]byte, 5000), "5000 zero bytes"},
		{"garbage", bytes.Repeat([]byte{0x9d, 0x01, 0xfe, 0x47, 0x80}, 300), "neither MPEG-TS (no sync bytes) nor fMP4 (no box that begins a segment): garbage, or encrypted"},

		{"TS, less than a packet", ts[:100], "MPEG-TS cut short: 100 bytes are less than one packet"},
		{"TS, in mid-packet", ts[:188*20+7], "MPEG-TS cut short: 7 bytes behind the last whole packet at byte 3760"},
		{"TS, then a page", append(slices.Clone(ts[:188*20]), strings.Repeat("<p>oops</p>", 50)...), "MPEG-TS that turns into something else at byte 3760 of 4310"},
		{"TS without PAT", without(0), "MPEG-TS without a program association table: no player knows what is in it"},
		{"TS without PMT", without(0x1000), "MPEG-TS without a program map table: no player knows what is in it"},
		{"TS with a flipped bit in the PMT", flip(ts, 2*packetSize+20, 1), "MPEG-TS whose program tables have wrong checksums: players ignore them"},
		{"TS with nothing but tables", ts[:188*3], "MPEG-TS without any picture or sound in it"},

		{"fMP4, in mdat", mp4[:len(mp4)-1000], "fMP4 cut short: box mdat at byte 924 says it is 62262 bytes long, 61262 are left"},
		{"fMP4, in a header", mp4[:mdat+5], "fMP4 cut short: 5 bytes are left where a box begins"},
		{"fMP4 box with a bad length", append(slices.Clone(mp4[:mdat]), 0, 0, 0, 3, 'm', 'd', 1, ' '), "fMP4 malformed: box md?? at byte 924 says it is 3 bytes long"},
		{"fMP4 without moof", slices.Concat(mp4[:moof], mp4[mdat:]), "a plain MP4 file, not fragments of one (no moof box)"},
		{"fMP4 without mdat", mp4[:mdat], "fMP4 without any data (no mdat box)"},
		{"initialization section", init, "fMP4 without any fragment (no moof box): an initialization section alone?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Inspect(c.segment, init)
			if err == nil || err.Error() != "not media: "+c.want {
				t.Errorf("got %v\nwant not media: %s", err, c.want)
			}
		})
	}
}

// TestInspectKeepsWhatItFound: a segment that is cut short still tells how far
// the broadcast came.
func TestInspectKeepsWhatItFound(t *testing.T) {
	t.Parallel()
	ts := testdata(t, "segment.ts")
	s, err := Inspect(ts[:len(ts)/2+1], nil)
	if err == nil || len(s.Markers) < 10 || s.Markers[0] != marker(30) || !s.HasVideo {
		t.Errorf("half a segment: %+v, %v", s, err)
	}
}

func TestInspectFindsTheFirstPacket(t *testing.T) {
	t.Parallel()
	ts := testdata(t, "segment.ts")
	s, err := Inspect(slices.Concat([]byte("junk\x47junk"), ts), nil)
	if err != nil || len(s.Markers) != 30 {
		t.Errorf("%d markers, %v", len(s.Markers), err)
	}
}

func TestTablesMayLieInTheInitializationSection(t *testing.T) {
	t.Parallel()
	ts := testdata(t, "segment.ts")
	var tables, rest []byte
	for p := range slices.Chunk(ts, packetSize) {
		if pid := int(p[1]&0x1f)<<8 | int(p[2]); pid == 0 || pid == 0x1000 {
			tables = append(tables, p...)
		} else {
			rest = append(rest, p...)
		}
	}
	if _, err := Inspect(rest, nil); err == nil {
		t.Error("a stream without tables passes")
	}
	if s, err := Inspect(rest, tables); err != nil || len(s.Markers) != 30 {
		t.Errorf("%d markers, %v", len(s.Markers), err)
	}
}

// TestMarkersSplitByPackets lets a packet end within the marker, at each of its
// bytes: a search of the raw stream would miss it.
func TestMarkersSplitByPackets(t *testing.T) {
	t.Parallel()
	tables := testdata(t, "segment.ts")[:3*packetSize]
	want := marker(7)
	pes := want.Append([]byte{0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1, 0, 0, 1, 6, 5, prober.MarkerSize})
	for split := 1; split < len(pes); split++ {
		second := packet(pes[split:], false)
		second[3] |= 1 // continuity_counter
		segment := slices.Concat(tables, packet(pes[:split], true), second)
		s, err := Inspect(segment, nil)
		if err != nil || len(s.Markers) != 1 || s.Markers[0] != want {
			t.Fatalf("split behind byte %d: %+v, %v", split, s, err)
		}
	}
}

// packet is a transport packet of video, stuffed by its adaptation field.
func packet(payload []byte, begins bool) []byte {
	p := []byte{syncByte, 1, 0, 0x30, byte(packetSize - 5 - len(payload)), 0}
	if begins {
		p[1] |= 0x40
	}
	p = append(p, bytes.Repeat([]byte{0xff}, packetSize-len(p)-len(payload))...)
	return append(p, payload...)
}

func TestSegmentThatBringsItsOwnInitializationSection(t *testing.T) {
	t.Parallel()
	s, err := Inspect(slices.Concat(testdata(t, "init.mp4"), testdata(t, "segment.m4s")), nil)
	if err != nil || s.Pictures != 30 || s.FirstVideo.Round(time.Millisecond) != 999*time.Millisecond || !s.Keyframe || !s.HasAudio || len(s.Markers) != 30 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestTimesAreUnwrapped(t *testing.T) {
	t.Parallel()
	pes := func(pts int64) []byte {
		return []byte{0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5,
			0x21 | byte(pts>>29)&0x0e, byte(pts >> 22), 1 | byte(pts>>14), byte(pts >> 7), 1 | byte(pts<<1), 0xaa}
	}
	segment := slices.Clone(testdata(t, "segment.ts")[:3*packetSize])
	for i, pts := range []int64{1<<33 - 3000, 0, 1<<33 - 1500, 6000} {
		p := packet(pes(pts), true)
		p[3] |= byte(i)
		segment = append(segment, p...)
	}
	s, err := Inspect(segment, nil)
	at := func(pts int64) time.Duration {
		return (time.Duration(pts) * time.Millisecond / 90).Truncate(time.Microsecond)
	}
	if first, last := at(1<<33-3000), at(1<<33+6000); err != nil || s.Pictures != 4 || s.FirstVideo != first || s.LastVideo != last {
		t.Errorf("%d pictures from %v to %v, want 4 from %v to %v: %v", s.Pictures, s.FirstVideo, s.LastVideo, first, last, err)
	}
}

func BenchmarkInspectTS(b *testing.B) {
	segment := testdata(b, "segment.ts")
	b.SetBytes(int64(len(segment)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Inspect(segment, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInspectFMP4(b *testing.B) {
	segment, init := testdata(b, "segment.m4s"), testdata(b, "init.mp4")
	b.SetBytes(int64(len(segment)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Inspect(segment, init); err != nil {
			b.Fatal(err)
		}
	}
}
