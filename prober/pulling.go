package prober

import "time"

// Pulling is how a target's playbacks are pulled and what is expected of them. The
// zero value is as browsers pull, and expects nothing but a broadcast that plays.
type Pulling struct {
	HTTP    string   `json:"http,omitempty"`    // "1.1", "2" or "3" alone; "" is what the server offers
	CA      string   `json:"ca,omitempty"`      // authorities in PEM that servers are verified against; "" is the system's
	Headers []Header `json:"headers,omitempty"` // of each request to the playback's own host

	Transcoded bool   `json:"transcoded,omitempty"` // no marker comes through: without ffmpeg nothing is proven, and that is no failure
	Ladder     []Rung `json:"ladder,omitempty"`
	FailAlone  bool   `json:"fail_alone,omitempty"` // what fails in one rendition is a failure while others play, and not degraded

	// MaxLatency and MaxRebuffering are what a viewer may feel before it is degraded:
	// how far the virtual player is behind the broadcaster, and the share of half a
	// minute that it stands still. Zero is the follower's default.
	MaxLatency     time.Duration `json:"max_latency,omitempty"`
	MaxRebuffering float64       `json:"max_rebuffering,omitempty"`

	Sample   int            `json:"sample,omitempty"`    // of the segments each nth is downloaded; 0 is each, SampleNone none
	SampleBy map[string]int `json:"sample_by,omitempty"` // the same of one rendition: "720p", "audio en"

	// Expect is the kind of presentation that it has to be; "" is a broadcast that is up.
	Expect Expect `json:"expect,omitempty"`
	// SegmentBytes bounds a segment; 0 is the follower's default. SkipRemoved asks for
	// no segment that was removed from a playlist.
	SegmentBytes int64 `json:"segment_bytes,omitempty"`
	SkipRemoved  bool  `json:"skip_removed,omitempty"`

	Delta      bool                `json:"delta,omitempty"`       // ask for delta updates where they are offered
	LowLatency bool                `json:"low_latency,omitempty"` // media playlists have to be of low latency
	RFC8216    bool                `json:"rfc8216,omitempty"`     // judge by RFC 8216 where rfc8216bis differs
	Severity   map[string]Severity `json:"severity,omitempty"`    // by a rule's id, its section or its reason
}

// Expect is a kind of presentation (RFC 8216bis 4.4.3.5).
type Expect string

// The kinds.
const (
	ExpectLive  Expect = ""      // a broadcast that is up: it must not end
	ExpectEvent Expect = "event" // the same, of which nothing is removed
	ExpectVOD   Expect = "vod"   // it has ended
	ExpectAny   Expect = "any"   // whatever it says it is
)

// SampleNone is the sampling of a rendition of which only the playlist is loaded.
const SampleNone = -1

// MayEnd says that what ends is no broken broadcast.
func (p Pulling) MayEnd() bool { return p.Expect == ExpectVOD || p.Expect == ExpectAny }

// Rung is a rendition that has to be listed. What is zero is not asked for.
type Rung struct {
	Rendition string `json:"rendition,omitempty"` // of EXT-X-MEDIA: "audio en"; "" is a variant
	Width     int    `json:"width,omitempty"`
	Height    int    `json:"height,omitempty"`
	Bandwidth int64  `json:"bandwidth,omitempty"` // bits per second
	Codecs    string `json:"codecs,omitempty"`    // beginnings: "avc1.64,mp4a"
}
