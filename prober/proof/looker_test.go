package proof

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/signal"
)

const x264 = " -c:v libx264 -preset veryfast -c:a aac"

// TestWhatIsSeen transcodes our broadcast and others for real, and looks at them.
func TestWhatIsSeen(t *testing.T) {
	t.Parallel()
	needFFmpeg(t)
	source := ours(t, signal.Config{Label: "Frankfurt", Width: 1280, Height: 720, Bitrate: 2_000_000}, 1200*time.Millisecond)
	live := sentAt().Add(4 * time.Second)
	looker := New(Config{Timeout: time.Minute, AtOnce: 2}) // the machine may be busy
	sought := prober.Sought{Tag: prober.RunTag("run"), At: live, MaxAge: 30 * time.Second, Video: true, Audio: true}
	for _, tt := range []struct {
		name   string
		args   string
		want   prober.Look // but for what Barcodes hold
		codes  int
		means  prober.Means
		reason prober.Reason
		at     time.Time // zero is live
		tag    string    // "" is our run's
	}{
		{name: "passed through", args: "-i - -c copy", want: prober.Look{Width: 640, Height: 360, Pictures: 6}, codes: 6, means: prober.MeansBarcode},
		{name: "720p", args: "-i - -b:v 1500k" + x264, want: prober.Look{Width: 640, Height: 360, Pictures: 6}, codes: 6, means: prober.MeansBarcode},
		{name: "360p", args: "-i - -vf scale=640:360 -b:v 500k" + x264, want: prober.Look{Width: 640, Height: 360, Pictures: 6}, codes: 6, means: prober.MeansBarcode},
		{name: "176p at crf 36", args: "-i - -vf scale=320:176 -crf 36" + x264, want: prober.Look{Width: 320, Height: 176, Pictures: 6}, codes: 6, means: prober.MeansBarcode},
		{name: "144p at crf 36, the least that is promised", args: "-i - -vf scale=256:144 -crf 36" + x264, want: prober.Look{Width: 256, Height: 144, Pictures: 6}, codes: 6, means: prober.MeansBarcode},
		{name: "fragmented MP4", args: "-i - -vf scale=640:360 -f mp4 -movflags frag_keyframe+empty_moov+default_base_moof" + x264,
			want: prober.Look{Width: 640, Height: 360, Pictures: 6}, codes: 6, means: prober.MeansBarcode},
		{name: "an old recording", args: "-i - -vf scale=640:360" + x264, at: live.Add(time.Hour),
			want: prober.Look{Width: 640, Height: 360, Pictures: 6}, codes: 6, reason: prober.ReasonMarkerStale},
		{name: "another of our broadcasts", args: "-i - -vf scale=640:360" + x264, tag: "other",
			want: prober.Look{Width: 640, Height: 360, Pictures: 6}, codes: 6, reason: prober.ReasonNotOurs},
		{name: "another stream", args: "-f lavfi -i testsrc2=size=640x360:rate=25:duration=1.2 -f lavfi -i sine=duration=1.2" + x264,
			want: prober.Look{Width: 640, Height: 360, Pictures: 6}, reason: prober.ReasonNoMarker},
		{name: "black", args: "-f lavfi -i color=black:size=640x360:rate=25:duration=1.2 -f lavfi -i sine=duration=1.2" + x264,
			want: prober.Look{Width: 640, Height: 360, Pictures: 6, Black: true, Frozen: true}, reason: prober.ReasonPictureBlack},
		{name: "a frozen picture of ours", args: "-i - -vf scale=640:360,loop=loop=-1:size=1:start=0 -t 1.2 -b:v 500k" + x264,
			want: prober.Look{Width: 640, Height: 360, Pictures: 6, Frozen: true}, codes: 6, reason: prober.ReasonPictureFrozen},
		{name: "silence", args: "-i - -vf scale=640:360 -af volume=0" + x264,
			want: prober.Look{Width: 640, Height: 360, Pictures: 6, Silent: true}, codes: 6, means: prober.MeansBarcode, reason: prober.ReasonSoundSilent},
		{name: "pictures alone", args: "-i - -an -vf scale=640:360 -c:v libx264 -preset veryfast",
			want: prober.Look{Width: 640, Height: 360, Pictures: 6}, codes: 6, means: prober.MeansBarcode},
		{name: "sound alone", args: "-i - -vn -c:a copy"},
		{name: "sound alone, packed", args: "-i - -vn -c:a copy -f adts"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			look, err := looker.Look(t.Context(), made(t, source, tt.args), nil)
			if err != nil {
				t.Fatal(err)
			}
			got := look
			got.Barcodes = nil
			tt.want.HasVideo = tt.want.Pictures > 0
			tt.want.HasAudio = !strings.Contains(tt.args, " -an ")
			if len(look.Barcodes) != tt.codes || !equal(got, tt.want) {
				t.Errorf("%d barcodes, look\n got %+v\nwant %+v", len(look.Barcodes), got, tt.want)
			}
			s := sought
			if !tt.at.IsZero() {
				s.At = tt.at
			}
			if tt.tag != "" {
				s.Tag = prober.RunTag(tt.tag)
			}
			means, failure := look.Judge(s)
			if failure == nil {
				failure = &prober.Failure{}
			}
			if means != tt.means || failure.Reason != tt.reason {
				t.Errorf("judged %q, %+v, want %q and %q", means, *failure, tt.means, tt.reason)
			}
		})
	}
}

