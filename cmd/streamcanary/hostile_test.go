package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/origin"
)

const (
	hostileMemory  = 150 << 20        // bytes that a probe may have resident at most, whatever it meets
	hostileTimeout = 7 * time.Second  // until a broadcast has to be back
	hostileSlack   = 15 * time.Second // what a slow machine may add: start, pictures and end of the process
)

// TestHostilePlayback probes a broadcast that is taken well, and whose playback
// does what no server should.
func TestHostilePlayback(t *testing.T) {
	t.Parallel()
	sink, err := origin.New(origin.Config{Region: "sink", RTMPAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := sink.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sink.Close)
	for name, test := range map[string]struct {
		serve  http.HandlerFunc
		stage  prober.Stage
		reason prober.Reason
	}{
		"playlist of 100 MB":              {playlistOf(100<<20, true), prober.StageManifest, prober.ReasonTooLarge},
		"playlist of 100 MB, unannounced": {playlistOf(100<<20, false), prober.StageManifest, prober.ReasonTooLarge},
		"playlist, a byte a second":       {byteASecond, prober.StageManifest, prober.ReasonHTTPTimeout},
		"playlist of a bomb":              {bomb(), prober.StageManifest, prober.ReasonTooLarge},
		"redirect loop":                   {redirectLoop, prober.StageManifest, prober.ReasonRedirectLoop},
		"HTML":                            {html, prober.StageManifest, prober.ReasonNotAPlaylist},
		"no answer":                       {noAnswer, prober.StageManifest, prober.ReasonHTTPTimeout},
		"endless header":                  {endlessHeader, prober.StageManifest, prober.ReasonTooLarge},
		"endless segment":                 {livePlaylist(endless), prober.StageSegment, prober.ReasonTooLarge},
		"segment, a byte a second":        {livePlaylist(byteASecond), prober.StageSegment, prober.ReasonHTTPTimeout},
		"segment in a redirect loop":      {livePlaylist(redirectLoop), prober.StageSegment, prober.ReasonRedirectLoop},
		"HTML for a segment":              {livePlaylist(html), prober.StageMedia, prober.ReasonNotMedia},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(test.serve)
			t.Cleanup(server.Close)
			results := probeHostile(t, sink.RTMPURL(), server.URL+"/{stream}/index.m3u8?token=hush", hostileTimeout)
			if len(results) != 2 || !passes("push")(results[0]) || !fails("pull", test.reason)(results[1]) || results[1].Stage != test.stage {
				t.Errorf("results %+v, want a good push side, and %s at stage %s", results, test.reason, test.stage)
			}
		})
	}
}

