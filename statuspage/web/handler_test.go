package web

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"streamcanary/statuspage"
)

var apiPaths = []string{
	"/api/v2/summary.json", "/api/v2/status.json", "/api/v2/components.json", "/api/v2/incidents.json",
	"/api/v2/incidents/unresolved.json", "/api/v2/incidents/n4inc0000001.json", "/api/v2/scheduled-maintenances.json",
	"/api/v2/scheduled-maintenances/upcoming.json", "/api/v2/scheduled-maintenances/active.json",
}

// TestAPI: what clients of the documents rely on, whatever the document.
func TestAPI(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(New(Config{Source: fixed{page: open()}}))
	t.Cleanup(s.Close)
	for _, path := range apiPaths {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			got := fetch(t, http.MethodGet, s.URL+path)
			if got.code != 200 || !json.Valid(got.body) {
				t.Fatalf("GET: %d %s", got.code, got.body)
			}
			for name, want := range map[string]string{
				"Content-Type": "application/json; charset=utf-8", "Access-Control-Allow-Origin": "*",
				"X-Content-Type-Options": "nosniff",
			} {
				if v := got.header.Get(name); v != want {
					t.Errorf("%s %q, want %q", name, v, want)
				}
			}
			head := fetch(t, http.MethodHead, s.URL+path)
			if head.code != 200 || len(head.body) != 0 || head.header.Get("Content-Length") != got.header.Get("Content-Length") {
				t.Errorf("HEAD: %d, %d bytes, Content-Length %s", head.code, len(head.body), head.header.Get("Content-Length"))
			}
			if double := fetch(t, http.MethodGet, s.URL+"/"+path); double.code != 200 || !bytes.Equal(double.body, got.body) {
				t.Errorf("with two slashes: %d %s", double.code, double.body)
			}
			if same := fetch(t, http.MethodGet, s.URL+path, "If-None-Match", got.header.Get("ETag")); same.code != 304 {
				t.Errorf("If-None-Match with the same ETag: %d, want 304", same.code)
			}
			if other := fetch(t, http.MethodPost, s.URL+path); other.code != 405 || other.header.Get("Allow") == "" {
				t.Errorf("POST: %d, Allow %q", other.code, other.header.Get("Allow"))
			}
			if ask := fetch(t, http.MethodOptions, s.URL+path); ask.code != 204 || ask.header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("OPTIONS: %d", ask.code)
			}
		})
	}
}

type fetched struct {
	code   int
	header http.Header
	body   []byte
}

func fetch(t *testing.T, method, address string, header ...string) fetched {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fetched{answer.StatusCode, answer.Header, body}
}

// TestKeys compares the keys of every object, and their order, with those of the
// captured documents: strict clients refuse an unknown key.
func TestKeys(t *testing.T) {
	t.Parallel()
	body := get(t, New(Config{Source: fixed{page: resolved()}}), http.MethodGet, "/api/v2/incidents.json").Body.String()
	summary := get(t, New(Config{Source: fixed{page: open()}}), http.MethodGet, "/api/v2/summary.json").Body.String()
	const component = "id name status created_at updated_at position description showcase start_date group_id page_id group only_show_if_degraded"
	want := map[string]string{
		`{"page":`:         "page components incidents scheduled_maintenances status",
		`"page":{`:         "id name url time_zone updated_at",
		`"status":{`:       "indicator description",
		`{"id":"c0inges`:   component,
		`{"id":"g0liveg`:   component + " components",
		`{"id":"n4inc`:     "id name status created_at updated_at monitoring_at resolved_at impact shortlink started_at page_id incident_updates components reminder_intervals",
		`{"id":"u00000000`: "id status body incident_id created_at updated_at display_at affected_components deliver_notifications custom_tweet tweet_id",
		`{"code":`:         "code name old_status new_status",
	}
	for start, keys := range want {
		at := strings.Index(summary, start)
		if at < 0 {
			t.Errorf("summary.json has no %s", start)
			continue
		}
		at += strings.Index(start, "{")
		if got := strings.Join(keysOf(t, summary[at:]), " "); got != keys {
			t.Errorf("%s has keys\n%s, want\n%s", start, got, keys)
		}
	}
	for _, stamp := range regexp.MustCompile(`"\w+_at":("[^"]*"|null)`).FindAllString(summary+body, -1) {
		if !regexp.MustCompile(`:(null|"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")$`).MatchString(stamp) {
			t.Errorf("%s is not RFC 3339 with three digits after the second", stamp)
		}
	}
	if strings.Contains(summary+body, `:""`) {
		t.Error("an empty string where captured documents have null")
	}
}

// keysOf lists the keys of the object that s begins with, in their order.
func keysOf(t *testing.T, s string) []string {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(s))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for d.More() {
		key, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key.(string))
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

