package prober

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Outcome is a run's verdict.
type Outcome string

// The outcomes.
const (
	Pass         Outcome = "pass"
	Degraded     Outcome = "degraded"
	Fail         Outcome = "fail"
	Inconclusive Outcome = "inconclusive" // the run says nothing about the platform
)

// Stage is a step of a run. A run ends at the first stage that fails.
type Stage string

// The stages, in the order in which a run passes them.
const (
	StageProvision Stage = "provision" // the platform's API makes a stream
	StageResolve   Stage = "resolve"   // DNS
	StageConnect   Stage = "connect"   // TCP, TLS, RTMP handshake, connect command
	StagePublish   Stage = "publish"   // createStream and publish command
	StageIngest    Stage = "ingest"    // bytes are taken, the connection holds
	StageManifest  Stage = "manifest"  // multivariant and media playlists
	StageSegment   Stage = "segment"   // media segments
	StageMedia     Stage = "media"     // what is inside them, and whether it is ours and now
	StageLatency   Stage = "latency"
	StageRecording Stage = "recording"
	StageTeardown  Stage = "teardown" // the broadcast ends, the stream is deleted
)

// Stages lists every stage in order.
func Stages() []Stage {
	return []Stage{StageProvision, StageResolve, StageConnect, StagePublish, StageIngest,
		StageManifest, StageSegment, StageMedia, StageLatency, StageRecording, StageTeardown}
}

// Reason says what exactly failed. The set is closed: a consumer may switch on it.
type Reason string

