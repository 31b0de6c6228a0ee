package origin

import (
	"fmt"
	"strings"
)

const (
	listedSegments = 6 // in a media playlist

	// A segment stays available for its own duration and that of the longest
	// playlist that named it after it leaves the playlist (RFC 8216, 6.2.2).
	// gohlslib forgets one as it leaves: so it keeps more than are listed.
	keptSegments = listedSegments + 1 + listedSegments

	// A low-latency playlist lists all that the muxer keeps: its delta updates count on it.
	lowLatencySegments = listedSegments + 1

	sequenceTag = "#EXT-X-MEDIA-SEQUENCE:"
)

// trim cuts one of gohlslib's media playlists to its last n segments. What has
// no more, and a multivariant playlist, stays as it is.
func trim(playlist string, n int) string {
	drop := strings.Count(playlist, "#EXTINF:") - n
	if drop <= 0 {
		return playlist
	}
	var b strings.Builder
	left, inHeader := drop, true
	for line := range strings.Lines(playlist) {
		if strings.HasPrefix(line, "#EXTINF:") || strings.HasPrefix(line, "#EXT-X-PROGRAM-DATE-TIME:") {
			inHeader = false
		}
		switch {
		case inHeader && strings.HasPrefix(line, sequenceTag):
			var first int
			_, _ = fmt.Sscanf(line[len(sequenceTag):], "%d", &first) // gohlslib wrote it
			fmt.Fprintf(&b, "%s%d\n", sequenceTag, first+drop)
		case inHeader || left == 0:
			b.WriteString(line)
		case line[0] != '#' && strings.TrimSpace(line) != "":
			left--
		}
	}
	return b.String()
}
