package origin

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/bluenviron/gohlslib/v2"
	"github.com/bluenviron/gohlslib/v2/pkg/codecs"
)

const (
	clockRate      = 90000 // of video, in ticks a second
	maxSegmentSize = 16 << 20

	// A program clock reference lies 0.1 s before its frame and must not be
	// negative, so no broadcast starts at zero.
	startOffset = 10 * time.Second
)

var errOutputClosed = errors.New("the output is closed")

// tracks is what a broadcast consists of, as its configuration headers say.
type tracks struct {
	video *videoConfig       // nil without pictures
	audio *codecs.MPEG4Audio // nil without audio
}

// output is one broadcast at one origin: a muxer, and what must be known of it
// to answer at once instead of waiting for a segment as gohlslib does.
type output struct {
	video, audio *gohlslib.Track
	muxer        *gohlslib.Muxer
	ready        chan struct{} // closed once there is a playlist
	renditions   []string
	soundAlone   bool // there is a rendition with the sound alone
	listed       int  // segments in a media playlist; 0 is all that the muxer lists
	waiting      sync.WaitGroup

	mu     sync.Mutex // gohlslib panics when written to after Close
	closed bool
	widest int // the highest bandwidth that was announced
}

// bandwidth is what to announce: it never falls.
func (o *output) bandwidth(playlist string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.widest = max(o.widest, bandwidthOf(playlist))
	return o.widest
}

func newOutput(t tracks, c Config, onError func(error)) (*output, error) {
	o := &output{
		ready:      make(chan struct{}),
		renditions: c.Renditions,
		soundAlone: c.AudioRendition && c.Container == MPEGTS && t.audio != nil && t.video != nil,
		listed:     listedSegments,
	}
	var list []*gohlslib.Track
	if t.video != nil {
		o.video = &gohlslib.Track{Codec: &codecs.H264{SPS: t.video.sps, PPS: t.video.pps}, ClockRate: clockRate}
		list = append(list, o.video)
	}
	if t.audio != nil {
		o.audio = &gohlslib.Track{Codec: t.audio, ClockRate: t.audio.Config.SampleRate}
		list = append(list, o.audio)
	}
	kept := keptSegments
	switch {
	case c.Record:
		kept = recordedSegments
	case c.Container == LowLatency:
		kept, o.listed = lowLatencySegments, 0
	}
	o.muxer = &gohlslib.Muxer{
		Tracks:       list,
		Variant:      variant(c.Container),
		SegmentCount: kept,
		// RTMP's timestamps are whole milliseconds: with 1 s between keyframes a
		// minimum of 1 s would miss some by a millisecond and double a segment.
		SegmentMinDuration: c.SegmentDuration * 9 / 10,
		SegmentMaxSize:     maxSegmentSize,
		OnEncodeError:      onError,
	}
	if err := o.muxer.Start(); err != nil {
		return nil, err
	}
	o.waiting.Go(o.awaitContent)
	return o, nil
}

func variant(c Container) gohlslib.MuxerVariant {
	switch c {
	case FMP4:
		return gohlslib.MuxerVariantFMP4
	case LowLatency:
		return gohlslib.MuxerVariantLowLatency
	case MPEGTS:
	}
	return gohlslib.MuxerVariantMPEGTS
}

// awaitContent asks for the playlist, which gohlslib answers with the first
// segment or at Close: the only way it has to tell.
func (o *output) awaitContent() {
	defer func() { _ = recover() }()                              // gohlslib divides by a segment's duration
	r, err := http.NewRequest(http.MethodGet, "/index.m3u8", nil) //nolint:noctx // answered in process, ended by Close
	if err != nil {
		return
	}
	answer := newRecorded()
	if o.muxer.Handle(answer, r); answer.status == http.StatusOK {
		close(o.ready)
	}
}

// writeVideo takes an access unit with SPS and PPS before each IDR picture.
// Times are since the broadcast's start; ntp is the wall clock of dts.
func (o *output) writeVideo(pts time.Duration, ntp time.Time, au [][]byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return errOutputClosed
	}
	return o.muxer.WriteH264(o.video, ntp, ticks(pts+startOffset, clockRate), au)
}

func (o *output) writeAudio(pts time.Duration, ntp time.Time, au []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return errOutputClosed
	}
	return o.muxer.WriteMPEG4Audio(o.audio, ntp, ticks(pts+startOffset, o.audio.ClockRate), [][]byte{au})
}

func ticks(d time.Duration, rate int) int64 {
	return d.Milliseconds() * int64(rate) / 1000
}

// ServeHTTP answers for one file of the broadcast: 404 at once for what is not
// there, a playlist before the first segment included.
func (o *output) ServeHTTP(w http.ResponseWriter, r *http.Request) { o.serve(w, r, o.listed) }

// entire answers with everything that the muxer still has.
type entire struct{ *output }

func (e entire) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.serve(w, r, 0) }

func (o *output) serve(w http.ResponseWriter, r *http.Request, listed int) {
	rendition := renditionOf(r.URL.Path)
	switch {
	case !o.has(rendition):
		http.NotFound(w, r)
		return
	case isPlaylist(r.URL.Path):
		o.servePlaylist(w, r, listed)
		return
	case rendition == soundRendition:
		o.serveSound(w, r)
		return
	}
	answer := &noted{ResponseWriter: w}
	if o.muxer.Handle(answer, r); !answer.written {
		http.NotFound(w, r) // gohlslib says nothing at all of a file it does not know
	}
}

func (o *output) servePlaylist(w http.ResponseWriter, r *http.Request, listed int) {
	select {
	case <-o.ready:
	default:
		http.Error(w, "no segment yet", http.StatusNotFound)
		return
	}
	answer := newRecorded()
	if o.muxer.Handle(answer, r); answer.status == http.StatusOK && len(answer.body) == 0 {
		http.NotFound(w, r)
		return
	}
	text := string(answer.body)
	if isMultivariant(text) {
		text = ladder(text, o.bandwidth(text), o.renditions, o.soundAlone)
	} else if listed > 0 {
		text = trim(text, listed)
	}
	answer.body = []byte(text)
	answer.send(w)
}

func (o *output) isClosed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closed
}

func (o *output) close() {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		return
	}
	o.closed = true
	o.muxer.Close()
	o.mu.Unlock()
	o.waiting.Wait()
}

func isMultivariant(playlist string) bool { return strings.Contains(playlist, "#EXT-X-STREAM-INF:") }

func isPlaylist(path string) bool { return strings.HasSuffix(path, ".m3u8") }
