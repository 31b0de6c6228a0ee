package platform_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/platform"
	"streamcanary/prober/platform/platformtest"
)

// fakes are the platforms with an API, each with its strict fake and the words
// that its contract asks for. The last is Livepeer's, spelt out as a contract.
func fakes() map[string]func(t *testing.T) (*platformtest.Server, prober.Platform) {
	return map[string]func(t *testing.T) (*platformtest.Server, prober.Platform){
		"livepeer": func(t *testing.T) (*platformtest.Server, prober.Platform) {
			t.Helper()
			s := platformtest.Livepeer(t)
			return s, prober.Platform{Type: "livepeer", API: s.URL, Key: platformtest.Token}
		},
		"mux": func(t *testing.T) (*platformtest.Server, prober.Platform) {
			t.Helper()
			s := platformtest.Mux(t)
			return s, prober.Platform{Type: "mux", API: s.URL, Key: platformtest.Token, KeyID: platformtest.TokenID}
		},
		"cloudflare": func(t *testing.T) (*platformtest.Server, prober.Platform) {
			t.Helper()
			s := platformtest.Cloudflare(t)
			return s, prober.Platform{Type: "cloudflare", API: s.URL, Key: platformtest.Token, Account: platformtest.Account}
		},
		"http": func(t *testing.T) (*platformtest.Server, prober.Platform) {
			t.Helper()
			s := platformtest.Livepeer(t)
			return s, prober.Platform{Type: "http", API: s.URL, HTTP: livepeerAsContract()}
		},
	}
}

func livepeerAsContract() *prober.HTTPContract {
	take := prober.Take{ID: "$.id", Key: "$.streamKey", Playback: "$.playbackId", Name: "$.name", Created: "$.createdAt"}
	return &prober.HTTPContract{
		Headers: []prober.Header{{Name: "Authorization", Value: "Bearer " + platformtest.Token}},
		Create: prober.HTTPCall{Method: "POST", Path: "/stream", Body: `{"name": "{name}", "record": {record}}`, Status: []int{201},
			Take: prober.Take{ID: "$.id", Key: "$.streamKey", Playback: "$.playbackId"}},
		Resolve: &prober.HTTPCall{Method: "GET", Path: "/playback/{playback}", Status: []int{200}, Take: prober.Take{PlayURL: "$.meta.source[1].url"}},
		Delete:  prober.HTTPCall{Method: "DELETE", Path: "/stream/{id}", Status: []int{204}},
		List:    &prober.HTTPList{HTTPCall: prober.HTTPCall{Method: "GET", Path: "/stream", Status: []int{200}, Take: take}, Items: "$"},
		Recording: &prober.HTTPCall{Method: "GET", Path: "/stream/{id}/sessions?record=1", Status: []int{200},
			Take: prober.Take{PlayURL: "$[0].recordingUrl"}},
	}
}

func open(t *testing.T, p prober.Platform) platform.Platform {
	t.Helper()
	made, err := platform.New(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// each runs a test against every fake.
func each(t *testing.T, test func(t *testing.T, fake *platformtest.Server, p prober.Platform)) {
	t.Helper()
	for name, start := range fakes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake, p := start(t)
			test(t, fake, p)
		})
	}
}

