package hls

import (
	"time"

	"streamcanary/prober"
)

// ServerControl is EXT-X-SERVER-CONTROL (4.4.3.8). What is not given is zero.
type ServerControl struct {
	CanBlockReload    bool
	CanSkipUntil      time.Duration
	CanSkipDateRanges bool
	HoldBack          time.Duration // 0 means three target durations
	PartHoldBack      time.Duration
}

// Part is a partial segment: EXT-X-PART (4.4.4.9).
type Part struct {
	URI         string // as listed
	Duration    time.Duration
	Independent bool // decoding can start with it
	Gap         bool
	Range       ByteRange // zero is the whole resource
}

// PreloadHint is EXT-X-PRELOAD-HINT (4.4.5.3).
type PreloadHint struct {
	Type  string    // PART or MAP
	URI   string    // as listed
	Range ByteRange // Length 0 is up to the end
}

// RenditionReport is EXT-X-RENDITION-REPORT (4.4.5.4). A server may leave out
// what is the same in the playlist that holds the report.
type RenditionReport struct {
	URI     string // as listed
	LastMSN uint64
	HasMSN  bool
	// LastPart is the index of the last partial segment; -1 is not given.
	LastPart int
}

// lastPart locates the newest partial segment: its segment's media sequence
// number, and its index.
func (p *Playlist) lastPart() (sequence uint64, index int, ok bool) {
	if n := len(p.Parts); n > 0 {
		return p.nextSequence(), n - 1, true
	}
	if n := len(p.Segments); n > 0 && len(p.Segments[n-1].Parts) > 0 {
		s := p.Segments[n-1]
		return s.Sequence, len(s.Parts) - 1, true
	}
	return 0, 0, false
}

// nextSequence is the media sequence number that comes after the last segment.
func (p *Playlist) nextSequence() uint64 {
	if newest, ok := p.newest(); ok {
		return newest + 1
	}
	return p.MediaSequence + p.Skipped
}

// checkParts finds that a playlist is not of low latency where it has to be.
func (r *rendition) checkParts(p *Playlist) []prober.Finding {
	if !r.f.cfg.LowLatency || p.PartTarget > 0 || p.EndList || r.what.kind == kindSubtitles {
		return nil
	}
	return r.f.cfg.Rules.Grade([]prober.Finding{{Section: "RFC 8216bis 4.4.3.7", Severity: prober.SeverityDegraded, Stage: prober.StageManifest,
		Reason: prober.ReasonLowLatency, Detail: "low latency is expected, and there is no EXT-X-PART-INF", Count: 1}})
}
