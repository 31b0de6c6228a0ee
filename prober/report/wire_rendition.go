package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
)

// maxCodecsSize bounds what is sent of a rendition's codecs: bytes.
const maxCodecsSize = 64

// wireRendition is what is sent of a rendition: what a dashboard draws by the hour.
// What its playlist says in detail, and what is wrong with it, is in the findings.
type wireRendition struct {
	Name           string               `json:"name"`
	Type           prober.RenditionType `json:"type"`
	Playing        bool                 `json:"playing,omitempty"`
	Proof          prober.Means         `json:"proof,omitempty"`
	Bandwidth      int64                `json:"bandwidth,omitempty"` // announced
	PeakBitrate    int64                `json:"peak_bitrate,omitempty"`
	AverageBitrate int64                `json:"average_bitrate,omitempty"`
	Width          int                  `json:"width,omitempty"` // seen, as all that follows
	Height         int                  `json:"height,omitempty"`
	FrameRate      float64              `json:"frame_rate,omitempty"`
	Codecs         string               `json:"codecs,omitempty"`
	Segments       int                  `json:"segments,omitempty"`
	Downloaded     int                  `json:"downloaded,omitempty"`
	Skipped        int                  `json:"skipped,omitempty"`
	Missed         int                  `json:"missed,omitempty"`
	LatencyLast    time.Duration        `json:"latency_last_ns,omitempty"`
	PartLatency    time.Duration        `json:"part_latency_ns,omitempty"`
	LatencyBy      prober.Means         `json:"latency_by,omitempty"`
	Viewing        wireViewing          `json:"viewing,omitzero"`
}

// sentRenditions are the renditions that are worth a result's bytes: of a media
// playlist alone the figures of the result itself tell as much.
func sentRenditions(all []prober.Rendition) []prober.Rendition {
	if len(all) == 1 && all[0].Name == "" {
		return nil
	}
	return clippedRenditions(all[:min(len(all), prober.MaxRenditions)])
}

func clippedRenditions(all []prober.Rendition) []prober.Rendition {
	all = slices.Clone(all)
	for i := range all {
		r := &all[i]
		r.Name = prober.Clip(r.Name, maxNameSize)
		r.Seen.Codecs = prober.Clip(r.Seen.Codecs, maxCodecsSize)
	}
	return all
}

func toWireRendition(r prober.Rendition) wireRendition {
	return wireRendition{
		Name: r.Name, Type: r.Type, Playing: r.Playing, Proof: r.Proof,
		Bandwidth: r.Announced.Bandwidth, PeakBitrate: r.PeakBitrate, AverageBitrate: r.AverageBitrate,
		Width: r.Seen.Width, Height: r.Seen.Height, FrameRate: r.Seen.FrameRate, Codecs: r.Seen.Codecs,
		Segments: r.Segments, Downloaded: r.Downloaded, Skipped: r.Skipped, Missed: r.Missed,
		LatencyLast: r.LatencyLast, PartLatency: r.PartLatency, LatencyBy: r.LatencyBy, Viewing: wireViewing(r.Viewing),
	}
}

func fromWireRendition(w wireRendition) prober.Rendition {
	return prober.Rendition{
		Name: w.Name, Type: w.Type, Playing: w.Playing, Proof: w.Proof,
		Announced: prober.Encoding{Bandwidth: w.Bandwidth}, PeakBitrate: w.PeakBitrate, AverageBitrate: w.AverageBitrate,
		Seen:     prober.Encoding{Width: w.Width, Height: w.Height, FrameRate: w.FrameRate, Codecs: w.Codecs},
		Segments: w.Segments, Downloaded: w.Downloaded, Skipped: w.Skipped, Missed: w.Missed,
		LatencyLast: w.LatencyLast, PartLatency: w.PartLatency, LatencyBy: w.LatencyBy, Viewing: prober.Viewing(w.Viewing),
	}
}

func checkRenditions(all []prober.Rendition) error {
	if len(all) > prober.MaxRenditions {
		return fmt.Errorf("figures.renditions: %d, at most %d", len(all), prober.MaxRenditions)
	}
	for _, r := range all {
		if err := checkRendition(r); err != nil {
			return fmt.Errorf("figures.renditions: %w", err)
		}
	}
	return nil
}

func checkRendition(r prober.Rendition) error {
	switch r.Type {
	case prober.RenditionVariant, prober.RenditionAudio, prober.RenditionVideo, prober.RenditionSubtitles:
	default:
		return fmt.Errorf("type: %s is not known", quote(r.Type))
	}
	if len(r.Name) > maxNameSize || len(r.Seen.Codecs) > maxCodecsSize || strings.ContainsFunc(r.Seen.Codecs, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return fmt.Errorf("name or codecs of %s: too long, or no text", quote(r.Name))
	}
	if !(r.Seen.FrameRate >= 0 && r.Seen.FrameRate < 1e6) {
		return fmt.Errorf("frame_rate: %v, want pictures per second", r.Seen.FrameRate)
	}
	return cmp.Or(
		checkDetail("name", r.Name), checkDetail("codecs", r.Seen.Codecs),
		checkCount(r.Announced.Bandwidth, r.PeakBitrate, r.AverageBitrate, int64(r.Seen.Width), int64(r.Seen.Height),
			int64(r.Segments), int64(r.Downloaded), int64(r.Skipped), int64(r.Missed),
			int64(r.Viewing.Startup), int64(r.Viewing.Watched), int64(r.Viewing.Rebuffers), int64(r.Viewing.RebufferTime), int64(r.Viewing.Buffer)),
		checkMeans(r.LatencyBy, r.Proof),
	)
}
