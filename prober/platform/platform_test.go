package platform_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"

	"streamcanary/prober"
	"streamcanary/prober/platform"
)

const token = "tok-very-secret"

const created = `{"id":"5a5a","streamKey":"abcd-efgh-ijkl-mnop","playbackId":"pb12","isActive":false,"lastSeen":0}`

// serve gives a livepeer platform whose API is h.
func serve(t *testing.T, h http.HandlerFunc) platform.Platform {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return dial(t, srv.URL+"/api", srv.Client())
}

func dial(t *testing.T, api string, client *http.Client) platform.Platform {
	t.Helper()
	p, err := platform.New(prober.Platform{Type: "livepeer", API: api, Key: token}, client)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCreateSpeaksTheContract(t *testing.T) {
	t.Parallel()
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got := fmt.Sprintf("%s %s %s %s %s", r.Method, r.URL, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), body)
		want := "POST /api/stream Bearer " + token + ` application/json {"name":"streamcanary-fra_1"}`
		if got != want {
			t.Errorf("asked\n%s\nwant\n%s", got, want)
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, created)
	})
	got, failure, err := p.Create(t.Context(), "streamcanary-fra_1")
	if err != nil || failure != nil {
		t.Fatal(failure, err)
	}
	if want := (platform.Stream{Name: "streamcanary-fra_1", ID: "5a5a", Key: "abcd-efgh-ijkl-mnop", PlaybackID: "pb12"}); got != want {
		t.Errorf("got %#v, want %#v", got, want)
	}
}

func TestCreateFailures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status  int
		body    string
		outcome prober.Outcome
		reason  prober.Reason
		detail  string
	}{
		{401, `{"errors":["no"]}`, prober.Inconclusive, prober.ReasonAPIUnauthorized, "401 Unauthorized"},
		{403, "", prober.Inconclusive, prober.ReasonAPIUnauthorized, "api_key"},
		{402, "", prober.Inconclusive, prober.ReasonAPIQuota, "402 Payment Required"},
		{429, "", prober.Inconclusive, prober.ReasonAPIQuota, "429 Too Many Requests"},
		{500, "<html>\n\x00oops " + token, prober.Fail, prober.ReasonAPIError, "POST /stream: 500 Internal Server Error: <html> oops [secret] (the contract says 201)"},
		{503, strings.Repeat("x", 1<<20), prober.Fail, prober.ReasonAPIError, "503 Service Unavailable"},
		{200, created, prober.Fail, prober.ReasonAPIError, "POST /stream: 200 OK (the contract says 201)"},
		{302, created, prober.Fail, prober.ReasonAPIError, "POST /stream: 302 Found (the contract says 201)"},
		{409, `{"errors":["exists"], "stream": ` + created, prober.Fail, prober.ReasonAPIError, `409 Conflict: {"errors":["exists"], "stream": {"id":"5a5a","streamKey":"[secret]"`},
		{409, `{"StreamKey" : "abcd-efgh\"-ij`, prober.Fail, prober.ReasonAPIError, `{"StreamKey" : "[secret]" (`},
		{307, "", prober.Fail, prober.ReasonAPIError, "307"},
		{201, "", prober.Fail, prober.ReasonAPIBadAnswer, "not a stream in JSON"},
		{201, "<html>", prober.Fail, prober.ReasonAPIBadAnswer, "not a stream in JSON"},
		{201, `{"id":"1","streamKey":"k"}`, prober.Fail, prober.ReasonAPIBadAnswer, "without a usable playbackId"},
		{201, `{"id":"1","playbackId":"k"}`, prober.Fail, prober.ReasonAPIBadAnswer, "without a usable streamKey"},
		{201, `{"id":"1","streamKey":"k","playbackId":"../../x"}`, prober.Fail, prober.ReasonAPIBadAnswer, "without a usable playbackId"},
		{201, `{"id":"..","streamKey":"k","playbackId":"x"}`, prober.Fail, prober.ReasonAPIBadAnswer, "without a usable id"},
		{201, `{"id":"` + strings.Repeat("x", 1<<20) + `"}`, prober.Fail, prober.ReasonAPIBadAnswer, "longer than 65536 bytes"},
	} {
		t.Run(fmt.Sprintf("%d %.20s", c.status, c.body), func(t *testing.T) {
			t.Parallel()
			p := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			_, failure, err := p.Create(t.Context(), "streamcanary-fra_1")
			if err != nil || failure == nil {
				t.Fatalf("failure %v, error %v", failure, err)
			}
			if failure.Outcome != c.outcome || failure.Reason != c.reason || failure.Stage != prober.StageProvision {
				t.Errorf("got %+v", failure)
			}
			if !strings.Contains(failure.Detail, c.detail) || len(failure.Detail) > 300 || strings.Contains(failure.Detail, token) || strings.Contains(failure.Detail, "abcd-efgh") {
				t.Errorf("detail %q, want it to say %q", failure.Detail, c.detail)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	_, failure, err := dial(t, srv.URL, nil).Create(t.Context(), "streamcanary-fra_1")
	if err != nil || failure == nil || failure.Reason != prober.ReasonAPIUnreachable || failure.Outcome != prober.Fail {
		t.Errorf("failure %+v, error %v", failure, err)
	}
}

// hang answers with the beginning of a body and no end.
func hang(t *testing.T, ctx context.Context) *prober.Failure { //nolint:revive // t first, as everywhere in tests
	t.Helper()
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "{")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	_, failure, err := p.Create(ctx, "streamcanary-fra_1")
	if err != nil || failure == nil {
		t.Fatalf("failure %v, error %v", failure, err)
	}
	return failure
}

func TestNoWholeAnswerInTime(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50e6)
	defer cancel()
	if f := hang(t, ctx); f.Reason != prober.ReasonAPITimeout || f.Outcome != prober.Fail {
		t.Errorf("got %+v", f)
	}
}

func TestCancelledSaysNothing(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if f := hang(t, ctx); f.Reason != prober.ReasonCancelled || f.Outcome != prober.Inconclusive {
		t.Errorf("got %+v", f)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]prober.Reason{
		204: "", 404: "",
		200: prober.ReasonAPIError, 500: prober.ReasonAPIError, 401: prober.ReasonAPIUnauthorized,
	} {
		p := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if got := r.Method + " " + r.URL.String(); got != "DELETE /api/stream/5a5a" {
				t.Errorf("asked %s", got)
			}
			w.WriteHeader(status)
		})
		failure, err := p.Delete(t.Context(), platform.Stream{ID: "5a5a"})
		var got prober.Reason
		if failure != nil {
			got = failure.Reason
			if failure.Stage != prober.StageTeardown {
				t.Errorf("%d: stage %s", status, failure.Stage)
			}
		}
		if err != nil || got != want {
			t.Errorf("%d: got %q, %v; want %q", status, got, err, want)
		}
	}
}

