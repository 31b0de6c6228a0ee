package hls

import (
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/quic-go/quic-go/http3"

	"streamcanary/prober"
)

// getFrom gets one URL with a fetcher of its own.
func getFrom(t *testing.T, transport http.RoundTripper, at string, change func(*fetcher, *request)) (response, *prober.Failure) {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	f := fetcher{stall: patience, buffers: NewBuffers(), home: u}
	req := request{url: u, stage: prober.StageSegment, limit: 1 << 20, timeout: patience}
	if change != nil {
		change(&f, &req)
	}
	f.client = newClient(transport, f.headers)
	return f.get(t.Context(), req)
}

func packed(b []byte) []byte {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(b)
	_ = z.Close()
	return packed.Bytes()
}

func TestFetchCompressed(t *testing.T) {
	t.Parallel()
	text := bytes.Repeat([]byte("#EXTM3U\n"), 10_000)
	answer := func(encoding string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if encoding == "gzip" && r.Header.Get("Accept-Encoding") != "gzip" {
				http.Error(w, "not asked for", http.StatusNotAcceptable)
				return
			}
			w.Header().Set("Content-Encoding", encoding)
			_, _ = w.Write(body)
		}
	}
	damaged := packed(text)
	damaged[len(damaged)/2] ^= 0xff
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   string // failure; "" is good
	}{
		{"gzip", answer("gzip", packed(text)), ""},
		{"unasked", answer("x-gzip", packed(text)), ""},
		{"a bomb", answer("gzip", packed(make([]byte, 4<<20))), "segment/too_large"},
		{"damaged", answer("gzip", damaged), "segment/http_encoding"},
		{"cut off", answer("gzip", packed(text)[:100]), "segment/http_closed"},
		{"not gzip", answer("gzip", text), "segment/http_encoding"},
		{"another", answer("br", text), "segment/http_encoding"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(tt.answer)
			defer server.Close()
			transport := NewTransport()
			defer transport.CloseIdleConnections()
			r, fail := getFrom(t, transport, server.URL+"/?token=s3cret", func(_ *fetcher, req *request) { req.gzip = true })
			if tt.name == "gzip" && r.bytes != int64(len(packed(text))) {
				t.Errorf("%d bytes counted, and %d came", r.bytes, len(packed(text)))
			}
			if tt.want != "" {
				check(t, fail, tt.want, "")
				return
			}
			if fail != nil || !bytes.Equal(r.body, text) {
				t.Fatalf("%d bytes, %+v", len(r.body), fail)
			}
			r.release()
		})
	}
}

// Headers that are configured reach the playback's host and no other, cookies
// reach the host that set them, and what was followed is counted.
func TestFetchRedirectsAndSecrets(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]http.Header{}
	note := func(name string, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen[name] = r.Header.Clone()
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note("other", r)
		_, _ = io.WriteString(w, "x")
	}))
	defer other.Close()
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note(r.URL.Path, r)
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		if r.URL.Path == "/a" {
			http.Redirect(w, r, "/b", http.StatusFound)
			return
		}
		http.Redirect(w, r, strings.Replace(other.URL, "127.0.0.1", "localhost", 1), http.StatusFound)
	}))
	defer home.Close()
	transport := NewTransport()
	defer transport.CloseIdleConnections()
	r, fail := getFrom(t, transport, home.URL+"/a", func(f *fetcher, _ *request) {
		f.headers = http.Header{"X-Cdn-Token": {"s3cret"}, "Authorization": {"s3cret"}}
	})
	if fail != nil || r.http.Redirects != 2 {
		t.Fatalf("%+v %+v", fail, r.http)
	}
	r.release()
	for name, want := range map[string]string{"/a": "s3cret", "/b": "s3cret", "other": ""} {
		for _, header := range []string{"X-Cdn-Token", "Authorization"} {
			if got := seen[name].Get(header); got != want {
				t.Errorf("%s of %s is %q, want %q", header, name, got, want)
			}
		}
	}
	if seen["/b"].Get("Cookie") != "session=1" || seen["other"].Get("Cookie") != "" {
		t.Errorf("cookies: %v", seen)
	}
}

func TestCookiesAreBounded(t *testing.T) {
	t.Parallel()
	c := newCookies()
	u := &url.URL{Scheme: "http", Host: "origin.test", Path: "/"}
	for i := range 1000 {
		c.SetCookies(u, []*http.Cookie{{Name: fmt.Sprint("c", i), Value: "v"}, {Name: "large", Raw: strings.Repeat("x", maxCookieBytes+1)}})
	}
	if n := len(c.Cookies(u)); n != maxCookies {
		t.Errorf("%d cookies", n)
	}
}

