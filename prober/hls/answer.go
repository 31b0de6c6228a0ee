package hls

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"streamcanary/prober"
)

// httpTimes are an answer's times, and what its header says of the way it took.
func httpTimes(resp *http.Response, t timing) prober.HTTPTimes {
	return prober.HTTPTimes{
		Resolve: t.Resolve, Connect: t.Connect, TLS: t.TLS,
		FirstByte: t.FirstByte, Body: max(t.Total-t.FirstByte, 0),
		Protocol: resp.Proto, Redirects: redirects(resp),
		Cache: cacheSaid(resp.Header), Age: age(resp.Header),
		Encoding: strings.ToLower(prober.Clip(resp.Header.Get("Content-Encoding"), 20)),
	}
}

// redirects counts what was followed up to an answer.
func redirects(resp *http.Response) int {
	n := 0
	for before := resp.Request.Response; before != nil && n <= maxRedirects; before = before.Request.Response {
		n++
	}
	return n
}

// age is how long an answer has been in caches (RFC 9111 5.1).
func age(h http.Header) time.Duration {
	seconds, err := strconv.ParseInt(strings.TrimSpace(h.Get("Age")), 10, 32)
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// cacheSaid reads whether a cache had the answer: "hit", "miss", or "" where
// nothing is said. Cache-Status is RFC 9211's, where the last member is the cache
// that is next to us; the others are what CDNs say of their own.
func cacheSaid(h http.Header) string {
	if members := h.Values("Cache-Status"); len(members) > 0 {
		all := strings.Split(members[len(members)-1], ",")
		for i, parameter := range strings.Split(all[len(all)-1], ";") {
			name, _, _ := strings.Cut(strings.TrimSpace(parameter), "=")
			switch {
			case i == 0:
			case strings.EqualFold(name, "hit"):
				return "hit"
			case strings.EqualFold(name, "fwd"):
				return "miss"
			}
		}
	}
	for _, name := range []string{"Cf-Cache-Status", "X-Cache", "X-Cache-Status", "Cdn-Cache"} {
		all := strings.Split(h.Get(name), ",")
		switch said := strings.ToLower(all[len(all)-1]); {
		case strings.Contains(said, "hit"), strings.Contains(said, "revalidated"), strings.Contains(said, "stale"), strings.Contains(said, "updating"):
			return "hit"
		case strings.Contains(said, "miss"), strings.Contains(said, "expired"), strings.Contains(said, "dynamic"),
			strings.Contains(said, "bypass"), strings.Contains(said, "pass"):
			return "miss"
		}
	}
	return ""
}
