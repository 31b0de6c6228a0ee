package platform_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"streamcanary/prober"
	"streamcanary/prober/platform"
)

// shelf is an API that knows each stream by one of its names alone. What it is
// asked to delete besides is an error.
type shelf struct {
	t       *testing.T
	by      string // the variable
	streams []map[string]string
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/streams":
		n := len(s.streams)
		made := map[string]string{"name": string(body), "id": fmt.Sprint("id", n), "key": fmt.Sprint("key", n), "playback": fmt.Sprint("pb", n)}
		s.streams = append(s.streams, made)
		_ = json.NewEncoder(w).Encode(made)
	case r.Method == http.MethodGet:
		_ = json.NewEncoder(w).Encode(s.streams)
	default:
		which := strings.TrimPrefix(r.URL.Path, "/streams/") + strings.TrimPrefix(string(body), "which=")
		for i, stream := range s.streams {
			if stream[s.by] == which {
				s.streams = append(s.streams[:i:i], s.streams[i+1:]...)
				return
			}
		}
		s.t.Errorf("{%s}: %s %s %q deletes no stream", s.by, r.Method, r.URL, body)
		w.WriteHeader(http.StatusNotFound)
	}
}

// A stream is deleted by whatever variable the contract names, in the path and in
// the body, at the end of its run and by a sweep.
func TestDeleteByEveryVariable(t *testing.T) {
	t.Parallel()
	for _, variable := range []string{"name", "id", "key", "playback"} {
		for _, del := range []prober.HTTPCall{
			{Method: "DELETE", Path: "/streams/{" + variable + "}", Status: []int{200}},
			{Method: "PUT", Path: "/streams/", Body: "which={" + variable + "}", Type: "application/x-www-form-urlencoded", Status: []int{200}},
		} {
			s := &shelf{t: t, by: variable}
			srv := httptest.NewServer(s)
			t.Cleanup(srv.Close)
			take := prober.Take{ID: "$.id", Key: "$.key", Playback: "$.playback", Name: "$.name"}
			p := open(t, prober.Platform{Type: "http", API: srv.URL, HTTP: &prober.HTTPContract{
				Create: prober.HTTPCall{Method: "POST", Path: "/streams", Body: "{name}", Type: "text/plain", Status: []int{200}, Take: take},
				Delete: del,
				List:   &prober.HTTPList{HTTPCall: prober.HTTPCall{Method: "GET", Path: "/streams", Status: []int{200}, Take: take}, Items: "$"},
			}})
			for _, name := range []string{"streamcanary-x1", "streamcanary-x2", "streamcanary-y1"} {
				made, failure, err := p.Create(t.Context(), name)
				if failure != nil || err != nil {
					t.Fatal(failure, err)
				}
				if name != "streamcanary-x1" {
					continue
				}
				if failure, err := p.Delete(t.Context(), made); failure != nil || err != nil {
					t.Errorf("{%s}: %v, %v", variable, failure, err)
				}
			}
			s.streams = append(s.streams, map[string]string{"name": "a person's", "id": "i", "key": "k", "playback": "p"},
				map[string]string{"name": "streamcanary-x3", "id": "id3"})
			n, failure, err := p.Sweep(t.Context(), platform.Leftover{Prefix: "streamcanary-x"})
			// The last is listed without key and playback id: told, and not guessed.
			left, lacks := 2, variable == "key" || variable == "playback"
			if lacks {
				left = 3
			}
			if n != 4-left || len(s.streams) != left || err != nil || (failure != nil) != lacks || lacks && failure.Reason != prober.ReasonAPIBadAnswer {
				t.Errorf("{%s}: swept %d, %v, %v; left %v", variable, n, failure, err, s.streams)
			}
		}
	}
}

