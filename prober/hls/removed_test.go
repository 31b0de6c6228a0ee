package hls

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober"
)

// askedFor counts the requests for one byte of a segment.
type askedFor struct {
	*origin
	mu   sync.Mutex
	keep int // segments that are there after they were removed
	how  func(w http.ResponseWriter, r *http.Request)
	n    int
}

func (a *askedFor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/live/seg"), ".ts"))
	if err != nil || r.Header.Get("Range") == "" {
		a.origin.ServeHTTP(w, r)
		return
	}
	a.mu.Lock()
	a.n++
	a.mu.Unlock()
	switch {
	case a.how != nil:
		a.how(w, r)
	case number < a.complete()-5-a.keep:
		http.NotFound(w, r)
	default:
		a.origin.ServeHTTP(w, r) // the whole of it, with 200
	}
}

// A removed segment has to be there for its duration and that of the playlist, from
// when it was first listed.
func TestFollowerAsksForRemoved(t *testing.T) {
	t.Parallel()
	status := func(code int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	part := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", "bytes 0-0/1000")
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write([]byte{0x47})
	}
	degraded := Rules{Severity: map[string]prober.Severity{"segment-gone": prober.SeverityDegraded}}
	tests := []struct {
		name    string
		cfg     Config
		keep    int
		how     func(w http.ResponseWriter, r *http.Request)
		gone    bool
		verdict string
		asks    int
	}{
		{name: "deleted at once", gone: true, verdict: "good", asks: 2},
		{name: "deleted at once, graded", cfg: Config{Rules: degraded}, gone: true, verdict: "degraded segment/segment_gone", asks: 2},
		{name: "kept for one segment more", keep: 1, verdict: "good", asks: 2},
		{name: "a byte as asked", how: part, verdict: "good", asks: 2},
		{name: "forbidden", how: status(http.StatusForbidden), gone: true, verdict: "good", asks: 2},
		{name: "a server in trouble", how: status(http.StatusServiceUnavailable), verdict: "good", asks: 2},
		{name: "no answer", how: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, verdict: "good", asks: 2},
		{name: "switched off", cfg: Config{SkipRemoved: true}, verdict: "good"},
		{name: "no segments wanted", cfg: Config{Sample: PlaylistOnly}, verdict: "good"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := &askedFor{origin: newOrigin(), keep: tt.keep, how: tt.how}
				pass(8100 * time.Millisecond) // a tenth of a second behind each new segment
				var found []string
				turns := watch(t, a, tt.cfg, 66*time.Second)
				for _, turn := range turns {
					for _, f := range turn.Findings {
						found = append(found, fmt.Sprint(f.Rule, " ", f.Severity, " ", f.Detail))
					}
				}
				if end := turns[len(turns)-1]; end.verdict() != tt.verdict {
					t.Errorf("%s: %+v", end.verdict(), end.Failure)
				}
				if a.n != tt.asks || (len(found) > 0) != tt.gone {
					t.Errorf("%d requests, %q", a.n, found)
				}
				for _, f := range found {
					if !strings.HasPrefix(f, "segment-gone ") || strings.Contains(f, "s3cret") {
						t.Error(f)
					}
				}
			})
		})
	}
}
