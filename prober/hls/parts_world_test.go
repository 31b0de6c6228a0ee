package hls

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"streamcanary/prober/media"
)

const (
	partTime = 500 * time.Millisecond
	perWhole = 4 // parts of a segment
)

// partOrigin is a scripted low-latency broadcast: a part every half second, four a
// segment, and blocking reloads. Fields that are zero leave out what they name.
type partOrigin struct {
	start   time.Time
	other   int                          // the segment that another encoder begins with
	hints   bool                         // EXT-X-PRELOAD-HINT
	noParts func(age time.Duration) bool // the playlist is not of low latency now
	keyed   func(segment int) bool       // EXT-X-KEY
	fault   func(w http.ResponseWriter, r *http.Request, part int) bool

	mu    sync.Mutex
	gets  map[string]int
	polls []time.Duration // since start, of the playlist
}

func newPartOrigin() *partOrigin { return &partOrigin{start: time.Now(), gets: map[string]int{}} }

func (o *partOrigin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/live/")
	o.mu.Lock()
	o.gets[name]++
	if name == "live.m3u8" {
		o.polls = append(o.polls, time.Since(o.start))
	}
	o.mu.Unlock()
	number, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimLeft(name, "segpart"), ".bin"))
	switch {
	case name == "live.m3u8":
		o.playlist(w, r)
	case strings.HasPrefix(name, "init"):
		_, _ = fmt.Fprint(w, strings.TrimSuffix(name, ".bin"))
	case strings.HasPrefix(name, "part"):
		if o.fault != nil && o.fault(w, r, number) {
			return
		}
		wait(r, time.Until(o.start.Add(time.Duration(number+1)*partTime)))
		_, _ = w.Write(o.media(number, 1))
	case strings.HasPrefix(name, "seg"):
		_, _ = w.Write(o.media(number*perWhole, perWhole))
	default:
		http.NotFound(w, r)
	}
}

// media is so many parts in one.
func (o *partOrigin) media(part, n int) []byte {
	begin := o.start.Add(time.Duration(part) * partTime)
	b := segmentOf(ourRun, begin, begin.Add(time.Duration(n)*partTime), uint64(part))
	return append(b, o.init(part/perWhole)...)
}

func (o *partOrigin) init(segment int) string {
	if o.other > 0 && segment >= o.other {
		return "init-b"
	}
	return "init-a"
}

func (o *partOrigin) playlist(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Has("_HLS_part") && !q.Has("_HLS_msn") {
		http.Error(w, "a part without a segment", http.StatusBadRequest)
		return
	}
	if q.Has("_HLS_msn") {
		segment, _ := strconv.Atoi(q.Get("_HLS_msn"))
		part, err := strconv.Atoi(q.Get("_HLS_part"))
		if err != nil {
			part = perWhole - 1
		}
		wait(r, time.Until(o.start.Add(time.Duration(segment*perWhole+part+1)*partTime)))
	}
	_, _ = fmt.Fprint(w, o.text(int(time.Since(o.start)/partTime)))
}

// text is the playlist once so many parts are made.
func (o *partOrigin) text(parts int) string {
	low := o.noParts == nil || !o.noParts(time.Since(o.start))
	whole := parts / perWhole
	begin := max(0, whole-6)
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:%d\n", begin)
	if low {
		b.WriteString("#EXT-X-PART-INF:PART-TARGET=0.5\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5\n")
	}
	dsn := 0
	if o.other > 0 && begin > o.other {
		dsn = 1
	}
	fmt.Fprintf(&b, "#EXT-X-DISCONTINUITY-SEQUENCE:%d\n", dsn)
	for segment := begin; segment <= whole; segment++ {
		has := perWhole
		if segment == whole {
			has = parts % perWhole
		}
		if has == 0 || segment == whole && !low {
			break
		}
		o.before(&b, segment, segment == begin)
		for part := segment * perWhole; low && segment >= whole-2 && part < segment*perWhole+has; part++ {
			fmt.Fprintf(&b, "#EXT-X-PART:DURATION=%g,URI=\"part%d.bin\"\n", partTime.Seconds(), part)
		}
		if segment < whole {
			fmt.Fprintf(&b, "#EXTINF:2,\nseg%d.bin\n", segment)
		}
	}
	if low && o.hints {
		fmt.Fprintf(&b, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"part%d.bin\"\n", parts)
	}
	return b.String()
}

// before writes what stands before a segment.
func (o *partOrigin) before(b *strings.Builder, segment int, first bool) {
	changes := o.other > 0 && segment == o.other
	if changes {
		b.WriteString("#EXT-X-DISCONTINUITY\n")
	}
	if first || changes {
		fmt.Fprintf(b, "#EXT-X-MAP:URI=\"%s.bin\"\n", o.init(segment))
	}
	if o.keyed == nil {
		return
	}
	switch is, was := o.keyed(segment), segment > 0 && o.keyed(segment-1); {
	case is && (first || !was):
		b.WriteString("#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"key\"\n")
	case !is && was:
		b.WriteString("#EXT-X-KEY:METHOD=NONE\n")
	}
}

// partInspect reads what partOrigin makes. What needs another initialization section
// is no media; another encoder's clock is an hour ahead.
func partInspect(segment, init []byte) (media.Summary, error) {
	if len(init) == 0 || !bytes.HasSuffix(segment, init) {
		return media.Summary{}, errors.New("not of this initialization section")
	}
	s, err := testInspect(segment, init)
	if string(init) == "init-b" {
		const ahead = time.Hour
		s.FirstVideo, s.LastVideo = s.FirstVideo+ahead, s.LastVideo+ahead
		for i := range s.Tracks {
			t := &s.Tracks[i]
			t.First, t.Last, t.End = t.First+ahead, t.Last+ahead, t.End+ahead
		}
	}
	return s, err
}
