package origin

// fault is a row of the table. begin breaks the origin and returns what heals
// it; both are quick.
type fault struct {
	at    Where
	name  string
	help  string
	begin func(*Origin) (heal func() error, err error)
}

// Where is the part of the platform that a fault strikes.
type Where string

// Where faults strike, in the order of the table.
const (
	AtIngest    Where = "ingest"
	AtPlaylist  Where = "playlist"
	AtSegment   Where = "segment"
	AtMedia     Where = "media"
	AtRecording Where = "recording"
	AtAPI       Where = "api"
)

// faults is every fault there is. To add one, copy a row and its function.
func faults() []fault {
	return []fault{
		{AtIngest, "restart", "killed and started again: connections reset, broadcasts and playlists lost, ports closed meanwhile", beginRestart},
		{AtIngest, "refuse-connect", "new RTMP connections are refused; running broadcasts go on", beginRefuseConnect},
		{AtIngest, "silent-accept", "new RTMP connections are accepted, and nothing is read from them", beginSilentAccept},
		{AtIngest, "silent-handshake", "the RTMP handshake is read and never answered", beginSilentHandshake},
		{AtIngest, "not-rtmp", "the RTMP handshake is answered as a web server would", beginNotRTMP},
		{AtIngest, "silent-connect", "the connect command is never answered", beginSilentConnect},
		{AtIngest, "reject-connect", "the connect command is rejected (NetConnection.Connect.Rejected)", beginConnectRejected},
		{AtIngest, "redirect-connect", "the connect command is redirected, to the same origin, which redirects again", beginRedirect},
		{AtIngest, "tls-expired", "RTMPS and HTTPS show a certificate that has expired", beginTLSExpired},
		{AtIngest, "silent-publish", "the publish command is never answered", beginSilentPublish},
		{AtIngest, "refuse-publish", "new broadcasts are refused (NetStream.Publish.Denied); running ones go on", beginRefusePublish},
		{AtIngest, "publish-bad-name", "new broadcasts are told that their name is in use (NetStream.Publish.BadName)", beginPublishBadName},
		{AtIngest, "publish-unauthorized", "new broadcasts are told that their key is bad (NetStream.Publish.Unauthorized)", beginPublishUnauthorized},
		{AtIngest, "swallow-publish", "new broadcasts are told that their name is in use, and their media is read and thrown away", beginPublishSwallowed},
		{AtIngest, "reset-publish", "new broadcasts are accepted, and reset 30 ms later", beginPublishReset},
		{AtIngest, "drop-broadcasts", "running broadcasts are reset once, at the beginning; new ones are taken at once", beginDropBroadcasts},
		{AtIngest, "close-broadcasts", "running broadcasts are closed in order (FIN) once, at the beginning; new ones are taken at once", beginCloseBroadcasts},
		{AtIngest, "stall-ingest", "nothing is read from broadcasters; connections stay open", beginStallIngest},
		{AtIngest, "throttle-ingest", "broadcasters are read at two fifths of their rate", beginThrottleIngest},
		{AtIngest, "change-window", "new broadcasts are told another chunk size, window and bandwidth", beginChunkSize},

		{AtPlaylist, "playlist-404", "every playlist answers 404", beginPlaylist404},
		{AtPlaylist, "playlist-500", "every playlist answers 500", beginPlaylist500},
		{AtPlaylist, "redirect-loop", "every playlist is redirected to itself", beginRedirectLoop},
		{AtPlaylist, "slow-playlists", "playlists take 12 s to begin", beginSlowPlaylists},
		{AtPlaylist, "empty-playlist", "every playlist answers 200 and nothing", beginEmptyPlaylist},
		{AtPlaylist, "html-playlist", "every playlist answers 200 and an HTML page", beginHTMLPlaylist},
		{AtPlaylist, "malformed-playlist", "media playlists have words where numbers belong", beginMalformedPlaylist},
		{AtPlaylist, "no-segments", "media playlists list no segment", beginNoSegments},
		{AtPlaylist, "endlist", "media playlists say that the broadcast is over (EXT-X-ENDLIST)", beginEndList},
		{AtPlaylist, "freeze-playlist", "playlists stop changing; their segments can still be had", beginFreezePlaylist},
		{AtPlaylist, "freeze-rendition", "the media playlist of the last rendition stops changing", beginFreezeRendition},
		{AtPlaylist, "rendition-404", "the media playlist of the last rendition answers 404", beginRendition404},
		{AtPlaylist, "missing-rendition", "the multivariant playlist leaves out the last rendition", beginRenditionMissing},
		{AtPlaylist, "wrong-codecs", "the multivariant playlist names codecs that the media does not have", beginWrongCodecs},
		{AtPlaylist, "wrong-resolution", "the multivariant playlist names a resolution that the media does not have", beginWrongResolution},
		{AtPlaylist, "wrong-bandwidth", "the multivariant playlist names a fifth of the bandwidth that the media has", beginWrongBandwidth},
		{AtPlaylist, "rendition-behind", "the last rendition is five segments behind the others", beginRenditionBehind},
		{AtPlaylist, "short-window", "media playlists list their latest segment alone", beginShortWindow},
		{AtPlaylist, "stale-copies", "every other media playlist is an old copy, as from a cache that was not purged", beginStaleCopies},
		{AtPlaylist, "old-copies", "every media playlist is an old copy", beginOldCopies},
		{AtPlaylist, "small-target-duration", "the target duration is a second too small", beginSmallTarget},
		{AtPlaylist, "wrong-durations", "EXTINF is six tenths of what the segments last", beginWrongDurations},
		{AtPlaylist, "sequence-reset", "media sequence numbers begin with 0 again", beginSequenceReset},
		{AtPlaylist, "sequence-jump", "media sequence numbers jump by 100, without segments being removed", beginSequenceJump},
		{AtPlaylist, "discontinuity-sequence-falls", "the discontinuity sequence number falls as segments are removed", beginDiscontinuityFalls},
		{AtPlaylist, "missing-dates", "the last rendition alone has no EXT-X-PROGRAM-DATE-TIME", beginDateMissing},
		{AtPlaylist, "date-jump", "EXT-X-PROGRAM-DATE-TIME of new segments is an hour ahead", beginDateJumps},
		{AtPlaylist, "early-reload", "low latency: blocking reloads are answered at once, with what there is", beginEarlyReload},
		{AtPlaylist, "refuse-reload", "low latency: blocking reloads answer 400", beginRefuseReload},

		{AtSegment, "segment-404", "every media segment answers 404", beginSegment404},
		{AtSegment, "slow-segments", "media segments take 12 s to begin", beginSlowSegments},
		{AtSegment, "part-404", "low latency: every partial segment answers 404", beginPart404},
		{AtSegment, "slow-parts", "low latency: partial segments take 12 s to begin", beginSlowParts},
		{AtSegment, "paced-segments", "media segments take nearly as long to come as they play", beginPacedSegments},
		{AtSegment, "throttled-segments", "media segments take twice as long to come as they play", beginThrottledSegments},
		{AtSegment, "trickle-segments", "media segments come at a byte a second", beginTrickleSegments},
		{AtSegment, "empty-segments", "every media segment answers 200 and nothing", beginEmptySegments},
		{AtSegment, "half-segments", "half of each media segment comes, as if it were all", beginHalfSegments},
		{AtSegment, "short-segments", "half of each media segment comes, less than Content-Length says", beginWrongLengthSegments},
		{AtSegment, "error-page-segments", "every media segment answers 200 and an HTML page", beginErrorPageSegments},
		{AtSegment, "garbage-segments", "every media segment answers 200 and random bytes", beginGarbageSegments},

		{AtMedia, "other-stream", "another broadcast is played under each name", beginOtherStream},
		{AtMedia, "old-recording", "the last seconds before the fault are played again and again, in the place of what is live", beginOldRecording},
		{AtMedia, "black-picture", "the picture is black, and no longer marked", beginBlack},
		{AtMedia, "frozen-picture", "the picture stands still, and is no longer marked", beginFrozenPicture},
		{AtMedia, "silence", "the sound is silence", beginSilence},
		{AtMedia, "missing-video", "segments have no video", beginVideoMissing},
		{AtMedia, "missing-audio", "segments have no audio", beginAudioMissing},
		{AtMedia, "late-media", "what is pushed is played 5 s later than it could be", beginLateMedia},
		{AtMedia, "av-offset", "the sound is half a second late", beginAVOffset},
		{AtMedia, "timestamp-jump", "timestamps jump ahead by 20 s, without a discontinuity", beginTimestampJump},
		{AtMedia, "dropped-frames", "each fifth picture that is no keyframe is lost", beginDroppedFrames},
		{AtMedia, "continuity-errors", "a transport stream packet is lost from each segment", beginContinuityErrors},
		{AtMedia, "no-keyframes", "segments do not begin with a keyframe", beginNoKeyframes},

		{AtRecording, "recording-404", "recordings answer 404", beginRecording404},
		{AtRecording, "recording-denied", "recordings answer 403, Access Denied", beginRecordingDenied},
		{AtRecording, "short-recording", "recordings end after their first segment", beginRecordingShort},

		{AtAPI, "api-500", "the streams API answers 500", beginAPI500},
		{AtAPI, "api-401", "the streams API answers 401", beginAPI401},
		{AtAPI, "api-429", "the streams API answers 429", beginAPI429},
		{AtAPI, "slow-api", "the streams API takes 12 s to begin", beginAPISlow},
		{AtAPI, "api-bad-answer", "the streams API answers success, without what was asked for", beginAPIBadAnswer},
	}
}
