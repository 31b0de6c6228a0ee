package origin

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// soundRendition is where MPEG-TS has the sound alone.
const soundRendition = "sound"

var (
	renditionShape = regexp.MustCompile(`^[a-z0-9-]{1,20}$`)
	bandwidthValue = regexp.MustCompile(`([:,]BANDWIDTH=)(\d+)`)
)

func checkRenditions(c Config) error {
	for i, name := range c.Renditions {
		if !renditionShape.MatchString(name) || name == soundRendition || slices.Contains(c.Renditions[:i], name) {
			return fmt.Errorf("origin: rendition %q: want lower case letters, digits and hyphens, each name once, and not %q", name, soundRendition)
		}
	}
	if c.Record && c.Container == LowLatency {
		return errors.New("origin: what is low latency is not recorded")
	}
	return nil
}

// renditionOf is the rendition in /hls/{stream}/{rendition}/{file}, "" without one.
func renditionOf(path string) string {
	if parts := strings.Split(path, "/"); len(parts) == 5 {
		return parts[3]
	}
	return ""
}

// has says whether the output has such a rendition; the nameless one it always has.
func (o *output) has(rendition string) bool {
	return rendition == "" || slices.Contains(o.renditions, rendition) || (rendition == soundRendition && o.soundAlone)
}

// ladder writes gohlslib's multivariant playlist anew: its only variant once
// for each rendition, each in a folder of its own, and the sound as a group.
// The source is passed through, so the bandwidths differ little; each covers it.
func ladder(playlist string, bandwidth int, renditions []string, sound bool) string {
	var b strings.Builder
	var variant string
	for line := range strings.Lines(playlist) {
		switch {
		case strings.HasPrefix(line, "#EXT-X-STREAM-INF:"):
			variant = setBandwidth(strings.TrimSpace(line), bandwidth)
			if sound {
				fmt.Fprintf(&b, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"sound\",DEFAULT=YES,AUTOSELECT=YES,URI=\"%s/main_stream.m3u8\"\n\n", soundRendition)
				variant += `,AUDIO="sound"`
			}
		case variant != "" && line[0] != '#' && strings.TrimSpace(line) != "":
			writeVariants(&b, variant, strings.TrimSpace(line), renditions)
		default:
			b.WriteString(line)
		}
	}
	return b.String()
}

func writeVariants(b *strings.Builder, variant, uri string, renditions []string) {
	if len(renditions) == 0 {
		fmt.Fprintf(b, "%s\n%s\n", variant, uri)
		return
	}
	for i, name := range renditions {
		fmt.Fprintf(b, "%s\n%s/%s\n", scaleBandwidth(variant, 100+10*i), name, uri)
	}
}

// bandwidthOf is what gohlslib measured so far, rounded up so that it changes
// rarely: a platform's ladder does not.
func bandwidthOf(playlist string) int {
	const step = 250_000
	m := bandwidthValue.FindStringSubmatch(playlist)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[2]) // gohlslib wrote it
	return (n*11/10/step + 1) * step
}

func setBandwidth(variant string, bandwidth int) string {
	return bandwidthValue.ReplaceAllString(variant, "${1}"+strconv.Itoa(bandwidth))
}

func scaleBandwidth(variant string, percent int) string {
	return bandwidthValue.ReplaceAllStringFunc(variant, func(s string) string {
		m := bandwidthValue.FindStringSubmatch(s)
		n, err := strconv.Atoi(m[2])
		if err != nil {
			return s
		}
		return m[1] + strconv.Itoa(n*percent/100)
	})
}

// serveSound answers for a segment with its sound alone.
func (o *output) serveSound(w http.ResponseWriter, r *http.Request) {
	answer := newRecorded()
	if o.muxer.Handle(answer, r); answer.status != http.StatusOK || len(answer.body) == 0 {
		http.NotFound(w, r)
		return
	}
	sound, err := withoutTrack(answer.body, streamTypeH264)
	if err != nil {
		http.Error(w, "the segment has no sound", http.StatusInternalServerError)
		return
	}
	answer.body = sound
	answer.header.Del("Content-Length")
	answer.send(w)
}
