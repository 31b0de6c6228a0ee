package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

func TestFlags(t *testing.T) {
	t.Parallel()
	rtmp, signal, pull, err := Flags{}.Target()
	if err != nil || rtmp != (prober.RTMP{}) || signal != (prober.Signal{}) || !reflect.DeepEqual(pull, prober.Pulling{}) {
		t.Errorf("no flags: %+v, %+v, %+v, %v", rtmp, signal, pull, err)
	}
	rtmp, signal, pull, err = Flags{
		EveryAddress: true, Size: "720p", FPS: 25, Keyframe: 2 * time.Second, Bitrate: 2_000_000, VideoOnly: true,
		HTTP: "2", Transcoded: true, LowLatency: true, Ladder: []string{"1080p:5000000", "640x360", "audio en"}, Sample: "1/5",
		Severity: []string{"stale=note", "6.2.1=off"}, RFC8216: true, MaxLatency: 9 * time.Second, MaxRebuffering: 0.5,
		Expect: "event", SegmentBytes: "64MiB",
	}.Target()
	want := prober.Pulling{
		HTTP: "2", Transcoded: true, LowLatency: true, Delta: true, Sample: 5, RFC8216: true, MaxLatency: 9 * time.Second, MaxRebuffering: 0.5,
		Expect: prober.ExpectEvent, SegmentBytes: 64 << 20,
		Ladder:   []prober.Rung{{Width: 1920, Height: 1080, Bandwidth: 5_000_000}, {Width: 640, Height: 360}, {Rendition: "audio en"}},
		Severity: map[string]prober.Severity{"stale": prober.SeverityNote, "6.2.1": "off"},
	}
	if err != nil || !rtmp.EveryAddress || !reflect.DeepEqual(pull, want) {
		t.Errorf("%+v, %+v, %v", rtmp, pull, err)
	}
	if want := (prober.Signal{Width: 1280, Height: 720, FPS: 25, Keyframe: 2 * time.Second, Bitrate: 2_000_000, NoAudio: true}); signal != want {
		t.Errorf("%+v", signal)
	}
}

// Each mistake is one line that begins with its flag, and says what would be right.
func TestFlagsMistakes(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		flags Flags
		want  string
	}{
		{"size", Flags{Size: "large"}, `--size is "large"; want WIDTHxHEIGHT`},
		{"odd size", Flags{Size: "641x360"}, "--size is 641; want an even number from 320 to 1920"},
		{"huge", Flags{Size: "2160p"}, "--size is 3840; want an even number"},
		{"fps", Flags{FPS: 1000}, "--fps is 1000; want 10 to 60"},
		{"negative fps", Flags{FPS: -1}, "--fps is -1; want"},
		{"keyframe", Flags{Keyframe: time.Minute}, "--keyframe is 1m0s; want"},
		{"bitrate", Flags{Bitrate: 5}, "--bitrate is 5 bits per second; "},
		{"nothing to push", Flags{AudioOnly: true, VideoOnly: true}, "--video-only is false"},
		{"version", Flags{HTTP: "4"}, `--http: there is no version "4"; `},
		{"rung", Flags{Ladder: []string{"big"}}, `--ladder has "big"; want 720p`},
		{"bandwidth", Flags{Ladder: []string{"720p:3M"}}, `--ladder has "720p:3M"; want bits per second`},
		{"sample", Flags{Sample: "half"}, `--sample is "half"; want all, playlist`},
		{"severity", Flags{Severity: []string{"stale"}}, `--severity is "stale"; want RULE=SEVERITY`},
		{"loud", Flags{Severity: []string{"stale=loud"}}, `--severity: there is no severity "loud"; `},
		{"latency", Flags{MaxLatency: -time.Second}, "--max-latency is -1s; want"},
		{"rebuffering", Flags{MaxRebuffering: 2}, "--max-rebuffering is 2; want a share"},
		{"expectation", Flags{Expect: "dead"}, `--expect: there is no kind of presentation "dead"; `},
		{"size of a segment", Flags{SegmentBytes: "big"}, `--segment-bytes cannot be read: "big" is not a size; write it as`},
		{"small segments", Flags{SegmentBytes: "1MiB"}, "--segment-bytes is 1048576 bytes; want 16MiB or more"},
		{"large segments", Flags{SegmentBytes: "1GiB"}, "--segment-bytes is 1073741824 bytes; want 256MiB or less"},
		{"no file", Flags{CAFile: "nowhere.pem"}, "--ca-file cannot be read: "},
		{"no certificates", Flags{CAFile: empty}, "--ca-file: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, _, err := tt.flags.Target()
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