// A call whose template has no value for a variable is not made.
func TestNoCallWithoutItsVariables(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked %s %s", r.Method, r.URL) }))
	t.Cleanup(srv.Close)
	for _, variable := range []string{"name", "id", "key", "playback"} {
		path := "/streams/{" + variable + "}"
		p := open(t, prober.Platform{Type: "http", API: srv.URL, HTTP: &prober.HTTPContract{
			Create:    prober.HTTPCall{Method: "POST", Path: "/streams", Status: []int{200}},
			Delete:    prober.HTTPCall{Method: "DELETE", Path: path, Status: []int{200}},
			Recording: &prober.HTTPCall{Method: "GET", Path: path, Status: []int{200}, Take: prober.Take{PlayURL: "$.url"}},
		}})
		for _, bad := range []string{"", "..", "a/b", "a?b"} {
			s := platform.Stream{Name: "streamcanary-x1", ID: "i", Key: "k", PlaybackID: "p"}
			*map[string]*string{"name": &s.Name, "id": &s.ID, "key": (*string)(&s.Key), "playback": &s.PlaybackID}[variable] = bad
			if _, err := p.Delete(t.Context(), s); err == nil {
				t.Errorf("deleted by {%s} = %q", variable, bad)
			}
			if _, _, err := p.Recording(t.Context(), s); err == nil {
				t.Errorf("asked for the recording by {%s} = %q", variable, bad)
			}
		}
	}
}

// A stream that was made and then turns out to be of no use is given with the
// failure, and can be deleted.
func TestCreateGivesWhatItLeaves(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		made, resolved string // the answers; "" is a 500
		change         func(*prober.HTTPContract)
		reason         prober.Reason
		deletes        string // "" where nothing can be
	}{
		"resolve fails":            {`{"id":"i1","key":"k1"}`, "", nil, prober.ReasonAPIError, "/streams/i1"},
		"resolve gives nothing":    {`{"id":"i1","key":"k1"}`, `{}`, nil, prober.ReasonAPIBadAnswer, "/streams/i1"},
		"no key":                   {`{"id":"i1"}`, `{}`, nil, prober.ReasonAPIBadAnswer, "/streams/i1"},
		"no id":                    {`{"key":"k1"}`, `{}`, nil, prober.ReasonAPIBadAnswer, ""},
		"no JSON":                  {`made`, `{}`, nil, prober.ReasonAPIBadAnswer, ""},
		"nothing made":             {"", "", nil, prober.ReasonAPIError, ""},
		"deleted by a missing key": {`{"id":"i1"}`, `{}`, func(h *prober.HTTPContract) { h.Delete.Path = "/streams/{key}" }, prober.ReasonAPIBadAnswer, ""},
		"id of resolve": {`{"key":"k1"}`, "", func(h *prober.HTTPContract) {
			h.Create.Take.ID, h.Resolve.Take.ID = "", "$.id"
		}, prober.ReasonAPIError, ""},
		"id of create and of resolve": {`{"id":"i1","key":"k1"}`, "", func(h *prober.HTTPContract) { h.Resolve.Take.ID = "$.id" }, prober.ReasonAPIError, ""},
		"deleted by a key that resolve was to give": {`{"id":"i1"}`, "", func(h *prober.HTTPContract) {
			h.Create.Take.Key, h.Resolve.Take.Key, h.Delete.Path = "", "$.key", "/streams/{key}"
		}, prober.ReasonAPIError, ""},
		"deleted by a key that both give": {`{"id":"i1","key":"k1"}`, "", func(h *prober.HTTPContract) {
			h.Resolve.Take.Key, h.Delete.Path = "$.key", "/streams/{key}"
		}, prober.ReasonAPIError, "/streams/k1"},
		"the same id of both, and a missing key": {`{"id":"i1"}`, `{"id":"i1"}`, func(h *prober.HTTPContract) {
			h.Create.Take.Key, h.Resolve.Take = "", prober.Take{ID: "$.id", Key: "$.key"}
		}, prober.ReasonAPIBadAnswer, "/streams/i1"},
		"id of resolve, and a missing key": {`{}`, `{"id":"i2"}`, func(h *prober.HTTPContract) {
			h.Create.Take, h.Resolve.Take = prober.Take{}, prober.Take{ID: "$.id", Key: "$.key"}
		}, prober.ReasonAPIBadAnswer, "/streams/i2"},
		"id of resolve, deleted by its name": {`{"key":"k1"}`, "", func(h *prober.HTTPContract) {
			h.Create.Take.ID, h.Resolve.Take.ID, h.Delete.Path = "", "$.id", "/streams/by/{name}"
		}, prober.ReasonAPIError, "/streams/by/streamcanary-x1"},
		"by its name": {`{}`, "", func(h *prober.HTTPContract) { h.Create.Take = prober.Take{} }, prober.ReasonAPIError, "/streams/streamcanary-x1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			deleted := ""
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answer := map[string]string{http.MethodPost: test.made, http.MethodGet: test.resolved}[r.Method]
				if r.Method == http.MethodDelete {
					deleted, answer = r.URL.Path, "gone"
				}
				if answer == "" {
					w.WriteHeader(http.StatusInternalServerError)
				}
				fmt.Fprint(w, answer)
			}))
			t.Cleanup(srv.Close)
			h := prober.HTTPContract{
				Create:  prober.HTTPCall{Method: "POST", Path: "/streams", Status: []int{200}, Take: prober.Take{ID: "$.id", Key: "$.key"}},
				Resolve: &prober.HTTPCall{Method: "GET", Path: "/streams/{name}", Status: []int{200}, Take: prober.Take{PlayURL: "$.hls"}},
				Delete:  prober.HTTPCall{Method: "DELETE", Path: "/streams/{id}", Status: []int{200}},
			}
			if test.change != nil {
				test.change(&h)
			}
			p := open(t, prober.Platform{Type: "http", API: srv.URL, HTTP: &h})
			s, failure, err := p.Create(t.Context(), "streamcanary-x1")
			if err != nil || failure == nil || failure.Reason != test.reason {
				t.Fatalf("%+v, %v", failure, err)
			}
			// What cannot be deleted by what is known of it can be swept by its name.
			if made := test.made != ""; made != (s.Name == "streamcanary-x1") || (s.ID != "") != (test.deletes != "") {
				t.Errorf("left %#v", s)
			}
			if s.ID != "" {
				if failure, err := p.Delete(t.Context(), s); failure != nil || err != nil {
					t.Error(failure, err)
				}
			}
			if deleted != test.deletes {
				t.Errorf("left %#v, deleted %q, want %q", s, deleted, test.deletes)
			}
		})
	}
}

