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

// Rendition is what is known of one rendition after a round. What is counted is of
// the round; what was not announced or not measured is zero.
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

	// PeakBitrate is the peak segment bitrate (RFC 8216bis 3), AverageBitrate the
	// mean, both of the latest segments and in bits per second. A variant's are with
	// the largest rendition of each group that plays with it, as BANDWIDTH counts; and
	// so are the codecs that are seen, as CODECS does.
	PeakBitrate    int64
	AverageBitrate int64

	Segments   int // that were listed
	Downloaded int // good ones
	Keyframes  int // of the downloaded, those that begin with a keyframe
	Skipped    int // fell too far behind to be downloaded
	Missed     int // could not be downloaded

	// TargetDuration and the durations of segments (EXTINF) are of the latest playlist.
	TargetDuration time.Duration
	PartTarget     time.Duration // 0: not of low latency
	ShortestEXTINF time.Duration
	MeanEXTINF     time.Duration
	LongestEXTINF  time.Duration
	PlaylistType   string // EXT-X-PLAYLIST-TYPE: "VOD", "EVENT" or ""
	EndList        bool   // EXT-X-ENDLIST: nothing follows

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

// AddRenditions adds what a later round found to what was found before: what is
// counted is added up, bitrates and durations of segments have their extremes over
// both, the rest is the later's. What the later does not name is left out.
func AddRenditions(before, later []Rendition) []Rendition {
	sum := make([]Rendition, 0, len(later))
	for _, r := range later {
		for _, b := range before {
			if b.Name == r.Name && b.Type == r.Type {
				r = r.after(b)
			}
		}
		sum = append(sum, r)
	}
	return sum
}

func (r Rendition) after(b Rendition) Rendition {
	r.Segments += b.Segments
	r.Downloaded += b.Downloaded
	r.Keyframes += b.Keyframes
	r.Skipped += b.Skipped
	r.Missed += b.Missed
	r.PeakBitrate = max(r.PeakBitrate, b.PeakBitrate)
	if b.ShortestEXTINF > 0 {
		r.ShortestEXTINF = min(r.ShortestEXTINF, b.ShortestEXTINF)
	}
	r.LongestEXTINF = max(r.LongestEXTINF, b.LongestEXTINF)
	r.Viewing = r.Viewing.After(b.Viewing)
	return r
}
