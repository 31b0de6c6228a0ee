package host

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

func TestReference(t *testing.T) {
	t.Parallel()
	pages := map[string]string{
		"/robots.txt":      "User-agent: *\n",
		"/live.m3u8":       "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhigh/media.m3u8?token=s3cret\n",
		"/high/media.m3u8": "#EXTM3U\n#EXTINF:2,\n1.ts\n#EXTINF:2,\n2.ts\n",
		"/high/2.ts":       "G",
		"/html.m3u8":       "<html>",
		"/empty":           "",
		"/none.m3u8":       "#EXTM3U\n",
		"/loop.m3u8":       "#EXTM3U\nloop.m3u8\n",
		"/stale.m3u8":      "#EXTM3U\n#EXTINF:2,\ngone.ts\n",
		"/elsewhere.m3u8":  "#EXTM3U\nfile:///etc/passwd\n",
		"/half":            "half",
		"/large":           strings.Repeat("x", 2*maxReference),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := pages[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.URL.Path == "/half" {
			w.Header().Set("Content-Length", "100")
		}
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	for url, want := range map[string]string{
		server.URL + "/robots.txt":             "",
		server.URL + "/live.m3u8":              "",
		server.URL + "/large":                  "",
		server.URL + "/absent?token=s3cret":    "manifest http_status",
		server.URL + "/html.m3u8":              "manifest not_a_playlist",
		server.URL + "/empty":                  "manifest empty_body",
		server.URL + "/none.m3u8":              "manifest playlist_no_segments",
		server.URL + "/loop.m3u8":              "manifest playlist_malformed",
		server.URL + "/stale.m3u8":             "manifest http_status",
		server.URL + "/elsewhere.m3u8":         "manifest playlist_malformed",
		server.URL + "/half":                   "manifest http_closed",
		"http://127.0.0.1:1/x?token=s3cret":    "connect unreachable",
		"http://nowhere.invalid/x":             "resolve name_not_resolved",
		secure.URL + "/x":                      "connect tls_failed",
		"http://127.0.0.1:99999/?token=s3cret": "connect unreachable",
		"http://[::1/?token=s3cret":            "resolve configuration",
	} {
		transport := &http.Transport{}
		f := Reference{URL: url, Transport: transport}.Check(t.Context())
		transport.CloseIdleConnections()
		got := ""
		if f != nil {
			got = fmt.Sprint(f.Stage, " ", f.Reason)
			if f.Detail == "" || strings.Contains(f.Detail, "s3cret") || f.Outcome != prober.Fail {
				t.Errorf("%s: %+v", url, f)
			}
		}
		if got != want {
			t.Errorf("%s: got %q (%+v), want %q", url, got, f, want)
		}
	}
}

// A reference that never ends is ended.
func TestReferenceIsBoundedInTime(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-stop:
		}
	}))
	defer server.Close()
	defer close(stop)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	begin := time.Now()
	f := Reference{URL: server.URL, Transport: transport}.checkWithin(t.Context(), 100*time.Millisecond)
	if f == nil || f.Reason != prober.ReasonHTTPTimeout || time.Since(begin) > 5*time.Second {
		t.Errorf("got %+v after %v", f, time.Since(begin))
	}
}