func TestAStreamsLife(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, fake *platformtest.Server, words prober.Platform) {
		t.Helper()
		p := open(t, words)
		s, failure, err := p.Create(t.Context(), "streamcanary-fra_1")
		if failure != nil || err != nil {
			t.Fatal(failure, err)
		}
		made := fake.Streams()
		if len(made) != 1 || made[0].Name != "streamcanary-fra_1" || s.ID != made[0].ID || s.Key.Reveal() != made[0].Key {
			t.Fatalf("made %+v, got %#v", made, s)
		}
		if words.Type != "cloudflare" && s.PlaybackID != made[0].PlaybackID || words.Type == "cloudflare" && s.PlaybackID != s.ID {
			t.Errorf("playback id %s of %+v", s.PlaybackID, made[0])
		}
		for range 2 { // the second time it is gone already
			if failure, err := p.Delete(t.Context(), s); failure != nil || err != nil {
				t.Fatal(failure, err)
			}
		}
		if left := fake.Names(); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

// A sweep deletes what is ours to the letter, and nothing else.
func TestSweepSparesWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, fake *platformtest.Server, words prober.Platform) {
		t.Helper()
		old, young := time.Now().Add(-time.Hour), time.Now()
		spared := []string{"STREAMCANARY-fra-1a2b3c4d-x", "Streamcanary-fra-1a2b3c4d-x", "a person's", "not streamcanary-fra-1a2b3c4d-x",
			"streamcanary", "streamcanary-", "streamcanary-fra", "streamcanary-fra-1a2b3c4", "streamcanary-fra-1A2B3C4D-x",
			"streamcanary-fra-99999999-x", "streamcanary-fra-2-1a2b3c4d-x", " streamcanary-fra-1a2b3c4d-x", "streamcanary-fra-1a2b3c4d-used"}
		ours := []string{"streamcanary-fra-1a2b3c4d-", "streamcanary-fra-1a2b3c4d-x", "streamcanary-fra-1a2b3c4d-xyz"}
		for _, name := range append(slices.Clone(ours), spared...) {
			fake.Add(name, old)
		}
		spared = append(spared, "streamcanary-fra-1a2b3c4d-young")
		fake.Add("streamcanary-fra-1a2b3c4d-young", young)
		slices.Sort(spared)
		n, failure, err := open(t, words).Sweep(t.Context(), platform.Leftover{Prefix: "streamcanary-fra-1a2b3c4d-", OlderThan: 15 * time.Minute,
			Keep: func(name string) bool { return strings.HasSuffix(name, "used") }})
		if n != len(ours) || failure != nil || err != nil {
			t.Errorf("swept %d, %v, %v; want %d", n, failure, err, len(ours))
		}
		if left := fake.Names(); !slices.Equal(left, spared) {
			t.Errorf("left\n%q\nwant\n%q", left, spared)
		}
	})
}

// Refusals and quotas are nobody's outage. An API that says when to come back is
// not asked before.
func TestRefusalsAreInconclusive(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, fake *platformtest.Server, words prober.Platform) {
		t.Helper()
		for status, want := range map[int]prober.Reason{401: prober.ReasonAPIUnauthorized, 403: prober.ReasonAPIUnauthorized, 402: prober.ReasonAPIQuota, 429: prober.ReasonAPIQuota} {
			fake.Answer(status, nil)
			p := open(t, words)
			_, created, _ := p.Create(t.Context(), "streamcanary-x1")
			_, swept, _ := p.Sweep(t.Context(), platform.Leftover{Prefix: "streamcanary-x1"})
			deleted, _ := p.Delete(t.Context(), platform.Stream{ID: "x"})
			for _, f := range []*prober.Failure{created, swept, deleted} {
				if f == nil || f.Outcome != prober.Inconclusive || f.Reason != want {
					t.Errorf("%d: %+v, want %s", status, f, want)
				}
			}
		}
		fake.Answer(http.StatusTooManyRequests, http.Header{"Retry-After": {"120"}})
		p := open(t, words)
		fake.Calls()
		for i := range 3 {
			_, failure, err := p.Create(t.Context(), "streamcanary-x1")
			if err != nil || failure == nil || failure.Reason != prober.ReasonAPIQuota || i > 0 && !strings.Contains(failure.Detail, "Retry-After") {
				t.Fatalf("%+v, %v", failure, err)
			}
		}
		if calls := fake.Calls(); len(calls) != 1 {
			t.Errorf("asked %q in spite of Retry-After", calls)
		}
	})
}

