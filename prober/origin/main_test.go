package origin

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/yutopp/go-rtmp"
	"github.com/yutopp/go-rtmp/handshake"
	"github.com/yutopp/go-rtmp/message"
	"go.uber.org/goleak"

	"streamcanary/prober"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

// start makes linked origins that serve until the test ends.
func start(tb testing.TB, n int, c Config) []*Origin {
	tb.Helper()
	c.RTMPAddr, c.HTTPAddr = "127.0.0.1:0", "127.0.0.1:0"
	if testing.Verbose() {
		c.Logger = slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	var origins []*Origin
	for i := range n {
		c.Region = string(rune('a' + i))
		o, err := New(c)
		if err != nil {
			tb.Fatal(err)
		}
		origins = append(origins, o)
	}
	Link(origins...)
	for _, o := range origins {
		if err := o.Start(tb.Context()); err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(o.Close)
	}
	return origins
}

// everything is an origin that every fault can strike.
func everything() Config {
	return Config{RTMPSAddr: "127.0.0.1:0", HTTPSAddr: "127.0.0.1:0", Renditions: []string{"high", "low"}, AudioRendition: true, Record: true}
}

// eventually polls until check has no error.
func eventually(tb testing.TB, what string, check func() error) {
	tb.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatalf("%s: not within %s: %v", what, patience, err)
		}
	}
}

// within starts a fault and gives a function that ends it and waits.
func within(t *testing.T, o *Origin, name string) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- o.Inject(ctx, Fault{Name: name, For: time.Minute}) }()
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-over; !errors.Is(err, context.Canceled) {
			t.Errorf("fault %s ended with %v, want it cancelled", name, err)
		}
	}
	t.Cleanup(end)
	return end
}

// get fetches a URL without keeping its connection.
func get(tb testing.TB, url string) (status int, body []byte, header http.Header, err error) {
	tb.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: patience}
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, url, nil)
	if err != nil {
		tb.Fatal(err)
	}
	w, err := client.Do(r)
	if err != nil {
		return 0, nil, nil, err
	}
	defer w.Body.Close()
	body, err = io.ReadAll(w.Body)
	return w.StatusCode, body, w.Header, err
}

// fetch is get for what must be there.
func fetch(tb testing.TB, url string) ([]byte, error) {
	tb.Helper()
	status, body, _, err := get(tb, url)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s answers %d", url, status)
	}
	return body, err
}

// playlist fetches a broadcast's first media playlist by way of its
// multivariant playlist, and resolves the segments' URLs.
func playlist(tb testing.TB, o *Origin, id string) (text string, segments []string, err error) {
	tb.Helper()
	top := prober.StreamURL(o.HLSURL(), id)
	body, err := fetch(tb, top)
	if err != nil {
		return "", nil, err
	}
	base := top[:strings.LastIndexByte(top, '/')+1]
	var media string
	for line := range strings.Lines(string(body)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			media = base + line
		}
	}
	if media == "" {
		return "", nil, fmt.Errorf("no variant in %q", body)
	}
	base = media[:strings.LastIndexByte(media, '/')+1]
	body, err = fetch(tb, media)
	if err != nil {
		return "", nil, err
	}
	for line := range strings.Lines(string(body)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			segments = append(segments, base+line)
		}
	}
	if len(segments) == 0 {
		return "", nil, fmt.Errorf("no segment in %q", body)
	}
	return string(body), segments, nil
}

// plays says whether a broadcast has a playlist whose last segment carries
// this run's markers.
func plays(tb testing.TB, o *Origin, id, run string) error {
	tb.Helper()
	_, segments, err := playlist(tb, o, id)
	if err != nil {
		return err
	}
	body, err := fetch(tb, segments[len(segments)-1])
	if err != nil {
		return err
	}
	for _, m := range prober.FindMarkers(body, 0) {
		if m.Tag == prober.RunTag(run) {
			return nil
		}
	}
	return fmt.Errorf("no marker of %s among %d bytes", run, len(body))
}