// The reasons. The comment says at which stage a reason is met and what was seen.
const (
	// provision; of api probes whatever they ask for
	ReasonAPIUnreachable  Reason = "api_unreachable"  // no HTTP answer: refused, reset, no route
	ReasonAPITimeout      Reason = "api_timeout"      // no HTTP answer in time
	ReasonAPIError        Reason = "api_error"        // status 5xx, or one the contract does not know
	ReasonAPIBadAnswer    Reason = "api_bad_answer"   // success, but without the fields that were promised
	ReasonAPIUnauthorized Reason = "api_unauthorized" // 401, 403: inconclusive
	ReasonAPIQuota        Reason = "api_quota"        // 402, 429: inconclusive

	ReasonAPIWrongValue Reason = "api_wrong_value" // the field that a check looks at holds something else, or is not there

	// resolve
	ReasonNameNotResolved Reason = "name_not_resolved"

	// connect (of an ingest, and of a playback)
	ReasonConnectionRefused   Reason = "connection_refused"
	ReasonUnreachable         Reason = "unreachable" // no route, host or network unreachable
	ReasonConnectTimeout      Reason = "connect_timeout"
	ReasonTLSFailed           Reason = "tls_failed"
	ReasonHandshakeTimeout    Reason = "handshake_timeout"    // TCP accepted, RTMP handshake never answered
	ReasonHandshakeFailed     Reason = "handshake_failed"     // answered with something that is not RTMP
	ReasonConnectRejected     Reason = "connect_rejected"     // NetConnection.Connect.Rejected and the like
	ReasonConnectNoAnswer     Reason = "connect_no_answer"    // connect command never answered
	ReasonCertificateExpiring Reason = "certificate_expiring" // valid, but not for as long as was asked: degraded

	// publish
	ReasonPublishRejected  Reason = "publish_rejected"    // an onStatus error, whatever its code
	ReasonPublishNameInUse Reason = "publish_name_in_use" // NetStream.Publish.BadName
	ReasonPublishDenied    Reason = "publish_denied"      // NetStream.Publish.Denied and the like
	ReasonPublishBadKey    Reason = "publish_bad_key"     // the description says that the stream key is not valid
	ReasonPublishNoAnswer  Reason = "publish_no_answer"   // publish command never answered

	// connect, publish, ingest
	ReasonConnectionClosed Reason = "connection_closed" // the server closed (FIN)
	ReasonConnectionReset  Reason = "connection_reset"  // RST
	ReasonSendStalled      Reason = "send_stalled"      // the server stopped reading
	ReasonSendThrottled    Reason = "send_throttled"    // the server reads slower than the broadcast's rate

	// findings of the connection to an ingest
	ReasonRedirected       Reason = "redirected"         // the server sends the broadcaster elsewhere
	ReasonChunkSizeChanged Reason = "chunk_size_changed" // in mid-broadcast, by the server
	ReasonWindowChanged    Reason = "window_changed"     // acknowledgement window or peer bandwidth, in mid-broadcast

	// manifest, segment
	ReasonHTTPStatus   Reason = "http_status"   // any status but 200 and 206, or a 206 for another part than was asked for; the detail names it
	ReasonHTTPTimeout  Reason = "http_timeout"  // no answer, or too few bytes, in time
	ReasonHTTPClosed   Reason = "http_closed"   // closed or reset in mid-answer, or shorter than Content-Length
	ReasonHTTPEncoding Reason = "http_encoding" // compressed in a way that was not asked for, or broken
	ReasonRedirectLoop Reason = "redirect_loop" // more redirects than are followed
	ReasonTooLarge     Reason = "too_large"     // longer than the bound on one read
	ReasonEmptyBody    Reason = "empty_body"

	// manifest
	ReasonNotAPlaylist        Reason = "not_a_playlist" // HTML, JSON, anything without #EXTM3U
	ReasonPlaylistMalformed   Reason = "playlist_malformed"
	ReasonPlaylistNoSegments  Reason = "playlist_no_segments"
	ReasonPlaylistStale       Reason = "playlist_stale"         // no new segment in time (RFC 8216bis 6.2.1)
	ReasonSequenceRegression  Reason = "sequence_regression"    // the media sequence number fell (6.2.2)
	ReasonStreamEnded         Reason = "stream_ended"           // EXT-X-ENDLIST on a broadcast that is up
	ReasonPlaylistChanged     Reason = "playlist_changed"       // what was listed is no more what it was (6.2.1)
	ReasonWindowShort         Reason = "window_short"           // too little is left after segments were removed (6.2.2)
	ReasonRenditionsApart     Reason = "renditions_apart"       // renditions do not fit each other (6.2.4)
	ReasonLowLatency          Reason = "low_latency"            // parts, hints, blocking reloads or delta updates do not work
	ReasonSegmentGap          Reason = "segment_gap"            // the platform itself says that media is missing: EXT-X-GAP
	ReasonNoRenditionPlayable Reason = "no_rendition_playable"  // a multivariant playlist that lists nothing we can follow
	ReasonRenditionMissing    Reason = "rendition_missing"      // expected, or listed before, and not listed
	ReasonRenditionUnexpected Reason = "rendition_unexpected"   // listed, and not expected
	ReasonRenditionMismatch   Reason = "rendition_mismatch"     // another resolution, bitrate or codec than expected or listed
	ReasonNotFollowed         Reason = "rendition_not_followed" // more are listed than are followed: nothing is known of the rest

	// segment
	ReasonSegmentGone     Reason = "segment_gone"     // removed from the server before a viewer is done with it (6.2.2)
	ReasonSegmentSlow     Reason = "segment_slow"     // loads hardly faster than it plays
	ReasonBitrateMismatch Reason = "bitrate_mismatch" // BANDWIDTH or EXT-X-BITRATE are not what was measured

	// media
	ReasonNotMedia      Reason = "not_media"      // neither MPEG-TS, fMP4, packed audio nor WebVTT, or not whole
	ReasonNotOurs       Reason = "not_ours"       // media, with another broadcast's marker
	ReasonNoMarker      Reason = "no_marker"      // media, without any marker
	ReasonMarkerStale   Reason = "marker_stale"   // our marker, but from long ago: a loop or an old recording
	ReasonMarkerMissing Reason = "marker_missing" // our marker did not come back within the run's time
	ReasonNotDecodable  Reason = "not_decodable"  // a decoder gets neither a picture nor sound out of it
	ReasonPictureBlack  Reason = "picture_black"  // every decoded picture is black
	ReasonPictureFrozen Reason = "picture_frozen" // every decoded picture is the same
	ReasonSoundSilent   Reason = "sound_silent"   // the decoded sound is silence

	// media, what is wrong inside of it
	ReasonKeyUnavailable   Reason = "key_unavailable"   // the key of an encrypted segment cannot be had, or is none
	ReasonMediaEncrypted   Reason = "media_encrypted"   // encrypted, though the playlist names no key for it
	ReasonMediaMalformed   Reason = "media_malformed"   // damaged tables or boxes, samples that are not there
	ReasonContinuityError  Reason = "continuity_error"  // transport packets are lost (continuity_counter)
	ReasonClockReference   Reason = "clock_reference"   // PCR missing, too rare, or jumping
	ReasonVideoMissing     Reason = "video_missing"     // no picture where there has to be one
	ReasonAudioMissing     Reason = "audio_missing"     // no sound where there has to be some
	ReasonNoKeyframe       Reason = "no_keyframe"       // a segment that decoding cannot start with
	ReasonFramesMissing    Reason = "frames_missing"    // markers of our frames are skipped
	ReasonFramesRepeated   Reason = "frames_repeated"   // markers of our frames come again
	ReasonTimestampGap     Reason = "timestamp_gap"     // a hole in the media's time
	ReasonTimestampOverlap Reason = "timestamp_overlap" // media time that comes twice
	ReasonTimestampJump    Reason = "timestamp_jump"    // another timeline, without EXT-X-DISCONTINUITY
	ReasonDurationMismatch Reason = "duration_mismatch" // media longer or shorter than its EXTINF
	ReasonAVOffset         Reason = "av_offset"         // sound and picture are apart
	ReasonEncodingChanged  Reason = "encoding_changed"  // tracks, codec or format, without EXT-X-DISCONTINUITY
	ReasonRebuffering      Reason = "rebuffering"       // a viewer's playback stands still too often or too long

	// latency, teardown
	ReasonLatencyHigh    Reason = "latency_high" // a viewer is too far behind the broadcaster; of api probes, the answer took too long
	ReasonTeardownFailed Reason = "teardown_failed"

	// recording
	ReasonRecordingMissing    Reason = "recording_missing"    // nothing there, or not finished, in time
	ReasonRecordingDenied     Reason = "recording_denied"     // 401 or 403: "Access Denied"
	ReasonRecordingDuration   Reason = "recording_duration"   // longer or shorter than the broadcast was
	ReasonRecordingUnplayable Reason = "recording_unplayable" // a playlist or a segment of it cannot be had, or is not media

	// inconclusive
	ReasonNothingPushed Reason = "nothing_pushed" // the broadcast to be pulled is down: says nothing of playback
	ReasonOverlap       Reason = "overlap"        // the last run on the same key has not ended
	ReasonCancelled     Reason = "cancelled"
	ReasonBudget        Reason = "budget" // the agent's bytes of the hour are spent
	ReasonConfiguration Reason = "configuration"
)

