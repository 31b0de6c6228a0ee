package media

import (
	"time"

	"streamcanary/prober"
)

// Container is how a segment is packed.
type Container string

// The containers.
const (
	Unknown     Container = ""
	MPEGTS      Container = "mpegts"       // ISO/IEC 13818-1
	FMP4        Container = "fmp4"         // ISO/IEC 14496-12, fragments
	PackedAudio Container = "packed_audio" // frames of sound behind an ID3 tag (RFC 8216bis 3.4)
	WebVTT      Container = "webvtt"       // subtitles (RFC 8216bis 3.5)
)

// Encryption is how a segment's bytes are hidden.
type Encryption string

// The encryptions.
const (
	Clear       Encryption = ""
	WholeFile   Encryption = "whole segment" // AES-128, as it seems: the bytes are no media, and ciphertext by their statistics
	SampleAES   Encryption = "SAMPLE-AES"    // MPEG-TS and packed audio with the stream types of Apple's sample encryption
	CommonENC   Encryption = "CENC"          // fMP4 with encv or enca (ISO/IEC 23001-7), whatever its scheme
	ScrambledTS Encryption = "scrambled"     // transport_scrambling_control of MPEG-TS
)

// Summary is what a segment holds. Times are presentation times since the zero
// of the container's clock, to the microsecond. In MPEG-TS that clock wraps after
// 26.5 h: within a segment times are unwrapped around the first, so one that
// straddles the wrap may have times below 0.
type Summary struct {
	Container  Container
	Encryption Encryption
	Bytes      int             // of the segment
	HasVideo   bool            // there is at least one picture
	HasAudio   bool            // there is sound
	Pictures   int             // access units of the first video track
	FirstVideo time.Duration   // earliest presentation time of a picture
	LastVideo  time.Duration   // latest
	Keyframe   bool            // decoding can start at the first picture; false when its codec is not known
	Markers    []prober.Marker // of pictures, in the order of presentation, at most 16384
	// AudioMarkers are those of sound, in order, at most 16384.
	AudioMarkers []prober.Marker
	// MarkerTimes and AudioMarkerTimes are the presentation times of the frames that
	// carry them, one for each; empty where times are not known.
	MarkerTimes, AudioMarkerTimes []time.Duration
	// VideoSent and AudioSent place pictures and sound on the clock of their pusher,
	// by their markers. AVOffset is how far they are apart (see Apart) within this segment;
	// valid when AVKnown.
	VideoSent, AudioSent Moment
	AVOffset             time.Duration
	AVKnown              bool
	Untimed              bool    // packed audio without the timestamp that it has to begin with: its times count from 0
	Tracks               []Track // in the container's order, at most 16
	TS                   TransportStats
	MP4                  FragmentStats
	Note                 string // what could not be read, "" when all could
}

// Kind is what a track is for.
type Kind string

// The kinds.
const (
	Video Kind = "video"
	Audio Kind = "audio"
	Text  Kind = "text" // subtitles, captions
	Data  Kind = "data" // timed metadata, and what is not known
)

// Track is one elementary stream of a segment. What is not known is zero.
type Track struct {
	ID         int // PID, or track_ID
	Kind       Kind
	Codec      string // as in the CODECS attribute (RFC 6381): "avc1.64001f", "mp4a.40.2"
	Width      int    // samples of a picture
	Height     int
	FrameRate  float64 // pictures per second, by their times
	SampleRate int     // of sound, per second
	Channels   int
	Units      int           // access units: pictures, frames of sound, cues
	Keyframes  int           // pictures that decoding can start with; counted for H.264 and HEVC, else by the container's flags
	Keyframe   bool          // decoding can start at the first picture
	Headless   bool          // H.264 or HEVC without a parameter set, in or before the segment: nobody can start here
	Bytes      int64         // of access units
	First      time.Duration // earliest presentation time
	Last       time.Duration // latest
	End        time.Duration // when the latest ends; Last where that is not known
	UnitTime   time.Duration // usual time from unit to unit: the median
	// Gap is the largest hole between two units, beyond the usual time, and GapAt
	// where it begins. Overlap is the largest step back.
	Gap, GapAt time.Duration
	Overlap    time.Duration
}

