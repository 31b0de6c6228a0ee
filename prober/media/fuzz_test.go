package media

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// bounded wants a summary that no input can blow up.
func bounded(t *testing.T, s Summary, err error) {
	t.Helper()
	if err != nil && (!strings.HasPrefix(err.Error(), "not media: ") || strings.Contains(err.Error(), "reading it as") || len(err.Error()) > 200) {
		t.Errorf("error %q", err)
	}
	if len(s.Note) > 250 || len(s.Markers) > maxMarkers || len(s.AudioMarkers) > maxMarkers || len(s.Tracks) > maxStreams {
		t.Errorf("out of bounds: %d markers, %d of sound, %d tracks, note %q", len(s.Markers), len(s.AudioMarkers), len(s.Tracks), s.Note)
	}
	for _, track := range s.Tracks {
		if track.Units > maxUnits || track.Last < track.First || len(track.Codec) > 60 || track.Width < 0 || track.Width > 1<<16 {
			t.Errorf("out of bounds: %+v", track)
		}
	}
}

// FuzzInspect holds for any segment, within bounds of time and memory.
func FuzzInspect(f *testing.F) {
	for _, c := range hostile(f, 1<<10) {
		f.Add(c[0], c[1])
	}
	ts, mp4, init := testdata(f, "segment.ts"), testdata(f, "segment.m4s"), testdata(f, "init.mp4")
	f.Add(ts[:188*6], []byte(nil))
	f.Add(ts[188*3:188*5], ts[:188*3])
	f.Add(mp4[:1200], init)
	f.Fuzz(func(t *testing.T, segment, init []byte) {
		s, err := Inspect(segment, init)
		bounded(t, s, err)
		thrifty(t, segment, init)
	})
}

// thrifty wants a look into a segment to take no more time and memory than so many bytes
// may. Of three looks the quickest counts: a machine has other things to do.
func thrifty(t *testing.T, segment, init []byte) {
	t.Helper()
	const tries = 3
	size := len(segment) + len(init)
	mostTime, mostBytes := 200*time.Millisecond+time.Duration(size)*20*time.Microsecond, int64(1<<19+150*size)
	var took time.Duration
	var allocated, stack int64
	for range tries {
		start := time.Now()
		allocated, stack = memoryOf(segment, init)
		if took = time.Since(start); took <= mostTime && allocated <= mostBytes && stack <= mostBytes {
			return
		}
	}
	t.Fatalf("%d bytes take %s, %d bytes of memory and %d of stack, want at most %s and %d", size, took, allocated, stack, mostTime, mostBytes)
}

// FuzzProgram goes around the checksum of the tables, which fuzzing does not find:
// a program map, and a PES packet for each of its streams.
func FuzzProgram(f *testing.F) {
	ts := testdata(f, "segment.ts")
	f.Add(ts[2*188+17:2*188+40], ts[3*188+12:4*188])
	f.Add([]byte("\xe1\x00\xf0\x00\x06\xe1\x00\xf0\x0aOpus\x05\x04Opus"), []byte("\x00\x00\x01\xbd\x00\x00\x80\x80\x05\x21\x00\x01\x00\x01\x7f\xe0\x03\xfc\xff\xfe"))
	f.Add([]byte("\xe1\x00\xf0\x00\x81\xe1\x00\xf0\x00\x03\xe1\x01\xf0\x00\x0f\xe1\x02\xf0\x00"), []byte("\x00\x00\x01\xc0\x00\x00\x80\x00\x00\x0b\x77\x00\x00\x1e\x40\x43\xe1\xff\xfb\x90\x00"))
	f.Fuzz(func(t *testing.T, table, packet []byte) {
		var d demuxer
		d.pmt(table)
		for i := range d.streams {
			for _, part := range [][]byte{packet, packet[len(packet)/2:]} {
				state := pidState{elementary: elementary{stream: i}}
				d.media(&state, part, true, false)
				d.media(&state, packet, false, false)
				d.flush(&state)
			}
		}
		var s Summary
		s.takeStreams(d.streams)
		bounded(t, s, nil)
	})
}

// FuzzMovie reads initialization sections.
func FuzzMovie(f *testing.F) {
	f.Add(testdata(f, "init.mp4"))
	f.Fuzz(func(t *testing.T, init []byte) {
		m, err := readMovie(init)
		if err != nil && len(err.Error()) > 150 {
			t.Errorf("error %q", err)
		}
		var s Summary
		s.takeStreams(m.streams())
		bounded(t, s, nil)
	})
}

