package hls

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"streamcanary/prober"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is for real connections on a busy machine, where no test is of time.
const patience = 10 * time.Second

// fetchFrom gets base+path with bounds of a kilobyte, of total, and of silence
// for six tenths of it.
func fetchFrom(t *testing.T, transport http.RoundTripper, base string, total time.Duration) (response, *prober.Failure) {
	t.Helper()
	u, err := url.Parse(base + "/a/b.ts?token=s3cret")
	if err != nil {
		t.Fatal(err)
	}
	f := fetcher{client: newClient(transport, nil), buffers: NewBuffers(), stall: total * 6 / 10}
	return f.get(t.Context(), request{url: u, stage: prober.StageSegment, limit: 1000, timeout: total})
}

// check compares a failure; the detail must never hold the query.
func check(t *testing.T, got *prober.Failure, want, detail string) {
	t.Helper()
	if got == nil {
		t.Fatalf("no failure, want %s", want)
	}
	if s := string(got.Stage) + "/" + string(got.Reason); s != want || !strings.Contains(got.Detail, detail) {
		t.Errorf("got %s: %q, want %s with %q", s, got.Detail, want, detail)
	}
	if strings.Contains(got.Detail, "s3cret") || strings.ContainsAny(got.Detail, "\n\r\x00") {
		t.Errorf("detail %q", got.Detail)
	}
}

// Answers over a real connection.
func TestFetchAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		answer       http.HandlerFunc
		want, detail string
	}{
		{"404", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "gone", http.StatusNotFound) }, "segment/http_status", "/a/b.ts: status 404 Not Found"},
		{"204", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, "segment/http_status", "status 204"},
		{"unknown status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(599) }, "segment/http_status", "status 599"},
		{"empty", func(http.ResponseWriter, *http.Request) {}, "segment/empty_body", "status 200"},
		{"announced too large", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1001")
		}, "segment/too_large", "1001 bytes announced"},
		{"too large", func(w http.ResponseWriter, _ *http.Request) {
			for range 100 {
				_, _ = io.WriteString(w, strings.Repeat("x", 1000))
			}
		}, "segment/too_large", "bound of 1000"},
		{"huge header", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 2*maxHeaderBytes))
		}, "segment/too_large", "response header"},
		{"short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "0123456789")
		}, "segment/http_closed", "after 10 bytes"},
		{"reset in the body", hijack("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789", true), "segment/http_closed", ""},
		{"closed before the answer", hijack("", false), "segment/http_closed", "after 0 bytes"},
		{"reset before the answer", hijack("", true), "segment/http_closed", "after 0 bytes"},
		{"not HTTP", hijack("SSH-2.0-OpenSSH_9.9\r\n\r\n", false), "segment/http_closed", "not HTTP"},
		{"redirect loop", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/a/b.ts?token=s3cret", http.StatusFound)
		}, "segment/redirect_loop", "more than 5"},
		{"redirect to nowhere", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) }, "segment/http_status", "status 302"},
		{"redirect to a file", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}, "segment/http_status", "leads nowhere"},
		{"redirect to where nobody listens", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/else?token=s3cret", http.StatusFound)
		}, "connect/connection_refused", "127.0.0.1:1/else"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(tt.answer)
			defer server.Close()
			transport := NewTransport()
			defer transport.CloseIdleConnections()
			_, fail := fetchFrom(t, transport, server.URL, patience)
			check(t, fail, tt.want, tt.detail)
		})
	}
}

// hijack answers with raw bytes, then closes or resets.
func hijack(raw string, reset bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, raw)
		if tcp, ok := conn.(*net.TCPConn); ok && reset {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
}

// Trouble before the connection stands, each as the operating system reports it.
func TestFetchConnect(t *testing.T) {
	t.Parallel()
	dialError := func(err error) *http.Transport {
		transport := NewTransport()
		transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
		}
		return transport
	}
	tests := []struct {
		name         string
		err          error
		want, detail string
	}{
		{"no such name", &net.DNSError{Err: "no such host", Name: "origin.test", IsNotFound: true}, "resolve/name_not_resolved", "no such host"},
		{"resolver silent", &net.DNSError{Err: "i/o timeout", Name: "origin.test", IsTimeout: true}, "resolve/name_not_resolved", "i/o timeout"},
		{"refused", syscall.ECONNREFUSED, "connect/connection_refused", "origin.test/a/b.ts"},
		{"no route", syscall.EHOSTUNREACH, "connect/unreachable", "no route"},
		{"no network", syscall.ENETUNREACH, "connect/unreachable", "no route"},
		{"timeout of the system", syscall.ETIMEDOUT, "connect/connect_timeout", "no connection"},
		{"something else", errors.New("odd"), "connect/unreachable", "odd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, fail := fetchFrom(t, dialError(tt.err), "http://origin.test", patience)
			check(t, fail, tt.want, tt.detail)
		})
	}
}

