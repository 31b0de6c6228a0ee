package hls

import (
	"fmt"
	"strings"

	"streamcanary/prober"
	"streamcanary/prober/media"
)

// Rung is a rendition that a multivariant playlist has to list. What is zero is
// not asked for.
type Rung struct {
	// Rendition is the name of an EXT-X-MEDIA, as in "audio en" or "subtitles de";
	// "" is a variant.
	Rendition     string
	Width, Height int
	Bandwidth     int64  // bits per second; BANDWIDTH may be LadderTolerance away
	Codecs        string // beginnings of those in CODECS: "avc1.64,mp4a"
}

// LadderTolerance is by how much of it a BANDWIDTH may differ from a rung's.
const LadderTolerance = 0.25

// String names a rung as people do.
func (r Rung) String() string {
	switch {
	case r.Rendition != "":
		return r.Rendition
	case r.Height > 0:
		return fmt.Sprintf("%dp", r.Height)
	}
	return bitrateText(r.Bandwidth)
}

// checkLadder compares what is listed with what is expected: each rung is matched
// with the variant of its height that comes nearest in bitrate.
func checkLadder(ladder []Rung, all []listing) []prober.Finding {
	if len(ladder) == 0 {
		return nil
	}
	var found []prober.Finding
	taken := map[int]bool{}
	for _, r := range ladder {
		i := r.match(all, taken)
		if i < 0 {
			found = append(found, ladderFinding(prober.SeverityDegraded, prober.ReasonRenditionMissing, r.String(), "expected, and not listed"))
			continue
		}
		taken[i] = true
		if off := r.differs(all[i].variant); r.Rendition == "" && off != "" {
			found = append(found, ladderFinding(prober.SeverityDegraded, prober.ReasonRenditionMismatch, all[i].name, off))
		}
	}
	for i, l := range all {
		if !taken[i] && l.kind == kindVariant {
			found = append(found, ladderFinding(prober.SeverityNote, prober.ReasonRenditionUnexpected, l.name, "listed, and not expected"))
		}
	}
	return found
}

// ladderSection is where variants are described.
const ladderSection = "RFC 8216bis 4.4.6.2"

func ladderFinding(severity prober.Severity, reason prober.Reason, where, detail string) prober.Finding {
	return prober.Finding{Section: ladderSection, Severity: severity, Stage: prober.StageManifest, Reason: reason,
		Where: where, Detail: prober.Clip(detail, prober.MaxDetail), Count: 1}
}

// match finds a rung's listing; -1 is none.
func (r Rung) match(all []listing, taken map[int]bool) int {
	best := -1
	for i, l := range all {
		switch {
		case taken[i] || (r.Rendition == "") != (l.kind == kindVariant):
			continue
		case r.Rendition != "":
			if strings.EqualFold(r.Rendition, l.name) {
				return i
			}
			if best < 0 && strings.EqualFold(r.Rendition, l.stem) { // one that has its number from when there were two
				best = i
			}
			continue
		}
		if _, height, ok := resolution(l.variant.Resolution); r.Height > 0 && (!ok || height != r.Height) {
			continue
		}
		if r.Height == 0 && r.differs(l.variant) != "" {
			continue
		}
		if best < 0 || r.distance(l.variant) < r.distance(all[best].variant) {
			best = i
		}
	}
	return best
}

func (r Rung) distance(v Variant) int64 {
	if r.Bandwidth == 0 {
		return 0
	}
	return max(v.Bandwidth, r.Bandwidth) - min(v.Bandwidth, r.Bandwidth)
}

// differs says in what a variant is not the rung; "" is in nothing.
func (r Rung) differs(v Variant) string {
	var off []string
	if width, _, _ := resolution(v.Resolution); r.Width > 0 && width != r.Width {
		off = append(off, fmt.Sprintf("RESOLUTION is %s and not %dx%d", v.Resolution, r.Width, r.Height))
	}
	if r.Bandwidth > 0 && float64(r.distance(v)) > LadderTolerance*float64(r.Bandwidth) {
		off = append(off, fmt.Sprintf("BANDWIDTH is %d and not about %d", v.Bandwidth, r.Bandwidth))
	}
	for want := range strings.SplitSeq(r.Codecs, ",") {
		if want = strings.TrimSpace(want); want != "" && !namesCodec(v.Codecs, want) {
			off = append(off, fmt.Sprintf("CODECS is %q, without %s", v.Codecs, want))
		}
	}
	return strings.Join(off, "; ")
}

func namesCodec(codecs, beginning string) bool {
	for c := range strings.SplitSeq(codecs, ",") {
		if strings.HasPrefix(strings.TrimSpace(c), beginning) {
			return true
		}
	}
	return false
}

// checkPicture compares the pictures of a segment with the RESOLUTION that its
// variant lists. Encoders round to whole macroblocks.
func checkPicture(l listing, s media.Summary) []prober.Finding {
	const rounding = 16
	width, height, ok := resolution(l.variant.Resolution)
	video, has := s.Video()
	if !ok || !has || video.Width == 0 || video.Height == 0 {
		return nil
	}
	if apartBy(width, video.Width) < rounding && apartBy(height, video.Height) < rounding {
		return nil
	}
	return []prober.Finding{ladderFinding(prober.SeverityDegraded, prober.ReasonRenditionMismatch, l.name,
		fmt.Sprintf("its pictures are %dx%d, and RESOLUTION is %dx%d", video.Width, video.Height, width, height))}
}

func apartBy(a, b int) int { return max(a, b) - min(a, b) }