// Duration is how long a track plays.
func (t Track) Duration() time.Duration { return t.End - t.First }

// Moment is a frame's place on the media timeline, and the clock at which it was
// sent. It is typical of its segment's: that frame of whose offset of the one to the
// other the others have as many greater as smaller. A zero clock is none.
type Moment struct {
	At    time.Duration
	Clock time.Time
	Late  time.Duration // how much later than others of the segment some frames were sent, by their clocks
}

// Apart is how much later sound is shown than the picture that was sent with it,
// negative: earlier. Both may be of different renditions of one container; they have
// to be of one run. It is not known where the pusher was late by as much: what a busy
// machine sends all at once has one clock, and times that are apart.
func Apart(video, audio Moment, container Container) (offset time.Duration, known bool) {
	if video.Clock.IsZero() || audio.Clock.IsZero() {
		return 0, false
	}
	const punctual = 60 * time.Millisecond // a pusher wakes every 40 ms, and pictures are 33 ms apart
	offset = nearest(audio.At-video.At-audio.Clock.Sub(video.Clock), container)
	if late := max(video.Late, audio.Late); late > punctual && offset.Abs() <= late {
		return 0, false
	}
	return offset, true
}

// TransportStats are counts of MPEG-TS.
type TransportStats struct {
	Packets          int
	ContinuityErrors int           // continuity_counter (ISO/IEC 13818-1, 2.4.3.3)
	ErrorPackets     int           // transport_error_indicator
	SyncLosses       int           // places where a sync byte was not where it has to be
	TableErrors      int           // PAT or PMT sections with a wrong CRC_32, which players ignore
	BadTimes         int           // PES packets whose header is damaged, or whose PTS is before its DTS (2.4.3.7)
	TablesFirst      bool          // PAT and PMT come before media, or in the initialization section (RFC 8216bis 3.2)
	PCRs             int           // program clock references on the program's PCR_PID
	FirstPCR         time.Duration // the first of them
	PCRInterval      time.Duration // longest time from one to the next
	PCRJumps         int           // that went back or leapt ahead without discontinuity_indicator
}

// FragmentStats are counts of fMP4.
type FragmentStats struct {
	Fragments       int    // moof boxes
	FirstSequence   uint32 // sequence_number of the first (mfhd, ISO/IEC 14496-12, 8.8.5)
	LastSequence    uint32
	NoDecodeTime    int // track fragments without tfdt (8.8.12)
	SamplesOutside  int // samples whose bytes are not in the segment
	UnknownTracks   int // track fragments of tracks that the initialization section does not have
	InitWasReadable bool
}

// Video gives the first video track.
func (s Summary) Video() (Track, bool) { return s.first(Video) }

// Audio gives the first audio track.
func (s Summary) Audio() (Track, bool) { return s.first(Audio) }

func (s Summary) first(k Kind) (Track, bool) {
	for _, t := range s.Tracks {
		if t.Kind == k && t.Units > 0 {
			return t, true
		}
	}
	return Track{}, false
}

// Duration is how long the segment plays: its video, or where there is none its
// sound. 0 is not known.
func (s Summary) Duration() time.Duration {
	if t, ok := s.Video(); ok {
		return t.Duration()
	}
	t, _ := s.Audio()
	return t.Duration()
}

// Bitrate is in bits per second, containers included, over the duration that is
// given (EXTINF), or with 0 over the segment's own. 0 is not known.
func (s Summary) Bitrate(over time.Duration) int {
	if over <= 0 {
		over = s.Duration()
	}
	if over <= 0 {
		return 0
	}
	return int(float64(s.Bytes) * 8 / over.Seconds())
}

// Codecs lists what the CODECS attribute has to name.
func (s Summary) Codecs() []string {
	var codecs []string
	for _, t := range s.Tracks {
		if t.Codec != "" {
			codecs = append(codecs, t.Codec)
		}
	}
	return codecs
}
