package web

import (
	"bytes"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"streamcanary/statuspage"
)

var update = flag.Bool("update", false, "write what is served into the golden files")

// pages are the states in which everything is looked at.
func pages() map[string]statuspage.Page {
	return map[string]statuspage.Page{
		"good": allGood(), "open": open(), "watched": watched(), "resolved": resolved(),
		"unknown": unknown(), "dark": dark(), "empty": empty(), "work": work(),
	}
}

func get(t *testing.T, h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestGolden compares every document, byte by byte.
func TestGolden(t *testing.T) {
	t.Parallel()
	paths := []string{
		"/", "/history", "/incidents/n4inc0000001", "/incidents/n4inc0000000", "/nowhere",
		"/history.atom", "/history.rss",
		"/api/v2/summary.json", "/api/v2/status.json", "/api/v2/components.json",
		"/api/v2/incidents.json", "/api/v2/incidents/unresolved.json", "/api/v2/incidents/n4inc0000001.json",
		"/api/v2/scheduled-maintenances.json",
		"/api/v2/scheduled-maintenances/upcoming.json", "/api/v2/scheduled-maintenances/active.json", "/incidents/m4maint00001",
	}
	for state, page := range pages() {
		for _, path := range paths {
			t.Run(state+path, func(t *testing.T) {
				t.Parallel()
				w := get(t, New(Config{Source: fixed{page: page}}), http.MethodGet, path)
				compare(t, filepath.Join("testdata", "golden", state, goldenName(path)), w.Body.Bytes())
			})
		}
	}
}

func goldenName(path string) string {
	name := strings.ReplaceAll(strings.Trim(path, "/"), "/", "_")
	if name == "" {
		name = "index"
	}
	if filepath.Ext(name) == "" {
		name += ".html"
	}
	return name
}

func compare(t *testing.T, file string, got []byte) {
	t.Helper()
	got = bytes.ReplaceAll(got, []byte(style), []byte("/* template/style.css */"))
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; make it with: go test ./statuspage/web -update", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs from what is served; look at it, then: go test ./statuspage/web -update\n%s",
			file, firstDifference(string(got), string(want)))
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		gl, wl := "", ""
		if i < len(g) {
			gl = g[i]
		}
		if i < len(w) {
			wl = w[i]
		}
		if gl != wl {
			return "got:  " + gl + "\nwant: " + wl
		}
	}
	return ""
}
