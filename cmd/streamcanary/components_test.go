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

// onCallReads makes a function that runs a command against a hub that has a document at
// a path, for whoever has the token.
func onCallReads(t *testing.T, path, document, command string) func(more ...string) string {
	t.Helper()
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path || r.Header.Get("Authorization") != "Bearer sesame" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, document)
	}))
	t.Cleanup(hub.Close)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(more ...string) string {
		var out strings.Builder
		cmd := newRootCommand()
		cmd.SetOut(&out)
		cmd.SetArgs(append([]string{command, "--hub", hub.URL, "--token-file", token}, more...))
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
}

// What is unknown or suspect stands in a component's line; the status is the one
// that the page has.
func TestComponentsCommand(t *testing.T) {
	t.Parallel()
	const document = `{"at": "2026-11-25T10:00:00Z", "components": [
 {"id": "api", "name": "API", "status": "operational", "created_at": "2026-11-01T00:00:00Z", "updated_at": "2026-11-01T00:00:00Z"},
 {"id": "playback-fra", "name": "Playback", "status": "operational", "updated_at": "2026-11-02T00:00:00Z", "unknown_since": "2026-11-25T09:00:00Z", "suspect_since": "2026-11-25T09:59:00Z",
  "suspicions": [{"element": {"target": "live", "type": "playback", "id": "fra"}, "kind": "playback", "since": "2026-11-25T09:59:00Z", "share": 0.41,
   "evidence": [{"site": "ams", "stage": "manifest", "reason": "http_status"}, {"site": "waw", "stage": "connect", "reason": "timeout"}]}]}]}`
	run := onCallReads(t, "/v1/components", document, "components")
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

// Who is not counted, and what is not, is on one's screen.
func TestAgentsCommand(t *testing.T) {
	t.Parallel()
	const document = `{"at": "2026-11-25T10:00:00Z", "agents": [
 {"id": "ams1", "site": "ams", "seen_at": "2026-11-25T09:59:58Z", "counts": true, "silent": false, "sick": false, "alone": false, "control": "pass", "late": 0},
 {"id": "cut1", "site": "cut1", "seen_at": "2026-11-25T09:59:58Z", "counts": false, "silent": false, "sick": false, "alone": false, "control": "pass", "reference": "fail", "reference_detail": "no answer", "late": 0},
 {"id": "dus1", "site": "dus1", "seen_at": "2026-11-25T09:59:58Z", "counts": false, "silent": false, "sick": false, "alone": false, "control": "unknown", "late": 0},
 {"id": "fra1", "site": "colo-fra", "seen_at": "2026-11-25T09:59:59Z", "silent": false, "sick": true, "alone": false, "control": "fail", "control_detail": "its own origin: timeout", "late": 7},
 {"id": "new1", "site": "new1", "silent": true, "sick": false, "alone": false, "late": 0},
 {"id": "waw1", "site": "waw", "seen_at": "2026-11-25T09:50:00Z", "silent": true, "sick": true, "alone": true, "late": 12}],
 "refused": [{"cause": "unknown agent", "count": 41}, {"cause": "clock ahead", "count": 2}]}`
	run := onCallReads(t, "/v1/agents", document, "agents")
	const want = `ams1  at ams       heard 2026-11-25T09:59:58Z  0 late   well
cut1  at cut1      heard 2026-11-25T09:59:58Z  0 late   cannot reach the reference: no answer
dus1  at dus1      heard 2026-11-25T09:59:58Z  0 late   its controls say nothing yet
fra1  at colo-fra  heard 2026-11-25T09:59:59Z  7 late   sick: its own origin: timeout
new1  at new1      never heard                 0 late   silent
waw1  at waw       heard 2026-11-25T09:50:00Z  12 late  silent; sick; alone sees failures
refused or odd: unknown agent, 41 so far
refused or odd: clock ahead, 2 so far
`
	if got := run(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := run("--json"); got != document {
		t.Errorf("%s", got)
	}
}