func TestCacheSaid(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, value, want string }{
		{"Cache-Status", "Origin; fwd=miss, Edge; hit; ttl=3", "hit"},
		{"Cache-Status", "Edge; fwd=stale", "miss"},
		{"Cf-Cache-Status", "DYNAMIC", "miss"},
		{"Cf-Cache-Status", "HIT", "hit"},
		{"X-Cache", "MISS, HIT", "hit"},
		{"X-Cache", "Error from cloudfront", ""},
		{"X-Cache", "Miss from cloudfront", "miss"},
		{"X-Cache", "TCP_MISS from a23", "miss"},
		{"Server", "hit", ""},
	} {
		if got := cacheSaid(http.Header{tt.name: {tt.value}}); got != tt.want {
			t.Errorf("%s: %s says %q, want %q", tt.name, tt.value, got, tt.want)
		}
	}
	for value, want := range map[string]time.Duration{"": 0, "17": 17 * time.Second, "-1": 0, "x": 0, "99999999999": 0} {
		if got := age(http.Header{"Age": {value}}); got != want {
			t.Errorf("Age %q is %s", value, got)
		}
	}
}

func TestAltSvc(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	for _, tt := range []struct{ field, want string }{
		{`h3=":8443"; ma=60`, "cdn.test:8443"},
		{`h2=":443", h3="else.test:443"; persist=1`, "else.test:443"},
		{`h3-29=":443"`, ""},
		{`h3=`, ""},
		{"", ""},
		{"clear", ""},
	} {
		var o offers
		o.read("cdn.test", []string{tt.field}, now)
		if got, _ := o.of("cdn.test:443", now); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.field, got, tt.want)
		}
	}
	var o offers
	for i := range 1000 {
		o.read(fmt.Sprint("host", i), []string{`h3=":443"; ma=60`}, now)
	}
	if _, ok := o.of("host1", now); len(o.known) != maxOffers || !ok {
		t.Errorf("%d offers", len(o.known))
	}
	o.broken("host1", now)
	if _, ok := o.of("host1", now.Add(time.Second)); ok {
		t.Error("a broken offer is taken")
	}
	o.read("host2", []string{"clear"}, now)
	if _, ok := o.of("host2", now); ok {
		t.Error("an offer that was taken back is taken")
	}
	if _, ok := o.of("host3", now.Add(2*time.Minute)); ok {
		t.Error("an offer that is over is taken")
	}
}

// world serves one body over HTTP/1.1, 2 and 3 at one port of a loopback address.
func versionedServer(t *testing.T) (server *httptest.Server, roots *x509.CertPool) {
	t.Helper()
	handler := http.NewServeMux()
	server = httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	roots = x509.NewCertPool()
	roots.AddCert(server.Certificate())
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(socket.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	handler.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Alt-Svc", `h3=":`+port+`"; ma=60`)
		_, _ = io.WriteString(w, "x")
	})
	quic := &http3.Server{Handler: handler, TLSConfig: http3.ConfigureTLSConfig(server.TLS.Clone())}
	served := make(chan error, 1)
	go func() { served <- quic.Serve(socket) }()
	t.Cleanup(func() {
		_ = quic.Close()
		<-served
		_ = socket.Close()
	})
	return server, roots
}

