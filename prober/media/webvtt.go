package media

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"time"
)

// isWebVTT tells whether bytes are a segment of subtitles (W3C WebVTT, 4.1).
func isWebVTT(b []byte) bool {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	const magic = "WEBVTT"
	return len(b) >= len(magic) && string(b[:len(magic)]) == magic && (len(b) == len(magic) || b[len(magic)] <= ' ')
}

// inspectWebVTT counts cues and finds their times. Without X-TIMESTAMP-MAP (RFC
// 8216bis 3.5) they count from zero.
func (s *Summary) inspectWebVTT(segment []byte) error {
	t := Track{Kind: Text, Codec: "wvtt", Bytes: int64(len(segment))}
	var shift time.Duration
	for len(segment) > 0 && t.Units < maxUnits {
		var line []byte
		line, segment, _ = bytes.Cut(segment, []byte("\n"))
		if value, ok := bytes.CutPrefix(line, []byte("X-TIMESTAMP-MAP=")); ok && t.Units == 0 {
			shift = timestampMap(string(value[:min(len(value), 200)]))
		}
		from, to, ok := bytes.Cut(line, []byte("-->"))
		if !ok || len(line) > 1000 {
			continue
		}
		begin, okBegin := cueTime(string(from))
		end, okEnd := cueTime(string(to))
		if !okBegin || !okEnd {
			return errors.New("not media: WebVTT with a cue whose time cannot be read")
		}
		t.cue(begin+shift, end+shift)
	}
	s.Tracks = []Track{t}
	return nil
}

func (t *Track) cue(begin, end time.Duration) {
	if t.Units == 0 {
		t.First, t.Last, t.End = begin, begin, end
	}
	t.Units++
	t.First, t.Last, t.End = min(t.First, begin), max(t.Last, begin), max(t.End, end)
}

// timestampMap gives what is to be added to a cue's time.
func timestampMap(value string) (shift time.Duration) {
	for field := range strings.SplitSeq(value, ",") {
		name, v, _ := strings.Cut(strings.TrimSpace(field), ":")
		switch name {
		case "MPEGTS":
			if ticks, err := strconv.ParseInt(v, 10, 64); err == nil {
				shift += time.Duration(ticks&(1<<33-1)) * time.Millisecond / 90
			}
		case "LOCAL":
			if local, ok := cueTime(v); ok {
				shift -= local
			}
		}
	}
	return shift
}

// cueTime reads hh:mm:ss.ttt, the hours may be missing. Settings may follow.
func cueTime(text string) (time.Duration, bool) {
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return 0, false
	}
	clock, milliseconds, ok := strings.Cut(fields[0], ".")
	parts := strings.Split(clock, ":")
	if !ok || len(parts) < 2 || len(parts) > 3 || len(milliseconds) != 3 {
		return 0, false
	}
	var whole uint64
	for _, p := range parts {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return 0, false
		}
		whole = whole*60 + n
	}
	rest, err := strconv.ParseUint(milliseconds, 10, 16)
	return time.Duration(whole)*time.Second + time.Duration(rest)*time.Millisecond, err == nil
}