func TestSweepDeletesOnlyItsOwn(t *testing.T) {
	t.Parallel()
	var deleted []string
	list := func(w http.ResponseWriter, r *http.Request) {
		page := map[string]string{"1": "streamcanary-fra_a", "2": "streamcanary-fra-2_a", "3": "a person's"}
		if r.URL.Query().Get("cursor") == "" {
			w.Header().Set("Link", `<http://evil.example/x?cursor=2>; rel="next"`)
		} else {
			page = map[string]string{"4": "streamcanary-fra_b", "../5": "streamcanary-fra_c"}
		}
		var streams []map[string]string
		for id, name := range page {
			streams = append(streams, map[string]string{"id": id, "name": name})
		}
		_ = json.NewEncoder(w).Encode(streams)
	}
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Path == "/api/stream" {
			list(w, r)
			return
		}
		deleted = append(deleted, r.Method+" "+r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	})
	n, failure, err := p.Sweep(t.Context(), platform.Leftover{Prefix: "streamcanary-fra_"})
	slices.Sort(deleted)
	if n != 2 || failure != nil || err != nil || !slices.Equal(deleted, []string{"DELETE /api/stream/1", "DELETE /api/stream/4"}) {
		t.Errorf("swept %d, %v, %v: %v", n, failure, err, deleted)
	}
}

func TestSweepEndsOnAnEndlessList(t *testing.T) {
	t.Parallel()
	asked := 0
	p := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Link", `</stream?cursor=x>; rel="next"`)
		_, _ = io.WriteString(w, "[]")
	})
	if _, failure, err := p.Sweep(t.Context(), platform.Leftover{Prefix: "streamcanary-fra_"}); failure != nil || err != nil || asked != 50 {
		t.Errorf("%v, %v after %d pages, want 50", failure, err, asked)
	}
}

