package media

import (
	"cmp"
	"math"
	"slices"
	"time"

	"streamcanary/prober"
)

// unit is an access unit's times, in ticks of its track.
type unit struct {
	pts      int64
	duration int64 // 0: not known
}

// stream collects the units of one track.
type stream struct {
	Track
	codec     codec
	scale     int64 // ticks per second
	units     []unit
	ordered   bool // by presentation, so far
	lastDTS   int64
	overlap   int64
	markers   []prober.Marker
	markedAt  []int64 // PTS of each
	config    []byte  // the parameter set that Codec and size were read from
	nalLength int     // bytes of a length before a NAL unit; 0: start codes
}

// add takes a unit, in the order of decoding. dts is its pts where it has none.
func (s *stream) add(u unit, dts int64, size int) {
	if len(s.units) == 0 {
		s.ordered = true
		if s.units == nil {
			s.units = make([]unit, 0, 64)
		}
	} else {
		s.ordered = s.ordered && u.pts >= s.units[len(s.units)-1].pts
		s.overlap = max(s.overlap, s.lastDTS-dts)
	}
	s.lastDTS = dts + u.duration // sound overlaps where its last frame has not ended
	if s.Kind == Video {
		s.lastDTS = dts
	}
	s.units = append(s.units, u)
	s.Bytes += int64(size)
}

// picture looks into a unit of video. key is what the container says of it.
func (s *stream) picture(data []byte, pts int64, key bool) {
	s.mark(data, pts)
	if s.codec != otherCodec {
		key = s.look(data) || key && s.nalLength == 0 // fMP4's flags are often wrong, random_access_indicator is not
	}
	if key {
		s.Keyframes++
		s.Keyframe = s.Keyframe || len(s.units) == 0
	}
}

// mark keeps the markers of a unit.
func (s *stream) mark(data []byte, pts int64) {
	room := maxMarkers - len(s.markers)
	if room <= 0 {
		return
	}
	for _, m := range prober.FindMarkers(data, room) {
		if m.Audio != (s.Kind == Audio) {
			continue
		}
		s.markers, s.markedAt = append(s.markers, m), append(s.markedAt, pts)
	}
}

// at is a time of the track, at most 2^32 s: beyond that it is no time.
func (s *stream) at(ticks int64) time.Duration {
	if s.scale <= 0 {
		return 0
	}
	const most = 1 << 32
	seconds := max(min(ticks/s.scale, most), -most)
	part := (ticks % s.scale) * int64(time.Second) / s.scale
	return (time.Duration(seconds)*time.Second + time.Duration(part)).Truncate(time.Microsecond)
}

// finish sums up what was collected.
func (s *stream) finish() {
	s.Units = len(s.units)
	s.Headless = s.Units > 0 && s.config == nil && (s.codec == codecH264 || s.codec == codecH265)
	if s.Units == 0 {
		return
	}
	if !s.ordered {
		s.reorder()
	}
	first, last := s.units[0], s.units[len(s.units)-1]
	usual := s.usual()
	s.First, s.Last = s.at(first.pts), s.at(last.pts)
	s.UnitTime = s.at(usual)
	if s.Kind == Video && usual > 0 {
		s.FrameRate = s.rate(usual)
	}
	if last.duration == 0 {
		last.duration = usual
	}
	s.End = s.at(last.pts + last.duration)
	s.gaps(usual)
	if s.overlap > 0 {
		s.Overlap = s.at(s.overlap)
	}
}

// reorder puts units and markers into the order of presentation.
func (s *stream) reorder() {
	slices.SortStableFunc(s.units, func(a, b unit) int { return cmp.Compare(a.pts, b.pts) })
	order := make([]int, len(s.markers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s.markedAt[a], s.markedAt[b]) })
	markers, at := make([]prober.Marker, len(order)), make([]int64, len(order))
	for i, from := range order {
		markers[i], at[i] = s.markers[from], s.markedAt[from]
	}
	s.markers, s.markedAt = markers, at
}

// usual is the median step from unit to unit.
func (s *stream) usual() int64 {
	if len(s.units) < 2 {
		return s.units[0].duration
	}
	var few [128]int64
	steps := few[:0]
	for i := 1; i < len(s.units); i++ {
		steps = append(steps, s.units[i].pts-s.units[i-1].pts)
	}
	slices.Sort(steps)
	return steps[len(steps)/2]
}

// rate is units per second, holes left out: timestamps are often rounded to
// milliseconds, so that one step says little.
func (s *stream) rate(usual int64) float64 {
	n, sum := int64(0), int64(0)
	for i := 1; i < len(s.units); i++ {
		if step := s.units[i].pts - s.units[i-1].pts; step < 2*usual {
			n, sum = n+1, sum+step
		}
	}
	if sum <= 0 {
		return 0
	}
	return math.Round(float64(n)*float64(s.scale)/float64(sum)*100) / 100
}

// gaps finds the largest hole between two units.
func (s *stream) gaps(usual int64) {
	largest, at := int64(0), int64(0)
	for i := 1; i < len(s.units); i++ {
		lasts := usual
		if d := s.units[i-1].duration; d > 0 && s.Kind != Video {
			lasts = d
		}
		end := s.units[i-1].pts + lasts
		if hole := s.units[i].pts - end; hole > largest {
			largest, at = hole, end
		}
	}
	if largest > 0 {
		s.Gap, s.GapAt = s.at(largest), s.at(at)
	}
}

// sent gives when each marked frame is shown, and the one in the middle, by how far
// media time is ahead of the clock at sending.
func (s *stream) sent() ([]time.Duration, Moment) {
	if len(s.markers) == 0 {
		return nil, Moment{}
	}
	origin := s.markers[0].Clock
	var few [128]time.Duration
	ahead, times := few[:0], make([]time.Duration, len(s.markers))
	for i, m := range s.markers {
		times[i] = s.at(s.markedAt[i])
		ahead = append(ahead, times[i]-m.Clock.Sub(origin))
	}
	slices.Sort(ahead)
	middle, late := ahead[len(ahead)/2], ahead[len(ahead)-1]-ahead[0]
	for i, m := range s.markers {
		if times[i]-m.Clock.Sub(origin) == middle {
			return times, Moment{At: times[i], Clock: m.Clock, Late: late}
		}
	}
	return times, Moment{}
}

// takeStreams sums up the tracks of a segment.
func (s *Summary) takeStreams(streams []stream) {
	s.Tracks = make([]Track, 0, len(streams))
	var video, audio *stream
	for i := range streams {
		t := &streams[i]
		t.finish()
		s.Tracks = append(s.Tracks, t.Track)
		switch {
		case t.Units == 0:
		case t.Kind == Video && video == nil:
			video = t
		case t.Kind == Audio && audio == nil:
			audio = t
		}
	}
	if video != nil {
		s.HasVideo, s.Pictures, s.Markers = true, video.Units, video.markers
		s.FirstVideo, s.LastVideo, s.Keyframe = video.First, video.Last, video.Keyframe
		s.MarkerTimes, s.VideoSent = video.sent()
	}
	if audio != nil {
		s.HasAudio, s.AudioMarkers = true, audio.markers
		s.AudioMarkerTimes, s.AudioSent = audio.sent()
	}
	if len(s.Markers) > 0 && len(s.AudioMarkers) > 0 && s.Markers[0].Tag == s.AudioMarkers[0].Tag {
		s.AVOffset, s.AVKnown = Apart(s.VideoSent, s.AudioSent, s.Container)
	}
}