func TestFetchTLS(t *testing.T) {
	t.Parallel()
	transport := NewTransport()
	defer transport.CloseIdleConnections()

	unknown := httptest.NewUnstartedServer(http.NotFoundHandler())
	unknown.Config.ErrorLog = discardLog()
	unknown.StartTLS()
	defer unknown.Close()
	_, fail := fetchFrom(t, transport, unknown.URL, patience)
	check(t, fail, "connect/tls_failed", "certificate")

	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	_, fail = fetchFrom(t, transport, "https"+strings.TrimPrefix(plain.URL, "http"), patience)
	check(t, fail, "connect/tls_failed", "HTTP response to HTTPS")
}

// Slow servers, in the time of a bubble: each ends within its bound, and is named.
func TestFetchSlow(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		answer       http.HandlerFunc
		took         time.Duration
		want, detail string
	}{
		{"never answers", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 600 * time.Millisecond, "segment/http_timeout", "silent after 0 bytes"},
		{"stops in the body", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "01234")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, 600 * time.Millisecond, "segment/http_timeout", "silent after 5 bytes"},
		{"drips", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, "x")
				_ = http.NewResponseController(w).Flush()
				wait(r, 90*time.Millisecond)
			}
		}, time.Second, "segment/http_timeout", "only 12 bytes in 1s"},
		{"slow redirects", func(w http.ResponseWriter, r *http.Request) {
			wait(r, 300*time.Millisecond)
			http.Redirect(w, r, r.URL.String(), http.StatusFound)
		}, time.Second, "segment/http_timeout", "in 1s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				_, fail := fetchFrom(t, serve(t, tt.answer), "http://origin.test", time.Second)
				check(t, fail, tt.want, tt.detail)
				if took := time.Since(start); took != tt.took {
					t.Errorf("took %s, want %s", took, tt.took)
				}
			})
		})
	}
	t.Run("never connects", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			transport := NewTransport()
			transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			_, fail := fetchFrom(t, transport, "http://origin.test", patience)
			check(t, fail, "connect/connect_timeout", "no connection")
			transport.CloseIdleConnections() // ends the dial, which outlives its request
			synctest.Wait()
		})
	})
}

// A GET that its caller gives up says nothing about the server.
func TestFetchCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		transport := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		f := fetcher{client: newClient(transport, nil), buffers: NewBuffers(), stall: time.Second}
		u := &url.URL{Scheme: "http", Host: "origin.test"}
		_, fail := f.get(ctx, request{url: u, stage: prober.StageManifest, limit: 1000, timeout: time.Second})
		check(t, fail, "manifest/cancelled", "")
		if fail.Outcome != prober.Inconclusive {
			t.Errorf("outcome %s", fail.Outcome)
		}
	})
}

