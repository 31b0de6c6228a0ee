package main

import (
	"time"

	"streamcanary/prober"
	"streamcanary/prober/summary"
)

// playbackReport is a validation as --json gives it, in one line. Durations are in
// milliseconds, bitrates in bits per second.
type playbackReport struct {
	At         time.Time        `json:"at"`
	Kind       prober.Kind      `json:"kind"`
	Side       string           `json:"side"`
	Outcome    prober.Outcome   `json:"outcome"`
	Stage      prober.Stage     `json:"stage,omitempty"`
	Reason     prober.Reason    `json:"reason,omitempty"`
	Detail     string           `json:"detail,omitempty"`
	Live       bool             `json:"live"`
	Whole      bool             `json:"whole"` // it has an end, and was gone through up to there
	Took       float64          `json:"took_ms"`
	Segments   int              `json:"segments"` // looked into
	Received   int64            `json:"bytes_received"`
	Renditions []probeRendition `json:"renditions,omitempty"`
	Findings   []probeFinding   `json:"findings,omitempty"`
	Viewing    *probeViewing    `json:"viewing,omitempty"`
	HTTP       *probeHTTP       `json:"http,omitempty"`
}

// probeRendition is one rendition: announced by the playlist, and seen.
type probeRendition struct {
	Name           string               `json:"name"`
	Type           prober.RenditionType `json:"type"`
	Playing        bool                 `json:"playing"`
	Announced      probeEncoding        `json:"announced,omitzero"`
	Seen           probeEncoding        `json:"seen,omitzero"`
	Container      string               `json:"container,omitempty"`
	Encryption     string               `json:"encryption,omitempty"`
	PeakBitrate    int64                `json:"peak_bitrate,omitempty"`
	AverageBitrate int64                `json:"average_bitrate,omitempty"`
	Listed         int                  `json:"listed"`
	Downloaded     int                  `json:"downloaded"`
	Keyframes      int                  `json:"keyframes"`
	Skipped        int                  `json:"skipped,omitempty"`
	Missed         int                  `json:"missed,omitempty"`
	Target         float64              `json:"target_duration_ms"`
	PartTarget     float64              `json:"part_target_ms,omitempty"`
	Shortest       float64              `json:"shortest_extinf_ms,omitempty"`
	Mean           float64              `json:"mean_extinf_ms,omitempty"`
	Longest        float64              `json:"longest_extinf_ms,omitempty"`
	PlaylistType   string               `json:"playlist_type,omitempty"`
	EndList        bool                 `json:"endlist,omitempty"`
	MediaSequence  uint64               `json:"media_sequence"`
	Viewing        *probeViewing        `json:"viewing,omitempty"`
}

type probeEncoding struct {
	Bandwidth        int64   `json:"bandwidth,omitempty"`
	AverageBandwidth int64   `json:"average_bandwidth,omitempty"`
	Width            int     `json:"width,omitempty"`
	Height           int     `json:"height,omitempty"`
	FrameRate        float64 `json:"frame_rate,omitempty"`
	Codecs           string  `json:"codecs,omitempty"`
}

func playbackOf(of *validation, s summary.Summary) playbackReport {
	return playbackReport{
		At: s.Ended.UTC(), Kind: prober.KindPlayback, Side: "pull", Outcome: s.Outcome, Stage: s.Stage, Reason: s.Reason, Detail: s.Detail,
		Live: of.live, Whole: !of.ended.IsZero(), Took: ms(s.Ended.Sub(s.Began)), Segments: of.segments, Received: s.Figures.BytesReceived,
		Renditions: renditionsOf(s.Renditions), Findings: findingsOf(s.Findings), Viewing: viewingOf(s.Figures.Viewing), HTTP: httpOf(s.Figures.HTTP),
	}
}

func renditionsOf(all []prober.Rendition) []probeRendition {
	var told []probeRendition
	for _, r := range all {
		told = append(told, probeRendition{
			Name: r.Name, Type: r.Type, Playing: r.Playing, Announced: probeEncoding(r.Announced), Seen: probeEncoding(r.Seen),
			Container: r.Container, Encryption: r.Encryption, PeakBitrate: r.PeakBitrate, AverageBitrate: r.AverageBitrate,
			Listed: r.Segments, Downloaded: r.Downloaded, Keyframes: r.Keyframes, Skipped: r.Skipped, Missed: r.Missed,
			Target: ms(r.TargetDuration), PartTarget: ms(r.PartTarget), Shortest: ms(r.ShortestEXTINF), Mean: ms(r.MeanEXTINF), Longest: ms(r.LongestEXTINF),
			PlaylistType: r.PlaylistType, EndList: r.EndList, MediaSequence: r.MediaSequence, Viewing: viewingOf(r.Viewing),
		})
	}
	return told
}
