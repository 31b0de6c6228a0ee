package hub_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"streamcanary/statuspage/alert"
)

func postChange(t *testing.T, base, bearer, body string) (code int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/v1/changes", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	got, code := do(t, req)
	return code, string(got)
}

func TestPostChangeRefusals(t *testing.T) {
	t.Parallel()
	h := newPlan(t).start(t)
	const good = `{"summary": "Roll-out"}`
	for name, test := range map[string]struct {
		bearer, body string
		code         int
		want         string
	}{
		"no token":       {"", good, 401, "send the on-call token"},
		"wrong token":    {"on-call-tokem", good, 401, "send the on-call token"},
		"part of it":     {"on-call", good, 401, "send the on-call token"},
		"no body":        {token, "", 422, "the body is not a change"},
		"not JSON":       {token, "summary=x", 422, "the body is not a change"},
		"a list":         {token, "[]", 422, "the body is not a change"},
		"unknown key":    {token, `{"summary": "x", "author": "y"}`, 422, `unknown field "author"`},
		"two objects":    {token, good + good, 422, "something follows the object"},
		"a bracket more": {token, good + "}", 422, "something follows the object"},
		"no summary":     {token, `{"source": "ci"}`, 422, "summary is missing: say what was changed"},
		"blank summary":  {token, `{"summary": "  "}`, 422, "summary is missing"},
		"long summary":   {token, `{"summary": "` + strings.Repeat("x", 501) + `"}`, 422, "summary is longer than 500 bytes"},
		"long id":        {token, `{"summary": "x", "id": "` + strings.Repeat("x", 501) + `"}`, 422, "id is longer than 500 bytes"},
		"odd id":         {token, `{"summary": "x", "id": "a\r\nNats-Msg-Id: b"}`, 422, "id has a character"},
		"odd link":       {token, `{"summary": "x", "link": "javascript:alert(1)"}`, 422, "link is no http or https address"},
		"bad time":       {token, `{"summary": "x", "at": "yesterday"}`, 422, "the body is not a change"},
		"no component":   {token, `{"summary": "x", "components": ["ingest-mars"]}`, 422, `components: "ingest-mars" is not configured; there are ingest-fra, playback-fra`},
		"no region":      {token, `{"summary": "x", "regions": ["mars"]}`, 422, `regions: "mars" is not configured; there are fra, nyc, sin`},
		"too long":       {token, `{"summary": "` + strings.Repeat("x", 16<<10) + `"}`, 413, "a change is at most 16384 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, answer := postChange(t, h.url, test.bearer, test.body)
			if code != test.code || !strings.Contains(answer, test.want) {
				t.Errorf("%d: %s, want %d: %s", code, answer, test.code, test.want)
			}
			if strings.Contains(answer, token) {
				t.Errorf("the answer shows the token: %s", answer)
			}
		})
	}
	t.Cleanup(func() { // after the parallel ones
		if h.Folded() > 0 && strings.Contains(h.log.String(), "change_reported") {
			t.Error("a change that was refused was taken")
		}
	})
}

// TestPostChange: a change is on-call's to know, beside the incident that
// follows it, and nobody else's.
func TestPostChange(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	h := p.start(t)
	agents := startFleet(t, p.NATS).warm()
	const body = `{"id": "deploy-42", "summary": "Roll-out of the fix", "source": "pipeline", "link": "https://ci.example.video/42"}`
	for range 3 {
		code, answer := postChange(t, h.url, token, body)
		if code != http.StatusAccepted || strings.TrimSpace(answer) != `{"id":"deploy-42"}` {
			t.Fatalf("%d: %s", code, answer)
		}
	}
	// Without an id each is one of its own.
	for range 2 {
		code, answer := postChange(t, h.url, token, `{"summary": "Retuned \u0007 \"it\""}`)
		var made struct{ ID string }
		if err := json.Unmarshal([]byte(answer), &made); code != http.StatusAccepted || err != nil || made.ID == "" {
			t.Fatalf("%d: %s", code, answer)
		}
	}
	agents.down.Store(true)
	id := waitIncident(t, h.url)
	agents.down.Store(false)
	waitResolved(t, h.url)

	changes := map[string]int{}
	for _, a := range alerts(t, h.url) {
		switch {
		case a.Type == "change.reported":
			changes[a.Change.Summary]++
			if a.Action != alert.ActionNotice || a.Change.At.IsZero() {
				t.Errorf("%+v, want a notice with a time", a)
			}
		case a.Type == "incident.opened" && len(a.Incident.Changes) != 3:
			t.Errorf("beside the incident stand %+v", a.Incident.Changes)
		}
	}
	if fmt.Sprint(changes) != "map[Retuned \a \"it\":2 Roll-out of the fix:1]" {
		t.Errorf("the feed has %v", changes)
	}
	for _, path := range []string{
		"/", "/history", "/history.atom", "/incidents/" + id, "/api/v2/summary.json", "/api/v2/status.json",
		"/api/v2/components.json", "/api/v2/incidents.json", "/api/v2/incidents/unresolved.json",
	} {
		public, code := get(t, h.url+path)
		if code != http.StatusOK {
			t.Errorf("%s: %d", path, code)
		}
		for _, secret := range []string{"Roll-out", "deploy-42", "pipeline", "ci.example.video", "Retuned", "secret evidence", "connection_reset", "site-fra"} {
			if strings.Contains(string(public), secret) {
				t.Errorf("%s shows %q", path, secret)
			}
		}
	}
	if _, code := get(t, h.url+"/alerts"); code != http.StatusUnauthorized {
		t.Errorf("/alerts without the token: %d", code)
	}
}
