//go:build unix

package rtmp

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"streamcanary/prober"
)

// mediaMTX is a second server that we did not write.
type mediaMTX struct {
	command *exec.Cmd
	program string
	file    string // its configuration
	rtmp    string // host:port
	rtmps   string
	roots   *x509.CertPool
	said    bytes.Buffer
}

// startMediaMTX skips where make tools has not built it; under CI=true that is a
// failure.
func startMediaMTX(t *testing.T) *mediaMTX {
	t.Helper()
	program, err := filepath.Abs("../../bin/mediamtx")
	if err == nil {
		_, err = os.Stat(program)
	}
	if err != nil {
		missing := fmt.Sprintf("MediaMTX is missing (make tools builds it): %v", err)
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	ca, dir := newAuthority(t), t.TempDir()
	s := &mediaMTX{program: program, roots: ca.pool(), file: filepath.Join(dir, "mediamtx.yml"),
		rtmp: "127.0.0.1:" + freePort(t), rtmps: "127.0.0.1:" + freePort(t)}
	cert, key := ca.pems(t, "ingest.test", time.Now().Add(time.Hour))
	conf := fmt.Sprintf(`logLevel: info
readTimeout: 10s
rtsp: no
hls: no
webrtc: no
srt: no
rtmp: yes
rtmpEncryption: optional
rtmpAddress: %s
rtmpsAddress: %s
rtmpServerKey: %s/key.pem
rtmpServerCert: %[3]s/cert.pem
authInternalUsers:
- user: any
  permissions:
  - {action: publish, path: live/one}
  - {action: read}
- user: canary
  pass: %s
  permissions:
  - {action: publish, path: live/closed}
pathDefaults:
  overridePublisher: no
paths:
  all_others:
`, s.rtmp, s.rtmps, dir, testKey)
	for name, content := range map[string][]byte{"key.pem": key, "cert.pem": cert, "mediamtx.yml": []byte(conf)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.start(t)
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("MediaMTX said: %s", s.said.String())
		}
	})
	return s
}

func (s *mediaMTX) start(t *testing.T) {
	t.Helper()
	s.command = exec.Command(s.program, s.file)
	s.command.Stdout, s.command.Stderr = &s.said, &s.said
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	awaitPort(t, s.rtmp)
}

func (s *mediaMTX) kill() {
	_ = s.command.Process.Signal(syscall.SIGCONT)
	_ = s.command.Process.Kill()
	_ = s.command.Wait()
}

// awaitPort waits until somebody listens.
func awaitPort(t *testing.T, address string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); <-tick.C {
		if conn, err := net.DialTimeout("tcp", address, time.Second); err == nil {
			_ = conn.Close()
			return
		}
	}
	t.Fatalf("nobody listens on %s after 10 s", address)
}

func (s *mediaMTX) config(name string) Config {
	return Config{URL: "rtmp://" + s.rtmp + "/live/" + name}
}

// holds waits until a broadcast has been up for a while.
func holds(t *testing.T, b *Broadcast, done <-chan *prober.Failure, length time.Duration) {
	t.Helper()
	select {
	case failure := <-done:
		t.Fatalf("Send ended: %+v", failure)
	case <-time.After(length):
	}
	if stats := b.Stats(); stats.BytesSent < int64(length.Seconds()*25_000) || len(stats.Findings) > 0 || stats.Resyncs > 0 {
		t.Errorf("a healthy broadcast after %s: %+v", length, stats)
	}
}

func TestMediaMTXTakesABroadcast(t *testing.T) {
	t.Parallel()
	s := startMediaMTX(t)
	cfg := s.config("one")
	cfg.Enhanced = true
	b := publishTo(t, cfg)
	done := sending(t, b, realSource(t))
	holds(t, b, done, 3*time.Second)

	// The name is in use now: MediaMTX says Publish.Start, and closes.
	over := refusedSoon(t, s.config("one"))
	if over.Reason != prober.ReasonConnectionClosed && over.Reason != prober.ReasonConnectionReset && over.Reason != prober.ReasonPublishNameInUse {
		t.Errorf("a name in use gave %+v", over)
	}
	holds(t, b, done, time.Second)
	if err := b.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
	if failure := <-done; failure != nil {
		t.Errorf("Send gave %+v after Close, want nil", failure)
	}
}