func TestHTTPVersions(t *testing.T) {
	t.Parallel()
	server, roots := versionedServer(t)
	tests := []struct {
		version Version
		want    []string // of the first, second and third answer
	}{
		{VersionAny, []string{"HTTP/2.0", "HTTP/3.0", "HTTP/3.0"}},
		{Version1, []string{"HTTP/1.1", "HTTP/1.1"}},
		{Version2, []string{"HTTP/2.0", "HTTP/2.0"}},
	}
	for _, tt := range tests {
		t.Run(string(tt.version), func(t *testing.T) {
			t.Parallel()
			transport, err := NewVersionedTransport(TransportConfig{Version: tt.version, RootCAs: roots})
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range tt.want {
				r, fail := getFrom(t, transport, server.URL+"/", nil)
				if fail != nil {
					t.Fatalf("%+v", fail)
				}
				if r.http.Protocol != want {
					t.Errorf("answer %d came by %s, want %s", i, r.http.Protocol, want)
				}
				if fresh := i == 0 || tt.want[i-1] != want; fresh != (r.http.Connect > 0) {
					t.Errorf("answer %d by %s: connected in %s", i, want, r.http.Connect)
				}
				if r.http.FirstByte <= 0 {
					t.Errorf("answer %d: %+v", i, r.http)
				}
				r.release()
			}
			if err := transport.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// HTTP/3 alone: where nobody listens is a time-out of the connection, and http
// has none.
func TestHTTP3Alone(t *testing.T) {
	t.Parallel()
	nobody, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	transport, err := NewVersionedTransport(TransportConfig{Version: Version3})
	if err != nil {
		t.Fatal(err)
	}
	defer transport.Close()
	_, fail := getFrom(t, transport, "https://"+nobody.LocalAddr().String()+"/?token=s3cret", func(_ *fetcher, r *request) {
		r.timeout = 300 * time.Millisecond
	})
	check(t, fail, "connect/connect_timeout", "")
	_, fail = getFrom(t, transport, "http://"+nobody.LocalAddr().String()+"/?token=s3cret", nil)
	check(t, fail, "segment/configuration", "needs https")
	if _, err := NewVersionedTransport(TransportConfig{Version: "4"}); err == nil {
		t.Error("HTTP/4 is taken")
	}
}

// An offer of HTTP/3 that nobody keeps does not fail a request.
func TestHTTP3Broken(t *testing.T) {
	t.Parallel()
	closed, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := closed.LocalAddr().String()
	_, port, _ := net.SplitHostPort(addr)
	defer closed.Close()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Alt-Svc", `h3=":`+port+`"`)
		_, _ = io.WriteString(w, "x")
	}))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	transport, err := NewVersionedTransport(TransportConfig{RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	defer transport.Close()
	transport.quic.QUICConfig.HandshakeIdleTimeout = 100 * time.Millisecond
	for i := range 3 {
		r, fail := getFrom(t, transport, server.URL+"/", nil)
		if fail != nil || r.http.Protocol != "HTTP/1.1" {
			t.Errorf("answer %d: %+v by %s", i, fail, r.http.Protocol)
		}
		r.release()
	}
}

func TestBuffers(t *testing.T) {
	t.Parallel()
	b := NewBuffers()
	one := b.get(10)
	if cap(one) != smallBuffer {
		t.Fatalf("%d bytes", cap(one))
	}
	one = b.grow(append(one, "abc"...), 1<<20)
	if string(one) != "abc" || cap(one) != 2*smallBuffer {
		t.Fatalf("%q in %d bytes", one, cap(one))
	}
	b.put(one)
	if again := b.get(smallBuffer + 1); &again[:1][0] != &one[:1][0] {
		t.Error("what was put back is not lent again")
	}
	for range 10 {
		b.put(make([]byte, 0, 1<<20))
	}
	b.put(make([]byte, 0, 12345)) // not ours
	if b.idle > maxIdle {
		t.Errorf("%d idle bytes", b.idle)
	}
}

// A segment at the bound costs its size, and once more while an answer of unknown
// length grows; smaller ones cost nothing after the first.
func TestFetchAllocates(t *testing.T) {
	const large, small = 16 << 20, 300 << 10
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		size := small
		if r.URL.Path != "/small" {
			size = large
		}
		if r.URL.Path == "/announced" {
			w.Header().Set("Content-Length", fmt.Sprint(size))
		}
		block := make([]byte, 64<<10)
		for size > 0 {
			n, err := w.Write(block[:min(size, len(block))])
			if err != nil {
				return
			}
			size -= n
		}
	}))
	defer server.Close()
	transport := NewTransport()
	defer transport.CloseIdleConnections()
	buffers := NewBuffers()
	for _, tt := range []struct {
		path string
		most uint64 // bytes allocated, the server's included
	}{{"/small", 4 << 20}, {"/small", 400 << 10}, {"/announced", 18 << 20}, {"/chunked", 56 << 20}, {"/small", 400 << 10}} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, fail := getFrom(t, transport, server.URL+tt.path, func(f *fetcher, req *request) { f.buffers, req.limit = buffers, large })
		if fail != nil {
			t.Fatalf("%+v", fail)
		}
		r.release()
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > tt.most {
			t.Errorf("%s: %d kB were allocated, want at most %d", tt.path, got>>10, tt.most>>10)
		} else {
			t.Logf("%s: %d kB", tt.path, got>>10)
		}
	}
}
