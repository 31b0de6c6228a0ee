//go:build unix

package rtmp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"streamcanary/prober"
)

const nginxModule = "/usr/lib/nginx/modules/ngx_rtmp_module.so"

// nginx is a server that we did not write, run for one test.
type nginx struct {
	command *exec.Cmd
	process *os.Process
	args    []string // of the command, itself included
	rtmp    string   // host:port
	stat    string   // URL of the module's statistics

	segments string // folder of the application hls
}

// startNginx skips where nginx or its RTMP module is missing; under CI=true that
// is a failure.
func startNginx(tb testing.TB) *nginx {
	tb.Helper()
	path, err := exec.LookPath("nginx")
	if err == nil {
		_, err = os.Stat(nginxModule)
	}
	if err != nil {
		missing := fmt.Sprintf("nginx with its RTMP module is missing (Debian: apt-get install nginx libnginx-mod-rtmp): %v", err)
		if os.Getenv("CI") == "true" {
			tb.Fatal(missing)
		}
		tb.Skip(missing)
	}
	s := &nginx{rtmp: "127.0.0.1:" + freePort(tb)}
	web := "127.0.0.1:" + freePort(tb)
	s.stat = "http://" + web + "/stat"
	dir := tb.TempDir()
	conf := fmt.Sprintf(`load_module %s;
daemon off; master_process off; pid %s/nginx.pid; error_log %s/error.log notice;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path %[2]s/a; proxy_temp_path %[2]s/b; fastcgi_temp_path %[2]s/c;
  uwsgi_temp_path %[2]s/d; scgi_temp_path %[2]s/e;
  server { listen %[4]s; location /stat { rtmp_stat all; } }
}
rtmp { access_log off; server { listen %[5]s;
  application live { live on; }
  application closed { live on; deny publish all; }
  application hls { live on; hls on; hls_path %[2]s/hls; hls_fragment 1s; hls_cleanup off; }
} }
`, nginxModule, dir, dir, web, s.rtmp)
	s.segments = filepath.Join(dir, "hls")
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		tb.Fatal(err)
	}
	s.args = []string{path, "-p", dir, "-c", file, "-e", filepath.Join(dir, "error.log")}
	tb.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if tb.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "error.log"))
			tb.Logf("nginx said: %s", log)
		}
	})
	s.again(tb)
	return s
}

// again starts it, and waits for the end of one that runs.
func (s *nginx) again(tb testing.TB) {
	tb.Helper()
	if s.command != nil {
		_ = s.command.Wait()
	}
	cmd := exec.Command(s.args[0], s.args[1:]...)
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	s.command, s.process = cmd, cmd.Process
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	s.await(tb, func() bool {
		conn, err := net.DialTimeout("tcp", s.rtmp, time.Second)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
}

// await polls until a condition of the real server holds.
func (s *nginx) await(tb testing.TB, holds func() bool) {
	tb.Helper()
	s.awaitFor(tb, 10*time.Second, holds)
}

func (s *nginx) awaitFor(tb testing.TB, patience time.Duration, holds func() bool) {
	tb.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if holds() {
			return
		}
	}
	tb.Fatalf("waited %s for nginx", patience)
}

// has reports whether the statistics contain every one of the words.
func (s *nginx) has(words ...string) bool {
	resp, err := http.Get(s.stat)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		return false
	}
	for _, word := range words {
		if !strings.Contains(body.String(), word) {
			return false
		}
	}
	return true
}

func (s *nginx) config(app, name string) Config {
	return Config{URL: "rtmp://" + s.rtmp + "/" + app + "/" + name}
}

// sending runs Send until the test is over.
func sending(t *testing.T, b *Broadcast, src Source) <-chan *prober.Failure {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan *prober.Failure, 1)
	over := make(chan struct{})
	go func() {
		defer close(over)
		done <- b.Send(ctx, src)
	}()
	t.Cleanup(func() { cancel(); <-over })
	return done
}

