package prober

import "time"

// Figures are a result's measurements. What was not measured is zero.
type Figures struct {
	Stages           []StageTime   // in the order in which they were passed
	TTFF             time.Duration // from the publish to the first frame that came back
	LatencyFirst     time.Duration // push to pull, first frame of the latest segment
	LatencyLast      time.Duration // push to pull, its last frame
	LatencyBy        Means         // what the latencies were taken from
	Proof            Means         // what proved that playback shows what was just pushed; "" is not proven
	BytesSent        int64
	BytesReceived    int64
	SendStall        time.Duration // longest time a write was blocked
	SendQueue        int64         // most bytes that waited in the kernel to be taken by the server
	Interruptions    int           // of a canary since its start
	InterruptionTime time.Duration // of the interruption that just ended
	Viewing          Viewing
	HTTP             HTTPTimes
	PartLatency      time.Duration // push to pull, the last frame of the latest low-latency part that was fetched
	Skipped          int           // segments that fell too far behind to be downloaded, of all renditions
	Missed           int           // segments that could not be downloaded
	Recovered        int           // failures that came and healed within the round
	// Renditions are those that are followed, at most MaxRenditions.
	Renditions []Rendition
}

// StageTime is how long a stage took.
type StageTime struct {
	Stage    Stage
	Duration time.Duration
}

// Means is how it is known that playback shows what was just pushed, or where a
// latency comes from.
type Means string

// The means, the strongest first.
const (
	MeansSEI        Means = "sei"        // the marker in each picture: the source is passed through
	MeansAAC        Means = "aac"        // our sound's frames, byte for byte: only audio is passed through
	MeansBarcode    Means = "barcode"    // read from the decoded picture: everything is transcoded
	MeansTimestamps Means = "timestamps" // media timestamps and EXT-X-PROGRAM-DATE-TIME: a latency, and no proof
)

// AllMeans lists every means, the strongest first.
func AllMeans() []Means {
	return []Means{MeansSEI, MeansAAC, MeansBarcode, MeansTimestamps}
}

// Viewing is what a viewer would have felt: the figures of a virtual player.
type Viewing struct {
	Startup      time.Duration // from asking for the playlist to the first frame
	Watched      time.Duration // media played since the last result
	Rebuffers    int           // interruptions of playback since the last result
	RebufferTime time.Duration // how long they were in all
	Latency      time.Duration // live latency: how far the playhead is behind the broadcaster
	Drift        time.Duration // change of the live latency since playback began
	Buffer       time.Duration // media that is there and not played yet
}

// After adds what a viewer felt before.
func (v Viewing) After(before Viewing) Viewing {
	v.Watched += before.Watched
	v.Rebuffers += before.Rebuffers
	v.RebufferTime += before.RebufferTime
	return v
}

// RebufferRatio is the share of time that playback stood still, 0 to 1.
func (v Viewing) RebufferRatio() float64 {
	if all := v.Watched + v.RebufferTime; all > 0 {
		return float64(v.RebufferTime) / float64(all)
	}
	return 0
}

// HTTPTimes split the latest download of a segment.
type HTTPTimes struct {
	Resolve   time.Duration // DNS; 0 when the connection was there already
	Connect   time.Duration // TCP, or QUIC
	TLS       time.Duration
	FirstByte time.Duration // from the request to the first byte of the answer
	Body      time.Duration // from the first byte to the last
	Protocol  string        // "HTTP/1.1", "HTTP/2.0", "HTTP/3.0"
	Redirects int
	Cache     string        // what the CDN said of its cache: "hit", "miss" or ""
	Age       time.Duration // of the answer in caches (RFC 9111 5.1)
	Encoding  string        // Content-Encoding of the playlist, "" for none
}