// What is asked wrongly is an error, and nothing is sent.
func TestWrongCalls(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked %s %s", r.Method, r.URL) }))
	t.Cleanup(srv.Close)
	for _, kind := range platform.Types() {
		p, err := platform.New(prober.Platform{Type: kind, API: srv.URL, Key: token, KeyID: "id", Account: "acct", HTTP: anyContract()}, srv.Client())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"", "mine", platform.Prefix} {
			if _, _, err := p.Create(t.Context(), name); err == nil {
				t.Errorf("%s made a stream named %q", kind, name)
			}
			if _, _, err := p.Sweep(t.Context(), platform.Leftover{Prefix: name}); err == nil {
				t.Errorf("%s swept %q", kind, name)
			}
		}
		if kind == "static" { // it has nothing to ask for
			continue
		}
		for _, id := range []string{"", ".", "..", "...", "a/b", "../b", "a?b", "a#b", "a%2fb", "a b", "a\r\nb", strings.Repeat("x", 300)} {
			s := platform.Stream{Name: "streamcanary-x1", ID: id, Key: "k", PlaybackID: "p"}
			if _, err := p.Delete(t.Context(), s); err == nil {
				t.Errorf("%s deleted %q", kind, id)
			}
			if _, _, err := p.Recording(t.Context(), s); err == nil {
				t.Errorf("%s looked for the recording of %q", kind, id)
			}
			s.ID, s.PlaybackID = "i", id // as another agent may have told it
			if play, failure, err := p.PlayURL(t.Context(), s, ""); failure == nil && err == nil {
				t.Errorf("%s plays %q at %s", kind, id, play)
			}
			s.Key = prober.Secret(id)
			if push, failure, err := p.PushURL(t.Context(), s, ""); failure == nil && err == nil {
				t.Errorf("%s pushes to %s", kind, push.Reveal())
			}
		}
	}
}