// TestHostileIngest probes ingests that do what no server should.
func TestHostileIngest(t *testing.T) {
	t.Parallel()
	genuine, err := origin.New(origin.Config{Region: "behind", RTMPAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := genuine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(genuine.Close)
	behind, _, _ := strings.Cut(strings.TrimPrefix(genuine.RTMPURL(), "rtmp://"), "/")
	const step = 5 * time.Second // bound of handshake and of each command
	for name, test := range map[string]struct {
		serve  func(conn *net.TCPConn, testEnds <-chan struct{})
		stage  prober.Stage
		reason prober.Reason
		within time.Duration
	}{
		"never answers":              {swallow, prober.StageConnect, prober.ReasonHandshakeTimeout, step},
		"handshake, a byte a second": {trickle, prober.StageConnect, prober.ReasonHandshakeTimeout, step},
		"answers HTTP":               {answerHTTP, prober.StageConnect, prober.ReasonHandshakeFailed, step},
		"closes at once":             {closeAtOnce, prober.StageConnect, prober.ReasonConnectionClosed, step},
		"silent after the handshake": {stopReading(behind, 1+2*1536), prober.StageConnect, prober.ReasonConnectNoAnswer, step},
		"endless message":            {endlessMessage, prober.StageConnect, prober.ReasonHandshakeFailed, step},
		"stops reading":              {stopReading(behind, 40<<10), prober.StageIngest, prober.ReasonSendStalled, 12 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := serveTCP(t, test.serve)
			results := probeHostile(t, "rtmp://"+addr+"/live/hush-{stream}", "http://127.0.0.1:9/{stream}.m3u8", test.within)
			if len(results) != 2 || !fails("push", test.reason)(results[0]) || results[0].Stage != test.stage {
				t.Errorf("results %+v, want %s at stage %s", results, test.reason, test.stage)
			}
			if len(results) == 2 && results[1].Reason != prober.ReasonNothingPushed {
				t.Errorf("the pull side says %+v, want that nothing was pushed", results[1])
			}
		})
	}
}

// probeHostile runs a probe that has to fail within a time and in little memory,
// without a word of what is secret in the URLs.
func probeHostile(t *testing.T, ingest, playback string, within time.Duration) []probeReport {
	t.Helper()
	p := streamcanary(t, "probe", "--json", "--timeout", max(within, hostileTimeout).String(), "--ingest", ingest, "--playback", playback)
	peak := watchMemory(p)
	begun := time.Now()
	if code := p.exit(t, within+hostileSlack); code != exitFailure {
		t.Errorf("exit code %d, want 1; stderr %q", code, p.stderr.text())
	}
	took, memory := time.Since(begun), peak()
	t.Logf("%.1f s, %d MB", took.Seconds(), memory>>20)
	if memory > hostileMemory {
		t.Errorf("it took %d MB, more than %d", memory>>20, hostileMemory>>20)
	}
	if said := p.stdout.text() + p.stderr.text(); strings.Contains(said, "hush") {
		t.Errorf("it tells a secret: %s", said)
	}
	return p.reports(t)
}

// watchMemory gives the most memory that a process had resident, in bytes, once
// it has ended; 0 where the system does not tell. (What the system tells after
// the end counts the test's own memory before the exec, too.)
func watchMemory(p *process) (peak func() int64) {
	var highest int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		look := time.NewTicker(20 * time.Millisecond)
		defer look.Stop()
		for {
			highest = max(highest, residentPeak(p.cmd.Process.Pid))
			select {
			case <-p.ended:
				return
			case <-look.C:
			}
		}
	}()
	return func() int64 {
		<-done
		return highest
	}
}

// residentPeak reads VmHWM (proc(5)).
func residentPeak(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, of, found := strings.Cut(string(status), "VmHWM:")
	if !found {
		return 0
	}
	kB, err := strconv.ParseInt(strings.Fields(of)[0], 10, 64)
	if err != nil {
		return 0
	}
	return kB << 10
}

// playlistOf is a playlist that would be good, were it not so long.
func playlistOf(size int, announced bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		const head, entry = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n", "#EXTINF:1,\n0123456789.ts\n"
		if announced {
			w.Header().Set("Content-Length", strconv.Itoa(len(head)+size/len(entry)*len(entry)))
		}
		_, _ = io.WriteString(w, head)
		for range size / len(entry) {
			if _, err := io.WriteString(w, entry); err != nil {
				return
			}
		}
	}
}

// livePlaylist is a good live playlist whose segments are the given ones.
func livePlaylist(segment http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, ".m3u8") {
			segment(w, r)
			return
		}
		now := time.Now().Unix()
		fmt.Fprintf(w, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:%d\n", now-2)
		for n := now - 2; n <= now; n++ {
			fmt.Fprintf(w, "#EXTINF:1.0,\n%d.ts\n", n)
		}
	}
}

func html(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, "<!DOCTYPE html><title>Sign in</title><p>Please sign in to this network.\n")
}

func redirectLoop(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, r.URL.Path+"?again="+strconv.FormatInt(time.Now().UnixNano(), 36), http.StatusFound)
}