// No secret is in any failure, though the server repeats what it was sent, and
// what it knows of the stream, whatever it is asked, in words of its own and in an
// answer that is not HTTP.
func TestSecretsStayOut(t *testing.T) {
	t.Parallel()
	s := platform.Stream{Name: "streamcanary-x1", ID: "5a5a", Key: "live_KEYKEY", PlaybackID: "pb12",
		Push: "rtmps://alice:hunter2@in.example/live/push-KEY?sign=push-SIGN", Play: "https://play.example/x.m3u8?sign=play-SIGN"}
	for name, start := range fakes() {
		_, words := start(t)
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, secret, _ := r.BasicAuth()
			all := r.Header.Get("Authorization")
			scheme, bare, _ := strings.Cut(all, " ")
			said := strings.Join([]string{all, strings.ToLower(scheme) + " " + bare, bare, strings.ToUpper(bare), secret}, "/")
			if r.Method != http.MethodPost { // of the stream, when there is one
				said += "/live_KEYKEY/push-KEY/push-SIGN/play-SIGN/hunter2"
			}
			if r.Method == http.MethodDelete {
				if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
					_, _ = fmt.Fprintf(conn, "%s\r\n\r\n", said)
					_ = conn.Close()
				}
				return
			}
			w.WriteHeader(http.StatusTeapot)
			fmt.Fprint(w, said)
		}))
		t.Cleanup(srv.Close)
		words.API = srv.URL
		p := open(t, words)
		var failures []*prober.Failure
		for _, call := range []func() (*prober.Failure, error){
			func() (*prober.Failure, error) { _, f, err := p.Create(t.Context(), s.Name); return f, err },
			func() (*prober.Failure, error) { return p.Delete(t.Context(), s) },
			func() (*prober.Failure, error) { _, f, err := p.Recording(t.Context(), s); return f, err },
			func() (*prober.Failure, error) { _, f, err := p.PlayURL(t.Context(), s, ""); return f, err },
		} {
			failure, err := call()
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if failure != nil {
				failures = append(failures, failure)
			}
		}
		if len(failures) < 3 {
			t.Errorf("%s: failures %+v", name, failures)
		}
		sent := base64.StdEncoding.EncodeToString([]byte(platformtest.TokenID + ":" + platformtest.Token))
		for _, f := range failures {
			for _, secret := range []string{platformtest.Token, sent, "live_KEYKEY", "push-KEY", "push-SIGN", "play-SIGN", "hunter2"} {
				if strings.Contains(strings.ToLower(f.Detail), strings.ToLower(secret)) {
					t.Errorf("%s: %q has %q", name, f.Detail, secret)
				}
			}
		}
	}
}

func TestLivepeerNodes(t *testing.T) {
	t.Parallel()
	fake := platformtest.Livepeer(t)
	p := open(t, prober.Platform{Type: "livepeer", API: fake.URL, Key: platformtest.Token})
	s, failure, err := p.Create(t.Context(), "streamcanary-x1")
	if failure != nil || err != nil {
		t.Fatal(failure, err)
	}
	fake.Calls()
	push, failure, err := p.PushURL(t.Context(), s, "nyc-prod")
	if want := "rtmp://nyc-prod-catalyst-0.lp-playback.studio/live/" + s.Key.Reveal(); push.Reveal() != want || failure != nil || err != nil {
		t.Errorf("push to %s, %v, %v; want %s", push.Reveal(), failure, err, want)
	}
	play, failure, err := p.PlayURL(t.Context(), s, "fra-prod")
	if want := "https://fra-prod-catalyst-1.lp-playback.studio/hls/" + s.PlaybackID + "/index.m3u8"; play != want || failure != nil || err != nil {
		t.Errorf("play %s, %v, %v; want %s", play, failure, err, want)
	}
	if calls := fake.Calls(); !slices.Equal(calls, []string{"GET /ingest"}) {
		t.Errorf("asked %q: the list is good for a minute", calls)
	}
	play, failure, err = p.PlayURL(t.Context(), s, "")
	if want := "https://livepeercdn.studio/hls/" + s.PlaybackID + "/index.m3u8"; play != want || failure != nil || err != nil {
		t.Errorf("play %s, %v, %v; want %s", play, failure, err, want)
	}
	_, failure, err = p.PushURL(t.Context(), s, "sin-prod")
	if err != nil || failure == nil || failure.Outcome != prober.Inconclusive || failure.Reason != prober.ReasonConfiguration || !strings.Contains(failure.Detail, `"sin-prod"`) {
		t.Errorf("a node that is not listed: %+v, %v", failure, err)
	}
}

