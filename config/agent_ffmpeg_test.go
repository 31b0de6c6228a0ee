package config

import (
	"path/filepath"
	"testing"
)

// An agent's ffmpeg stands beside its file, or wherever it says; unsaid it is looked
// for in PATH.
func TestAgentFFmpeg(t *testing.T) {
	t.Parallel()
	const agent = "hub: \"tls://hub.example.com:4222\"\nid: fra1\nkey: 0123456789abcdef-fra1\n"
	for line, want := range map[string]string{"": "", "ffmpeg: /opt/ffmpeg\n": "/opt/ffmpeg", "ffmpeg: bin/ffmpeg\n": filepath.Join("dir", "bin", "ffmpeg")} {
		f, err := parse("dir/agent.yaml", []byte(agent+line), around())
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Agent.FFmpeg; got != want {
			t.Errorf("%q gives %q, want %q", line, got, want)
		}
	}
}
