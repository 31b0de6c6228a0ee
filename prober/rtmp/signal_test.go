//go:build unix

package rtmp

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/signal"
)

// signalSource is the real broadcast, as its composer adapts it.
type signalSource struct{ *signal.Source }

func (s signalSource) Metadata() Metadata {
	m := s.Source.Metadata()
	return Metadata{
		Width: m.Width, Height: m.Height, FPS: float64(m.FPS), VideoBitrate: m.VideoBitrate, AudioBitrate: m.AudioBitrate,
		AudioSampleRate: m.AudioSampleRate, AudioChannels: m.AudioChannels, VideoCodec: m.VideoCodec, AudioCodec: m.AudioCodec,
	}
}

func (s signalSource) Headers() []Tag {
	var tags []Tag
	for _, f := range s.Source.Headers() {
		tags = append(tags, Tag{Audio: f.Audio, DTS: f.DTS, Body: f.Body})
	}
	return tags
}

func (s signalSource) Next(clock time.Time) Tag {
	f := s.Source.Next(clock)
	return Tag{Audio: f.Audio, DTS: f.DTS, Body: f.Body}
}

func realSource(t *testing.T) signalSource {
	t.Helper()
	source, err := signal.New(signal.Config{Run: "run-1", Label: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return signalSource{source}
}

// findFFmpeg skips a test where it is missing; under CI=true that is a failure.
func findFFmpeg(t *testing.T) string {
	t.Helper()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("ffmpeg is missing (Debian: apt-get install ffmpeg), and CI=true allows no skip")
		}
		t.Skip("ffmpeg is missing (Debian: apt-get install ffmpeg)")
	}
	return ffmpeg
}

// What is pushed comes out of nginx as others read it: ffmpeg finds both codecs
// and copies our markers without a word of complaint.
func TestFFmpegReadsWhatWePush(t *testing.T) {
	t.Parallel()
	ffmpeg := findFFmpeg(t)
	s := startNginx(t)
	source, err := signal.New(signal.Config{Run: "run-1", Label: "test"})
	if err != nil {
		t.Fatal(err)
	}
	b := publishTo(t, s.config("live", "one"))
	done := sending(t, b, signalSource{source})
	s.await(t, func() bool { return s.has("<active/>", "<codec>H264</codec>", "<codec>AAC</codec>") })

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	pull := exec.CommandContext(ctx, ffmpeg, "-v", "warning", "-i", "rtmp://"+s.rtmp+"/live/one",
		"-map", "0:v", "-map", "0:a", "-c", "copy", "-frames:v", "60", "-f", "flv", "-")
	var out, said bytes.Buffer
	pull.Stdout, pull.Stderr = &out, &said
	if err := pull.Run(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, said.String())
	}
	for line := range strings.Lines(said.String()) {
		if !strings.Contains(line, "Failed to update header") { // the pipe's, not ours
			t.Errorf("ffmpeg says: %s", line)
		}
	}
	pictures, sounds := markersOf(t, out.Bytes())
	if len(pictures) != 60 || len(sounds) < 10 {
		t.Fatalf("%d markers in 60 pictures, %d of sound in 2 s", len(pictures), len(sounds))
	}
	for i, m := range pictures {
		if m.Seq != pictures[0].Seq+uint64(i) {
			t.Fatalf("marker %d is %+v, after %+v", i, m, pictures[0])
		}
	}
	for i, m := range sounds {
		if m.Seq != sounds[0].Seq+5*uint64(i) {
			t.Fatalf("marker %d of sound is %+v, after %+v", i, m, sounds[0])
		}
	}
	select {
	case failure := <-done:
		t.Errorf("Send ended: %+v", failure)
	default:
	}
	if stats := b.Stats(); stats.Resyncs != 0 {
		t.Errorf("stats %+v", stats)
	}
}

// markersOf gives the fresh markers of run-1 in b, of pictures and of sound. There
// must be no others.
func markersOf(t *testing.T, b []byte) (pictures, sounds []prober.Marker) {
	t.Helper()
	for i, m := range prober.FindMarkers(b, 0) {
		if m.Tag != prober.RunTag("run-1") {
			t.Fatalf("marker %d is another's: %+v", i, m)
		}
		if age := time.Since(m.Clock); age < 0 || age > 20*time.Second {
			t.Fatalf("marker %d is %s old", i, age)
		}
		if m.Audio {
			sounds = append(sounds, m)
		} else {
			pictures = append(pictures, m)
		}
	}
	return pictures, sounds
}

// The sound of an HLS segment that nginx made has our markers, byte for byte, with
// pictures beside it or alone.
func TestSoundIsProvenThroughHLS(t *testing.T) {
	t.Parallel()
	ffmpeg := findFFmpeg(t)
	s := startNginx(t)
	for name, cfg := range map[string]signal.Config{"both": {Run: "run-1"}, "sound": {Run: "run-1", NoVideo: true}} {
		source, err := signal.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		sending(t, publishTo(t, s.config("hls", name)), signalSource{source})
	}
	for _, name := range []string{"both", "sound"} {
		s.await(t, func() bool { // the second segment has begun: the first is whole
			_, err := os.Stat(filepath.Join(s.segments, name+"-1.ts"))
			return err == nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var said bytes.Buffer
		demux := exec.CommandContext(ctx, ffmpeg, "-v", "warning", "-i", filepath.Join(s.segments, name+"-0.ts"),
			"-map", "0:a", "-c", "copy", "-f", "adts", "-")
		demux.Stderr = &said
		out, err := demux.Output()
		if err != nil || said.Len() > 0 && name == "both" { // nginx announces pictures even where there are none
			t.Fatalf("%s: ffmpeg: %v\n%s", name, err, said.String())
		}
		pictures, sounds := markersOf(t, out)
		if len(pictures) > 0 || len(sounds) < 7 {
			t.Fatalf("%s: %d markers of pictures and %d of sound in a second of sound", name, len(pictures), len(sounds))
		}
		for i, m := range sounds {
			if m.Seq != sounds[0].Seq+5*uint64(i) {
				t.Fatalf("%s: marker %d is %+v, after %+v", name, i, m, sounds[0])
			}
		}
	}
}
