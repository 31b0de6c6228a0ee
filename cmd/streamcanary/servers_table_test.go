package main

import (
	"testing"

	"streamcanary/prober"
)

// realServer is a server that we did not write, how it is run, and what is known of
// it.
type realServer struct {
	id, name string
	pull     prober.Pulling // how its playback is pulled, and what is expected of it
	// proof and latency are the means that are left when it has done its work.
	proof, latency prober.Means
	known          []explained // its healthy broadcasts may have these findings
}

// explained is a finding that is right, and why nobody should think that the rule is
// wrong.
type explained struct {
	rule, section string // the rule's id, if it has one
	reason        prober.Reason
	why           string
}

// liveServer is one that runs. Its ingest takes the stream "canary".
type liveServer interface {
	ingest(stream string) string
	playback(stream string) string
}

// startServer runs one of realServers until the test ends.
func startServer(t *testing.T, id string) liveServer {
	t.Helper()
	switch id {
	case "nginx":
		return startNginx(t, "127.0.0.1")
	case "ladder":
		return startLadder(t)
	case "ffmpeg":
		return startFFmpegServer(t)
	default:
		return startMediaMTX(t, id)
	}
}

// realServers is the table of servers; those of MediaMTX have its form of HLS as their
// id.
func realServers() []realServer {
	sequence := explained{"dsn-missing", "6.2.2", prober.ReasonPlaylistMalformed,
		"its first segment has EXT-X-DISCONTINUITY, and is removed without EXT-X-DISCONTINUITY-SEQUENCE"}
	deletes := explained{"segment-gone", "6.2.2", prober.ReasonSegmentGone,
		"it deletes a segment as it removes it, and not as long after as the segment lasts"}
	pictures := explained{"bandwidth-over-groups", "4.4.6.2", prober.ReasonBitrateMismatch, "its BANDWIDTH is of the pictures alone"}
	average := explained{"average-bandwidth-over", "4.4.6.2", prober.ReasonBitrateMismatch, "the same of its AVERAGE-BANDWIDTH"}
	return []realServer{
		{
			id: "nginx", name: "nginx-rtmp",
			proof: prober.MeansSEI, latency: prober.MeansSEI, known: []explained{sequence},
		},
		{
			id: "ladder", name: "nginx-rtmp, two renditions by ffmpeg",
			pull: prober.Pulling{Transcoded: true, Ladder: []prober.Rung{
				{Width: 426, Height: 240, Codecs: "avc1,mp4a"}, {Width: 320, Height: 180, Codecs: "avc1,mp4a"}}},
			proof: prober.MeansBarcode, latency: prober.MeansBarcode,
			known: []explained{sequence, {"stale", "6.2.1", prober.ReasonPlaylistStale,
				"as its ladder starts, x264 takes some seconds at once and then none for a while"}},
		},
		{
			id: "mpegts", name: "MediaMTX, mpegts",
			proof: prober.MeansSEI, latency: prober.MeansSEI,
			known: []explained{deletes},
		},
		{
			// Pictures and sound are renditions of their own. The weakest proof counts:
			// that of the sound.
			id: "fmp4", name: "MediaMTX, fmp4",
			proof: prober.MeansAAC, latency: prober.MeansSEI,
			known: []explained{deletes, pictures, average},
		},
		{
			id: "lowLatency", name: "MediaMTX, lowLatency",
			proof: prober.MeansAAC, latency: prober.MeansSEI,
			pull: prober.Pulling{LowLatency: true, Delta: true},
			known: []explained{deletes, pictures, average, {"part-hold-back-short", "4.4.3.8", prober.ReasonLowLatency,
				"PART-HOLD-BACK is 2.5 part target durations, and should be 3"}},
		},
		{
			id: "ffmpeg", name: "ffmpeg -listen",
			proof: prober.MeansSEI, latency: prober.MeansSEI,
			known: []explained{
				{"window-short", "6.2.2", prober.ReasonWindowShort, "each broadcast begins its playlist anew, under a number of its own, where the last one's was"},
				{"window-tiny", "6.2.2", prober.ReasonWindowShort, "the same"},
			},
		},
	}
}

// starving are findings that any server has on a machine with too few processors for
// its programs, and no other finding is: it is late, it says so, and that is what was
// measured. They count where the machine kept up.
func starving() []explained {
	return []explained{
		{"stale", "6.2.1", prober.ReasonPlaylistStale, "a server, or its ffmpeg, that gets no processor writes no segment"},
		{"part-stale", "6.2.1", prober.ReasonLowLatency, "the same of a part"},
		{"segment-slow", "6.2.1", prober.ReasonSegmentSlow, "a server that gets no processor answers late"},
		{"reload-late", "6.2.5.2", prober.ReasonLowLatency, "the same of a blocking reload"},
		{"variant-apart", "6.2.4", prober.ReasonRenditionsApart, "one rendition was loaded later than the other"},
		{"date-jump", "4.4.4.6", prober.ReasonPlaylistMalformed, "MediaMTX dates a segment by when its first picture comes, and it came late"},
		{"date-ambiguous", "6.2.1", prober.ReasonPlaylistMalformed, "and those behind it came at once"},
		{"variant-timestamps", "6.2.4", prober.ReasonRenditionsApart, "dates of one moment are apart by as much"},
	}
}