// TestAtom: what RFC 4287, 4.1 asks of a feed and its entries.
func TestAtom(t *testing.T) {
	t.Parallel()
	w := get(t, New(Config{Source: fixed{page: resolved()}}), http.MethodGet, "/history.atom")
	var feed struct {
		XMLName xml.Name  `xml:"http://www.w3.org/2005/Atom feed"`
		Lang    string    `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
		ID      string    `xml:"id"`
		Updated time.Time `xml:"updated"`
		Author  []string  `xml:"author>name"`
		Entries []struct {
			ID        string    `xml:"id"`
			Title     string    `xml:"title"`
			Published time.Time `xml:"published"`
			Updated   time.Time `xml:"updated"`
			Content   string    `xml:"content"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal(w.Body.Bytes(), &feed); err != nil {
		t.Fatal(err)
	}
	if feed.Lang != "en-US" || feed.ID != "tag:status.example.video,2005:/history" || len(feed.Author) != 1 || len(feed.Entries) != 2 {
		t.Errorf("feed %+v", feed)
	}
	seen := map[string]bool{}
	for _, e := range feed.Entries {
		if e.Title == "" || e.Updated.Before(e.Published) || e.Published.IsZero() || seen[e.ID] || e.Updated.After(feed.Updated) {
			t.Errorf("entry %+v", e)
		}
		seen[e.ID] = true
	}
	if c := feed.Entries[0].Content; !strings.Contains(c, "<strong>Update</strong> - New broadcasts cannot start: &lt;publish&gt; is refused") {
		t.Errorf("content is not HTML with escaped text: %s", c)
	}
	if c := feed.Entries[1].Content; !strings.HasPrefix(c, "<p><small>Nov <var data-var='date'>18</var>, <var data-var='time'>22:21</var> UTC</small><br><strong>Resolved</strong> - ") {
		t.Errorf("content %s", c)
	}
}

func TestPagesAndErrors(t *testing.T) {
	t.Parallel()
	old := pastIncident()
	old.ID = "n4inc0000old"
	h := New(Config{Source: fixed{page: open(), old: []statuspage.Incident{old}}})
	for path, want := range map[string]struct {
		code int
		text string
	}{
		"/":                                   {200, `<meta http-equiv="refresh" content="30">`},
		"/history":                            {200, "November 2026"},
		"/incidents/n4inc0000001":             {200, "Partial Outage → Major Outage"},
		"/incidents/n4inc0000old":             {200, "<dt>Resolved</dt>"},
		"/incidents/n4inc000none":             {404, "There is no such page"},
		"/incidents/":                         {404, "There is no such page"},
		"/nowhere":                            {404, "There is no such page"},
		"/api/v2/nowhere.json":                {404, `{"error":"not found"}`},
		"/api/v2/incidents/n4inc0000001":      {404, `{"error":"not found"}`},
		"/api/v2/incidents/none.json":         {404, `{"error":"not found"}`},
		"/api/v2/incidents/n4inc0000old.json": {200, `"resolved_at":"2026-11-18T22:21:07.250Z"`},
		"/favicon.svg":                        {200, "#6b7280"},
		"/favicon.svg?tone=critical":          {200, "#c9281c"},
		"/favicon.svg?tone=%22%3E%3Cx":        {200, "#6b7280"},
		"/robots.txt":                         {200, "Disallow: /api/"},
		"/history.rss":                        {200, `<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">`},
	} {
		w := get(t, h, http.MethodGet, path)
		if w.Code != want.code || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%s: %d, want %d with %q in\n%s", path, w.Code, want.code, want.text, w.Body)
		}
		csp := w.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; style-src 'sha256-") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: Content-Security-Policy %q", path, csp)
		}
	}
	if strings.Contains(get(t, h, http.MethodGet, "/incidents/n4inc0000old").Body.String(), "http-equiv") {
		t.Error("the page of a resolved incident reloads itself, though nothing changes")
	}
}

// TestBrokenSource: the public learns that the page is in trouble, not why.
func TestBrokenSource(t *testing.T) {
	t.Parallel()
	h := New(Config{Source: fixed{err: errors.New("canary: disk on fire")}})
	for _, path := range append([]string{"/", "/history", "/nowhere", "/history.atom"}, apiPaths...) {
		w := get(t, h, http.MethodGet, path)
		if w.Code != 503 || strings.Contains(w.Body.String(), "canary") || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// TestCleanPathKeepsTheRequest: the caller's request is not changed.
func TestCleanPathKeepsTheRequest(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "//api//v2/x", nil)
	r.URL.Path = "//api//v2/x"
	CleanPath(http.HandlerFunc(func(_ http.ResponseWriter, inner *http.Request) {
		if inner.URL.Path != "/api/v2/x" {
			t.Errorf("path %q", inner.URL.Path)
		}
	})).ServeHTTP(httptest.NewRecorder(), r)
	if r.URL.Path != "//api//v2/x" {
		t.Errorf("the caller's request now has path %q", r.URL.Path)
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 s", 59*time.Second + 900*time.Millisecond: "59 s", time.Minute: "1 min", 61*time.Minute + 5*time.Second: "1 h 1 min",
		47*time.Hour + 59*time.Minute: "47 h 59 min", 50 * time.Hour: "2 days 2 h",
	} {
		if got := duration(d); got != want {
			t.Errorf("%v is told as %q, want %q", d, got, want)
		}
	}
}
