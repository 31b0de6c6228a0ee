package origin

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"streamcanary/prober"
)

// trusting is a client that knows the origin's CA and nobody else's.
func trusting(t *testing.T, o *Origin) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(o.CA()) {
		t.Fatal("no CA")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true, DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	o := start(t, 1, everything())[0]
	c := mustPublish(t, o, "show")
	c.push(3)
	client, url := trusting(t, o), prober.StreamURL(o.HTTPSURL(), "show")
	ask := func() error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		w, err := client.Do(r)
		if err != nil {
			return err
		}
		defer w.Body.Close()
		if w.StatusCode != http.StatusOK || w.ProtoMajor != 2 {
			return fmt.Errorf("%s over %s", w.Status, w.Proto)
		}
		return nil
	}
	eventually(t, "HTTP/2", ask)
	heal, healOther := within(t, o, "tls-expired"), within(t, o, "tls-expired")
	expired := func() error {
		var invalid x509.CertificateInvalidError
		if err := ask(); !errors.As(err, &invalid) || invalid.Reason != x509.Expired {
			return fmt.Errorf("no expired certificate: %w", err)
		}
		return nil
	}
	eventually(t, "the fault", expired)
	heal()
	if err := expired(); err != nil {
		t.Errorf("one of two healed: %v", err)
	}
	healOther()
	if err := ask(); err != nil {
		t.Errorf("healed: %v", err)
	}
	if strings.HasPrefix(o.RTMPSURL(), "rtmps://127.0.0.1:") == false || o.RTMPSURL() == o.RTMPURL() {
		t.Errorf("RTMPS at %s", o.RTMPSURL())
	}
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	o, err := New(Config{Region: "six", RTMPAddr: "[::1]:0", HTTPAddr: "[::1]:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Start(t.Context()); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("no IPv6 on loopback here: %v", err)
	}
	t.Cleanup(o.Close)
	c := mustPublish(t, o, "show")
	c.push(3)
	eventually(t, "playback", func() error { return plays(t, o, "show", c.run) })
	if err := o.Inject(t.Context(), Fault{Name: "restart"}); err != nil {
		t.Error(err)
	}
}

// TestRenditions reads every rendition of every container.
func TestRenditions(t *testing.T) {
	t.Parallel()
	for _, of := range []struct {
		container Container
		playlists []string
	}{
		{MPEGTS, []string{"high/main_stream.m3u8", "low/main_stream.m3u8", "sound/main_stream.m3u8"}},
		{FMP4, []string{"audio2_stream.m3u8", "high/video1_stream.m3u8", "low/video1_stream.m3u8"}},
		{LowLatency, []string{"audio2_stream.m3u8", "high/video1_stream.m3u8", "low/video1_stream.m3u8"}},
	} {
		t.Run(string(of.container), func(t *testing.T) {
			t.Parallel()
			c := everything()
			c.Container, c.Record = of.container, false
			o := start(t, 1, c)[0]
			mustPublish(t, o, "show").push(20)
			top := prober.StreamURL(o.HLSURL(), "show")
			base := strings.TrimSuffix(top, "index.m3u8")
			var named []string
			eventually(t, "the multivariant playlist", func() error {
				body, err := fetch(t, top)
				named = playlistURIs(string(body))
				return err
			})
			slices.Sort(named)
			if !slices.Equal(named, of.playlists) {
				t.Fatalf("it names %q, want %q", named, of.playlists)
			}
			for _, name := range named {
				eventually(t, name, func() error { return segmentOf(t, base+name) })
			}
			if err := answers(t, base+"none/main_stream.m3u8", 404, ""); err != nil {
				t.Error(err)
			}
		})
	}
}

// segmentOf fetches the last whole segment of a media playlist, and looks for
// pictures in it.
func segmentOf(t *testing.T, url string) error {
	t.Helper()
	body, err := fetch(t, url)
	if err != nil {
		return err
	}
	var last string
	for line := range strings.Lines(string(body)) {
		if line[0] != '#' && strings.TrimSpace(line) != "" && line != "gap.mp4\n" {
			last = strings.TrimSpace(line)
		}
	}
	segment, err := fetch(t, url[:strings.LastIndexByte(url, '/')+1]+last)
	if err != nil {
		return fmt.Errorf("%w in %s", err, body)
	}
	sound := strings.Contains(url, "/sound/") || strings.Contains(url, "/audio")
	if pictures := len(prober.FindMarkers(segment, 0)) > 0; pictures == sound || len(segment) < 100 {
		return fmt.Errorf("%d bytes, pictures: %t", len(segment), pictures)
	}
	return nil
}