func TestLivepeerSendsWhatIsWished(t *testing.T) {
	t.Parallel()
	fake := platformtest.Livepeer(t)
	p := open(t, prober.Platform{Type: "livepeer", API: fake.URL, Key: platformtest.Token, Record: true,
		Profiles: []prober.Profile{{Name: "240p", Width: 426, Height: 240, Bitrate: 250_000, FPS: 30}}})
	if _, failure, err := p.Create(t.Context(), "streamcanary-x1"); failure != nil || err != nil {
		t.Fatal(failure, err)
	}
	want := map[string]any{"name": "streamcanary-x1", "record": true,
		"profiles": []any{map[string]any{"name": "240p", "width": 426.0, "height": 240.0, "bitrate": 250e3, "fps": 30.0}}}
	if got := fake.Streams()[0].Body; !reflect.DeepEqual(got, want) {
		t.Errorf("sent %v, want %v", got, want)
	}
	small := open(t, prober.Platform{Type: "livepeer", API: fake.URL, Key: platformtest.Token, Profiles: []prober.Profile{{Name: "tiny", Width: 64, Height: 64, Bitrate: 400, FPS: 1}}})
	if _, failure, _ := small.Create(t.Context(), "streamcanary-x1"); failure == nil || failure.Reason != prober.ReasonAPIError || !strings.Contains(failure.Detail, "422") {
		t.Errorf("a profile too small: %+v", failure)
	}
}

func TestMuxSpeaksTheContract(t *testing.T) {
	t.Parallel()
	fake := platformtest.Mux(t)
	p := open(t, prober.Platform{Type: "mux", API: fake.URL, Key: platformtest.Token, KeyID: platformtest.TokenID, Test: true})
	s, failure, err := p.Create(t.Context(), "streamcanary-x1")
	if failure != nil || err != nil {
		t.Fatal(failure, err)
	}
	want := map[string]any{"passthrough": "streamcanary-x1", "playback_policy": []any{"public"}, "test": true,
		"new_asset_settings": map[string]any{"passthrough": "streamcanary-x1", "playback_policy": []any{"public"}}}
	if got := fake.Streams()[0].Body; !reflect.DeepEqual(got, want) {
		t.Errorf("sent %v, want %v", got, want)
	}
	if play, failure, err := p.PlayURL(t.Context(), s, ""); play != "https://stream.mux.com/"+s.PlaybackID+".m3u8" || failure != nil || err != nil {
		t.Errorf("play %s, %v, %v", play, failure, err)
	}
	// What was recorded goes with the stream, and is swept without it.
	asset := fake.AddAsset("streamcanary-x1", time.Now())
	fake.Recorded(s.ID, asset)
	if address, failure, err := p.Recording(t.Context(), s); !strings.HasPrefix(address, "https://stream.mux.com/play") || failure != nil || err != nil {
		t.Errorf("recording %s, %v, %v", address, failure, err)
	}
	if failure, err := p.Delete(t.Context(), s); failure != nil || err != nil {
		t.Error(failure, err)
	}
	fake.AddAsset("streamcanary-x1-left", time.Now().Add(-time.Hour))
	fake.AddAsset("theirs", time.Now().Add(-time.Hour))
	if n, failure, err := p.Sweep(t.Context(), platform.Leftover{Prefix: "streamcanary-x1"}); n != 1 || failure != nil || err != nil {
		t.Errorf("swept %d, %v, %v", n, failure, err)
	}
	if left := fake.Names(); !slices.Equal(left, []string{"asset:theirs"}) {
		t.Errorf("left %q", left)
	}
}