func fails(t *testing.T, done <-chan *prober.Failure, within time.Duration, reasons ...prober.Reason) time.Duration {
	t.Helper()
	start := time.Now()
	select {
	case failure := <-done:
		took := time.Since(start)
		if failure == nil || failure.Stage != prober.StageIngest {
			t.Fatalf("Send gave %+v, want a failure at ingest", failure)
		}
		for _, reason := range reasons {
			if failure.Reason == reason {
				wantDetail(t, failure)
				return took
			}
		}
		t.Errorf("Send failed with %s (%s), want one of %v", failure.Reason, failure.Detail, reasons)
		return took
	case <-time.After(within):
		t.Fatalf("not seen within %s", within)
		return within
	}
}

// 500 kbit/s in 50 video tags a second.
func realRate() *testSource { return &testSource{size: 1220} }

func TestNginxTakesABroadcast(t *testing.T) {
	t.Parallel()
	s := startNginx(t)
	b := publishTo(t, s.config("live", "one"))
	done := sending(t, b, realRate())
	s.await(t, func() bool { return s.has("<name>one</name>", "<publishing/>", "<width>640</width>", "<active/>") })

	// The name is in use now: nginx says so and keeps the connection open.
	_, failure, err := Publish(t.Context(), s.config("live", "one"))
	if err != nil {
		t.Fatal(err)
	}
	wantFailure(t, failure, prober.StagePublish, prober.ReasonPublishNameInUse)

	if err := b.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
	if failure := <-done; failure != nil {
		t.Errorf("Send gave %+v after Close, want nil", failure)
	}
	s.await(t, func() bool { return !s.has("<publishing/>") })
}

func TestNginxDenies(t *testing.T) {
	t.Parallel()
	s := startNginx(t)
	b, failure, err := Publish(t.Context(), s.config("closed", "one"))
	if err != nil {
		t.Fatal(err)
	}
	if failure == nil { // it says Publish.Start and means nothing by it
		closeAfter(t, b)
		fails(t, sending(t, b, realRate()), 2*time.Second, prober.ReasonConnectionReset, prober.ReasonConnectionClosed)
		return
	}
	wantFailure(t, failure, prober.StagePublish, prober.ReasonConnectionClosed)
}

func TestNginxIsKilled(t *testing.T) {
	t.Parallel()
	s := startNginx(t)
	b := publishTo(t, s.config("live", "one"))
	done := sending(t, b, realRate())
	s.await(t, func() bool { return s.has("<active/>") })
	if err := s.process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	fails(t, done, time.Second, prober.ReasonConnectionReset, prober.ReasonConnectionClosed)

	s.await(t, func() bool {
		_, failure, err := Publish(t.Context(), s.config("live", "one"))
		return err == nil && failure != nil && failure.Reason == prober.ReasonConnectionRefused
	})
}

// nginx starts again on its port: what was pushed is over, the next connection is
// taken.
func TestNginxStartsAgain(t *testing.T) {
	t.Parallel()
	s := startNginx(t)
	b := publishTo(t, s.config("live", "one"))
	done := sending(t, b, realRate())
	s.await(t, func() bool { return s.has("<active/>") })
	if err := s.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	fails(t, done, 5*time.Second, prober.ReasonConnectionReset, prober.ReasonConnectionClosed)
	s.again(t)
	next := publishTo(t, s.config("live", "one"))
	holds(t, next, sending(t, next, realSource(t)), time.Second)
}

func TestNginxIsStopped(t *testing.T) {
	t.Parallel()
	s := startNginx(t)
	b := publishTo(t, s.config("live", "one"))
	done := sending(t, b, realRate())
	s.await(t, func() bool { return s.has("<active/>") })
	if err := s.process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	took := fails(t, done, 11*time.Second, prober.ReasonSendStalled)
	t.Logf("a stopped nginx was seen after %s", took)

	// It still has a listening socket, and never answers.
	cfg := s.config("live", "two")
	cfg.HandshakeTimeout = 300 * time.Millisecond
	_, failure, err := Publish(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	wantFailure(t, failure, prober.StageConnect, prober.ReasonHandshakeTimeout)
	if err := s.process.Signal(syscall.SIGCONT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
}
