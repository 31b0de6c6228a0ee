package origin

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	sequenceLine = regexp.MustCompile(`(?m)^#EXT-X-MEDIA-SEQUENCE:(\d+)$`)
	targetLine   = regexp.MustCompile(`(?m)^#EXT-X-TARGETDURATION:(\d+)$`)
	extinfLine   = regexp.MustCompile(`(?m)^#EXTINF:([0-9.]+),`)
	dateLine     = regexp.MustCompile(`(?m)^#EXT-X-PROGRAM-DATE-TIME:(.+)\n`)
	codecsValue  = regexp.MustCompile(`CODECS="[^"]*"`)
	sizeValue    = regexp.MustCompile(`RESOLUTION=\d+x\d+`)
)

const dateLayout = "2006-01-02T15:04:05.999999999Z07:00"

// overrideMedia changes media playlists, overrideMultivariant multivariant ones.
func (o *Origin) overrideMedia(change func(r *http.Request, playlist string) string) (heal func() error) {
	return o.overridePlaylists(false, change)
}

func (o *Origin) overrideMultivariant(change func(playlist string) string) (heal func() error) {
	return o.overridePlaylists(true, func(_ *http.Request, playlist string) string { return change(playlist) })
}

func (o *Origin) overridePlaylists(multivariant bool, change func(r *http.Request, playlist string) string) (heal func() error) {
	return overrideGood(&o.playback.playlists, func(w http.ResponseWriter, r *http.Request, answer *recorded) {
		if text := string(answer.body); isMultivariant(text) == multivariant {
			answer.body = []byte(change(r, text))
		}
		answer.send(w)
	})
}

func beginEndList(o *Origin) (heal func() error, err error) {
	return o.overrideMedia(func(_ *http.Request, playlist string) string { return playlist + "#EXT-X-ENDLIST\n" }), nil
}

// beginNoSegments leaves the header.
func beginNoSegments(o *Origin) (heal func() error, err error) {
	return o.overrideMedia(func(_ *http.Request, playlist string) string {
		head, _, _ := strings.Cut(playlist, "#EXTINF:")
		return dateLine.ReplaceAllString(head, "")
	}), nil
}

// beginMalformedPlaylist puts words where the durations belong.
func beginMalformedPlaylist(o *Origin) (heal func() error, err error) {
	return o.overrideMedia(func(_ *http.Request, playlist string) string {
		return extinfLine.ReplaceAllString(targetLine.ReplaceAllString(playlist, "#EXT-X-TARGETDURATION:soon"), "#EXTINF:undefined,")
	}), nil
}

func beginSmallTarget(o *Origin) (heal func() error, err error) {
	return o.overrideMedia(func(_ *http.Request, playlist string) string {
		return replaceNumber(playlist, targetLine, func(n uint64) uint64 { return max(n, 1) - 1 })
	}), nil
}

// beginWrongDurations announces 0.6 s for each second.
func beginWrongDurations(o *Origin) (heal func() error, err error) {
	return o.overrideMedia(func(_ *http.Request, playlist string) string {
		return extinfLine.ReplaceAllStringFunc(playlist, func(s string) string {
			seconds, err := strconv.ParseFloat(extinfLine.FindStringSubmatch(s)[1], 64)
			if err != nil {
				return s
			}
			return fmt.Sprintf("#EXTINF:%.5f,", seconds*0.6)
		})
	}), nil
}

// beginSequenceReset counts from 0 again, as after a restart that forgot.
func beginSequenceReset(o *Origin) (heal func() error, err error) {
	var first firsts
	return o.overrideMedia(func(r *http.Request, playlist string) string {
		return replaceNumber(playlist, sequenceLine, func(n uint64) uint64 {
			return n - min(n, first.get(r.URL.Path, n))
		})
	}), nil
}

func beginSequenceJump(o *Origin) (heal func() error, err error) {
	return o.overrideMedia(func(_ *http.Request, playlist string) string {
		return replaceNumber(playlist, sequenceLine, func(n uint64) uint64 { return n + 100 })
	}), nil
}