func TestStatic(t *testing.T) {
	t.Parallel()
	p, err := platform.New(prober.Platform{Type: "static"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, failure, err := p.Create(t.Context(), "streamcanary-x")
	if want := (platform.Stream{Name: "streamcanary-x", ID: "streamcanary-x", Key: "streamcanary-x", PlaybackID: "streamcanary-x"}); s != want || failure != nil || err != nil {
		t.Errorf("got %#v, %v, %v", s, failure, err)
	}
	if failure, err := p.Delete(t.Context(), s); failure != nil || err != nil {
		t.Error(failure, err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, p := range []prober.Platform{
		{}, {Type: "mux", API: "http://x"}, {Type: "cloudflare", API: "http://x", Key: "k"}, {Type: "http", API: "http://x"}, {Type: "vimeo"},
		{Type: "mux", KeyID: "a", Key: "b"}, {Type: "cloudflare", Account: "a/b", Key: "k", API: "http://x"}, {Type: "livepeer"},
		{Type: "http", API: "http://x", HTTP: &prober.HTTPContract{Create: prober.HTTPCall{Method: "POST", Status: []int{200}}}},
		{Type: "http", API: "http://x", HTTP: &prober.HTTPContract{Create: prober.HTTPCall{Method: "POST", Status: []int{200}, Take: prober.Take{ID: "id"}},
			Delete: prober.HTTPCall{Method: "DELETE", Path: "/{id}", Status: []int{204}}}}, {Type: "http", API: "http://x", HTTP: &prober.HTTPContract{
			Create: prober.HTTPCall{Method: "POST", Path: "/", Status: []int{200}}, Delete: prober.HTTPCall{Method: "DELETE", Status: []int{204}}}},
		{Type: "http", API: "http://x", HTTP: &prober.HTTPContract{Create: prober.HTTPCall{Method: "POST", Path: "/", Status: []int{200}},
			Delete: prober.HTTPCall{Method: "DELETE", Path: "/streams", Status: []int{204}}}}, {Type: "livepeer", API: "livepeer.studio/api"}, {Type: "livepeer", API: "ftp://x/api"},
		{Type: "livepeer", API: "http://[::1/"},
	} {
		if _, err := platform.New(p, nil); err == nil || !strings.HasPrefix(err.Error(), "platform") {
			t.Errorf("%+v: error %v", p, err)
		}
	}
}

// FuzzAnswers gives one body as the answer to everything: no answer of an API may
// break the prober, or become part of a URL that means something else.
func FuzzAnswers(f *testing.F) {
	for _, body := range []string{created, `{"id":"..","streamKey":"a b","playbackId":"%2e"}`, `[{"ingest":"rtmp://h/live","playback":"https://h/hls"}]`,
		`{"data":{"id":"1","stream_key":"k","playback_ids":[{"policy":"public","id":"p"}]}}`, `{"data":[{"id":"1","passthrough":"streamcanary-x1","created_at":"9"}]}`,
		`{"data":{"id":"1","stream_key":"k","playback_ids":[{"policy":"public","id":"p"}],"active_asset_id":"..","recent_asset_ids":["", ".", "a/../b"]}}`,
		`{"success":true,"result":{"uid":"u","rtmps":{"url":"rtmps://h/live/","streamKey":"k"}}}`, `{"success":true,"result":{"liveInputs":[{"uid":"u","meta":{"name":"streamcanary-x1"}}]}}`,
		`{"meta":{"source":[{"type":"html5/application/vnd.apple.mpegurl","url":"https://h/x.m3u8"}]}}`} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, kind := range platform.Types() {
			every(t, kind, answers{t, body})
		}
	})
}

// every asks a platform everything, and checks what it takes.
func every(t *testing.T, kind string, transport http.RoundTripper) {
	t.Helper()
	p, err := platform.New(prober.Platform{Type: kind, API: "http://api.example", Key: token, KeyID: "id", Account: "acct", HTTP: anyContract()}, &http.Client{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	s, failure, err := p.Create(t.Context(), "streamcanary-x")
	if err != nil {
		t.Fatal(failure, err)
	}
	made := failure == nil
	if made && strings.ContainsAny(s.ID+s.Key.Reveal()+s.PlaybackID, "/ ?#%\r\n") {
		t.Errorf("%s took %#v", kind, s)
	}
	if _, failure, err := p.Sweep(t.Context(), platform.Leftover{Prefix: "streamcanary-x", Keep: func(string) bool { return false }}); err != nil {
		t.Fatal(failure, err)
	}
	if u, _, err := p.PushURL(t.Context(), s, ""); err != nil && made || u != "" && !strings.HasPrefix(u.Reveal(), "rtmp") {
		t.Errorf("%s: push to %q, %v", kind, u.Reveal(), err)
	}
	if u, _, err := p.PlayURL(t.Context(), s, ""); err != nil && made || u != "" && !strings.HasPrefix(u, "http") {
		t.Errorf("%s: play %q, %v", kind, u, err)
	}
	if u, _, err := p.Recording(t.Context(), s); err != nil && made || u != "" && !strings.HasPrefix(u, "http") {
		t.Errorf("%s: recording %q, %v", kind, u, err)
	}
	if _, err := p.Delete(t.Context(), s); err != nil && s.ID != "" {
		t.Errorf("%s: delete %q: %v", kind, s.ID, err)
	}
}

// anyContract takes everything that can be taken.
func anyContract() *prober.HTTPContract {
	take := prober.Take{ID: "$.id", Key: "$.streamKey", Playback: "$.playbackId", Name: "$.name", Created: "$.createdAt"}
	ok := []int{200, 201, 204}
	return &prober.HTTPContract{
		Create:    prober.HTTPCall{Method: "POST", Path: "/s", Body: `{"name": "{name}"}`, Status: ok, Take: take},
		Resolve:   &prober.HTTPCall{Method: "GET", Path: "/s/{id}", Status: ok, Take: prober.Take{PlayURL: "$.meta.source[0].url"}},
		Delete:    prober.HTTPCall{Method: "DELETE", Path: "/s/{id}", Status: ok},
		Recording: &prober.HTTPCall{Method: "GET", Path: "/s/{id}/r", Status: ok, Take: prober.Take{PlayURL: "$.meta.source[0].url"}},
		List:      &prober.HTTPList{HTTPCall: prober.HTTPCall{Method: "GET", Path: "/s?cursor={next}", Status: ok, Take: take}, Items: "$.data", Next: "$.next"},
	}
}

// answers is a transport whose every answer is this body, with the status that
// is promised for the method. What is deleted has to be one thing: no path that a
// server may take for that of another, or of a whole collection.
type answers struct {
	t    *testing.T
	body string
}

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	if last := path.Base(r.URL.Path); r.Method == http.MethodDelete && (path.Clean(r.URL.Path) != r.URL.Path || last == "/" || r.URL.RawQuery != "") {
		a.t.Errorf("DELETE %s", r.URL)
	}
	status := map[string]int{http.MethodPost: http.StatusCreated, http.MethodDelete: http.StatusNoContent}[r.Method]
	if status == 0 || strings.Contains(r.URL.Path, "/accounts/") {
		status = http.StatusOK
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}
