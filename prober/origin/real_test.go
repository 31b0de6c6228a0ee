package origin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"streamcanary/prober"
	livepeer "streamcanary/prober/platform"
	"streamcanary/prober/rtmp"
	"streamcanary/prober/signal"
)

// program finds a program that a test needs: without it the test is skipped,
// but fails where CI says that it must not be.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is not installed (Debian: apt-get install ffmpeg)", name)
	default:
		t.Skipf("%s is not installed (Debian: apt-get install ffmpeg): this test is skipped", name)
	}
	return ""
}

// TestFFmpegPushesAndPlays goes through a relay, with B-frames, whose decoding
// order gohlslib has to work out.
func TestFFmpegPushesAndPlays(t *testing.T) {
	t.Parallel()
	ffmpeg, ffprobe := program(t, "ffmpeg"), program(t, "ffprobe")
	for _, container := range []Container{MPEGTS, FMP4} {
		t.Run(string(container), func(t *testing.T) {
			t.Parallel()
			origins := start(t, 2, Config{Container: container})
			ctx, stop := context.WithCancel(t.Context())
			push := exec.CommandContext(ctx, ffmpeg, "-v", "error", "-re",
				"-f", "lavfi", "-i", "testsrc=size=320x240:rate=30", "-f", "lavfi", "-i", "sine=sample_rate=44100", "-t", "60",
				"-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-g", "30", "-bf", "2", "-threads", "1",
				"-c:a", "aac", "-f", "flv", prober.StreamURL(origins[0].RTMPURL(), "show"))
			var said bytes.Buffer
			push.Stderr = &said
			if err := push.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				stop()
				_ = push.Wait() // killed
			}()
			url := prober.StreamURL(origins[1].HLSURL(), "show")
			eventually(t, "a playlist", func() error {
				_, segments, err := playlist(t, origins[1], "show")
				if err == nil && len(segments) < 2 {
					err = fmt.Errorf("%d segments; ffmpeg: %s", len(segments), said.String())
				}
				return err
			})
			probe(t, ffprobe, url)
			play := exec.CommandContext(ctx, ffmpeg, "-v", "error", "-xerror", "-i", url, "-t", "1", "-f", "null", "-")
			if out, err := play.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("ffmpeg plays it: %v\n%s", err, out)
			}
		})
	}
}

// probe wants ffprobe to find the video and audio that was pushed.
func probe(t *testing.T, ffprobe, url string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), ffprobe, "-v", "error", "-of", "json",
		"-show_entries", "stream=codec_name,width,height", url).Output()
	if err != nil {
		t.Fatalf("ffprobe: %v", err)
	}
	var found struct {
		Streams []struct {
			Codec         string `json:"codec_name"`
			Width, Height int
		}
	}
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatal(err)
	}
	video, audio := false, false
	for _, s := range found.Streams {
		video = video || s.Codec == "h264" && s.Width == 320 && s.Height == 240
		audio = audio || s.Codec == "aac"
	}
	if !video || !audio {
		t.Errorf("ffprobe finds %s", out)
	}
}

// source is our own signal for our own publisher.
type source struct{ *signal.Source }

func (s source) Metadata() rtmp.Metadata { return rtmp.Metadata{Width: 640, Height: 360, FPS: 30} }

func (s source) Headers() []rtmp.Tag {
	var tags []rtmp.Tag
	for _, f := range s.Source.Headers() {
		tags = append(tags, tag(f))
	}
	return tags
}

func (s source) Next(clock time.Time) rtmp.Tag { return tag(s.Source.Next(clock)) }

func tag(f signal.Frame) rtmp.Tag { return rtmp.Tag{Audio: f.Audio, DTS: f.DTS, Body: f.Body} }

// pushSignal pushes our own signal, of the run "run", until it is stopped or the
// test ends.
func pushSignal(t *testing.T, o *Origin, key string) (stop func()) {
	t.Helper()
	signal, err := signal.New(signal.Config{Run: "run", Label: "test"})
	if err != nil {
		t.Fatal(err)
	}
	b, failure, err := rtmp.Publish(t.Context(), rtmp.Config{URL: prober.StreamURL(o.RTMPURL(), key)})
	if err != nil || failure != nil {
		t.Fatalf("%+v, %v", failure, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	sent := make(chan *prober.Failure, 1)
	go func() { sent <- b.Send(ctx, source{signal}) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if failure := <-sent; failure != nil {
			t.Errorf("sending ended with %+v", failure)
		}
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// TestOurSignal pushes as an agent does: every marker comes back, in order.
func TestOurSignal(t *testing.T) {
	t.Parallel()
	origins := start(t, 2, Config{})
	stop := pushSignal(t, origins[0], "show")
	for _, o := range origins {
		eventually(t, "two segments at "+o.config.Region, func() error { return wholeSegments(t, o, "run", 2) })
	}
	stop()
	eventually(t, "the broadcast ends", func() error {
		if len(origins[1].playback.all()) > 0 {
			return errors.New("an output is left")
		}
		return nil
	})
}

// TestOurPlatformClient holds the API against the client that golive uses.
func TestOurPlatformClient(t *testing.T) {
	t.Parallel()
	o := start(t, 1, Config{Auth: "secret"})[0]
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	p, err := livepeer.New(prober.Platform{Type: "livepeer", API: o.APIURL(), Key: "secret"}, &http.Client{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	s, failure, err := p.Create(t.Context(), livepeer.Prefix+"agent-1")
	if failure != nil || err != nil {
		t.Fatalf("create: %+v, %v", failure, err)
	}
	c := mustPublish(t, o, s.Key.Reveal())
	c.push(3)
	eventually(t, "playback", func() error { return plays(t, o, s.PlaybackID, c.run) })
	if failure, err := p.Delete(t.Context(), s); failure != nil || err != nil {
		t.Errorf("delete: %+v, %v", failure, err)
	}
	for i := range 2*pageSize + 1 {
		if _, err := o.platform.create(streamRequest{Name: fmt.Sprint(livepeer.Prefix, "agent-", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if n, failure, err := p.Sweep(t.Context(), livepeer.Leftover{Prefix: livepeer.Prefix + "agent-"}); n != 2*pageSize+1 || failure != nil || err != nil {
		t.Errorf("sweep: %d, %+v, %v", n, failure, err)
	}
	within(t, o, "api-500")
	eventually(t, "an API error", func() error {
		_, failure, err := p.Create(t.Context(), livepeer.Prefix+"x")
		if err != nil || failure == nil || failure.Reason != prober.ReasonAPIError {
			return fmt.Errorf("%+v, %w", failure, err)
		}
		return nil
	})
}

// TestOurPublisherIsToldWhy shows that a refusal arrives as what it is.
func TestOurPublisherIsToldWhy(t *testing.T) {
	t.Parallel()
	o := start(t, 1, Config{})[0]
	mustPublish(t, o, "taken")
	refuse := func(key string, want prober.Reason) error {
		b, failure, err := rtmp.Publish(t.Context(), rtmp.Config{URL: prober.StreamURL(o.RTMPURL(), key)})
		if b != nil {
			_ = b.Close(t.Context())
		}
		if err != nil || failure == nil || failure.Reason != want {
			return fmt.Errorf("%+v, %w; want %s", failure, err, want)
		}
		return nil
	}
	if err := refuse("taken", prober.ReasonPublishNameInUse); err != nil {
		t.Error(err)
	}
	within(t, o, "refuse-publish")
	eventually(t, "denied", func() error { return refuse("new", prober.ReasonPublishDenied) })
}