// The other platforms' too, which tell the id beside what is missing, and all of
// them where the status is another success than promised.
func TestCreateGivesWhatItLeavesOfEveryPlatform(t *testing.T) {
	t.Parallel()
	whole := map[string]string{"livepeer": created, "mux": `{"data":{"id":"5a5a","stream_key":"k1","playback_ids":[{"policy":"public","id":"p1"}]}}`,
		"cloudflare": `{"success":true,"result":{"uid":"5a5a","rtmps":{"url":"rtmps://h/live/","streamKey":"k1"}}}`, "http": created}
	lacks := map[string]string{"livepeer": `{"id":"5a5a","streamKey":"a b"}`, "mux": `{"data":{"id":"5a5a","stream_key":"k1"}}`,
		"cloudflare": `{"success":true,"result":{"uid":"5a5a","rtmps":{"streamKey":"k1"}}}`, "http": `{"id":"5a5a"}`}
	for kind := range whole {
		for name, test := range map[string]struct {
			status int // 0 is as promised
			body   string
			reason prober.Reason
			id     string
		}{
			"something missing":      {0, lacks[kind], prober.ReasonAPIBadAnswer, "5a5a"},
			"another success":        {http.StatusAccepted, whole[kind], prober.ReasonAPIError, "5a5a"},
			"another, and missing":   {http.StatusAccepted, lacks[kind], prober.ReasonAPIError, "5a5a"},
			"another, and no stream": {http.StatusAccepted, `{}`, prober.ReasonAPIError, ""},
			"an error":               {http.StatusConflict, whole[kind], prober.ReasonAPIError, ""}, // that of somebody else, maybe
		} {
			transport := http.RoundTripper(answers{t, test.body})
			if test.status != 0 {
				transport = roundTrip(func(*http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: test.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(test.body))}, nil
				})
			}
			p, err := platform.New(prober.Platform{Type: kind, API: "http://api.example", Key: token, KeyID: "id", Account: "acct", HTTP: anyContract()},
				&http.Client{Transport: transport})
			if err != nil {
				t.Fatal(err)
			}
			s, failure, err := p.Create(t.Context(), "streamcanary-x1")
			if s.ID != test.id || failure == nil || failure.Reason != test.reason || err != nil {
				t.Errorf("%s, %s: %#v, %+v, %v", kind, name, s, failure, err)
			}
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
