package hub

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// TestRefusalsAreLoggedOnceAMinute: an agent with a wrong key comes back a dozen
// times a minute, each time from another port.
func TestRefusalsAreLoggedOnceAMinute(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	now := time.Date(2024, 4, 8, 12, 0, 0, 0, time.UTC)
	l := newNATSLogger(slog.New(slog.NewTextHandler(&out, nil)), "")
	l.now = func() time.Time { return now }
	cid := 0
	refuse := func(host, agent string, times int) string {
		out.Reset()
		for range times {
			cid++
			l.Errorf("%s:%d - cid:%d - authentication error - User %q", host, 30000+cid, cid, agent)
		}
		return out.String()
	}
	check := func(what, got string, lines int, want string) {
		t.Helper()
		if strings.Count(got, "\n") != lines || !strings.Contains(got, want) {
			t.Errorf("%s: want %d lines with %q, got:\n%s", what, lines, want, got)
		}
	}
	check("first", refuse("10.0.0.7", "fra", 12), 1, "authentication error")
	check("another agent", refuse("10.0.0.7", "nyc", 5), 1, "nyc")
	check("another address", refuse("10.0.0.8", "fra", 5), 1, "10.0.0.8")
	now = now.Add(59 * time.Second)
	check("within the minute", refuse("10.0.0.7", "fra", 3), 0, "")
	now = now.Add(2 * time.Second)
	check("after it", refuse("10.0.0.7", "fra", 3), 1, "(14 more like it since)")
	now = now.Add(2 * time.Minute)
	check("after another", refuse("10.0.0.7", "fra", 1), 1, "(2 more like it since)")

	// Somebody who tries names is no reason to fill memory or disk.
	now = now.Add(2 * time.Minute)
	lines, long := 0, 0
	for i := range 5000 {
		text := refuse("10.0.0.9", fmt.Sprint(i, strings.Repeat("x", 3000)), 1)
		lines += strings.Count(text, "\n")
		long = max(long, len(text))
	}
	if lines > maxLimited+1 || len(l.limited) > maxLimited+1 {
		t.Errorf("%d lines logged and %d remembered of 5000 names, want at most %d", lines, len(l.limited), maxLimited+1)
	}
	if long > 600 {
		t.Errorf("a line of %d bytes", long)
	}
	now = now.Add(2 * time.Minute)
	check("afterwards", refuse("10.0.0.7", "fra", 2), 1, "fra")

	// What is not of a connection is never held back.
	out.Reset()
	for range 3 {
		l.Warnf("the disk is slow")
	}
	check("no connection", out.String(), 3, "the disk is slow")
}
