package prober

import "time"

// RenditionType is what a rendition is for.
type RenditionType string

// The types.
const (
	RenditionVariant   RenditionType = "variant" // EXT-X-STREAM-INF, and a media playlist alone
	RenditionAudio     RenditionType = "audio"   // EXT-X-MEDIA, by its TYPE
	RenditionVideo     RenditionType = "video"
	RenditionSubtitles RenditionType = "subtitles"
)

// MaxRenditions bounds the renditions of one result, as many as are followed.
const MaxRenditions = 16

// Rendition is what is known of one rendition after a round. What counts is of the
// round; bitrates and segments' durations are of the latest segments, at most 20.
// What was not announced or not measured is zero.
type Rendition struct {
	Name string // as in Finding.Where: "720p", "audio en"; "" is a media playlist alone
	Type RenditionType

	Playing bool // media of it has come, ever
	Ended   bool // it has an end, and all of it was had
	Failure *Failure
	Proof   Means // "" is not proven

	Announced  Encoding // by the multivariant playlist
	Seen       Encoding // in the latest segment
	Container  string   // of the segments: "mpegts", "fmp4", "packed_audio", "webvtt"
	Encryption string   // METHOD of EXT-X-KEY: "AES-128"; "" is none

	// PeakBitrate is the peak segment bitrate (RFC 8216bis 3), AverageBitrate that
	// of all the latest segments: bits per second.
	PeakBitrate    int64
	AverageBitrate int64

	Segments   int // that were listed
	Downloaded int // good ones
	Keyframes  int // of the downloaded, those that begin with a keyframe
	Skipped    int // fell too far behind to be downloaded
	Missed     int // could not be downloaded

	TargetDuration time.Duration
	PartTarget     time.Duration // 0: not of low latency
	ShortestEXTINF time.Duration
	MeanEXTINF     time.Duration
	LongestEXTINF  time.Duration

	MediaSequence   uint64 // of the latest playlist
	SegmentSequence uint64 // of the latest good segment

	LatencyLast time.Duration // push to pull, the last frame of the latest segment
	PartLatency time.Duration // the same of the latest part that was fetched
	LatencyBy   Means         // what they were taken from
	Viewing     Viewing
}

// Encoding is how a rendition is coded.
type Encoding struct {
	Bandwidth        int64 // BANDWIDTH, bits per second; announced alone, see Rendition.PeakBitrate
	AverageBandwidth int64 // AVERAGE-BANDWIDTH
	Width, Height    int
	FrameRate        float64 // pictures per second
	Codecs           string  // as in the CODECS attribute
}