// A picture's parameter sets: 320x240, constrained baseline, as x264 wrote them.
var (
	testSPS = []byte("\x67\x42\xc0\x0d\xd9\x01\x41\xfb\x01\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03\xc0\xf1\x42\xa4\x80")
	testPPS = []byte("\x68\xcb\x83\xcb\x20")
)

const testFPS = 30

// videoHeader is an AVC sequence header as a VIDEODATA body.
func videoHeader() []byte {
	b := append([]byte{0x17, 0, 0, 0, 0, 1, testSPS[1], testSPS[2], testSPS[3], 0xff, 0xe1, 0, byte(len(testSPS))}, testSPS...)
	return append(append(b, 1, 0, byte(len(testPPS))), testPPS...)
}

// audioHeader is an AAC sequence header: LC, 44.1 kHz, stereo.
func audioHeader() []byte { return []byte{0xaf, 0, 0x12, 0x10} }

// videoFrame is a VIDEODATA body of about size bytes with a marker; nothing
// decodes its slice.
func videoFrame(run string, seq uint64, size int) []byte {
	keyframe := seq%testFPS == 0
	b, slice := []byte{0x27, 1, 0, 0, 0}, []byte{0x41}
	if keyframe {
		b, slice = []byte{0x17, 1, 0, 0, 0}, []byte{0x65}
	}
	sei := prober.Marker{Tag: prober.RunTag(run), Seq: seq, Clock: time.Now()}.Append([]byte{6, 5, prober.MarkerSize})
	slice = append(slice, bytes.Repeat([]byte{0x9b}, size)...)
	for _, nalu := range [][]byte{append(sei, 0x80), slice} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(nalu)))
		b = append(b, nalu...)
	}
	return b
}

// client is a broadcaster that can say anything. It reads by go-rtmp and
// writes chunks of its own.
type client struct {
	t         testing.TB
	conn      net.Conn
	in        *rtmp.ChunkStreamer
	chunkSize int
	run       string
	seq       uint64
	base      uint32 // timestamp of the first frame
	frameSize int
	ended     error // of keepPushing
	bareThree bool  // leave extended timestamps out of type 3 chunks, as go-rtmp does
}

// dial connects, shakes hands and says connect; what is wrong is returned.
func dial(tb testing.TB, o *Origin, app string) (*client, error) {
	tb.Helper()
	address := strings.Split(strings.TrimPrefix(o.RTMPURL(), "rtmp://"), "/")[0]
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(tb.Context(), "tcp", address)
	if err != nil {
		return nil, err
	}
	tb.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		return nil, err
	}
	if err := handshake.HandshakeWithServer(conn, conn, &handshake.Config{}); err != nil {
		return nil, fmt.Errorf("handshake: %w", err)
	}
	c := &client{t: tb, conn: conn, chunkSize: 4096, run: tb.Name(), frameSize: 300}
	c.in = rtmp.NewChunkStreamer(conn, io.Discard, nil)
	tb.Cleanup(func() { _ = c.in.Close() })
	c.chunk(2, 0, byte(message.TypeIDSetChunkSize), 0, binary.BigEndian.AppendUint32(nil, uint32(c.chunkSize)))
	c.command(0, "connect", 1, map[string]any{"app": app, "tcUrl": "rtmp://" + address + "/" + app})
	return c, c.reply("_result")
}

// publish connects and publishes; the error is the server's refusal.
func publish(tb testing.TB, o *Origin, key string) (*client, error) {
	tb.Helper()
	c, err := dial(tb, o, "live")
	if err != nil {
		return nil, err
	}
	c.command(0, "createStream", 2, nil)
	if err := c.reply("_result"); err != nil {
		return nil, err
	}
	c.command(1, "publish", 3, nil, key, "live")
	return c, c.reply("NetStream.Publish.Start")
}

