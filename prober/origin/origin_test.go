package origin

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"streamcanary/prober"
)

func TestEveryFrameReachesEveryOrigin(t *testing.T) {
	t.Parallel()
	for _, container := range []Container{MPEGTS, FMP4} {
		t.Run(string(container), func(t *testing.T) {
			t.Parallel()
			origins := start(t, 3, Config{Container: container})
			c := mustPublish(t, origins[1], "show")
			c.push(6)
			for _, o := range origins {
				eventually(t, "five segments at "+o.config.Region, func() error {
					return wholeSegments(t, o, c.run, 4)
				})
			}
		})
	}
}

// wholeSegments wants at least n segments from the first on, with the marker
// of every frame in order.
func wholeSegments(t *testing.T, o *Origin, run string, n int) error {
	t.Helper()
	_, segments, err := playlist(t, o, "show")
	if err != nil {
		return err
	}
	if len(segments) < n {
		return fmt.Errorf("%d segments", len(segments))
	}
	var seq uint64
	for _, url := range segments {
		body, err := fetch(t, url)
		if err != nil {
			return err
		}
		markers := slices.DeleteFunc(prober.FindMarkers(body, 0), func(m prober.Marker) bool { return m.Audio })
		if len(markers) != testFPS {
			return fmt.Errorf("%d markers in a segment, want %d", len(markers), testFPS)
		}
		for _, m := range markers {
			if m.Tag != prober.RunTag(run) || m.Seq != seq {
				return fmt.Errorf("marker %d, want %d", m.Seq, seq)
			}
			seq++
		}
	}
	return nil
}

func TestPlaylistIsWhatPlayersNeed(t *testing.T) {
	t.Parallel()
	o := start(t, 1, Config{})[0]
	c := mustPublish(t, o, "show")
	c.push(20)
	var text string
	var segments []string
	eventually(t, "the nineteenth segment", func() (err error) {
		if text, segments, err = playlist(t, o, "show"); err == nil && !strings.Contains(text, "EXT-X-MEDIA-SEQUENCE:13") {
			err = errors.New(text)
		}
		return err
	})
	if len(segments) != listedSegments {
		t.Errorf("%d segments, want %d", len(segments), listedSegments)
	}
	var oldest, gone int // RFC 8216, 6.2.2: what was listed stays for a while
	if _, err := fmt.Sscanf(segments[0][strings.LastIndex(segments[0], "_seg")+4:], "%d.ts", &oldest); err != nil || oldest != 13 {
		t.Fatalf("the oldest segment is %s, %v", segments[0], err)
	}
	for number := range oldest {
		if _, err := fetch(t, strings.Replace(segments[0], "_seg13.ts", fmt.Sprintf("_seg%d.ts", number), 1)); err != nil {
			gone++
		}
	}
	if kept := oldest - gone; kept != keptSegments-listedSegments {
		t.Errorf("%d segments can be had beside the %d listed", kept, listedSegments)
	}
	if !strings.Contains(text, "#EXT-X-TARGETDURATION:1\n") {
		t.Errorf("no target duration of 1 s in %s", text)
	}
	for _, of := range []struct{ url, contentType, contains string }{
		{prober.StreamURL(o.HLSURL(), "show"), "application/vnd.apple.mpegurl", `CODECS="avc1.42c00d,mp4a.40.2"`},
		{segments[0], "video/mp2t", ""},
	} {
		status, body, header, err := get(t, of.url)
		if err != nil || status != http.StatusOK {
			t.Fatalf("%s: %d, %v", of.url, status, err)
		}
		if got := header.Get("Content-Type"); got != of.contentType {
			t.Errorf("%s: content type %q, want %q", of.url, got, of.contentType)
		}
		if got := header.Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("%s: Access-Control-Allow-Origin %q, want *", of.url, got)
		}
		if !strings.Contains(string(body), of.contains) {
			t.Errorf("%s: no %s in %s", of.url, of.contains, body)
		}
	}
}

