package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"streamcanary/prober"
)

// Flags are what a file says of a target, as a command line says it: a field is the
// flag of its key's name. What is zero is the default.
type Flags struct {
	CAFile       string // of rtmp and pull
	EveryAddress bool

	// Of broadcast.
	Size                 string // width and height: "1280x720", "720p"
	FPS                  int
	Keyframe             time.Duration
	Bitrate              int
	AudioOnly, VideoOnly bool

	// Of pull.
	HTTP           string
	Transcoded     bool
	LowLatency     bool
	Ladder         []string // "1280x720", "1280x720:3000000", "audio en"
	Sample         string
	Severity       []string // "RULE=note"
	RFC8216        bool
	MaxLatency     time.Duration
	MaxRebuffering float64
	Expect         string // live, event, vod, any; "" is the default
	SegmentBytes   string // "64MiB"
}

// Target gives what the flags say in a target's words. An error names the first
// flag that is wrong, and what would be right.
func (f Flags) Target() (prober.RTMP, prober.Signal, prober.Pulling, error) {
	c := &checker{surroundings: surroundings{readSecret: readSecret}}
	pull := c.pulling("pull", typeStatic, f.pulling(c))
	rtmp := prober.RTMP{EveryAddress: f.EveryAddress, CA: pull.CA}
	signal := c.signal("broadcast", f.broadcast(c))
	if len(c.problems) == 0 {
		return rtmp, signal, pull, nil
	}
	p := c.problems[0]
	verb, _, _ := strings.Cut(p.Wrong, " ")
	text := p.String()[len(p.Path):]
	if verb == "is" || verb == "has" || verb == "cannot" {
		text = strings.TrimPrefix(text, ":")
	}
	return rtmp, signal, pull, errors.New(flagOf(p.Path) + text)
}

// flagOf is the flag that a key is written as: "pull.severity[0].is" is --severity.
func flagOf(path string) string {
	_, key, _ := strings.Cut(path, ".")
	key, _, _ = strings.Cut(key, "[")
	switch key {
	case "width", "height":
		key = "size"
	case "video", "audio":
		key = "video-only"
	}
	return "--" + strings.ReplaceAll(key, "_", "-")
}

func (f Flags) pulling(c *checker) *pullingFile {
	p := &pullingFile{HTTP: f.HTTP, CAFile: f.CAFile, Transcoded: &f.Transcoded, Sample: f.Sample, RFC8216: f.RFC8216,
		LowLatency: f.LowLatency, MaxLatency: f.MaxLatency, Expect: f.Expect, SegmentBytes: f.segmentBytes(c)}
	if f.MaxRebuffering != 0 {
		p.MaxRebuffering = &f.MaxRebuffering
	}
	for _, text := range f.Ladder {
		p.Ladder = append(p.Ladder, rungOf(c, text))
	}
	for _, text := range f.Severity {
		rule, is, found := strings.Cut(text, "=")
		if !found {
			c.addf("pull.severity", "is %q; want RULE=SEVERITY, as in bitrate_mismatch=note", shorten(text))
			continue
		}
		p.Severity = append(p.Severity, severityFile{Rule: rule, Is: is})
	}
	return p
}

// segmentBytes is read as a file's sizes are.
func (f Flags) segmentBytes(c *checker) byteSize {
	if f.SegmentBytes == "" {
		return 0
	}
	size, err := parseSize(f.SegmentBytes)
	switch {
	case err != nil:
		c.addf("pull.segment_bytes", "cannot be read: %s; %s", err, sizeHelp)
	case size < minSize:
		c.addf("pull.segment_bytes", "is %d bytes; want 16MiB or more", size)
	}
	return size
}

// rungOf reads a rung: a size, with or without a bandwidth, or a rendition's name.
func rungOf(c *checker, text string) rungFile {
	if strings.Contains(text, " ") {
		return rungFile{Rendition: text}
	}
	size, bandwidth, has := strings.Cut(text, ":")
	var r rungFile
	if width, height, ok := sizeOf(size); ok {
		r.Resolution = fmt.Sprintf("%dx%d", width, height)
	} else {
		c.addf("pull.ladder", "has %q; want 720p, 1280x720, 1280x720:3000000 (BANDWIDTH), or a rendition as in \"audio en\"", shorten(text))
		r.Rendition = text
	}
	if _, err := fmt.Sscanf(bandwidth, "%d", &r.Bandwidth); has && (err != nil || fmt.Sprint(r.Bandwidth) != bandwidth || r.Bandwidth <= 0) {
		c.addf("pull.ladder", "has %q; want bits per second behind the colon, as in 720p:3000000", shorten(text))
	}
	return r
}

// sizeOf reads a size: "1280x720", or by its lines and as wide as 16:9, "720p".
func sizeOf(text string) (width, height int, ok bool) {
	if _, err := fmt.Sscanf(text, "%dp", &height); err == nil && fmt.Sprintf("%dp", height) == text && height > 0 && height < 10_000 {
		return (height*16/9 + 1) / 2 * 2, height, true
	}
	_, err := fmt.Sscanf(text, "%dx%d", &width, &height)
	return width, height, err == nil && fmt.Sprintf("%dx%d", width, height) == text && width > 0 && height > 0
}

func (f Flags) broadcast(c *checker) *signalFile {
	s := &signalFile{FPS: f.FPS, Keyframe: f.Keyframe, Bitrate: f.Bitrate}
	no := false
	if f.AudioOnly {
		s.Video = &no
	}
	if f.VideoOnly {
		s.Audio = &no
	}
	if f.Size == "" {
		return s
	}
	ok := false
	if s.Width, s.Height, ok = sizeOf(f.Size); !ok {
		c.addf("broadcast.size", "is %q; want WIDTHxHEIGHT as in 1280x720, or 720p", shorten(f.Size))
	}
	return s
}
