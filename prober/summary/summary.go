package summary

import (
	"time"

	"streamcanary/prober"
)

// Mode is what kind of probing it was.
type Mode string

// The modes.
const (
	ModeGoLive   Mode = "go-live"  // one fresh broadcast, pushed and pulled
	ModeCanary   Mode = "canary"   // a broadcast that stays up and is watched
	ModePlayback Mode = "playback" // a stream that others push, pulled alone
)

// The bounds of a Summary.
const (
	MaxFindings = 64
	MaxEvents   = 200
	MaxSamples  = 600 // beyond it two neighbours become one, so that all of the time stays
)

// Summary is what one probe saw. Addresses and details hold no secret: who fills it
// has taken them out. What was not measured is zero, unless it says otherwise.
type Summary struct {
	Version  string // of this program, as its version command gives it
	Mode     Mode
	Ingest   string // where it was pushed; "" for nowhere
	Playback string // where it was pulled
	Run      string // the broadcast's, in its markers; the latest of several

	Began, Ended time.Time

	// The verdict. An Outcome of "" is that none was come to.
	Outcome prober.Outcome
	Stage   prober.Stage
	Reason  prober.Reason
	Detail  string

	Steps      []Step             // each side's stages, in the order in which they are passed
	Findings   []prober.Finding   // the gravest first, counted over all of the time
	Renditions []prober.Rendition // counted over all of the time, the rest as it was last
	Figures    prober.Figures     // of both sides; counted over all of the time, the rest as it was last
	Rounds     []Rounds           // a row for each side that told results
	Events     []Event            // what changed, the oldest first; at most MaxEvents, the latest
	Samples    []Sample           // the oldest first, evenly spread

	// Away is how long the broadcast was interrupted in all. How often is in Figures.
	Away time.Duration
}

// Side is the end of the path that something was seen at.
type Side string

// The sides.
const (
	Push Side = "push"
	Pull Side = "pull"
)

// SideOf tells which side a result is of.
func SideOf(r prober.Result) Side {
	if r.Playback == "" {
		return Push
	}
	return Pull
}

// Step is a stage as it went: the latest time of it, and what became of it.
type Step struct {
	Side     Side
	Stage    prober.Stage
	Duration time.Duration  // 0 is not measured
	Outcome  prober.Outcome // the worst that was seen; "" is not come to
	Reason   prober.Reason  // of that
	Detail   string
}

// Rounds counts one side's results by their outcome.
type Rounds struct {
	Side                               Side
	Pass, Degraded, Fail, Inconclusive int
}

// All is how many there were.
func (r Rounds) All() int { return r.Pass + r.Degraded + r.Fail + r.Inconclusive }

// Event is a change of what was seen of one side.
type Event struct {
	At      time.Time
	Side    Side
	Outcome prober.Outcome
	Stage   prober.Stage
	Reason  prober.Reason
	Detail  string
	// Away is how long the interruption was that just ended.
	Away time.Duration
}

// Sample is how it was at one moment. Negative numbers are not measured.
type Sample struct {
	At       time.Time
	Sent     int64         // bits per second, since the last sample
	Received int64         // bits per second, since the last sample: all renditions, playlists included
	Queue    int64         // most bytes that have waited in the kernel to be taken, so far
	Latency  time.Duration // push to pull, last frame of the latest segment
	Behind   time.Duration // live latency of the virtual player
	Buffer   time.Duration // media that the virtual player has and has not played
	Download time.Duration // of the latest segment, first request to last byte
	// Down is that the latest result of either side was a failure.
	Down bool
}

// Unmeasured is a Sample of which nothing is known but its time.
func Unmeasured(at time.Time) Sample {
	return Sample{At: at, Sent: -1, Received: -1, Queue: -1, Latency: -1, Behind: -1, Buffer: -1, Download: -1}
}
