package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"streamcanary/prober"
	"streamcanary/prober/agent"
	"streamcanary/prober/summary"
)

// No key and no token is shown of where a probe pushes and pulls.
func TestShownURLs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ ingest, playback, push, pull string }{
		{
			"rtmp://user:TOK@in.example.com:1936/live/SECRETKEY?token=TOK", "http://user:TOK@play.example.com:8080/hls/SECRETKEY/index.m3u8?token=TOK#TOK",
			"rtmp://in.example.com:1936/live/[key]", "http://play.example.com:8080/hls/[key]/index.m3u8",
		},
		{"rtmp://h/live/SECRETKEY", "https://h/SECRETKEY.m3u8", "rtmp://h/live/[key]", "https://h/[key].m3u8"},
		{"rtmp://h/live/SECRET%20KEY", "https://h/SECRET%20KEY.m3u8", "rtmp://h/live/[key]", "https://h/[key].m3u8"},
		{"rtmp://h/live/SECRETKEY", "https://h/playback-id/index.m3u8", "rtmp://h/live/[key]", "https://h/playback-id/index.m3u8"},
		{"rtmp://h/live/{stream}", "https://h/{stream}/index.m3u8?token=TOK", "rtmp://h/live/{stream}", "https://h/{stream}/index.m3u8"},
		{"rtmp://h/live/TOK-{stream}", "https://h/TOK-{stream}.m3u8", "rtmp://h/live/[key]", "https://h/[key].m3u8"},
		{"rtmp://h/live/SECRETKEY", "https://h/%1b[2Jx.m3u8", "rtmp://h/live/[key]", "https://h/ [2Jx.m3u8"},
	} {
		if got := shownIngest(tt.ingest); got != tt.push {
			t.Errorf("push to %s, want %s", got, tt.push)
		}
		if got := shownPlayback(tt.playback, tt.ingest); got != tt.pull {
			t.Errorf("pull from %s, want %s", got, tt.pull)
		}
	}
}

// Nor in what is told of a failure.
func TestDetailsWithoutKey(t *testing.T) {
	t.Parallel()
	result := prober.Result{Outcome: prober.Fail, Playback: "playback", Stage: prober.StageManifest,
		Reason: prober.ReasonHTTPStatus, Detail: "h/hls/SECRET%20KEY/index.m3u8: 404; h/hls/SECRET KEY.m3u8: 404"}
	for _, o := range []probeOptions{{}, {json: true}, {watch: true}, {watch: true, json: true}} {
		o.ingest = "rtmp://h/live/SECRET%20KEY"
		var told strings.Builder
		v := newProbeView(&told, o)
		if o.watch {
			v.watched(result)
		} else {
			v.result(result)
		}
		if got := told.String(); strings.Contains(got, "SECRET") || strings.Count(got, "h/hls/[key]") != 2 {
			t.Errorf("%+v: told %q", o, got)
		}
	}
}

// brokenFollower ends before its context does, and has seen nothing.
type brokenFollower struct{ agent.Follower }

var errBroken = errors.New("broken")

func (brokenFollower) Run(context.Context) error { return errBroken }
func (brokenFollower) First() <-chan struct{}    { return make(chan struct{}) }

// Nothing of a follower goes on when it has returned.
func TestToldFollowerLeavesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newProbeView(io.Discard, probeOptions{}).follower(func(prober.Playback, string, string, prober.Signal) agent.Follower { return brokenFollower{} })(prober.Playback{}, "", "", prober.Signal{})
		if err := f.Run(context.Background()); !errors.Is(err, errBroken) {
			t.Error(err)
		}
	})
}

// Each finding is told once, and what is grave however many were told before.
func TestFindingsAreTold(t *testing.T) {
	t.Parallel()
	finding := func(rule int, severity prober.Severity) prober.Finding {
		return prober.Finding{Rule: fmt.Sprint("rule-", rule), Severity: severity, Stage: prober.StageMedia, Reason: prober.ReasonTimestampGap, Detail: "a hole", Count: 1}
	}
	var out strings.Builder
	v := newProbeView(&out, probeOptions{})
	for range 2 {
		for i := range summary.MaxFindings + 5 {
			v.found("", []prober.Finding{finding(i, prober.SeverityNote)})
		}
	}
	if got := strings.Count(out.String(), "\n"); got != summary.MaxFindings {
		t.Errorf("%d notes are told, want %d", got, summary.MaxFindings)
	}
	out.Reset()
	for range 2 {
		v.found("", []prober.Finding{finding(1000, prober.SeverityFail)})
		v.found("", []prober.Finding{finding(2000, prober.SeverityNote)})
	}
	if got := strings.Count(out.String(), "\n"); got != 1 {
		t.Errorf("a failure behind many notes is told %d times: %s", got, out.String())
	}
}
