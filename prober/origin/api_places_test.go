package origin

import (
	"net/http"
	"strings"
	"testing"

	"streamcanary/prober"
	livepeer "streamcanary/prober/platform"
)

// TestPlacesThroughTheAPI asks, as the platform's own client does, where to push,
// to play and to find a recording.
func TestPlacesThroughTheAPI(t *testing.T) {
	t.Parallel()
	o := start(t, 2, Config{Auth: "secret", Record: true})
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	p, err := livepeer.New(prober.Platform{Type: "livepeer", API: o[0].APIURL(), Key: "secret", Record: true}, &http.Client{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	s, failure, err := p.Create(t.Context(), livepeer.Prefix+"agent-1")
	if failure != nil || err != nil {
		t.Fatal(failure, err)
	}
	push, failure, err := p.PushURL(t.Context(), s, "127.0.0.1")
	if failure != nil || err != nil || push.Reveal() != prober.StreamURL(o[0].RTMPURL(), s.Key.Reveal()) && push.Reveal() != prober.StreamURL(o[1].RTMPURL(), s.Key.Reveal()) {
		t.Errorf("push to %s, %v, %v", push.Reveal(), failure, err)
	}
	for _, node := range []string{"", "127.0.0.1"} {
		play, failure, err := p.PlayURL(t.Context(), s, node)
		if failure != nil || err != nil || !strings.HasSuffix(play, "/hls/"+s.PlaybackID+"/index.m3u8") {
			t.Errorf("play %s, %v, %v", play, failure, err)
		}
	}
	c := mustPublish(t, o[0], s.Key.Reveal())
	c.push(5)
	eventually(t, "playback", func() error { return plays(t, o[0], s.PlaybackID, c.run) })
	if url, failure, err := p.Recording(t.Context(), s); url != "" || failure != nil || err != nil {
		t.Errorf("a recording while it runs: %s, %v, %v", url, failure, err)
	}
	_ = c.conn.Close()
	eventually(t, "the recording", func() error {
		url, _, err := p.Recording(t.Context(), s)
		if err == nil {
			_, err = fetch(t, url)
		}
		return err
	})
	if failure, err := p.Delete(t.Context(), s); failure != nil || err != nil {
		t.Error(failure, err)
	}
	if _, failure, _ := p.PlayURL(t.Context(), s, ""); failure == nil || failure.Reason != prober.ReasonAPIError {
		t.Errorf("where a stream plays that is gone: %+v", failure)
	}
}