// Reasons lists every reason, in the order of the stages.
func Reasons() []Reason {
	return []Reason{
		ReasonAPIUnreachable,
		ReasonAPITimeout,
		ReasonAPIError,
		ReasonAPIBadAnswer,
		ReasonAPIUnauthorized,
		ReasonAPIQuota,

		ReasonAPIWrongValue,

		ReasonNameNotResolved,

		ReasonConnectionRefused,
		ReasonUnreachable,
		ReasonConnectTimeout,
		ReasonTLSFailed,
		ReasonHandshakeTimeout,
		ReasonHandshakeFailed,
		ReasonConnectRejected,
		ReasonConnectNoAnswer,
		ReasonCertificateExpiring,

		ReasonPublishRejected,
		ReasonPublishNameInUse,
		ReasonPublishDenied,
		ReasonPublishBadKey,
		ReasonPublishNoAnswer,

		ReasonConnectionClosed,
		ReasonConnectionReset,
		ReasonSendStalled,
		ReasonSendThrottled,
		ReasonRedirected,
		ReasonChunkSizeChanged,
		ReasonWindowChanged,

		ReasonHTTPStatus,
		ReasonHTTPTimeout,
		ReasonHTTPClosed,
		ReasonHTTPEncoding,
		ReasonRedirectLoop,
		ReasonTooLarge,
		ReasonEmptyBody,

		ReasonNotAPlaylist,
		ReasonPlaylistMalformed,
		ReasonPlaylistNoSegments,
		ReasonPlaylistStale,
		ReasonSequenceRegression,
		ReasonStreamEnded,
		ReasonPlaylistChanged,
		ReasonWindowShort,
		ReasonRenditionsApart,
		ReasonLowLatency,
		ReasonSegmentGap,
		ReasonNoRenditionPlayable,
		ReasonRenditionMissing,
		ReasonRenditionUnexpected,
		ReasonRenditionMismatch,
		ReasonNotFollowed,

		ReasonSegmentGone,
		ReasonSegmentSlow,
		ReasonBitrateMismatch,

		ReasonNotMedia,
		ReasonNotOurs,
		ReasonNoMarker,
		ReasonMarkerStale,
		ReasonMarkerMissing,
		ReasonNotDecodable,
		ReasonPictureBlack,
		ReasonPictureFrozen,
		ReasonSoundSilent,

		ReasonKeyUnavailable,
		ReasonMediaEncrypted,
		ReasonMediaMalformed,
		ReasonContinuityError,
		ReasonClockReference,
		ReasonVideoMissing,
		ReasonAudioMissing,
		ReasonNoKeyframe,
		ReasonFramesMissing,
		ReasonFramesRepeated,
		ReasonTimestampGap,
		ReasonTimestampOverlap,
		ReasonTimestampJump,
		ReasonDurationMismatch,
		ReasonAVOffset,
		ReasonEncodingChanged,
		ReasonRebuffering,

		ReasonLatencyHigh,
		ReasonTeardownFailed,

		ReasonRecordingMissing,
		ReasonRecordingDenied,
		ReasonRecordingDuration,
		ReasonRecordingUnplayable,

		ReasonNothingPushed,
		ReasonOverlap,
		ReasonCancelled,
		ReasonBudget,
		ReasonConfiguration,
	}
}

// Failure is what a platform did wrong, or why nothing can be said of it. It is
// data, not an error: a Go error means that the prober itself broke.
type Failure struct {
	Outcome Outcome // Fail, Degraded or Inconclusive
	Stage   Stage
	Reason  Reason
	Detail  string // evidence for a person: at most MaxDetail bytes, without secrets
	Section string // where the rule stands that it breaks, as in a Finding; "" is in none
}

// MaxDetail bounds the evidence that a failure or a result carries, in bytes.
const MaxDetail = 300

// Clip makes text from outside fit for a person's eyes: one line, printable, valid
// UTF-8, at most limit bytes (from 3). Where something is cut off, it ends in "...".
func Clip(s string, limit int) string {
	const more = "..."
	enough := utf8.UTFMax * limit // what is replaced becomes shorter, so more is never needed
	cut := len(s) > enough
	if cut {
		s = s[:enough]
	}
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) <= limit && !cut {
		return s
	}
	return strings.ToValidUTF8(s[:min(len(s), limit-len(more))], "") + more
}
