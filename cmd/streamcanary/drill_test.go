package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"streamcanary/prober/origin"
)

// drillable is a demo as far as drills know it, with one region.
func drillable(t *testing.T) (d *demo, told *strings.Builder) {
	t.Helper()
	told = &strings.Builder{}
	o := startOrigins(t, origin.Config{}, "fra")[0]
	return &demo{tell: newStory(told, false), platform: &demoPlatform{regions: []*demoRegion{{id: "fra", name: "Frankfurt", origin: o}}}}, told
}

// What is not our own command on this machine is refused, and nothing of it is
// told on the demo's terminal.
func TestDrillRefuses(t *testing.T) {
	t.Parallel()
	d, told := drillable(t)
	const good = `{"fault":"drop-broadcasts","for":"1ms"}`
	for _, tt := range []struct {
		name, host, from, header, body string
		code                           int
		says                           string
	}{
		{"from elsewhere", "127.0.0.1:8080", "192.0.2.1:5000", "", good, 403, "comes from elsewhere"},
		{"rebound name", "attacker.example:8080", "127.0.0.1:5000", "", good, 403, "address it as 127.0.0.1"},
		{"name that looks like loopback", "127.0.0.1.attacker.example", "127.0.0.1:5000", "", good, 403, "address it as 127.0.0.1"},
		{"no host", "", "127.0.0.1:5000", "", good, 403, "address it as 127.0.0.1"},
		{"page", "127.0.0.1:8080", "127.0.0.1:5000", "Origin: http://127.0.0.1:8080", good, 403, "header Origin"},
		{"page in a frame", "127.0.0.1:8080", "127.0.0.1:5000", "Origin: null", good, 403, "header Origin"},
		{"proxy", "127.0.0.1:8080", "127.0.0.1:5000", "X-Forwarded-For: 192.0.2.1", good, 403, "header X-Forwarded-For"},
		{"newer proxy", "127.0.0.1:8080", "127.0.0.1:5000", "Forwarded: for=192.0.2.1", good, 403, "header Forwarded"},
		{"no header of ours", "127.0.0.1:8080", "127.0.0.1:5000", drillHeader + ": ", good, 403, "lacks the header"},
		{"fault", "127.0.0.1:8080", "127.0.0.1:5000", "", `{"fault":"\u001b[2Jboo","for":"1s"}`, 422, `there is no fault "\x1b[2Jboo"`},
		{"fault of another origin", "127.0.0.1:8080", "127.0.0.1:5000", "", `{"fault":"freeze-rendition","for":"1s"}`, 422, "it needs several renditions"},
		{"region", "127.0.0.1:8080", "127.0.0.1:5000", "", `{"fault":"restart","region":"\u001b[2Jboo","for":"1s"}`, 422, `there is no region "\x1b[2Jboo"`},
		{"time", "127.0.0.1:8080", "127.0.0.1:5000", "", `{"fault":"restart","for":"1h"}`, 422, "at most 10m0s"},
		{"body", "127.0.0.1:8080", "127.0.0.1:5000", "", `restart`, 422, "not a drill"},
	} {
		code, said := drillOnce(t, d, tt.host, tt.from, tt.header, tt.body)
		if code != tt.code || !strings.Contains(said, tt.says) || strings.ContainsAny(said, "\x1b") {
			t.Errorf("%s: %d %q, want %d and %q", tt.name, code, said, tt.code, tt.says)
		}
	}
	if told.Len() > 0 {
		t.Errorf("the demo told of them: %q", told)
	}
}

func TestDrillFromLoopback(t *testing.T) {
	t.Parallel()
	d, told := drillable(t)
	for _, host := range []string{"127.0.0.1:8080", "localhost:8080", "LOCALHOST", "[::1]:8080", "[::1]", "127.1.2.3"} {
		if code, said := drillOnce(t, d, host, "[::1]:5000", "", `{"fault":"drop-broadcasts","for":"1ms"}`); code != 200 {
			t.Errorf("%s: %d %s", host, code, said)
		}
	}
	if !strings.Contains(told.String(), "drop-broadcasts in all regions for 1ms") {
		t.Errorf("the demo told %q", told)
	}
}

// A drill whose demo ends is told so, in one line.
func TestDrillOfADemoThatEnds(t *testing.T) {
	t.Parallel()
	d, _ := drillable(t)
	ctx, cancel := context.WithCancel(t.Context())
	begun := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		d.serveDrill(w, r.WithContext(ctx))
	}))
	defer server.Close()
	go func() {
		<-begun
		cancel()
	}()
	err := runDrill(t.Context(), &strings.Builder{}, strings.TrimPrefix(server.URL, "http://"), drillRequest{Fault: "api-500", For: "1m"}, time.Minute)
	if err == nil || err.Error() != "drill: the demo ended, and api-500 with it" {
		t.Errorf("got %v", err)
	}
}

// drillOnce asks for a drill; header is one more, or, if it is one of ours,
// another value of it.
func drillOnce(t *testing.T, d *demo, host, from, header, body string) (code int, said string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, drillPath, strings.NewReader(body))
	r.Host, r.RemoteAddr = host, from
	r.Header.Set(drillHeader, "1")
	if name, value, ok := strings.Cut(header, ": "); ok {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	d.serveDrill(w, r)
	return w.Code, w.Body.String()
}