// beginDiscontinuityFalls lets the discontinuity sequence fall as segments leave.
func beginDiscontinuityFalls(o *Origin) (heal func() error, err error) {
	const high = 1 << 20
	return o.overrideMedia(func(_ *http.Request, playlist string) string {
		return sequenceLine.ReplaceAllStringFunc(playlist, func(s string) string {
			n, _ := strconv.ParseUint(sequenceLine.FindStringSubmatch(s)[1], 10, 64)
			return fmt.Sprintf("%s\n#EXT-X-DISCONTINUITY-SEQUENCE:%d", s, high-min(n, high))
		})
	}), nil
}

// beginDateMissing takes the dates from the last rendition alone.
func beginDateMissing(o *Origin) (heal func() error, err error) {
	last, err := o.lastRendition()
	if err != nil {
		return nil, err
	}
	return o.overrideMedia(func(r *http.Request, playlist string) string {
		if renditionOf(r.URL.Path) != last {
			return playlist
		}
		return dateLine.ReplaceAllString(playlist, "")
	}), nil
}

// beginDateJumps puts what is new an hour ahead, without a discontinuity.
func beginDateJumps(o *Origin) (heal func() error, err error) {
	begun := time.Now()
	return o.overrideMedia(func(_ *http.Request, playlist string) string {
		return dateLine.ReplaceAllStringFunc(playlist, func(s string) string {
			at, err := time.Parse(dateLayout, strings.TrimSpace(dateLine.FindStringSubmatch(s)[1]))
			if err != nil || at.Before(begun) {
				return s
			}
			return "#EXT-X-PROGRAM-DATE-TIME:" + at.Add(time.Hour).Format(dateLayout) + "\n"
		})
	}), nil
}

// beginRendition404 leaves the last rendition in the multivariant playlist.
func beginRendition404(o *Origin) (heal func() error, err error) {
	last, err := o.lastRendition()
	if err != nil {
		return nil, err
	}
	return healBy(o.playback.playlists.add(func(w http.ResponseWriter, r *http.Request, normal func(http.ResponseWriter)) {
		if renditionOf(r.URL.Path) == last {
			http.NotFound(w, r)
			return
		}
		normal(w)
	})), nil
}

// beginRenditionMissing takes it out of the multivariant playlist.
func beginRenditionMissing(o *Origin) (heal func() error, err error) {
	last, err := o.lastRendition()
	if err != nil {
		return nil, err
	}
	return o.overrideMultivariant(func(playlist string) string {
		before, _, _ := strings.Cut(playlist, "\n"+last+"/")
		return before[:strings.LastIndexByte(before, '\n')+1]
	}), nil
}

func beginWrongCodecs(o *Origin) (heal func() error, err error) {
	return o.overrideMultivariant(func(playlist string) string {
		return codecsValue.ReplaceAllString(playlist, `CODECS="hvc1.1.6.L93.B0,ec-3"`)
	}), nil
}

func beginWrongResolution(o *Origin) (heal func() error, err error) {
	return o.overrideMultivariant(func(playlist string) string {
		return sizeValue.ReplaceAllString(playlist, "RESOLUTION=3840x2160")
	}), nil
}

func beginWrongBandwidth(o *Origin) (heal func() error, err error) {
	return o.overrideMultivariant(func(playlist string) string { return scaleBandwidth(playlist, 20) }), nil
}

// beginShortWindow lists the latest segment alone.
func beginShortWindow(o *Origin) (heal func() error, err error) {
	return o.overrideMedia(func(_ *http.Request, playlist string) string { return trim(playlist, 1) }), nil
}

func replaceNumber(playlist string, line *regexp.Regexp, change func(uint64) uint64) string {
	return line.ReplaceAllStringFunc(playlist, func(s string) string {
		digits := line.FindStringSubmatch(s)[1]
		n, err := strconv.ParseUint(digits, 10, 64)
		if err != nil {
			return s
		}
		return strings.TrimSuffix(s, digits) + strconv.FormatUint(change(n), 10)
	})
}
