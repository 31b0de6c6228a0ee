package media

import "time"

// Limits say from where on a deviation counts. Zero is the default.
type Limits struct {
	// GapNote and GapDegraded bound holes and overlaps in a track's time. Defaults:
	// 100 ms and 500 ms, where players begin to skip and to notice holes: hls.js's
	// maxBufferHole, Shaka Player's gapDetectionThreshold.
	GapNote, GapDegraded time.Duration
	// PictureGap bounds the time between two pictures in a segment whose frames
	// carry no marker: an encoder may leave pictures out. Default: 700 ms, the longest
	// that PTS may be apart (ISO/IEC 13818-1, 2.7.4).
	PictureGap time.Duration
	// Jump is a step of time that is another timeline. Default: 10 s.
	Jump time.Duration
	// DurationNote and DurationDegraded bound the difference of a segment's media
	// to its EXTINF. RFC 8216bis 4.4.4.1 wants no perceptible error when durations are
	// added up, and gives no figure. Defaults: 200 ms and 500 ms (a quarter of the EXTINF,
	// where that is less), and where only sound is there DurationSound, 350 ms, in place
	// of the first: servers pack up to 300 ms of sound into one PES packet (nginx-rtmp's
	// hls_max_audio_delay).
	DurationNote, DurationDegraded, DurationSound time.Duration
	// Early and Late bound sound before and behind its picture. Defaults: ITU-R
	// BT.1359-1, what is acceptable: 90 ms and 185 ms.
	Early, Late time.Duration
	// Skew bounds how far the sound of a segment lies before or behind its pictures,
	// at both ends, when no marker tells whether they belong together. It is noted only,
	// since a server may merely pack them apart. Default: 700 ms.
	Skew time.Duration
	// PCRInterval bounds the time between clock references. ISO/IEC 13818-1 2.7.2
	// says 100 ms, for decoders that recover a clock from it. HLS players do not, and HLS
	// muxers send it with each picture or packet of sound. Default: 1 s.
	PCRInterval time.Duration
	// Short is what is too short for a track to be missed in. Default: 500 ms.
	Short time.Duration
	// Keyless bounds the time without any keyframe, for which nobody can join.
	// Default: 10 s, five times what Apple's HLS authoring specification asks for.
	Keyless time.Duration
	// MissingDegraded bounds the time of frames that are missing in a segment.
	// Default: 100 ms, as for holes.
	MissingDegraded time.Duration
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		value *time.Duration
		zero  time.Duration
	}{
		{&l.GapNote, 100 * time.Millisecond}, {&l.GapDegraded, 500 * time.Millisecond},
		{&l.PictureGap, 700 * time.Millisecond}, {&l.Jump, 10 * time.Second},
		{&l.DurationNote, 200 * time.Millisecond}, {&l.DurationDegraded, 500 * time.Millisecond},
		{&l.DurationSound, 350 * time.Millisecond},
		{&l.Early, 90 * time.Millisecond}, {&l.Late, 185 * time.Millisecond},
		{&l.Skew, 700 * time.Millisecond}, {&l.PCRInterval, time.Second},
		{&l.Keyless, 10 * time.Second}, {&l.Short, 500 * time.Millisecond}, {&l.MissingDegraded, 100 * time.Millisecond},
	} {
		if *d.value == 0 {
			*d.value = d.zero
		}
	}
	return l
}
