package rtmp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	gortmp "github.com/yutopp/go-rtmp"
	"github.com/yutopp/go-rtmp/handshake"
	"github.com/yutopp/go-rtmp/message"
	"go.uber.org/goleak"

	"streamcanary/prober"
)

const testKey = "s3cr3t-k3y"

func TestMain(m *testing.M) {
	if pushAsChild() {
		return
	}
	flag.Parse()
	// These tests wait, for servers and for time: more of them than there are
	// processors can do that at once.
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("8"); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

// fakeServer is a misbehaving server on loopback: it runs a script for each
// connection, and hangs up when that returns.
type fakeServer struct {
	listener *net.TCPListener
	wait     sync.WaitGroup
}

// serve starts a server; the script's errors are its own business, since a
// client that leaves is part of every test.
func serve(tb testing.TB, script func(*fakeConn) error) *fakeServer {
	tb.Helper()
	s, err := serveAt(tb, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, script)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// serveAt is serve at an address.
func serveAt(tb testing.TB, addr *net.TCPAddr, script func(*fakeConn) error) (*fakeServer, error) {
	tb.Helper()
	l, err := net.ListenTCP("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &fakeServer{listener: l}
	done := make(chan struct{})
	s.wait.Go(func() {
		for {
			conn, err := l.AcceptTCP()
			if err != nil {
				return
			}
			s.wait.Go(func() {
				c := &fakeConn{TCPConn: conn, r: bufio.NewReader(conn), done: done}
				defer c.finish()
				_ = script(c)
			})
		}
	})
	tb.Cleanup(func() {
		close(done)
		_ = l.Close()
		s.wait.Wait()
	})
	return s, nil
}

func (s *fakeServer) url() string {
	return "rtmp://" + s.listener.Addr().String() + "/live/" + testKey
}

// fakeConn is the server's side of one connection.
type fakeConn struct {
	*net.TCPConn
	r    *bufio.Reader
	cs   *gortmp.ChunkStreamer
	done <-chan struct{} // the test is over

	flushed bool
}

// flush waits until what was said is on its way; nothing can be said after it.
func (c *fakeConn) flush() {
	if c.cs != nil && !c.flushed {
		c.flushed = true
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, _ = c.cs.NewChunkWriter(ctx, 3)
	}
}

func (c *fakeConn) finish() {
	c.flush()
	_ = c.Close()
	if c.cs != nil {
		_ = c.cs.Close()
		<-c.cs.Done()
	}
}

// handshake answers the client's and starts the chunk streamer.
func (c *fakeConn) handshake() error {
	if err := handshake.HandshakeWithClient(c.r, c.TCPConn, &handshake.Config{SkipHandshakeVerification: true}); err != nil {
		return err
	}
	c.cs = gortmp.NewChunkStreamer(c.r, bufio.NewWriter(c.TCPConn), &gortmp.StreamControlStateConfig{
		DefaultChunkSize: 128, MaxChunkSize: gortmp.MaxChunkSize, MaxChunkStreams: 100,
		DefaultAckWindowSize: 1<<31 - 1, MaxAckWindowSize: 1<<31 - 1,
	})
	return nil
}

// next is the next message that is not SetChunkSize.
func (c *fakeConn) next() (message.Message, error) {
	for {
		var m gortmp.ChunkMessage
		if _, _, err := c.cs.Read(&m); err != nil {
			return nil, err
		}
		size, ok := m.Message.(*message.SetChunkSize)
		if !ok {
			return m.Message, nil
		}
		if err := c.cs.PeerState().SetChunkSize(size.ChunkSize); err != nil {
			return nil, err
		}
	}
}

// expect reads until a command of that name comes, and gives its transaction.
func (c *fakeConn) expect(name string) (int64, error) {
	for {
		m, err := c.next()
		if err != nil {
			return 0, err
		}
		if cmd, ok := m.(*message.CommandMessage); ok {
			if _, err := io.Copy(io.Discard, cmd.Body); err != nil {
				return 0, err
			}
			if cmd.CommandName == name {
				return cmd.TransactionID, nil
			}
		}
	}
}

func (c *fakeConn) say(m message.Message) error {
	return c.cs.Write(context.Background(), 3, 0, &gortmp.ChunkMessage{Message: m})
}

func (c *fakeConn) reply(name string, transaction int64, args ...any) error {
	body, err := encodeAMF(args...)
	if err != nil {
		return err
	}
	return c.say(&message.CommandMessage{CommandName: name, TransactionID: transaction, Body: bytes.NewReader(body)})
}

func (c *fakeConn) status(level, code, description string) error {
	return c.reply("onStatus", 0, nil, map[string]any{"level": level, "code": code, "description": description})
}

func (c *fakeConn) acceptConnect() error {
	if err := c.handshake(); err != nil {
		return err
	}
	id, err := c.expect("connect")
	if err != nil {
		return err
	}
	return c.reply("_result", id, map[string]any{"fmsVer": "FMS/3,5,7,7009"},
		map[string]any{"level": "status", "code": "NetConnection.Connect.Success", "description": "ok"})
}

func (c *fakeConn) acceptStream() error {
	if err := c.acceptConnect(); err != nil {
		return err
	}
	id, err := c.expect("createStream")
	if err != nil {
		return err
	}
	if err := c.reply("_result", id, nil, 1.0); err != nil {
		return err
	}
	_, err = c.expect("publish")
	return err
}

func (c *fakeConn) acceptPublish() error {
	if err := c.acceptStream(); err != nil {
		return err
	}
	return c.status("status", "NetStream.Publish.Start", testKey+" is now published")
}

// hold keeps the connection as it is until the test is over.
func (c *fakeConn) hold() error {
	<-c.done
	return nil
}

// drain reads messages until the client leaves.
func (c *fakeConn) drain() error {
	for {
		m, err := c.next()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case *message.VideoMessage:
			_, err = io.Copy(io.Discard, m.Payload)
		case *message.AudioMessage:
			_, err = io.Copy(io.Discard, m.Payload)
		}
		if err != nil {
			return err
		}
	}
}

// reset closes with an RST.
func (c *fakeConn) reset() error {
	c.flush()
	return errors.Join(c.SetLinger(0), c.Close())
}

// testSource is a broadcast of no meaning: 25 video and 50 audio tags a second.
type testSource struct {
	n       int
	size    int // bytes of a video tag
	clocks  []time.Time
	onNext  func(n int)
	started time.Duration // DTS of the first tag
}

func (s *testSource) Metadata() Metadata {
	return Metadata{Width: 640, Height: 360, FPS: 25, VideoCodec: 7, AudioCodec: 10, AudioChannels: 2, Encoder: "test"}
}

func (s *testSource) Headers() []Tag {
	return []Tag{
		{Body: []byte{0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, 0, 1, 0, 0}},
		{Audio: true, Body: []byte{0xaf, 0, 0x12, 0x10}},
	}
}

func (s *testSource) Next(clock time.Time) Tag {
	if s.onNext != nil {
		s.onNext(s.n)
	}
	s.clocks = append(s.clocks, clock)
	dts := s.started + time.Duration(s.n)*20*time.Millisecond/2
	s.n++
	if s.n%2 == 0 {
		return Tag{Audio: true, DTS: dts, Body: []byte{0xaf, 1, 0x21, 0x10, 4}}
	}
	return Tag{DTS: dts, Body: append([]byte{0x27, 1, 0, 0, 0}, bytes.Repeat([]byte{7}, max(s.size, 1))...)}
}

// testConfig is impatient with a server that takes no bytes, and patient with a
// slow machine otherwise.
func testConfig(url string) Config {
	return Config{
		URL: url, ResolveTimeout: 10 * time.Second, DialTimeout: 10 * time.Second,
		HandshakeTimeout: 10 * time.Second, CommandTimeout: 10 * time.Second,
		StallTimeout: time.Second, MaxLag: 500 * time.Millisecond, CloseTimeout: time.Second,
	}
}

// wantFailure compares all but the detail, which must not have the key.
func wantFailure(t *testing.T, got *prober.Failure, stage prober.Stage, reason prober.Reason) {
	t.Helper()
	if got == nil {
		t.Fatalf("no failure, want %s %s", stage, reason)
	}
	if got.Stage != stage || got.Reason != reason {
		t.Errorf("failed at %s with %s (%s), want %s %s", got.Stage, got.Reason, got.Detail, stage, reason)
	}
	if got.Outcome != prober.Fail {
		t.Errorf("outcome %s (%s), want fail", got.Outcome, got.Detail)
	}
	wantDetail(t, got)
}

func wantDetail(t *testing.T, got *prober.Failure) {
	t.Helper()
	if got.Detail == "" || len(got.Detail) > prober.MaxDetail {
		t.Errorf("detail %q has %d bytes, want 1 to %d", got.Detail, len(got.Detail), prober.MaxDetail)
	}
	if bytes.Contains([]byte(got.Detail), []byte(testKey)) {
		t.Errorf("detail %q has the stream key in it", got.Detail)
	}
}

// closeAfter closes the broadcast when the test is over.
func closeAfter(t *testing.T, b *Broadcast) {
	t.Helper()
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}
