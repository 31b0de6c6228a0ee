package main

import (
	"strings"

	"streamcanary/config"
	"streamcanary/prober"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// probeSettings are the flags that are a target's keys in a hub's file, and what
// they come to.
type probeSettings struct {
	config.Flags

	rtmp   prober.RTMP
	signal prober.Signal
	pull   prober.Pulling
}

// addPushFlags are of what is pushed, and where to.
func (s *probeSettings) addPushFlags(f *pflag.FlagSet) {
	f.BoolVar(&s.EveryAddress, "every-address", false, "also connect to every other address of the ingest's host; one that fails is a finding")
	f.StringVar(&s.Size, "size", "", "of the picture that is pushed: 720p, 1280x720 (default 640x360)")
	f.IntVar(&s.FPS, "fps", 0, "pictures per second that are pushed, 10 to 60 (default 30)")
	f.DurationVar(&s.Keyframe, "keyframe", 0, "from keyframe to keyframe of what is pushed, 500ms to 10s (default 1s)")
	f.IntVar(&s.Bitrate, "bitrate", 0, "of what is pushed, in bits per second, sound included (default: by the size)")
	f.BoolVar(&s.AudioOnly, "audio-only", false, "push sound alone")
	f.BoolVar(&s.VideoOnly, "video-only", false, "push pictures alone")
}

// addPullFlags are of how playback is reached, and what it has to give.
func (s *probeSettings) addPullFlags(f *pflag.FlagSet) {
	f.StringVar(&s.CAFile, "ca-file", "", "authorities in PEM that rtmps and https are verified against (default: the system's)")
	f.StringVar(&s.HTTP, "http", "", "HTTP version for the playback: 1.1, 2 or 3 (default: what the server offers)")
	f.BoolVar(&s.Transcoded, "transcoded", false, "everything is transcoded: what ffmpeg cannot prove is no failure")
	f.BoolVar(&s.LowLatency, "low-latency", false, "expect low-latency HLS: parts have to be listed, and delta updates are asked for")
	f.StringSliceVar(&s.Ladder, "ladder", nil, "renditions that have to be listed: 720p, 1280x720:3000000 (BANDWIDTH), \"audio en\"")
	f.StringVar(&s.Expect, "expect", "", "what it has to be: live, event (neither must end), vod (degraded if it has no end) or any (default: live of what is pushed, any of a stream that others push)")
	f.StringVar(&s.SegmentBytes, "segment-bytes", "", "bound on one segment, which is held in memory: 16MiB to 256MiB (default 16MiB)")
	f.StringVar(&s.Sample, "sample", "", "segments that are downloaded: all, 1/5 (each fifth), playlist (none) (default all)")
	f.StringSliceVar(&s.Severity, "severity", nil, "RULE=fail, degraded, note or off; a rule's id, section or reason, as in bitrate_mismatch=note")
	f.BoolVar(&s.RFC8216, "rfc8216", false, "judge by RFC 8216 of 2017 where rfc8216bis differs")
	f.DurationVar(&s.MaxLatency, "max-latency", 0, "live latency from which on it is degraded (default: five target durations and 10s of what is pushed; none of a stream that others push)")
	f.Float64Var(&s.MaxRebuffering, "max-rebuffering", 0, "share of half a minute that playback may stand still (default 0.2)")
}

// read checks the flags as config check does a file.
func (s *probeSettings) read() error {
	if s.AudioOnly && s.VideoOnly {
		return usageErrorf("--audio-only and --video-only leave nothing to push; leave one of them out")
	}
	var err error
	if s.rtmp, s.signal, s.pull, err = s.Target(); err != nil {
		return usageErrorf("%s", err)
	}
	if err := checkPull(s.pull); err != nil {
		return usageErrorf("--severity: %s", strings.TrimPrefix(err.Error(), "severity of "))
	}
	return nil
}

// refusePushFlags says which flag makes no sense where nothing is pushed.
func refusePushFlags(cmd *cobra.Command) error {
	var set probeSettings
	push := pflag.NewFlagSet("push", pflag.ContinueOnError)
	set.addPushFlags(push)
	var wrong error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if wrong == nil && (push.Lookup(f.Name) != nil || f.Name == "ingest" || f.Name == "watch") {
			wrong = usageErrorf("--%s is for a broadcast; --playback-only pushes nothing, leave one of them out", f.Name)
		}
	})
	return wrong
}