// refusedSoon is how a server that may say Publish.Start and mean nothing by it
// ends a broadcast.
func refusedSoon(t *testing.T, cfg Config) *prober.Failure {
	t.Helper()
	b, failure, err := Publish(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if failure != nil {
		return failure
	}
	closeAfter(t, b)
	select {
	case failure = <-sending(t, b, realSource(t)):
	case <-time.After(10 * time.Second):
	}
	if failure == nil {
		t.Fatal("it was taken")
	}
	wantDetail(t, failure)
	return failure
}

// Credentials that MediaMTX reads from the key's query; without them, or with a
// wrong password, it refuses.
func TestMediaMTXAsksForCredentials(t *testing.T) {
	t.Parallel()
	s := startMediaMTX(t)
	b := publishTo(t, s.config("closed?user=canary&pass="+testKey))
	holds(t, b, sending(t, b, realSource(t)), time.Second)
	for _, key := range []string{"closed", "closed?user=canary&pass=wrong"} {
		over := refusedSoon(t, s.config(key))
		t.Logf("%q gave %+v", key, over)
		switch over.Reason {
		case prober.ReasonPublishDenied, prober.ReasonPublishRejected, prober.ReasonConnectionClosed, prober.ReasonConnectionReset:
		default:
			t.Errorf("%q gave %+v", key, over)
		}
	}
}

func TestMediaMTXOverTLS(t *testing.T) {
	t.Parallel()
	s := startMediaMTX(t)
	_, port, _ := net.SplitHostPort(s.rtmps)
	cfg := secureConfig(port, s.roots)
	cfg.URL = "rtmps://ingest.test:" + port + "/live/one"
	cfg.MaxLag = 5 * time.Second // of a busy machine
	b := publishTo(t, cfg)
	holds(t, b, sending(t, b, realSource(t)), 2*time.Second)

	cfg.CAs = newAuthority(t).pool()
	_, failure, err := Publish(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	wantFailure(t, failure, prober.StageConnect, prober.ReasonTLSFailed)
}

func TestMediaMTXIsKilledAndStartsAgain(t *testing.T) {
	t.Parallel()
	s := startMediaMTX(t)
	b := publishTo(t, s.config("one"))
	done := sending(t, b, realSource(t))
	holds(t, b, done, time.Second)
	s.kill()
	fails(t, done, 2*time.Second, prober.ReasonConnectionReset, prober.ReasonConnectionClosed)
	_, failure, err := Publish(t.Context(), s.config("one"))
	if err != nil {
		t.Fatal(err)
	}
	wantFailure(t, failure, prober.StageConnect, prober.ReasonConnectionRefused)
	s.start(t)
	again := publishTo(t, s.config("one"))
	done = sending(t, again, realSource(t))
	holds(t, again, done, time.Second)

	// A server that is told to end closes its connections.
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	fails(t, done, 5*time.Second, prober.ReasonConnectionClosed, prober.ReasonConnectionReset)
}

func TestMediaMTXIsStopped(t *testing.T) {
	t.Parallel()
	s := startMediaMTX(t)
	cfg := s.config("one")
	cfg.StallTimeout = 2 * time.Second
	b := publishTo(t, cfg)
	done := sending(t, b, &testSource{size: 5000}) // 2 Mbit/s: the buffers are soon full
	holds(t, b, done, time.Second)
	if err := s.command.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	took := fails(t, done, 20*time.Second, prober.ReasonSendStalled)
	stats := b.Stats()
	t.Logf("a stopped MediaMTX was seen after %s, with %d bytes in the kernel's queue", took, stats.SendQueue)
	if runtime.GOOS == "linux" && stats.SendQueue < 10_000 || stats.SendStall < time.Second {
		t.Errorf("the back-pressure is not in %+v", stats)
	}
}
