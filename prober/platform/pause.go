package platform

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"streamcanary/prober"
)

// maxPause bounds for how long an API may send us away: a platform that says
// "tomorrow" by mistake is not to blind us.
const maxPause = 5 * time.Minute

// pause keeps the API from being asked before the time that it named in a
// Retry-After (RFC 9110 10.2.3) of a 429 or 503. Until then every call fails as
// that one did. The zero value holds nothing back.
type pause struct {
	mu      sync.Mutex
	until   time.Time
	failure prober.Failure
}

func (p *pause) note(res *http.Response, f prober.Failure, now time.Time) {
	if res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusServiceUnavailable {
		return
	}
	wait := retryAfter(res.Header.Get("Retry-After"), now)
	if wait <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.until = now.Add(min(wait, maxPause))
	f.Detail = prober.Clip(f.Detail, prober.MaxDetail-80) + "; not asked again before " +
		p.until.UTC().Format(time.TimeOnly) + " UTC (Retry-After)"
	p.failure = f
}

// holds gives the failure that stands in for a call before its time, or nil.
func (p *pause) holds(now time.Time) *prober.Failure {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !now.Before(p.until) {
		return nil
	}
	f := p.failure
	return &f
}

// retryAfter reads seconds or an HTTP date; 0 is neither.
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return at.Sub(now)
	}
	return 0
}
