package agent

import (
	"context"
	"time"

	"streamcanary/prober"
)

// Sink takes results. Put must not block for long: rounds wait for it. The
// results of one call belong together and come in the order of their Seq.
type Sink interface {
	Put(results ...prober.Result)
}

// Meter measures the agent's own machine while Run runs.
type Meter interface {
	Run(ctx context.Context)
	Read() Machine
}

// Machine is how the agent's own machine is.
type Machine struct {
	prober.Host               // Reference is not the meter's to say
	Late        time.Duration // how late timers of ours were of late, on average
	Jump        time.Duration // that the wall clock made of late, either way
}

// Stream is a stream that a platform made.
type Stream struct {
	Name       string
	ID         string
	Key        prober.Secret // for the ingest's URL
	PlaybackID string        // for the playback's URL
	Push       prober.Secret // whole URL, where the platform gave one with the stream
	Play       string        // of its playlist, where the platform gave one with the stream
}

// Leftover says which streams a sweep deletes.
type Leftover struct {
	Prefix    string
	OlderThan time.Duration          // younger ones stay
	Keep      func(name string) bool // those in use stay
}

// Platform makes and deletes streams. Its calls are bounded by themselves; they
// end at once when ctx does.
type Platform interface {
	// Create gives, with a failure, a stream that was made all the same, if there is one:
	// its name alone where it cannot be deleted by what is known of it.
	Create(ctx context.Context, name string) (Stream, *prober.Failure, error)
	Delete(ctx context.Context, s Stream) (*prober.Failure, error)
	Sweep(ctx context.Context, l Leftover) (deleted int, failure *prober.Failure, err error)
	// PushURL and PlayURL are asked where an endpoint's URL is a variable.
	PushURL(ctx context.Context, s Stream, node string) (prober.Secret, *prober.Failure, error)
	PlayURL(ctx context.Context, s Stream, node string) (string, *prober.Failure, error)
	// Recording is a playlist's URL, or "" while there is none.
	Recording(ctx context.Context, s Stream) (string, *prober.Failure, error)
}

// Picture says what a feed carries.
type Picture struct {
	Run    string // in every marker
	Label  string // for a person who watches
	Small  bool   // as little as a control needs
	RTMP   prober.RTMP
	Signal prober.Signal // what is broadcast
}

// Feed is one broadcast's endless signal. Its markers and timestamps go on from
// one connection to the next.
type Feed interface {
	// Publish connects up to the point where the ingest has accepted the
	// broadcast. The URL holds the stream key.
	Publish(ctx context.Context, url prober.Secret) (Broadcast, *prober.Failure, error)
}

// Broadcast is one connection of a feed.
type Broadcast interface {
	// Send pushes in real time until ctx is done (nil) or the ingest fails it.
	Send(ctx context.Context) *prober.Failure
	// Sent may be called while Send runs.
	Sent() Sent
	// Close ends the broadcast properly and leaves nothing behind.
	Close(ctx context.Context) error
}

// Sent is what a broadcast has done so far.
type Sent struct {
	Stages []prober.StageTime
	Bytes  int64
	Stall  time.Duration // longest time a write was blocked
	// SendQueue is the most bytes that waited in the kernel to be taken.
	SendQueue int64
	// Findings are what the server asked for or did besides, all since the
	// publish.
	Findings []prober.Finding
}

// Follower plays one broadcast at one playback, as a viewer's player would.
type Follower interface {
	// Run follows until ctx is done; an error means that the prober broke.
	Run(ctx context.Context) error
	// Observe gives what was found since the last Observe, while Run runs. Several may
	// call it at once: a round looks while a follower is handed on.
	Observe(now time.Time) Observation
	// First is closed at the first segment with a fresh marker of the run.
	First() <-chan struct{}
}

// Observation is what a follower found.
type Observation struct {
	Failure      *prober.Failure // nil: a fresh marker was seen in time
	Marker       prober.Marker   // the newest of the run; its Clock is zero before the first
	PlayingSince time.Time       // when the first fresh marker of the run was received
	LatencyFirst time.Duration   // of the latest good segment
	LatencyLast  time.Duration
	Target       time.Duration      // the target duration of the latest playlist; 0: none was read
	Ended        bool               // the stream has an end, and all of it was had
	Segments     int                // good ones, since the last Observe
	Bytes        int64              // received since the last Observe
	Stages       []prober.StageTime // of the latest connection, playlist and segment
	LatencyBy    prober.Means       // what the latencies were taken from
	Proof        prober.Means       // what proved the broadcast to be ours and live; "" is not proven
	Findings     []prober.Finding   // since the last Observe
	Viewing      prober.Viewing     // what it counts is since the last Observe
	HTTP         prober.HTTPTimes   // of the latest segment
	PartLatency  time.Duration      // of the latest low-latency part that was fetched
	// Skipped are segments that fell too far behind, Missed those that could not be
	// downloaded, and Recovered failures that came and healed without being shown:
	// all since the last Observe, as is what Renditions count.
	Skipped, Missed, Recovered int
	Renditions                 []prober.Rendition
	// Unrenewed are those of them, by name, that have not shown that they go on: by a
	// segment, had ever, that was not in their first playlist, or that is not the first of
	// what has an end and may have one.
	Unrenewed []string
}

// Checked is what an API check found.
type Checked struct {
	Failure *prober.Failure // nil: the answer is as it has to be
	Times   prober.HTTPTimes
	Bytes   int64
}

// Replay says what has an end and is to be played to it.
type Replay struct {
	URL    string
	Pull   prober.Pulling // how its server is reached
	Run    string         // whose markers have to be in it, where there are any; "" is nobody's
	Sample int            // segments that are downloaded, evenly spread; 0 is all
}

// Replayed is what a replay found.
type Replayed struct {
	Failure    *prober.Failure // in the reasons of playlists and segments; nil: it plays to its end
	Absent     bool            // Failure is that nothing is there
	Denied     bool            // Failure is that access is denied
	Unfinished bool            // Failure is that it has no end yet
	Duration   time.Duration   // by its playlist
	Missing    int             // pictures of ours that are not in it
	Proof      prober.Means    // that it is of the run
	Bytes      int64
}
