package platform

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

func TestPause(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		status int
		header string
		wait   time.Duration
	}{
		{429, "", 0}, {429, "soon", 0}, {429, "-1", 0}, {429, "7", 7 * time.Second}, {503, "7", 7 * time.Second}, {500, "7", 0},
		{429, "86400", maxPause}, {429, now.Add(time.Minute).Format(http.TimeFormat), time.Minute}, {429, now.Add(-time.Minute).Format(http.TimeFormat), 0},
	} {
		var p pause
		p.note(&http.Response{StatusCode: c.status, Header: http.Header{"Retry-After": {c.header}}}, prober.Failure{Reason: prober.ReasonAPIQuota, Detail: "full"}, now)
		if c.wait > 0 {
			if f := p.holds(now.Add(c.wait - 1)); f == nil || f.Reason != prober.ReasonAPIQuota || !strings.HasPrefix(f.Detail, "full; not asked again before 03:") {
				t.Errorf("%d %q: %+v before its time", c.status, c.header, f)
			}
		}
		if f := p.holds(now.Add(c.wait)); f != nil {
			t.Errorf("%d %q: %+v after its time", c.status, c.header, f)
		}
	}
}
