package hls

import "streamcanary/prober"

// The rules' ids, in the order of the sections of rfc8216bis.
const (
	ruleText              = "text"
	ruleAttributes        = "attributes"
	ruleTwice             = "tag-twice"
	ruleLate              = "tag-late"
	ruleStart             = "start-offset"
	ruleTooLong           = "extinf-over-target"
	ruleTarget            = "target-integer"
	ruleEnded             = "ended"
	rulePartInf           = "part-inf"
	ruleHoldBack          = "hold-back"
	rulePartHoldBack      = "part-hold-back"
	rulePartHoldBackShort = "part-hold-back-short"
	ruleSkipUntil         = "skip-until"
	ruleRange             = "byterange"
	ruleKey               = "key"
	ruleMap               = "map"
	ruleDate              = "program-date-time"
	ruleGap               = "gap"
	ruleBitrate           = "bitrate"
	rulePart              = "part"
	rulePartLong          = "part-over-target"
	rulePartShort         = "part-under-target"
	ruleDateRange         = "daterange"
	ruleDateRangeConflict = "daterange-conflict"
	ruleDateRangeDate     = "daterange-date"
	ruleSkip              = "skip"
	ruleHint              = "preload-hint"
	ruleReport            = "rendition-report"
	ruleMedia             = "media"
	ruleGroup             = "group"
	ruleGroupMembers      = "group-members"
	ruleNoVariants        = "no-variants"
	ruleBandwidth         = "bandwidth"
	ruleBandwidthOver     = "bandwidth-over"
	ruleGroupsOver        = "bandwidth-over-groups"
	ruleAverageOver       = "average-bandwidth-over"
	ruleCodecs            = "codecs"
	ruleReference         = "group-reference"
	ruleCaptions          = "captions-none"
	ruleStale             = "stale"
	ruleRewritten         = "rewritten"
	ruleTargetChanged     = "target-changed"
	ruleVODChanged        = "vod-changed"
	ruleEventRemoved      = "event-removed"
	ruleTypeChanged       = "type-changed"
	ruleVODOpen           = "vod-open"
	ruleReopened          = "reopened"
	ruleDateAmbiguous     = "date-ambiguous"
	ruleDateJump          = "date-jump"
	ruleDateRangeRemoved  = "daterange-removed"
	rulePartStale         = "part-stale"
	ruleSlow              = "segment-slow"
	ruleEmpty             = "empty"
	ruleRegression        = "msn-fell"
	ruleSequence          = "msn-mismatch"
	ruleNoSequence        = "msn-missing"
	ruleWindow            = "window-short"
	ruleWindowTiny        = "window-tiny"
	ruleGone              = "segment-gone"
	ruleDSNMissing        = "dsn-missing"
	ruleDSN               = "dsn-mismatch"
	ruleVariantTarget     = "variant-target"
	ruleVariantType       = "variant-type"
	ruleVariantDSN        = "variant-dsn"
	ruleVariantDates      = "variant-dates"
	ruleVariantApart      = "variant-apart"
	ruleVariantTimes      = "variant-timestamps"
	ruleVariantControl    = "variant-control"
	ruleVariantRanges     = "variant-dateranges"
	ruleVariantCodecs     = "variant-codecs"
	ruleReloadEarly       = "reload-early"
	ruleReloadLate        = "reload-late"
	ruleReloadRefused     = "reload-refused"
	rulePartAlone         = "part-without-msn"
	ruleHintGone          = "hint-gone"
	ruleVersion           = "version"
)

