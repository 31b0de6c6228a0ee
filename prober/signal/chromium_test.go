package signal

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"
)

// player plays what is served beside it, listens to its sound, and tells.
const player = `<!doctype html><video src="clip.mp4" muted></video><script>
const v = document.querySelector("video")
const tell = text => fetch("told", {method: "POST", body: text})
v.onerror = () => tell("error: " + v.error.message)
v.onended = async () => {
  const bytes = await (await fetch("clip.mp4")).arrayBuffer()
  const sound = await new OfflineAudioContext(2, 48000, 48000).decodeAudioData(bytes)
  const peak = sound.getChannelData(0).reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  const q = v.getVideoPlaybackQuality()
  tell(q.totalVideoFrames + " pictures, " + sound.duration.toFixed(1) + " s of sound, peak " + peak.toFixed(2))
}
v.play()
</script>`

// TestChromiumPlaysIt holds that a browser's decoders take our pictures, and our
// sound with markers in it.
func TestChromiumPlaysIt(t *testing.T) {
	t.Parallel()
	needTool(t, "chromium")
	file := flv(broadcast(t, Config{Run: "r", Label: "Frankfurt"}, time.Second))
	clip := run(t, file, "ffmpeg", "-v", "error", "-i", "pipe:0", "-c", "copy", "-f", "mp4",
		"-movflags", "frag_keyframe+empty_moov+default_base_moof", "pipe:1")
	told := make(chan string, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, player) })
	mux.HandleFunc("GET /clip.mp4", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "video/mp4")
		_, _ = w.Write(clip)
	})
	mux.HandleFunc("POST /told", func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(io.LimitReader(r.Body, 1000))
		told <- string(text)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	profile, err := os.MkdirTemp("", "streamcanary-chromium") // not of the test: the browser's children write to it for a moment
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(profile)
	cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--disable-background-networking", "--autoplay-policy=no-user-gesture-required", "--user-data-dir="+profile, server.URL)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	select {
	case got := <-told:
		if want := "30 pictures, 1.0 s of sound, peak 0.09"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	case <-ctx.Done():
		t.Error("the browser told nothing")
	}
}