// FuzzPackedAudio reads ADTS, MP3 and AC-3 behind ID3.
func FuzzPackedAudio(f *testing.F) {
	f.Add([]byte("ID3\x04\x00\x00\x00\x00\x00\x3fPRIV\x00\x00\x00\x35\x00\x00" + timestampOwner + "\x00\x00\x00\x01\x00\x01\x00\x00\xff\xf1\x4c\x80\x01\x1f\xfc\x21"))
	f.Add([]byte("ID3\x04\x00\x00\x00\x00\x00\x00\x0b\x77\x00\x00\x1e\x40\x43\xe1"))
	f.Add([]byte("ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Summary
		err := s.inspectPacked(b)
		bounded(t, s, err)
	})
}

// FuzzWebVTT reads subtitles.
func FuzzWebVTT(f *testing.F) {
	f.Add([]byte("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n00:01.000 --> 01:00:02.500 line:0\nhello\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Summary
		err := s.inspectWebVTT(b)
		bounded(t, s, err)
	})
}

// FuzzPicture reads NAL units of H.264 and HEVC, and their parameter sets.
func FuzzPicture(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x67\x42\xc0\x1e\xda\x02\x80\xbf\xe5\x84\x00\x00\x03\x00\x04\x00\x00\x03\x00\xf2\x3c\x58\xba\x80\x00\x00\x01\x65\x88"), byte(0))
	f.Add([]byte("\x00\x00\x00\x02\x06\x06\x00\x00\x00\x02\x65\x88"), byte(4))
	f.Add([]byte("\x00\x00\x01\x42\x01\x01\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00\x03\x00\x1e\xa0\x14\x20\x61\x65\x95\x9a\x49\x32\xbc\x05\x00\x00\x01\x26\x01"), byte(1))
	f.Fuzz(func(t *testing.T, data []byte, kind byte) {
		s := stream{Track: Track{Kind: Video}, codec: codecH264, scale: 90000, nalLength: int(kind >> 1 & 7 % 5)}
		if kind&1 == 1 {
			s.codec = codecH265
		}
		s.picture(data, 0, false)
		s.add(unit{}, 0, len(data))
		var sum Summary
		sum.takeStreams([]stream{s})
		bounded(t, sum, nil)
	})
}

// FuzzChecker makes up segments: their findings are bounded, and the same again
// for the same segments.
func FuzzChecker(f *testing.F) {
	f.Add(int64(1e9), int64(2e9), int64(33e6), uint64(30), uint64(60), int64(1e9), uint8(0))
	f.Add(int64(-1<<62), int64(1<<62), int64(1), uint64(0), uint64(1<<63), int64(-1), uint8(255))
	f.Fuzz(func(t *testing.T, first, end, unit int64, seq, next uint64, extinf int64, flags uint8) {
		segment := func(i int64, seq uint64) Summary {
			v := Track{Kind: Video, Units: int(flags), First: time.Duration(first + i*extinf), End: time.Duration(end + i*extinf), UnitTime: time.Duration(unit), Gap: time.Duration(unit)}
			a := v
			a.Kind, a.Overlap = Audio, time.Duration(extinf)
			clock := time.Unix(0, first)
			return Summary{
				Container: MPEGTS, HasVideo: flags&1 > 0, HasAudio: flags&2 > 0, Tracks: []Track{v, a}, AVKnown: flags&4 > 0, AVOffset: time.Duration(unit),
				Markers: []prober.Marker{{Seq: seq, Clock: clock}, {Seq: next, Clock: clock}}, TS: TransportStats{Packets: int(flags), ContinuityErrors: int(flags >> 4)},
			}
		}
		check := func() (found []prober.Finding) {
			var c Checker
			for i, seq := range []uint64{seq, next, seq} {
				found = append(found, c.Check(segment(int64(i), seq), Expected{Duration: time.Duration(extinf), Discontinuity: flags&8 > 0, First: flags&16 > 0, Independent: flags&32 > 0, Video: true})...)
			}
			return found
		}
		found := check()
		if len(found) > 60 {
			t.Errorf("%d findings", len(found))
		}
		for _, f := range found {
			if len(f.Detail) > prober.MaxDetail || f.Detail == "" || f.Reason == "" || f.Severity == "" || f.Stage != prober.StageMedia || f.Count != 1 {
				t.Errorf("%+v", f)
			}
		}
		if again := check(); !reflect.DeepEqual(found, again) {
			t.Errorf("%v\nthen %v", found, again)
		}
	})
}