func equal(a, b prober.Look) bool {
	return a.HasVideo == b.HasVideo && a.HasAudio == b.HasAudio && a.Pictures == b.Pictures && a.Width == b.Width &&
		a.Height == b.Height && a.Black == b.Black && a.Frozen == b.Frozen && a.Silent == b.Silent && a.Trouble == b.Trouble
}

// TestInitializationSection gives a fragment what its tracks need.
func TestInitializationSection(t *testing.T) {
	t.Parallel()
	file := made(t, ours(t, signal.Config{}, time.Second), "-i - -c copy -f mp4 -movflags frag_keyframe+empty_moov+default_base_moof")
	at := bytes.Index(file, []byte("moof")) - 4
	look, err := New(Config{Timeout: time.Minute}).Look(t.Context(), file[at:], file[:at])
	if err != nil || len(look.Barcodes) != 6 || look.Silent || !look.HasAudio {
		t.Errorf("look %+v, %v", look, err)
	}
	look, err = New(Config{Timeout: time.Minute}).Look(t.Context(), file[at:], nil)
	if err != nil || look.HasVideo || look.HasAudio || look.Trouble == "" {
		t.Errorf("without its initialization section: %+v, %v", look, err)
	}
}

// TestGarbageIsNoError gives it the framing of media around nothing.
func TestGarbageIsNoError(t *testing.T) {
	t.Parallel()
	needFFmpeg(t)
	garbage := bytes.Repeat(append([]byte{0x47, 0x41, 0, 0x10}, bytes.Repeat([]byte{0x5a}, 184)...), 200)
	look, err := New(Config{Timeout: time.Minute}).Look(t.Context(), garbage, nil)
	if err != nil || look.HasVideo || look.HasAudio {
		t.Fatalf("look %+v, %v", look, err)
	}
	if means, failure := look.Judge(prober.Sought{Video: true}); means != "" || failure == nil || failure.Reason != prober.ReasonNotDecodable {
		t.Errorf("judged %q, %+v", means, failure)
	}
}

// TestWhatCannotBeLookedAt is every reason why nothing can be said.
func TestWhatCannotBeLookedAt(t *testing.T) {
	t.Parallel()
	needFFmpeg(t)
	segment := made(t, ours(t, signal.Config{}, time.Second), "-i - -c copy")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	for name, script := range map[string]string{
		"hangs": "exec sleep 60", "dies": "kill -9 $$", "floods": "exec cat /dev/zero",
		"old": "echo 'Unrecognized option max_pixels. Option not found' >&2; exit 1", "odd": "echo P6; exit 0",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name    string
		cfg     Config
		ctx     context.Context
		segment []byte
		want    string
	}{
		{name: "not installed", cfg: Config{FFmpeg: filepath.Join(dir, "none")}, segment: segment, want: "ffmpeg is not installed"},
		{name: "too long", cfg: Config{Bytes: 1000}, segment: segment, want: "bytes are more than the bound of 1000"},
		{name: "a playlist", segment: []byte("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"), want: "neither MPEG-TS, fMP4 nor ADTS"},
		{name: "cancelled", ctx: ended, segment: segment, want: "context canceled"},
		{name: "hangs", cfg: Config{FFmpeg: filepath.Join(dir, "hangs"), Timeout: 300 * time.Millisecond}, segment: segment, want: "ffmpeg was ended: context deadline exceeded"},
		{name: "dies", cfg: Config{FFmpeg: filepath.Join(dir, "dies")}, segment: segment, want: "ffmpeg ended by itself: signal: killed"},
		{name: "floods", cfg: Config{FFmpeg: filepath.Join(dir, "floods")}, segment: segment, want: "bytes that were asked for"},
		{name: "old", cfg: Config{FFmpeg: filepath.Join(dir, "old")}, segment: segment, want: "this ffmpeg cannot: Unrecognized option"},
		{name: "odd", cfg: Config{FFmpeg: filepath.Join(dir, "odd")}, segment: segment, want: "ffmpeg gave no greymap"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.ctx == nil {
				tt.ctx = t.Context()
			}
			look, err := New(tt.cfg).Look(tt.ctx, tt.segment, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) || look.HasVideo {
				t.Errorf("look %+v, %v, want %q", look, err, tt.want)
			}
			if errors.Is(err, ErrNotInstalled) != (tt.name == "not installed") {
				t.Errorf("%v is ErrNotInstalled: %v", err, errors.Is(err, ErrNotInstalled))
			}
		})
	}
}