func TestWhatIsNotThereIs404AtOnce(t *testing.T) {
	t.Parallel()
	for _, container := range []Container{MPEGTS, FMP4} {
		o := start(t, 1, Config{Container: container})[0]
		c := mustPublish(t, o, "young")
		c.push(1) // a segment that has not ended
		eventually(t, "the broadcast", func() error {
			if o.playback.output("young") == nil {
				return errors.New("no output")
			}
			return nil
		})
		for _, file := range []string{"nobody/index.m3u8", "nobody/a.ts", "young/index.m3u8", "young/main_stream.m3u8", "young/video1_stream.m3u8", "young/a.ts"} {
			url := strings.TrimSuffix(o.HLSURL(), prober.StreamVariable+"/index.m3u8") + file
			status, _, header, err := get(t, url)
			if err != nil || status != http.StatusNotFound {
				t.Errorf("%s: %d, %v; want 404", file, status, err)
			}
			if header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: a browser may not read the 404", file)
			}
		}
	}
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	o := start(t, 1, Config{})[0]
	r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, prober.StreamURL(o.HLSURL(), "x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	w, err := (&http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	if w.StatusCode != http.StatusNoContent || w.Header.Get("Access-Control-Allow-Headers") != "*" {
		t.Errorf("preflight: %s, %v", w.Status, w.Header)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	origins := start(t, 2, Config{})
	made, err := origins[0].platform.create(streamRequest{Name: "n"})
	if err != nil {
		t.Fatal(err)
	}
	mustPublish(t, origins[0], "taken")
	for _, of := range []struct{ name, key, want string }{
		{"in use", "taken", "onStatus NetStream.Publish.BadName"},
		{"a playback id", made.PlaybackID, "onStatus NetStream.Publish.Denied"},
		{"not a name", "a/b", "onStatus NetStream.Publish.Denied"},
		{"empty", "", "onStatus NetStream.Publish.Denied"},
	} {
		for _, o := range origins {
			c, err := publish(t, o, of.key)
			if err == nil || err.Error() != of.want {
				t.Errorf("%s at %s: %v, want %s", of.name, o.config.Region, err, of.want)
			}
			if err := c.closed(); !errors.Is(err, io.EOF) {
				t.Errorf("%s at %s: then %v, want EOF", of.name, o.config.Region, err)
			}
		}
	}
	if _, err := dial(t, origins[0], "vod"); err == nil || err.Error() != "_error NetConnection.Connect.Failed" {
		t.Errorf("unknown application: %v", err)
	}
}

func TestSecondPublishOnAConnection(t *testing.T) {
	t.Parallel()
	o := start(t, 1, Config{})[0]
	c := mustPublish(t, o, "one")
	c.command(0, "createStream", 4, nil)
	if err := c.reply("_result"); err != nil {
		t.Fatal(err)
	}
	c.command(2, "publish", 5, nil, "two", "live")
	if err := c.reply("NetStream.Publish.Start"); err == nil || err.Error() != "onStatus NetStream.Publish.Denied" {
		t.Errorf("second publish: %v", err)
	}
}

func TestBroadcastEndsInEveryWay(t *testing.T) {
	t.Parallel()
	ways := map[string]func(*client){
		"close":        func(c *client) { _ = c.conn.Close() },
		"deleteStream": func(c *client) { c.command(0, "deleteStream", 4, nil, 1) },
		"FCUnpublish":  func(c *client) { c.command(0, "FCUnpublish", 4, nil, "show") },
		"closeStream":  func(c *client) { c.command(1, "closeStream", 4, nil) },
		"garbage":      func(c *client) { _, _ = c.conn.Write([]byte(strings.Repeat("\x0b\xff\xff\xff\xff\xff\xff\xff", 99))) },
	}
	for name, end := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			origins := start(t, 2, Config{})
			c := mustPublish(t, origins[0], "show")
			c.push(3)
			for _, o := range origins {
				eventually(t, "playback", func() error { return plays(t, o, "show", c.run) })
			}
			end(c)
			eventually(t, "everything is freed", func() error {
				for _, o := range origins {
					if n := len(o.playback.all()); n > 0 {
						return fmt.Errorf("%d outputs at %s", n, o.config.Region)
					}
				}
				if n := len(origins[0].platform.running(origins[0])); n > 0 {
					return fmt.Errorf("%d broadcasts", n)
				}
				return nil
			})
			again := mustPublish(t, origins[1], "show") // the name is free
			again.push(3)
			eventually(t, "playback again", func() error { return plays(t, origins[0], "show", again.run) })
		})
	}
}