func noAnswer(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func byteASecond(w http.ResponseWriter, r *http.Request) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := 0; ; i++ {
		_, _ = io.WriteString(w, "#EXTM3U\n#"[i%9:i%9+1])
		if http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// endless is zeros as fast as they are read.
func endless(w http.ResponseWriter, _ *http.Request) {
	zeros := make([]byte, 64<<10)
	for {
		if _, err := w.Write(zeros); err != nil {
			return
		}
	}
}

// bomb is 8 MB of zeros, as gzip tells them: 8 kB.
func bomb() http.HandlerFunc {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(make([]byte, 8<<20))
	_ = z.Close()
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(b.Bytes())
	}
}

func endlessHeader(w http.ResponseWriter, _ *http.Request) {
	conn, out, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, err = out.WriteString("HTTP/1.1 200 OK\r\n")
	for i := 0; err == nil; i++ {
		_, err = fmt.Fprintf(out, "X-%d: %s\r\n", i, strings.Repeat("x", 100))
	}
}

// serveTCP serves each connection; what serve leaves open is closed when it
// returns, and in any case when the test ends, which serve is told.
func serveTCP(t *testing.T, serve func(*net.TCPConn, <-chan struct{})) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				defer context.AfterFunc(ended, func() { conn.Close() })()
				serve(conn.(*net.TCPConn), ended.Done())
			})
		}
	})
	t.Cleanup(func() {
		end()
		l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

// swallow reads and says nothing, until the other side goes.
// closeAtOnce reads what the client sends first (C0 and C1): a connection that is
// closed with bytes unread is reset, which is another reason.
func closeAtOnce(conn *net.TCPConn, _ <-chan struct{}) { _, _ = io.CopyN(io.Discard, conn, 1+1536) }

func swallow(conn *net.TCPConn, _ <-chan struct{}) { _, _ = io.Copy(io.Discard, conn) }

func trickle(conn *net.TCPConn, testEnds <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if _, err := conn.Write([]byte{3}); err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-testEnds:
			return
		}
	}
}

func answerHTTP(conn *net.TCPConn, _ <-chan struct{}) {
	_, _ = conn.Read(make([]byte, 4<<10))
	_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n"+strings.Repeat("<p>Bad Request", 1000))
	_, _ = io.Copy(io.Discard, conn)
}

// endlessMessage shakes hands (RTMP 1.0, 5.2) and then sends the largest message
// there is, in chunks, again and again.
func endlessMessage(conn *net.TCPConn, _ <-chan struct{}) {
	hello := make([]byte, 1+1536)
	if _, err := io.ReadFull(conn, hello); err != nil {
		return
	}
	out := bufio.NewWriter(conn)
	_, _ = out.Write([]byte{3})
	_, _ = out.Write(make([]byte, 1536))
	_, _ = out.Write(hello[1:])
	go func() { _, _ = io.Copy(io.Discard, conn) }() // until it is closed
	first := append([]byte{3, 0, 0, 0, 0xff, 0xff, 0xff, 9, 1, 0, 0, 0}, make([]byte, 128)...)
	next := append([]byte{3<<6 | 3}, make([]byte, 128)...)
	for {
		_, err := out.Write(first)
		for sent := 128; sent < 0xffffff && err == nil; sent += 128 {
			_, err = out.Write(next[:1+min(128, 0xffffff-sent)])
		}
		if err != nil {
			return
		}
	}
}

// stopReading passes a connection on to a real server, reads that many bytes of
// it and then no more. It stays open until the test ends.
func stopReading(server string, after int64) func(*net.TCPConn, <-chan struct{}) {
	return func(conn *net.TCPConn, testEnds <-chan struct{}) {
		_ = conn.SetReadBuffer(8 << 10)
		up, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		var back sync.WaitGroup
		defer back.Wait()
		defer up.Close()
		back.Go(func() { _, _ = io.Copy(conn, up) }) // until either is closed
		_, _ = io.CopyN(up, conn, after)
		<-testEnds
	}
}