// Good answers: the whole body, times, and the connection is used again.
func TestFetchGood(t *testing.T) {
	t.Parallel()
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Range") == "bytes=2-4":
			_, _ = io.WriteString(w, "0123456789") // a server without ranges
		case r.Header.Get("Range") != "":
			http.ServeContent(w, r, "b.ts", time.Time{}, strings.NewReader("0123456789"))
		case r.URL.Path == "/a/b.ts":
			http.Redirect(w, r, "/c", http.StatusFound)
		default:
			if referer := r.Referer(); referer != "" {
				t.Errorf("Referer %q", referer)
			}
			_, _ = io.WriteString(w, strings.Repeat("x", 1000))
		}
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	transport := NewTransport()
	defer transport.CloseIdleConnections()
	for i := range 3 {
		r, fail := fetchFrom(t, transport, server.URL, patience)
		if fail != nil || len(r.body) != 1000 || r.url.Path != "/c" {
			t.Fatalf("%+v, %v", r, fail)
		}
		if fresh := r.timing.Connect > 0; fresh != (i == 0) || r.timing.FirstByte <= 0 || r.timing.Total < r.timing.FirstByte {
			t.Errorf("get %d: %+v", i, r.timing)
		}
	}
	f := fetcher{client: newClient(transport, nil), buffers: NewBuffers(), stall: patience}
	u, _ := url.Parse(server.URL)
	for part, want := range map[ByteRange]string{{2, 3}: "234", {4, 2}: "45"} {
		r, fail := f.get(t.Context(), request{url: u, stage: prober.StageSegment, limit: 1000, timeout: patience, part: part})
		if fail != nil || string(r.body) != want {
			t.Errorf("range %v: %q, %v", part, r.body, fail)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// Answers to a request for a part, or for the whole where part is zero.
func TestFetchParts(t *testing.T) {
	t.Parallel()
	const whole = "0123456789"
	tests := []struct {
		name         string
		part         ByteRange
		status       int
		contentRange string
		body         string
		sent         string // the Range that was asked for
		want         string // the body, or what the detail of the failure holds
		fails        prober.Reason
	}{
		{"as asked", ByteRange{2, 3}, 206, "bytes 2-4/10", "234", "bytes=2-4", "234", ""},
		{"length not known", ByteRange{2, 3}, 206, "bytes 2-4/*", "234", "bytes=2-4", "234", ""},
		{"up to the end", ByteRange{Offset: 7}, 206, "bytes 7-9/10", "789", "bytes=7-", "789", ""},
		{"up to the end, of the whole", ByteRange{Offset: 7}, 200, "", whole, "bytes=7-", "789", ""},
		{"beyond the end of the whole", ByteRange{Offset: 10}, 200, "", whole, "bytes=10-", "10 bytes", prober.ReasonHTTPClosed},
		{"another part", ByteRange{2, 3}, 206, "bytes 0-2/10", "012", "bytes=2-4", "bytes 0-2/10", prober.ReasonHTTPStatus},
		{"a shorter part", ByteRange{2, 3}, 206, "bytes 2-3/10", "23", "bytes=2-4", "bytes=2-4 was asked", prober.ReasonHTTPStatus},
		{"another start up to the end", ByteRange{Offset: 7}, 206, "bytes 0-9/10", whole, "bytes=7-", "bytes 0-9/10", prober.ReasonHTTPStatus},
		{"no Content-Range", ByteRange{2, 3}, 206, "", "234", "bytes=2-4", "Content-Range", prober.ReasonHTTPStatus},
		{"not a Content-Range", ByteRange{2, 3}, 206, "bytes */10", "234", "bytes=2-4", "Content-Range", prober.ReasonHTTPStatus},
		{"body shorter than told", ByteRange{2, 3}, 206, "bytes 2-4/10", "23", "bytes=2-4", "2 bytes", prober.ReasonHTTPClosed},
		{"body longer than told", ByteRange{2, 3}, 206, "bytes 2-4/10", "2345", "bytes=2-4", "4 bytes", prober.ReasonHTTPClosed},
		{"unasked", ByteRange{}, 206, "bytes 0-2/10", "012", "", "no range was asked", prober.ReasonHTTPStatus},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				transport := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if got := r.Header.Get("Range"); got != tt.sent {
						t.Errorf("Range %q, want %q", got, tt.sent)
					}
					if tt.contentRange != "" {
						w.Header().Set("Content-Range", tt.contentRange)
					}
					w.WriteHeader(tt.status)
					_, _ = io.WriteString(w, tt.body)
				}))
				f := fetcher{client: newClient(transport, nil), buffers: NewBuffers(), stall: time.Second}
				u := &url.URL{Scheme: "http", Host: "origin.test", Path: "/a/b.ts"}
				r, fail := f.get(t.Context(), request{url: u, stage: prober.StageSegment, limit: 1000, timeout: time.Second, part: tt.part})
				if tt.fails != "" {
					check(t, fail, "segment/"+string(tt.fails), tt.want)
				} else if fail != nil || string(r.body) != tt.want {
					t.Errorf("%q, %v, want %q", r.body, fail, tt.want)
				}
			})
		})
	}
}

// A proxy in the environment is not for probes.
func TestTransportIgnoresProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	if NewTransport().Proxy != nil {
		t.Error("the transport takes a proxy")
	}
}

// 100 MB of playlist cost no more memory and transfer than the bound.
func TestFetchMemory(t *testing.T) { //nolint:paralleltest // counts the process's allocations
	var sent atomic.Int64
	block := []byte(strings.Repeat("#EXTINF:1,\nsegment.ts\n", 3000))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, mediaHead)
		for sent.Load() < 100<<20 {
			n, err := w.Write(block)
			if err != nil {
				return
			}
			sent.Add(int64(n))
		}
	}))
	defer server.Close()
	transport := NewTransport()
	defer transport.CloseIdleConnections()
	u, _ := url.Parse(server.URL)
	f := fetcher{client: newClient(transport, nil), buffers: NewBuffers(), stall: patience}
	const limit = 4 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, fail := f.get(t.Context(), request{url: u, stage: prober.StageManifest, limit: limit, timeout: 6 * patience})
	runtime.ReadMemStats(&after)
	check(t, fail, "manifest/too_large", "4194304")
	if got := after.TotalAlloc - before.TotalAlloc; got > 8*limit {
		t.Errorf("allocated %d bytes in all for a bound of %d", got, limit)
	}
	if got := sent.Load(); got > 3*limit+8<<20 { // the rest is socket buffers
		t.Errorf("the server could send %d bytes", got)
	}
}
