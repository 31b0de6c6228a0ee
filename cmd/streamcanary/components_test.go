package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is unknown or suspect stands in a component's line; the status is the one
// that the page has.
func TestComponentsCommand(t *testing.T) {
	t.Parallel()
	const document = `{"at": "2026-11-25T10:00:00Z", "components": [
 {"id": "api", "name": "API", "status": "operational", "created_at": "2026-11-01T00:00:00Z", "updated_at": "2026-11-01T00:00:00Z"},
 {"id": "playback-fra", "name": "Playback", "status": "operational", "updated_at": "2026-11-02T00:00:00Z", "unknown_since": "2026-11-25T09:00:00Z", "suspect_since": "2026-11-25T09:59:00Z",
  "suspicions": [{"element": {"target": "live", "type": "playback", "id": "fra"}, "kind": "playback", "since": "2026-11-25T09:59:00Z", "share": 0.41,
   "evidence": [{"site": "ams", "stage": "manifest", "reason": "http_status"}, {"site": "waw", "stage": "connect", "reason": "timeout"}]}]}]}`
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/components" || r.Header.Get("Authorization") != "Bearer sesame" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, document)
	}))
	defer hub.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(more ...string) string {
		var out strings.Builder
		cmd := newRootCommand()
		cmd.SetOut(&out)
		cmd.SetArgs(append([]string{"components", "--hub", hub.URL, "--token-file", token}, more...))
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	const want = `api           operational  since 2026-11-01T00:00:00Z
playback-fra  operational  since 2026-11-02T00:00:00Z  unknown since 2026-11-25T09:00:00Z; suspect since 2026-11-25T09:59:00Z: live/playback/fra playback, 41 % of the threshold, by ams (manifest http_status), waw (connect timeout)
`
	if got := run(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := run("--json"); got != document {
		t.Errorf("%s", got)
	}
}
