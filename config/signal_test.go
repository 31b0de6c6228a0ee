package config

import (
	"os"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// What a target says of its broadcast reaches every ingest, and counts in the budget.
func TestBroadcast(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/bad/rtmp-user.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what  string
		want  prober.Signal
		sent  int64 // an hour
		rates string
	}{
		{what: "rtmp: {enhanced: true}", sent: 225_000_000, rates: "broadcasts of 500 kbit/s"},
		{what: "broadcast: {width: 1280, height: 720, fps: 25, keyframe: 2s, bitrate: 2000000, audio: false}",
			want: prober.Signal{Width: 1280, Height: 720, FPS: 25, Keyframe: 2 * time.Second, Bitrate: 2_000_000, NoAudio: true},
			sent: 900_000_000, rates: "broadcasts of 2000 kbit/s"},
		{what: "broadcast: {width: 1920, height: 1080}", want: prober.Signal{Width: 1920, Height: 1080}, sent: 1_350_000_000, rates: "broadcasts of 3000 kbit/s"},
		{what: "broadcast: {video: false, audio: true}", want: prober.Signal{NoVideo: true}, sent: 43_200_000, rates: "broadcasts of 96 kbit/s"},
	} {
		f, err := parse("x", []byte(strings.Replace(string(data), "rtmp: {user: me}", tt.what, 1)), around())
		if err != nil {
			t.Errorf("%s: %v", tt.what, err)
			continue
		}
		for _, in := range f.Hub.Targets[0].Ingests {
			if in.Signal != tt.want {
				t.Errorf("%s: ingest %s has %+v", tt.what, in.ID, in.Signal)
			}
		}
		if b := f.Hub.Budget(); b.Sent != tt.sent || b.Received-b.Samples != tt.sent || b.Samples*5 != tt.sent {
			t.Errorf("%s: budget %+v, want %d both ways, and a fifth of it for samples", tt.what, b, tt.sent)
		}
		if said := strings.Join(f.Summary(), "\n"); !strings.Contains(said, tt.rates) {
			t.Errorf("%s: the summary lacks %q:\n%s", tt.what, tt.rates, said)
		}
	}
}