// mustPublish also sends the sequence headers.
func mustPublish(tb testing.TB, o *Origin, key string) *client {
	tb.Helper()
	c, err := publish(tb, o, key)
	if err != nil {
		tb.Fatal(err)
	}
	c.headers()
	return c
}

func (c *client) headers() {
	c.chunk(4, c.base, 8, 1, audioHeader())
	c.chunk(6, c.base, 9, 1, videoHeader())
}

// push sends media of that many seconds at once.
func (c *client) push(seconds int) {
	c.t.Helper()
	for range seconds * testFPS {
		at := c.base + uint32(c.seq*1000/testFPS)
		c.chunk(6, at, 9, 1, videoFrame(c.run, c.seq, c.frameSize))
		c.chunk(4, at, 8, 1, []byte{0xaf, 1, 0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c})
		c.seq++
	}
}

// keepPushing pushes a second of media every 100 ms until the server ends the
// connection or the test is over; then the channel is closed.
func (c *client) keepPushing() (ended <-chan struct{}) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for ; ; <-tick.C {
			for range testFPS {
				at := c.base + uint32(c.seq*1000/testFPS)
				if _, err := c.conn.Write(c.encode(6, at, 9, 1, videoFrame(c.run, c.seq, c.frameSize))); err != nil {
					c.ended = err
					return
				}
				c.seq++
			}
		}
	}()
	c.t.Cleanup(func() {
		_ = c.conn.Close()
		<-done
	})
	return done
}

func (c *client) command(streamID uint32, name string, args ...any) {
	c.t.Helper()
	var b bytes.Buffer
	e := message.NewAMFEncoder(&b, message.EncodingTypeAMF0)
	for _, v := range append([]any{name}, args...) {
		if err := e.Encode(v); err != nil {
			c.t.Fatal(err)
		}
	}
	c.chunk(3, 0, byte(message.TypeIDCommandMessageAMF0), streamID, b.Bytes())
}

// chunk writes a message; that the server closed shows when it is read from.
func (c *client) chunk(id byte, timestamp uint32, typeID byte, streamID uint32, body []byte) {
	_, _ = c.conn.Write(c.encode(id, timestamp, typeID, streamID, body))
}

func (c *client) encode(id byte, timestamp uint32, typeID byte, streamID uint32, body []byte) []byte {
	size := c.chunkSize
	if typeID == typeSetChunkSize {
		size = defaultChunkSize
	}
	s := chunkStream{id: id, timestamp: timestamp, typeID: typeID, streamID: streamID, length: uint32(len(body))}
	b := s.appendHeader(nil)
	for {
		n := min(size, len(body))
		b = append(b, body[:n]...)
		if body = body[n:]; len(body) == 0 {
			return b
		}
		b = append(b, 3<<6|id)
		if timestamp >= extendedMark && !c.bareThree {
			b = binary.BigEndian.AppendUint32(b, timestamp)
		}
	}
}

// reply reads commands until the one that is wanted, by its name or by its
// status code; any refusal is an error with its code.
func (c *client) reply(want string) error {
	for {
		var m rtmp.ChunkMessage
		if _, _, err := c.in.Read(&m); err != nil {
			return err
		}
		command, ok := m.Message.(*message.CommandMessage)
		if !ok {
			continue
		}
		code := ""
		d := message.NewAMFDecoder(command.Body, command.Encoding)
		for {
			var v any
			if d.Decode(&v) != nil {
				break
			}
			if info, ok := v.(map[string]any); ok {
				if s, ok := info["code"].(string); ok {
					code = s
				}
			}
		}
		if command.CommandName == want || code == want {
			return nil
		}
		return fmt.Errorf("%s %s", command.CommandName, code)
	}
}

// closed reads until the server closes, and says how.
func (c *client) closed() error {
	for {
		var m rtmp.ChunkMessage
		if _, _, err := c.in.Read(&m); err != nil {
			return err
		}
		if command, ok := m.Message.(*message.CommandMessage); ok {
			return fmt.Errorf("another command: %s", command.CommandName)
		}
	}
}