func TestLadder(t *testing.T) {
	t.Parallel()
	const from = "#EXTM3U\n\n#EXT-X-STREAM-INF:BANDWIDTH=1000,AVERAGE-BANDWIDTH=900,CODECS=\"avc1\"\nmain_stream.m3u8?a=b\n"
	const want = "#EXTM3U\n\n" +
		"#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"sound\",DEFAULT=YES,AUTOSELECT=YES,URI=\"sound/main_stream.m3u8\"\n\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=250000,AVERAGE-BANDWIDTH=900,CODECS=\"avc1\",AUDIO=\"sound\"\na/main_stream.m3u8?a=b\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=275000,AVERAGE-BANDWIDTH=900,CODECS=\"avc1\",AUDIO=\"sound\"\nb/main_stream.m3u8?a=b\n"
	if got := ladder(from, bandwidthOf(from), []string{"a", "b"}, true); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := ladder(from, 1000, nil, false); got != from {
		t.Errorf("%s\nwant it as it was", got)
	}
}

func TestRenditionsThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{
		{Renditions: []string{"a", "a"}}, {Renditions: []string{"../a"}}, {Renditions: []string{soundRendition}},
		{Container: LowLatency, Record: true}, {Container: "dash"},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
}

func TestRecording(t *testing.T) {
	t.Parallel()
	o := start(t, 1, everything())[0]
	c := mustPublish(t, o, "show")
	c.push(20) // more than a live playlist lists
	eventually(t, "playback", func() error { return plays(t, o, "show", c.run) })
	top := prober.StreamURL(o.RecordingURL(), "show")
	if err := answers(t, top, 404, ""); err != nil {
		t.Errorf("while it runs: %v", err)
	}
	_ = c.conn.Close()
	var playlist []byte
	eventually(t, "the recording", func() (err error) {
		if _, err = fetch(t, top); err != nil {
			return err
		}
		playlist, err = fetch(t, strings.TrimSuffix(top, "index.m3u8")+"low/main_stream.m3u8")
		return err
	})
	text := string(playlist)
	if n := strings.Count(text, "#EXTINF:"); n < 18 || !strings.Contains(text, "#EXT-X-PLAYLIST-TYPE:VOD\n") || !strings.HasSuffix(text, "#EXT-X-ENDLIST\n") {
		t.Fatalf("%d segments:\n%s", n, text)
	}
	for _, uri := range playlistURIs(text) {
		if body, err := fetch(t, strings.TrimSuffix(top, "index.m3u8")+"low/"+uri); err != nil || len(prober.FindMarkers(body, 0)) == 0 {
			t.Errorf("%s: %d bytes, %v", uri, len(body), err)
		}
	}
	heal := within(t, o, "short-recording")
	eventually(t, "the short recording", func() error {
		body, err := fetch(t, strings.TrimSuffix(top, "index.m3u8")+"low/main_stream.m3u8")
		if err == nil && bytes.Count(body, []byte("#EXTINF:")) != 1 {
			err = fmt.Errorf("%s", body)
		}
		return err
	})
	heal()
	within(t, o, "recording-denied")
	eventually(t, "the denied recording", func() error { return answers(t, top, 403, "application/xml") })
}

// TestShelf keeps no more than it should.
func TestShelf(t *testing.T) {
	t.Parallel()
	var s shelf
	out, err := newOutput(tracks{video: &videoConfig{sps: testSPS, pps: testPPS, lengthSize: 4}}, Config{Container: MPEGTS, Record: true, SegmentDuration: 1e9}, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	defer out.close()
	s.put("empty", out)
	if s.file("empty", "index.m3u8") != nil {
		t.Error("a broadcast without a segment is a recording")
	}
	for i := range 2 * maxRecordings {
		s.add(&recording{id: fmt.Sprint(i), size: 1})
	}
	s.add(&recording{id: "15", size: 2})
	if len(s.recordings) != maxRecordings || s.recordings[0].id != "8" || s.bytes() != maxRecordings+1 {
		t.Errorf("%d recordings, the oldest %s, %d bytes", len(s.recordings), s.recordings[0].id, s.bytes())
	}
	if s.add(&recording{id: "large", size: maxShelfBytes}); len(s.recordings) != 1 {
		t.Errorf("%d recordings beside a large one", len(s.recordings)-1)
	}
}