// AllRules lists every rule, in the order of the sections of rfc8216bis. The
// default severity is by what a viewer feels, not by the RFC's MUST or SHOULD.
func AllRules() []Rule {
	const (
		fail     = prober.SeverityFail
		degraded = prober.SeverityDegraded
		note     = prober.SeverityNote
		segment  = prober.StageSegment
		list     = prober.StageManifest

		malformed = prober.ReasonPlaylistMalformed
		changed   = prober.ReasonPlaylistChanged
		apart     = prober.ReasonRenditionsApart
		slow      = prober.ReasonLowLatency
	)
	return []Rule{
		{ruleText, "4.1", note, list, malformed, "not UTF-8, or a control character in a line"},
		{ruleAttributes, "4.2", note, list, malformed, "an attribute list that cannot be read, or lacks an attribute"},
		{ruleTwice, "4.4", note, list, malformed, "a tag that may stand there once, twice"},
		{ruleLate, "4.4.3", note, list, malformed, "EXT-X-MEDIA-SEQUENCE or EXT-X-DISCONTINUITY-SEQUENCE after the first segment"},
		{ruleStart, "4.4.2.2", note, list, malformed, "EXT-X-START within three target durations of a live playlist's end"},
		{ruleTooLong, "4.4.3.1", degraded, list, malformed, "a segment's duration, rounded, exceeds the target duration"},
		{ruleTarget, "4.4.3.1", note, list, malformed, "EXT-X-TARGETDURATION is not a whole number of seconds from 1"},
		{ruleEnded, "4.4.3.4", fail, list, prober.ReasonStreamEnded, "EXT-X-ENDLIST, though the broadcast is up"},
		{rulePartInf, "4.4.3.7", degraded, list, slow, "EXT-X-PART without EXT-X-PART-INF, or one without PART-TARGET"},
		{ruleHoldBack, "4.4.3.8", note, list, slow, "HOLD-BACK below three target durations"},
		{rulePartHoldBack, "4.4.3.8", degraded, list, slow, "PART-HOLD-BACK missing, or below two part target durations"},
		{rulePartHoldBackShort, "4.4.3.8", note, list, slow, "PART-HOLD-BACK below three part target durations"},
		{ruleSkipUntil, "4.4.3.8", note, list, slow, "CAN-SKIP-UNTIL below six target durations, or CAN-SKIP-DATERANGES without it"},
		{ruleRange, "4.4.4.2", fail, list, malformed, "EXT-X-BYTERANGE without an offset and nothing to go on from"},
		{ruleKey, "4.4.4.4", degraded, list, malformed, "EXT-X-KEY or EXT-X-SESSION-KEY with wrong or missing attributes"},
		{ruleMap, "4.4.4.5", note, list, malformed, "EXT-X-MAP with a wrong BYTERANGE, or encrypted without IV"},
		{ruleDate, "4.4.4.6", note, list, malformed, "EXT-X-PROGRAM-DATE-TIME is no date"},
		{ruleDateJump, "4.4.4.6", note, list, malformed, "EXT-X-PROGRAM-DATE-TIME runs ahead of the media by more than a target duration, without EXT-X-DISCONTINUITY"},
		{ruleGap, "4.4.4.7", degraded, list, prober.ReasonSegmentGap, "a new segment is marked EXT-X-GAP: its media is missing"},
		{ruleBitrate, "4.4.4.8", note, segment, prober.ReasonBitrateMismatch, "a segment's bitrate is more than 10 % off its EXT-X-BITRATE"},
		{rulePart, "4.4.4.9", degraded, list, slow, "EXT-X-PART that cannot be loaded: no URI, DURATION or range"},
		{rulePartLong, "4.4.4.9", degraded, list, slow, "a part is longer than the part target duration"},
		{rulePartShort, "4.4.4.9", note, list, slow, "a part that is not its segment's last has less than 85 % of the part target duration"},
		{ruleDateRange, "4.4.5.1", note, list, malformed, "EXT-X-DATERANGE with wrong or missing attributes"},
		{ruleDateRangeConflict, "4.4.5.1", note, list, malformed, "two tags of one date range contradict each other"},
		{ruleDateRangeDate, "4.4.5.1", note, list, malformed, "EXT-X-DATERANGE without any EXT-X-PROGRAM-DATE-TIME"},
		{ruleSkip, "4.4.5.2", degraded, list, slow, "a delta update that was not asked for, or cannot be applied"},
		{ruleHint, "4.4.5.3", note, list, slow, "EXT-X-PRELOAD-HINT with missing attributes, twice, or after the end"},
		{ruleReport, "4.4.5.4", note, list, slow, "EXT-X-RENDITION-REPORT without URI, or far from the rendition's playlist"},
		{ruleMedia, "4.4.6.1", degraded, list, malformed, "EXT-X-MEDIA with wrong or missing attributes"},
		{ruleGroup, "4.4.6.1.1", note, list, malformed, "a group has two renditions of one NAME, or two DEFAULT=YES"},
		{ruleGroupMembers, "4.4.6.1.1", note, list, malformed, "groups of one TYPE have different members"},
		{ruleNoVariants, "4.4.6.2", fail, list, prober.ReasonNoRenditionPlayable, "a multivariant playlist without variants"},
		{ruleBandwidth, "4.4.6.2", degraded, list, malformed, "a variant without BANDWIDTH"},
		{ruleBandwidthOver, "4.4.6.2", degraded, segment, prober.ReasonBitrateMismatch, "the measured peak segment bitrate exceeds BANDWIDTH"},
		{ruleGroupsOver, "4.4.6.2", note, segment, prober.ReasonBitrateMismatch, "the same, together with the renditions that play with the variant"},
		{ruleAverageOver, "4.4.6.2", note, segment, prober.ReasonBitrateMismatch, "the measured average bitrate exceeds AVERAGE-BANDWIDTH"},
		{ruleCodecs, "4.4.6.2", note, list, malformed, "a variant without CODECS"},
		{ruleReference, "4.4.6.2", degraded, list, malformed, "a variant names a group of renditions that is not there"},
		{ruleCaptions, "4.4.6.2", note, list, malformed, "CLOSED-CAPTIONS=NONE in some variants only"},
		{ruleStale, "6.2.1", fail, list, prober.ReasonPlaylistStale, "no new segment within 1.5 target durations and a tolerance"},
		{ruleRewritten, "6.2.1", degraded, list, changed, "a segment that was listed has another URI, duration or date"},
		{ruleTargetChanged, "6.2.1", note, list, changed, "EXT-X-TARGETDURATION changed"},
		{ruleVODChanged, "6.2.1", degraded, list, changed, "a playlist of type VOD changed"},
		{ruleEventRemoved, "6.2.1", degraded, list, changed, "segments were removed from a playlist of type EVENT"},
		{ruleTypeChanged, "6.2.1", note, list, changed, "EXT-X-PLAYLIST-TYPE changed"},
		{ruleVODOpen, "6.2.1", degraded, list, malformed, "a playlist of type VOD without EXT-X-ENDLIST"},
		{ruleReopened, "6.2.1", note, list, changed, "EXT-X-ENDLIST was there and is gone"},
		{ruleDateAmbiguous, "6.2.1", note, list, malformed, "EXT-X-PROGRAM-DATE-TIME goes back, or overlaps by a second or more"},
		{ruleDateRangeRemoved, "6.2.1", note, list, changed, "a date range is gone, though its time is still listed"},
		{rulePartStale, "6.2.1", degraded, list, slow, "no new part within a part target duration and a tolerance"},
		{ruleSlow, "6.2.1", degraded, segment, prober.ReasonSegmentSlow, "a segment takes nearly as long to load as it plays"},
		{ruleEmpty, "6.2.2", fail, list, prober.ReasonPlaylistNoSegments, "the playlist lists no segment"},
		{ruleRegression, "6.2.2", fail, list, prober.ReasonSequenceRegression, "the media sequence number fell"},
		{ruleSequence, "6.2.2", degraded, list, changed, "the media sequence number did not rise by the number of segments removed"},
		{ruleNoSequence, "6.2.2", note, list, malformed, "segments were removed, and there is no EXT-X-MEDIA-SEQUENCE"},
		{ruleWindow, "6.2.2", note, list, prober.ReasonWindowShort, "segments were removed, and less than three target durations are left"},
		{ruleWindowTiny, "6.2.2", degraded, list, prober.ReasonWindowShort, "segments were removed, and less than two target durations are left"},
		{ruleGone, "6.2.2", note, segment, prober.ReasonSegmentGone, "a segment is gone before its availability duration is over"},
		{ruleDSNMissing, "6.2.2", note, list, malformed, "segments are removed from a playlist with discontinuities, and there is no EXT-X-DISCONTINUITY-SEQUENCE"},
		{ruleDSN, "6.2.2", note, list, changed, "a segment's discontinuity sequence number changed"},
		{ruleVariantTarget, "6.2.4", note, list, apart, "renditions have different target durations"},
		{ruleVariantType, "6.2.4", note, list, apart, "renditions have different EXT-X-PLAYLIST-TYPEs"},
		{ruleVariantDSN, "6.2.4", degraded, list, apart, "matching content has different discontinuity sequence numbers"},
		{ruleVariantDates, "6.2.4", note, list, apart, "some renditions have EXT-X-PROGRAM-DATE-TIME and some do not"},
		{ruleVariantApart, "6.2.4", degraded, list, apart, "a rendition ends more than a target duration behind another"},
		{ruleVariantTimes, "6.2.4", degraded, segment, apart, "matching content has different timestamps"},
		{ruleVariantControl, "6.2.4", note, list, apart, "renditions have different EXT-X-SERVER-CONTROLs"},
		{ruleVariantRanges, "6.2.4", note, list, apart, "renditions have different date ranges"},
		{ruleVariantCodecs, "6.2.4", degraded, segment, apart, "CODECS does not name a format that is in the segments"},
		{ruleReloadEarly, "6.2.5.2", degraded, list, slow, "a blocking reload was answered before the playlist had what was asked for"},
		{ruleReloadLate, "6.2.5.2", note, list, slow, "a blocking reload was held for more than three target durations"},
		{ruleReloadRefused, "6.2.5.2", degraded, list, slow, "a blocking reload that the server offers was refused"},
		{rulePartAlone, "6.2.5.2", note, list, slow, "_HLS_part without _HLS_msn was not refused with 400"},
		{ruleHintGone, "6.2.6", degraded, segment, slow, "a hinted resource could not be requested"},
		{ruleVersion, "8", note, list, malformed, "EXT-X-VERSION is lower than what the tags need"},
	}
}
