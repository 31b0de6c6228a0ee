package media

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"streamcanary/prober"
)

// healthy is a segment of 2 s that begins at a time, in MPEG-TS.
func healthy(at time.Duration) Summary {
	return Summary{
		Container: MPEGTS, HasVideo: true, HasAudio: true, Keyframe: true,
		TS: TransportStats{Packets: 700, TablesFirst: true, PCRs: 20, PCRInterval: 100 * time.Millisecond},
		Tracks: []Track{
			{Kind: Video, Codec: "avc1.42c01e", Width: 640, Height: 360, Units: 60, Keyframes: 1, Keyframe: true, First: at, End: at + 2*time.Second, UnitTime: time.Second / 30},
			{Kind: Audio, Codec: "mp4a.40.2", SampleRate: 48000, Channels: 2, Units: 94, First: at, End: at + 2*time.Second, UnitTime: 21333 * time.Microsecond},
		},
	}
}

// TestChecker has rules broken in made-up summaries: those that no tool at hand
// breaks in a real segment, and what the settings and the playlist make of them.
func TestChecker(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, c := range []struct {
		name   string
		change func(first, second *Summary, e *Expected, l *Limits)
		want   []string
	}{
		{"healthy", func(_, _ *Summary, _ *Expected, _ *Limits) {}, nil},
		{"no clock reference", func(_, s *Summary, _ *Expected, _ *Limits) { s.TS.PCRs = 0 }, []string{"clock_reference note ISO/IEC 13818-1 2.7.2: no program clock reference"}},
		{"no clock reference in a part", func(_, s *Summary, e *Expected, _ *Limits) { s.TS.PCRs, e.Part = 0, true }, nil},
		{"clock reference too rare", func(_, s *Summary, _ *Expected, _ *Limits) { s.TS.PCRInterval = 1200 * ms }, []string{"clock_reference note ISO/IEC 13818-1 2.7.2: 1.2s between two program clock references"}},
		{"clock reference too rare by a setting", func(_, _ *Summary, _ *Expected, l *Limits) { l.PCRInterval = 40 * ms }, []string{"clock_reference note ISO/IEC 13818-1 2.7.2: 100ms between two program clock references", "clock_reference note ISO/IEC 13818-1 2.7.2: 100ms between two program clock references"}},
		{"clock reference jumps", func(_, s *Summary, _ *Expected, _ *Limits) { s.TS.PCRJumps = 1 }, []string{"clock_reference note ISO/IEC 13818-1 2.7.2: the program clock reference jumps 1 times without discontinuity_indicator"}},
		{"tables behind media", func(_, s *Summary, _ *Expected, _ *Limits) { s.TS.TablesFirst = false }, []string{"media_malformed note RFC 8216bis 3.2: media comes before the program tables"}},
		{"damaged headers", func(_, s *Summary, _ *Expected, _ *Limits) { s.TS.BadTimes = 2 }, []string{"media_malformed degraded ISO/IEC 13818-1 2.4.3.6: 2 PES packets with a damaged header, or a PTS before the DTS"}},
		{"samples outside", func(_, s *Summary, _ *Expected, _ *Limits) { s.MP4.SamplesOutside = 3 }, []string{"media_malformed fail ISO/IEC 14496-12 8.8: 3 samples lie outside of the segment"}},
		{"unknown tracks", func(_, s *Summary, _ *Expected, _ *Limits) { s.MP4.UnknownTracks, s.MP4.InitWasReadable = 1, true }, []string{"media_malformed degraded ISO/IEC 14496-12 8.8: 1 track fragments of tracks that the initialization section does not have"}},
		{"no decode time", func(_, s *Summary, _ *Expected, _ *Limits) { s.MP4.NoDecodeTime = 1 }, []string{"media_malformed degraded RFC 8216bis 3.3: 1 track fragments without decode time (tfdt)"}},
		{"no keyframe at the start", func(_, s *Summary, _ *Expected, _ *Limits) { s.Keyframe = false }, []string{"no_keyframe note RFC 8216bis 3: it does not begin with a keyframe"}},
		{"no keyframe, said to be independent", func(_, s *Summary, e *Expected, _ *Limits) {
			s.Keyframe, s.Tracks[0].Keyframes, e.Independent = false, 0, true
		}, []string{"no_keyframe degraded RFC 8216bis 4.4.2.1: said to be independent, but no keyframe in it: who joins here has to wait for a later segment"}},
		{"no keyframe in a part", func(_, s *Summary, e *Expected, _ *Limits) { s.Keyframe, e.Part = false, true }, nil},
		{"no parameter sets", func(_, s *Summary, _ *Expected, _ *Limits) { s.Tracks[0].Headless, s.Tracks[0].Codec = true, "" }, []string{"no_keyframe note RFC 8216bis 3: it begins with a keyframe, but has no parameter sets to decode it with"}},
		{"pictures far apart", func(_, s *Summary, _ *Expected, _ *Limits) { s.Tracks[0].Gap = 600 * ms }, nil},
		{"pictures too far apart", func(_, s *Summary, _ *Expected, _ *Limits) {
			s.Tracks[0].Gap, s.Tracks[0].GapAt = 900*ms, 12500*ms
		}, []string{"timestamp_gap degraded ISO/IEC 13818-1 2.7.4: picture: a hole of 900ms, 500ms behind its begin"}},
		{"a hole in the sound", func(_, s *Summary, _ *Expected, _ *Limits) {
			s.Tracks[1].Gap, s.Tracks[1].GapAt = 200*ms, 13*time.Second
		}, []string{"timestamp_gap note ISO/IEC 13818-1 2.7.4: sound: a hole of 200ms, 1s behind its begin"}},
		{"time goes back within", func(_, s *Summary, _ *Expected, _ *Limits) { s.Tracks[1].Overlap = 800 * ms }, []string{"timestamp_overlap degraded ISO/IEC 13818-1 2.7.4: sound: its time goes 800ms back within the segment"}},
		{"sound lies behind, unmarked", func(a, b *Summary, _ *Expected, _ *Limits) {
			for _, s := range []*Summary{a, b} {
				s.Tracks[1].First, s.Tracks[1].End = s.Tracks[1].First+800*ms, s.Tracks[1].End+800*ms
			}
		}, []string{"av_offset note ITU-R BT.1359-1: the segment's sound begins 800ms and ends 800ms from its pictures; it is not known whether they are sent so", "av_offset note ITU-R BT.1359-1: the segment's sound begins 800ms and ends 800ms from its pictures; it is not known whether they are sent so"}},
		{"sound ahead, marked", func(_, s *Summary, _ *Expected, _ *Limits) { s.AVKnown, s.AVOffset = true, -100*ms }, []string{"av_offset degraded ITU-R BT.1359-1: sound is 100ms ahead of the picture that it was sent with"}},
		{"sound slightly behind, marked", func(_, s *Summary, _ *Expected, _ *Limits) { s.AVKnown, s.AVOffset = true, 150*ms }, nil},
		{"markers leave the pictures", func(a, s *Summary, _ *Expected, _ *Limits) {
			a.Markers, a.AudioMarkers = []prober.Marker{{Seq: 1}}, []prober.Marker{{Seq: 1, Audio: true}}
			s.AudioMarkers = []prober.Marker{{Seq: 2, Audio: true}}
		}, []string{"no_marker degraded : pictures without markers, where they came through before: they are not those that were pushed"}},
		{"nobody can join", func(a, s *Summary, _ *Expected, l *Limits) {
			a.Keyframe, a.Tracks[0].Keyframes, s.Keyframe, s.Tracks[0].Keyframes, l.Keyless = false, 0, false, 0, 3*time.Second
		}, []string{"no_keyframe note RFC 8216bis 3: no keyframe in it: who joins here has to wait for a later segment", "no_keyframe degraded RFC 8216bis 3: no keyframe for 4s: nobody can join"}},
		{"a short segment that lasts a third longer", func(_, _ *Summary, e *Expected, _ *Limits) { e.Duration = 1600 * ms }, []string{"duration_mismatch note RFC 8216bis 4.4.4.1: its media lasts 2s, its EXTINF is 1.6s"}},
		{"a short segment that lasts twice as long", func(_, s *Summary, e *Expected, _ *Limits) {
			s.Tracks[0].End, e.Duration = s.Tracks[0].First+900*ms, 500*ms
		}, []string{"duration_mismatch degraded RFC 8216bis 4.4.4.1: its media lasts 900ms, its EXTINF is 500ms"}},
		{"over the clock's wrap", func(a, b *Summary, _ *Expected, _ *Limits) {
			for i := range 2 {
				a.Tracks[i].First, a.Tracks[i].End = wrap-2*time.Second, wrap
				b.Tracks[i].First, b.Tracks[i].End = 0, 2*time.Second
			}
		}, nil},
		{"sound at another rate", func(_, s *Summary, _ *Expected, _ *Limits) { s.Tracks[1].SampleRate = 44100 }, []string{"encoding_changed degraded RFC 8216bis 4.4.4.3: without EXT-X-DISCONTINUITY: 48000 Hz, 2 channels to 44100 Hz, 2 channels"}},
		{"everything else, behind a discontinuity", func(_, s *Summary, e *Expected, _ *Limits) {
			e.Discontinuity = true
			s.HasAudio, s.Tracks = false, s.Tracks[:1]
			s.Tracks[0].Codec, s.Tracks[0].First, s.Tracks[0].End = "hvc1.1", time.Hour, time.Hour+2*time.Second
		}, nil},
		{"the last, short segment without sound", func(_, s *Summary, e *Expected, _ *Limits) {
			e.Duration = 200 * ms
			s.HasAudio, s.Tracks = false, s.Tracks[:1]
			s.Tracks[0].End = s.Tracks[0].First + 200*ms
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			first, second := healthy(10*time.Second), healthy(12*time.Second)
			e, l := Expected{Duration: 2 * time.Second}, Limits{}
			c.change(&first, &second, &e, &l)
			checker := Checker{Limits: l}
			var got []string
			for _, f := range append(checker.Check(first, Expected{Duration: 2 * time.Second, Part: e.Part}), checker.Check(second, e)...) {
				got = append(got, fmt.Sprintf("%s %s %s: %s", f.Reason, f.Severity, f.Section, f.Detail))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestFramesMissing tells frames that were lost from frames that were left out on
// purpose, as in a rendition of half the frame rate.
func TestFramesMissing(t *testing.T) {
	t.Parallel()
	const fps = 30
	// at gives a segment of pictures by their numbers; each is shown for so many frames
	// of the source, the first when it was sent.
	at := func(lasts float64, seqs ...uint64) Summary {
		s := healthy(time.Duration(seqs[0]) * time.Second / fps)
		s.HasAudio, s.Tracks = false, s.Tracks[:1]
		for i, seq := range seqs {
			s.Markers = append(s.Markers, prober.Marker{Seq: seq, Clock: time.Unix(0, int64(seq)*1e9/fps)})
			s.MarkerTimes = append(s.MarkerTimes, s.Tracks[0].First+time.Duration(float64(i)*lasts*float64(time.Second)/fps))
		}
		s.Tracks[0].End = s.MarkerTimes[len(seqs)-1] + time.Duration(lasts*float64(time.Second)/fps)
		return s
	}
	// sent shows each picture when it was sent.
	sent := func(seqs ...uint64) Summary {
		s := at(1, seqs...)
		for i, seq := range seqs {
			s.MarkerTimes[i] = time.Duration(seq) * time.Second / fps
		}
		s.Tracks[0].End = time.Duration(seqs[len(seqs)-1]+1) * time.Second / fps
		return s
	}
	for _, c := range []struct {
		name string
		of   []Summary
		want []string
	}{
		{"each", []Summary{at(1, 0, 1, 2, 3), at(1, 4, 5, 6, 7)}, nil},
		{"half the rate", []Summary{at(2, 0, 2, 4, 6), at(2, 8, 10, 12)}, nil},
		{"half the rate, unevenly", []Summary{at(2, 0, 1, 4, 5, 8, 9), at(2, 12, 13, 16, 17)}, nil},
		{"25 of 30", []Summary{at(1.2, 0, 1, 2, 3, 4, 6, 7, 8, 9, 10), at(1.2, 12, 13, 14, 15, 16, 18)}, nil},
		{"twice the rate", []Summary{at(.5, 0, 0, 1, 1, 2, 2), at(.5, 3, 3, 4, 4)}, nil},
		{"one lost", []Summary{sent(0, 1, 2, 4, 5, 6)}, []string{"note picture: about 1 of our frames are missing (33ms) up to frame 6"}},
		{"six lost between segments", []Summary{sent(0, 1, 2, 3), sent(10, 11, 12)}, []string{"degraded picture: about 6 of our frames are missing (200ms) up to frame 12"}},
		{"lost at half the rate", []Summary{sent(0, 2, 4, 10, 12, 14)}, []string{"degraded picture: about 4 of our frames are missing (133ms) up to frame 14"}},
		{"cut out, and time closed up", []Summary{at(1, 0, 1, 2, 3, 34, 35, 36, 37)}, []string{"degraded picture: about 30 of our frames are missing (1s) up to frame 37"}},
	} {
		var checker Checker
		var got []string
		for _, s := range c.of {
			for _, f := range checker.Check(s, Expected{}) {
				got = append(got, fmt.Sprintf("%s %s", f.Severity, f.Detail))
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q\nwant %q", c.name, got, c.want)
		}
	}
}

// TestSkip: behind a segment that was not seen nothing is missing.
func TestSkip(t *testing.T) {
	t.Parallel()
	var checker Checker
	first, second := healthy(0), healthy(time.Minute)
	first.Markers, second.Markers = []prober.Marker{{Seq: 1}, {Seq: 2}}, []prober.Marker{{Seq: 1801}, {Seq: 1802}}
	notSeen := checker.Skip
	found := checker.Check(first, Expected{})
	notSeen()
	if found = append(found, checker.Check(second, Expected{})...); len(found) != 0 {
		t.Errorf("%+v", found)
	}
}
