package hls

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"streamcanary/prober/media"
)

// Config says what a Follower follows. Only URL is needed, and Run for what is ours.
type Config struct {
	URL string // of a multivariant or media playlist, http or https
	// Run says whose markers count as ours. Empty: the stream is somebody else's,
	// live or not, and all but its markers is judged.
	Run string
	// Live says of somebody else's stream that it has to be up, as ours has to be:
	// one that ends is a failure.
	Live bool

	// Thorough looks at a stream once and in full, and plays nothing: what has an end
	// is loaded as fast as it comes, and bitrates are of all that was loaded.
	Thorough bool

	// Transport is shared by the followers of one process: see
	// NewVersionedTransport. Nil
	// makes one for this follower alone.
	Transport http.RoundTripper
	// Headers go with each request to the host of URL, and to no other: they may
	// hold a token.
	Headers http.Header
	// Buffers are shared by the followers of one process. Nil makes some for this
	// follower alone.
	Buffers *Buffers
	// Inspect looks into segments. Nil is media.Inspect.
	Inspect Inspector
	// Look decodes a segment without markers, now and then: where everything is
	// transcoded the picture alone can prove whose it is. Nil looks at nothing.
	Look      Looker
	LookEvery time.Duration // from one look at a rendition to the next; 0 is 10 s
	// Rules are the settings of Analyze.
	Rules Rules

	PlaylistBytes   int64         // bound on one playlist; 0 is 4 MiB
	SegmentBytes    int64         // bound on one segment or initialization section; 0 is 16 MiB
	PlaylistTimeout time.Duration // for one whole playlist; 0 is 3 s
	SegmentTimeout  time.Duration // for one whole segment, or its duration where that is longer; 0 is 5 s
	StallTimeout    time.Duration // longest time without a byte; 0 is 3 s
	RetryDelay      time.Duration // before the first retry of what failed, doubled up to 1 s; 0 is 250 ms
	MaxMarkerAge    time.Duration // older markers of ours are stale; 0 is 30 s, or six target durations where that is longer
	MaxBehind       int           // new segments that are caught up with, or three target durations of them, the rest is skipped; 0 is 3
	TopInterval     time.Duration // from one load of a multivariant playlist to the next; 0 is 10 s

	// Sample is which segments are downloaded and looked into: 0 and 1 are each
	// one, n is every nth, and PlaylistOnly none. SampleBy says so for a rendition
	// by its name ("720p", "audio en").
	Sample   int
	SampleBy map[string]int
	// SkipRemoved leaves out whether removed segments can be had for as long as they
	// have to be (6.2.2); otherwise a rendition asks for the first byte of one no more than
	// once in 30 s.
	SkipRemoved bool
	// DeltaUpdates asks for delta updates where a server offers them (6.2.5.1).
	DeltaUpdates bool
	// LowLatency says that media playlists have to list parts.
	LowLatency bool
	// Ladder is what a multivariant playlist has to list; nil is not asked.
	Ladder []Rung
	// Transcoded says that the platform makes everything anew, so that media without
	// markers is no failure; it is not proven then, unless something else proves it.
	Transcoded bool
	// Video and Audio say that pictures and sound were pushed, so that both have to
	// be in a media playlist that says nothing of its codecs.
	Video, Audio bool
	// FailAlone makes what fails in one rendition a failure of the whole while
	// others play; otherwise it is degraded.
	FailAlone bool
	// MaxLatency is the live latency of the virtual player from which on playback is
	// degraded: 0 is five target durations and 10 s, and of a stream that is not ours
	// none. MaxRebuffering is the share of half a minute that playback may stand
	// still: 0 is DefaultMaxRebuffering.
	MaxLatency     time.Duration
	MaxRebuffering float64
}

// foreign says that the stream is not ours.
func (c Config) foreign() bool { return c.Run == "" }

// mayEnd says that a stream that ends is no broken broadcast.
func (c Config) mayEnd() bool { return c.Rules.Expect == ExpectVOD || c.Rules.Expect == ExpectAny }

// unproven says that media counts without a proof that it is ours.
func (c Config) unproven() bool { return c.foreign() || c.Transcoded || c.unloaded() }

// unloaded says that no segment of any rendition is downloaded: playlists alone
// show that the broadcast is up.
func (c Config) unloaded() bool {
	for _, n := range c.SampleBy {
		if n != PlaylistOnly {
			return false
		}
	}
	return c.Sample == PlaylistOnly
}

// PlaylistOnly is the sampling of a rendition whose segments are not downloaded.
const PlaylistOnly = -1

// sampling is n where every nth segment of a rendition is downloaded, or 0.
func (c Config) sampling(name string) int {
	n, ok := c.SampleBy[name]
	if !ok {
		n = c.Sample
	}
	if n == PlaylistOnly {
		return 0
	}
	return max(n, 1)
}

const (
	maxRetryDelay  = time.Second
	maxStartDelay  = 500 * time.Millisecond // until it plays: the time to first frame is measured
	maxTarget      = 2 * time.Minute        // no silence is put down to a longer one, and no wait for a reload
	minReloadDelay = 200 * time.Millisecond // a target duration of 0 is legal
	maxSegmentTime = 30 * time.Second
)

func (c Config) withDefaults() Config {
	orDefault(&c.PlaylistBytes, 4<<20)
	orDefault(&c.SegmentBytes, 16<<20)
	orDefault(&c.PlaylistTimeout, 3*time.Second)
	orDefault(&c.SegmentTimeout, 5*time.Second)
	orDefault(&c.StallTimeout, 3*time.Second)
	orDefault(&c.RetryDelay, 250*time.Millisecond)
	orDefault(&c.MaxBehind, 3)
	orDefault(&c.LookEvery, 10*time.Second)
	orDefault(&c.TopInterval, 10*time.Second)
	if c.foreign() && !c.Live && c.Rules.Expect == ExpectLive {
		c.Rules.Expect = ExpectAny
	}
	if c.MaxRebuffering <= 0 {
		c.MaxRebuffering = DefaultMaxRebuffering
	}
	if c.Buffers == nil {
		c.Buffers = NewBuffers()
	}
	if c.Inspect == nil {
		c.Inspect = media.Inspect
	}
	return c
}

func orDefault[T int | int64 | time.Duration](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

// markerAge is from when on our media is not live any more. A segment of a long
// target duration is old when it is first listed, and more so where it is caught up with.
func (c Config) markerAge(target time.Duration) time.Duration {
	if c.MaxMarkerAge > 0 {
		return c.MaxMarkerAge
	}
	return max(30*time.Second, 6*min(target, maxTarget))
}

// playbackURL checks Config.URL.
func (c Config) playbackURL() (*url.URL, error) {
	u, err := url.Parse(c.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("playback URL: want http://host/path or https://host/path of a playlist, got %s", place(u))
	}
	return u, nil
}
