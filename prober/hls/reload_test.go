package hls

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober"
)

// blockingOrigin offers blocking reloads of whole segments, and delta updates.
type blockingOrigin struct {
	*origin
	answer   func(w http.ResponseWriter, r *http.Request) bool // of a blocking reload; true: answered
	blocking int
	deltas   int
}

func (b *blockingOrigin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "live.m3u8") {
		b.origin.ServeHTTP(w, r)
		return
	}
	b.mu.Lock()
	b.polls = append(b.polls, time.Now())
	b.mu.Unlock()
	if msn, err := strconv.Atoi(r.URL.Query().Get("_HLS_msn")); err == nil {
		b.blocking++
		if b.answer != nil && b.answer(w, r) {
			return
		}
		for b.complete() <= msn {
			wait(r, 50*time.Millisecond)
			if r.Context().Err() != nil {
				return
			}
		}
	}
	text := b.window(0, b.complete())
	text = strings.Replace(text, "#EXT-X-VERSION:3", "#EXT-X-VERSION:9", 1)
	text = strings.Replace(text, "#EXTINF", "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0\n#EXTINF", 1)
	if r.URL.Query().Get("_HLS_skip") == "YES" && b.complete() > 5 {
		b.deltas++
		head, _, _ := strings.Cut(text, "#EXTINF")
		tail := text[strings.LastIndex(text, "#EXTINF"):]
		text = fmt.Sprintf("%s#EXT-X-SKIP:SKIPPED-SEGMENTS=4\n%s", head, tail)
	}
	_, _ = w.Write([]byte(text))
}

// Blocking reloads as they should be, and as servers get them wrong: then the
// playlist is loaded as any other, and the broadcast plays.
func TestFollowerBlockingReload(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request) bool
		want   prober.Reason // of a finding; "" is none
		least  int           // blocking reloads
		most   int
	}{
		{"as it should be", nil, "", 13, 16},
		{"refused", func(w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, "no", http.StatusBadRequest)
			return true
		}, prober.ReasonLowLatency, 4, 5},
		{"hangs", func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }, prober.ReasonPlaylistStale, 1, 4},
		{"does not block", func(w http.ResponseWriter, r *http.Request) bool {
			r.URL.RawQuery = "" // as an origin that knows no directives
			b := r.Context().Value(http.ServerContextKey).(*http.Server).Handler
			b.ServeHTTP(w, r)
			return true
		}, prober.ReasonLowLatency, 3, 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := &blockingOrigin{origin: newOrigin(), answer: tt.answer}
				pass(13*time.Second + 100*time.Millisecond)
				turns := watch(t, b, Config{}, 30*time.Second)
				var reasons []prober.Reason
				segments := 0
				for _, turn := range turns {
					segments += turn.Segments
					for _, f := range turn.Findings {
						reasons = append(reasons, f.Reason)
					}
				}
				end := turns[len(turns)-1]
				if end.Failure != nil && end.Failure.Outcome == prober.Fail || segments < 10 {
					t.Errorf("%d segments; %+v", segments, end.Failure)
				}
				if tt.want == "" && len(reasons) > 0 || tt.want != "" && (len(reasons) == 0 || reasons[0] != tt.want) {
					t.Errorf("findings %v", reasons)
				}
				if b.blocking < tt.least || b.blocking > tt.most || len(b.polls) > 60 {
					t.Errorf("%d blocking reloads, %d in all", b.blocking, len(b.polls))
				}
			})
		})
	}
}

// A server that stops while it holds a reload is told before the time is over that
// it may hold one for (10 s here), and one that holds it no longer than it should
// never is.
func TestFollowerHeldReload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &blockingOrigin{origin: newOrigin()}
		pass(13*time.Second + 100*time.Millisecond)
		start := time.Now()
		b.answer = func(_ http.ResponseWriter, r *http.Request) bool {
			if time.Since(start) < 15*time.Second {
				return false
			}
			<-r.Context().Done()
			return true
		}
		for _, turn := range watch(t, b, Config{}, 24*time.Second) {
			held := turn.at > 15*time.Second+2*time.Second+4*time.Second // from a segment to the next, and the bound
			switch fail := turn.Failure; {
			case turn.at < 15*time.Second && fail != nil:
				t.Errorf("at %s: %+v", turn.at, fail)
			case held && (fail == nil || fail.Reason != prober.ReasonPlaylistStale || fail.Outcome != prober.Fail || !strings.Contains(fail.Detail, "not answered")):
				t.Errorf("at %s: %+v, want a stale playlist", turn.at, fail)
			}
		}
	})
}

// One blocking reload that is refused is no verdict for longer than it takes to see
// that the next one is not.
func TestFollowerRefusedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &blockingOrigin{origin: newOrigin()}
		var at time.Time
		b.answer = func(w http.ResponseWriter, _ *http.Request) bool {
			if b.blocking != 3 {
				return false
			}
			at = time.Now()
			http.Error(w, "no", http.StatusBadGateway)
			return true
		}
		pass(13*time.Second + 100*time.Millisecond)
		start := time.Now()
		degraded := 0
		for _, turn := range watch(t, b, Config{}, 30*time.Second) {
			if turn.Failure == nil {
				continue
			}
			degraded++
			if after := start.Add(turn.at).Sub(at); turn.verdict() != "degraded manifest/low_latency" || after > 6*time.Second {
				t.Errorf("%s after it: %+v", after, turn.Failure)
			}
		}
		if degraded == 0 {
			t.Error("nothing was told")
		}
	})
}

// endsAfter ends a follower's run when an answer to a blocking reload has been read.
type endsAfter struct {
	http.RoundTripper
	end context.CancelFunc
}

func (e endsAfter) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := e.RoundTripper.RoundTrip(r)
	if err == nil && r.URL.Query().Has("_HLS_msn") {
		answer.Body = endingBody{answer.Body, e.end}
	}
	return answer, err
}

type endingBody struct {
	io.ReadCloser
	end context.CancelFunc
}

func (b endingBody) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}

// A run may end between a blocking reload's answer and its use.
func TestFollowerEndsAtABlockingReload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &blockingOrigin{origin: newOrigin()}
		pass(13 * time.Second)
		ctx, end := context.WithCancel(t.Context())
		defer end()
		f := NewFollower(Config{URL: "http://origin.test/live/live.m3u8", Run: ourRun, Inspect: testInspect,
			Transport: endsAfter{serve(t, b), end}})
		if err := f.Run(ctx); err != nil || b.blocking != 1 {
			t.Errorf("%d blocking reloads, then %v", b.blocking, err)
		}
		synctest.Wait()
	})
}

// Delta updates are asked for when a setting says so, and give what whole
// playlists give.
func TestFollowerDeltaUpdates(t *testing.T) {
	t.Parallel()
	for _, asked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := &blockingOrigin{origin: newOrigin()}
			pass(13*time.Second + 100*time.Millisecond)
			segments := 0
			for _, turn := range watch(t, b, Config{DeltaUpdates: asked}, 20*time.Second) {
				segments += turn.Segments
				if turn.Failure != nil || len(turn.Findings) > 0 {
					t.Errorf("at %s: %+v %+v", turn.at, turn.Failure, turn.Findings)
				}
			}
			if segments < 10 || asked != (b.deltas > 5) {
				t.Errorf("asked %v: %d delta updates, %d segments", asked, b.deltas, segments)
			}
		})
	}
}
