//go:build unix

package rtmp

import (
	"os"
	"testing"
	"time"
)

// healthyFor is how long a healthy broadcast is watched on each real server:
// STREAMCANARY_HEALTHY (as 5m), or 3 s.
func healthyFor(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("STREAMCANARY_HEALTHY")
	if text == "" {
		return 3 * time.Second
	}
	length, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return length
}

// Our broadcast stays up on each server without a finding, and without the pace
// being lost.
func TestHealthy(t *testing.T) {
	t.Parallel()
	for name, publish := range map[string]func(*testing.T) *Broadcast{
		"nginx-rtmp": func(t *testing.T) *Broadcast { t.Helper(); return publishTo(t, startNginx(t).config("live", "one")) },
		"MediaMTX":   func(t *testing.T) *Broadcast { t.Helper(); return publishTo(t, startMediaMTX(t).config("one")) },
		"ffmpeg -listen": func(t *testing.T) *Broadcast {
			t.Helper()
			return startFFmpegServer(t, "-c", "copy", "-f", "null", "-").publish(t)
		},
		"nginx, enhanced": func(t *testing.T) *Broadcast {
			t.Helper()
			cfg := startNginx(t).config("live", "one")
			cfg.Enhanced = true
			return publishTo(t, cfg)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := publish(t)
			holds(t, b, sending(t, b, realSource(t)), healthyFor(t))
			if err := b.Close(t.Context()); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}