func TestCloudflareSpeaksTheContract(t *testing.T) {
	t.Parallel()
	fake := platformtest.Cloudflare(t)
	p := open(t, prober.Platform{Type: "cloudflare", API: fake.URL, Key: platformtest.Token, Account: platformtest.Account, Record: true})
	s, failure, err := p.Create(t.Context(), "streamcanary-x1")
	if failure != nil || err != nil {
		t.Fatal(failure, err)
	}
	if push, failure, err := p.PushURL(t.Context(), s, ""); push.Reveal() != "rtmps://live.cloudflare.com:443/live/"+s.Key.Reveal() || failure != nil || err != nil {
		t.Errorf("push to %s, %v, %v", push.Reveal(), failure, err)
	}
	if address, failure, err := p.Recording(t.Context(), s); address != "" || failure != nil || err != nil {
		t.Errorf("recording %q, %v, %v before there is one", address, failure, err)
	}
	video := fake.Add("a video", time.Now())
	fake.Recorded(s.ID, video)
	if address, failure, err := p.Recording(t.Context(), s); address != "https://customer-x.cloudflarestream.com/"+video+"/manifest/video.m3u8" || failure != nil || err != nil {
		t.Errorf("recording %q, %v, %v", address, failure, err)
	}
	if failure, err := p.Delete(t.Context(), s); failure != nil || err != nil || len(fake.Names()) > 0 {
		t.Errorf("%v, %v; left %q", failure, err, fake.Names())
	}
}

// While something that was recorded is left, the input stays, for the next attempt or
// a sweep: what is recorded of an input that is gone is found by nobody.
func TestCloudflareKeepsTheInputOfARecording(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		videos   int
		fails    string // METHOD and end of the path that is answered otherwise, once
		answer   string // with that; "" is a 500
		attempts int    // until all is gone
		reason   prober.Reason
	}{
		"what cannot be named":     {3, "GET /videos", `{"success":true,"result":[{"uid":"id2"},{"uid":"../id3"}]}`, 2, prober.ReasonAPIBadAnswer},
		"none":                     {0, "", "", 1, ""},
		"all at once":              {20, "", "", 1, ""},
		"one fails":                {3, "DELETE /id3", "", 2, prober.ReasonAPIError},
		"the list fails":           {3, "GET /videos", "", 2, prober.ReasonAPIError},
		"the input fails":          {3, "DELETE /id1", "", 2, prober.ReasonAPIError},
		"more than one attempt's":  {45, "", "", 3, prober.ReasonTeardownFailed},
		"more, and one that fails": {21, "DELETE /id2", "", 2, prober.ReasonAPIError},
	} {
		for _, way := range []string{"delete", "sweep"} {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				fake := platformtest.Cloudflare(t)
				failed := false
				p, err := platform.New(prober.Platform{Type: "cloudflare", API: fake.URL, Key: platformtest.Token, Account: platformtest.Account},
					&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
						if method, end, _ := strings.Cut(test.fails, " "); !failed && r.Method == method && strings.HasSuffix(r.URL.Path, end) {
							failed = true
							if test.answer == "" {
								return &http.Response{StatusCode: http.StatusInternalServerError, Header: http.Header{}, Body: http.NoBody}, nil
							}
							return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(test.answer))}, nil
						}
						return http.DefaultTransport.RoundTrip(r)
					})})
				if err != nil {
					t.Fatal(err)
				}
				s := platform.Stream{Name: "streamcanary-x1", ID: fake.Add("streamcanary-x1", time.Now())}
				var videos []string
				for range test.videos {
					videos = append(videos, fake.Add("a video", time.Now()))
				}
				fake.Recorded(s.ID, strings.Join(videos, " "))
				for attempt := 1; attempt <= test.attempts; attempt++ {
					var failure *prober.Failure
					n := 0
					if way == "delete" {
						failure, err = p.Delete(t.Context(), s)
					} else {
						n, failure, err = p.Sweep(t.Context(), platform.Leftover{Prefix: "streamcanary-x"})
					}
					if err != nil {
						t.Fatal(err)
					}
					left := fake.Names()
					if last := attempt == test.attempts; last != (failure == nil) || last != (len(left) == 0) || last && way == "sweep" && n != 1 {
						t.Errorf("attempt %d: %+v, swept %d; left %q", attempt, failure, n, left)
					}
					if failure != nil && (failure.Reason != test.reason || !slices.Contains(left, s.Name)) {
						t.Errorf("attempt %d: %+v, want %s; left %q", attempt, failure, test.reason, left)
					}
				}
			})
		}
	}
}

