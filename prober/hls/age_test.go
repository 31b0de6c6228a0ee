package hls

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// A segment of a long target duration is old when it is listed, and live all the same.
func TestFollowerMarkerAge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		target, late, bound time.Duration
		want                string
	}{
		{target: 2 * time.Second, want: "good"},
		{target: 2 * time.Second, late: 26 * time.Second, want: "good"},
		{target: 2 * time.Second, late: 40 * time.Second, want: "media/marker_stale"},
		{target: 10 * time.Second, late: 40 * time.Second, want: "good"},
		{target: 10 * time.Second, late: 70 * time.Second, want: "media/marker_stale"},
		{target: 10 * time.Second, late: 20 * time.Second, bound: 10 * time.Second, want: "media/marker_stale"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s late by %s", tt.target, tt.late), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin()
				o.target, o.to = tt.target, 24*time.Hour
				o.fault = func(o *origin, w http.ResponseWriter, r *http.Request) bool {
					then := &origin{start: o.start.Add(tt.late), target: o.target} // all that is made is listed that much later
					if isPlaylist(r) {
						_, _ = io.WriteString(w, then.window(0, then.complete()))
					}
					return isPlaylist(r)
				}
				pass(5*tt.target + tt.late)
				if v := last(t, o, Config{MaxMarkerAge: tt.bound, MaxLatency: time.Hour}, 30*time.Second); v.verdict() != tt.want {
					t.Errorf("%s: %+v, want %s", v.verdict(), v.Failure, tt.want)
				}
			})
		})
	}
}