func TestClockBeyond24Bits(t *testing.T) {
	t.Parallel()
	for _, of := range []struct {
		name      string
		base      uint32
		chunkSize int
		bareThree bool
	}{
		{"crossing 4.66 h", extendedMark - 2500, 128, false},
		{"far beyond", extendedMark + 1<<20, 128, false},
		{"far beyond, type 3 chunks without it", extendedMark + 1<<20, 128, true},
		{"crossing 49.7 days", 1<<32 - 2500, 4096, false},
	} {
		t.Run(of.name, func(t *testing.T) {
			t.Parallel()
			o := start(t, 1, Config{})[0]
			c, err := publish(t, o, "show")
			if err != nil {
				t.Fatal(err)
			}
			c.base, c.bareThree = of.base, of.bareThree
			if of.chunkSize != c.chunkSize {
				c.chunk(2, 0, typeSetChunkSize, 0, []byte{0, 0, 0, byte(of.chunkSize)})
				c.chunkSize = of.chunkSize
			}
			c.headers()
			c.push(6)
			eventually(t, "every frame", func() error { return wholeSegments(t, o, c.run, 5) })
		})
	}
}

func TestHostilePublishersHarmNobodyElse(t *testing.T) {
	t.Parallel()
	o := start(t, 1, Config{})[0]
	good := mustPublish(t, o, "good")
	good.push(3)
	for name, send := range map[string]func(*client){
		"empty message": func(c *client) { c.chunk(6, 0, 9, 1, nil) },
		"huge message":  func(c *client) { _, _ = c.conn.Write([]byte{6, 0, 0, 0, 0xff, 0xff, 0xff, 9, 1, 0, 0, 0}) },
		"type 3 first":  func(c *client) { _, _ = c.conn.Write([]byte{0xff, 0, 0, 0}) },
		"bad AMF":       func(c *client) { c.chunk(3, 0, 20, 1, []byte{0x02, 0xff, 0xff, 'x'}) },
		"huge AMF array": func(c *client) {
			c.chunk(3, 0, 20, 0, []byte("\x02\x00\x01x\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0a\xff\xff\xff\xff"))
		},
		"unknown message":    func(c *client) { c.chunk(3, 0, 77, 1, []byte{1}) },
		"chunk size 0":       func(c *client) { c.chunk(2, 0, 1, 0, []byte{0, 0, 0, 0}) },
		"cut NAL unit":       func(c *client) { c.chunk(6, 0, 9, 1, []byte{0x17, 1, 0, 0, 0, 0, 0, 9, 9, 1}) },
		"bad configuration":  func(c *client) { c.chunk(6, 0, 9, 1, []byte{0x17, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7}) },
		"bad audio":          func(c *client) { c.chunk(4, 0, 8, 1, []byte{0xaf, 0, 0xff, 0xff}) },
		"another codec":      func(c *client) { c.chunk(6, 0, 9, 1, []byte{0x22, 1, 2, 3, 4, 5, 6}) },
		"many chunk streams": func(c *client) { hundredChunkStreams(c) },
		"backwards clock":    func(c *client) { c.base = 9000; c.push(1); c.base = 100; c.push(1) },
	} {
		t.Run(name, func(t *testing.T) {
			c := mustPublish(t, o, "bad")
			send(c)
			_ = c.conn.Close()
			good.push(1)
			eventually(t, "the other broadcast", func() error { return plays(t, o, "good", good.run) })
			eventually(t, "the name is free", func() error {
				if len(o.platform.running(o)) > 1 {
					return errors.New("still running")
				}
				return nil
			})
		})
	}
}

func hundredChunkStreams(c *client) {
	for id := range byte(100) {
		c.conn.Write([]byte{0, id, 0, 0, 0, 0, 0, 9, 9, 1, 0, 0, 0}) // the server closes in between
	}
}

func TestStartTwiceAndPortInUse(t *testing.T) {
	t.Parallel()
	o := start(t, 1, Config{})[0]
	if err := o.Start(t.Context()); err == nil {
		t.Error("started twice")
	}
	other, err := New(Config{Region: "x", RTMPAddr: o.ports.rtmp.addr.String(), HTTPAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(t.Context()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("port in use: %v", err)
	}
	other.Close()
	other.Close()
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{{SegmentDuration: -1}, {Container: "webm"}} {
		if _, err := New(c); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
}
