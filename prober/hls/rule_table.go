package hls

import "streamcanary/prober"

// The rules' ids.
const (
	ruleEnded      = "ended"
	ruleEmpty      = "empty"
	ruleRegression = "msn-fell"
	ruleStale      = "stale"
	ruleTooLong    = "extinf-over-target"
)

// AllRules lists every rule, in the order of the sections of rfc8216bis.
func AllRules() []Rule {
	const (
		fail     = prober.SeverityFail
		degraded = prober.SeverityDegraded
		manifest = prober.StageManifest
	)
	return []Rule{
		{ruleTooLong, "4.4.3.1", degraded, manifest, prober.ReasonPlaylistMalformed, "a segment's duration, rounded, exceeds the target duration"},
		{ruleEnded, "4.4.3.4", fail, manifest, prober.ReasonStreamEnded, "EXT-X-ENDLIST, though the broadcast is up"},
		{ruleStale, "6.2.1", fail, manifest, prober.ReasonPlaylistStale, "no new segment within 1.5 target durations and a tolerance"},
		{ruleEmpty, "6.2.2", fail, manifest, prober.ReasonPlaylistNoSegments, "the playlist lists no segment"},
		{ruleRegression, "6.2.2", fail, manifest, prober.ReasonSequenceRegression, "the media sequence number fell"},
	}
}