func TestRecordingAppears(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"livepeer", "http"} {
		fake, words := fakes()[kind](t)
		words.Record = true
		p := open(t, words)
		s, failure, err := p.Create(t.Context(), "streamcanary-x1")
		if failure != nil || err != nil {
			t.Fatal(kind, failure, err)
		}
		if fake.Streams()[0].Body["record"] != true {
			t.Errorf("%s: sent %v", kind, fake.Streams()[0].Body)
		}
		if address, failure, err := p.Recording(t.Context(), s); address != "" || failure != nil || err != nil {
			t.Errorf("%s: %q, %v, %v", kind, address, failure, err)
		}
		fake.Recorded(s.ID, "https://vod.example/x/index.m3u8")
		if address, failure, err := p.Recording(t.Context(), s); address != "https://vod.example/x/index.m3u8" || failure != nil || err != nil {
			t.Errorf("%s: %q, %v, %v", kind, address, failure, err)
		}
	}
}

// Templates carry what would break the JSON or the URL they stand in.
func TestContractEscapes(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.Method+" "+r.URL.RequestURI()+" "+r.Header.Get("X-Key")+" "+r.Header.Get("Content-Type"))
		if strings.Contains(r.URL.RawQuery, "c%26d") {
			fmt.Fprint(w, `{"items":[]}`)
			return
		}
		fmt.Fprint(w, `{"a":{"b":[{"id":12345678901234567890}]},"next":"c&d","items":[]}`)
	}))
	t.Cleanup(srv.Close)
	p := open(t, prober.Platform{Type: "http", API: srv.URL, HTTP: &prober.HTTPContract{
		Headers: []prober.Header{{Name: "X-Key", Value: "k1"}},
		Create:  prober.HTTPCall{Method: "PUT", Path: "/s/{name}", Body: "n={name}&r={record}", Type: "application/x-www-form-urlencoded", Status: []int{200}, Take: prober.Take{ID: "$.a.b[0].id"}},
		Delete:  prober.HTTPCall{Method: "POST", Path: "/s/{id}/end", Status: []int{200}},
		List:    &prober.HTTPList{HTTPCall: prober.HTTPCall{Method: "GET", Path: "/s?after={next}", Status: []int{200}}, Items: "$.items", Next: "$.next"},
	}})
	s, failure, err := p.Create(t.Context(), "streamcanary-x&1")
	if s.ID != "12345678901234567890" || failure != nil || err != nil {
		t.Errorf("%#v, %v, %v", s, failure, err)
	}
	if failure, err := p.Delete(t.Context(), s); failure != nil || err != nil {
		t.Error(failure, err)
	}
	if _, failure, err := p.Sweep(t.Context(), platform.Leftover{Prefix: "streamcanary-x1"}); failure != nil || err != nil {
		t.Error(failure, err)
	}
	mu.Lock()
	defer mu.Unlock()
	want := []string{"PUT /s/streamcanary-x%261 k1 application/x-www-form-urlencoded", "POST /s/12345678901234567890/end k1 ",
		"GET /s?after= k1 ", "GET /s?after=c%26d k1 "}
	if !slices.Equal(asked, want) {
		t.Errorf("asked\n%q\nwant\n%q", asked, want)
	}
}

// One stream that cannot be deleted does not keep the others.
func TestSweepTriesEveryOne(t *testing.T) {
	t.Parallel()
	var deleted []string
	p := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet:
			fmt.Fprint(w, `[{"id":"1","name":"streamcanary-x1"},{"id":"2","name":"streamcanary-x2"},{"id":"3","name":"streamcanary-x3"}]`)
		case strings.HasSuffix(r.URL.Path, "/2"):
			w.WriteHeader(http.StatusInternalServerError)
		default:
			deleted = append(deleted, r.URL.Path)
			w.WriteHeader(http.StatusNoContent)
		}
	})
	n, failure, err := p.Sweep(t.Context(), platform.Leftover{Prefix: "streamcanary-x"})
	if n != 2 || failure == nil || failure.Reason != prober.ReasonAPIError || err != nil || len(deleted) != 2 {
		t.Errorf("swept %d, %v, %v: %q", n, failure, err, deleted)
	}
}
