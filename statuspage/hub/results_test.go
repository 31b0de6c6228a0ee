package hub_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"streamcanary/statuspage/backtest"
	"streamcanary/statuspage/incident"
)

func getResults(t *testing.T, base, bearer, query string) (code int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/v1/results"+query, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	got, code := do(t, req)
	return code, string(got)
}

// What the journal has can be had by on-call, and be replayed.
func TestGetResults(t *testing.T) {
	t.Parallel()
	h := newPlan(t).start(t)
	if code, answer := postChange(t, h.url, token, `{"summary": "Roll-out", "id": "r1"}`); code != http.StatusAccepted {
		t.Fatalf("%d: %s", code, answer)
	}
	for name, c := range map[string]struct {
		bearer, query string
		code          int
		want          string
	}{
		"all":         {token, "", 200, `"kind":"change","payload":{"id":"r1"`},
		"none yet":    {token, "?since=" + time.Now().Add(time.Hour).UTC().Format(time.RFC3339), 200, `"streamcanary_recording":1`},
		"no token":    {"", "", 401, "send the on-call token"},
		"no time":     {token, "?since=yesterday", 400, "since is no time as of RFC 3339"},
		"two no time": {token, "?until=x", 400, "until is no time"},
	} {
		code, body := getResults(t, h.url, c.bearer, c.query)
		if code != c.code || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d: %s, want %d: %s", name, code, body, c.code, c.want)
		}
		if strings.Contains(body, token) || strings.Contains(body, "key-fra") {
			t.Errorf("%s: a secret is in it", name)
		}
		if code != http.StatusOK {
			continue
		}
		p, err := incident.NewPolicy(settings(), topology())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := backtest.Replay(strings.NewReader(body), p); err != nil || got.Present.Hash != p.Hash() {
			t.Errorf("%s: %v, policy %s", name, err, got.Present.Hash)
		}
	}
}
