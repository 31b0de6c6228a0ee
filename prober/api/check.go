// Package api asks an HTTP API one thing, and says whether the answer is what it
// has to be. It must not know platforms, streams, or when it is asked.
package api

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
)

const (
	maxBody        = 1 << 20 // bytes of an answer
	maxHeader      = 32 << 10
	maxShown       = 80 // bytes of a value in a failure's detail
	defaultTimeout = 10 * time.Second
)

// Config is what checks share. The zero value is that of a probe.
type Config struct {
	TLS     *tls.Config   // nil trusts the system's authorities
	Timeout time.Duration // of one check, its whole answer included; 0 is 10 s
}

// Checker makes checks. It is safe for use by several goroutines.
type Checker struct {
	client  *http.Client
	timeout time.Duration
}

// New makes a checker. Every check has a connection of its own, so that name,
// handshake and certificate are looked at each time; it takes no proxy from the
// environment, and follows no redirect: what is asked is what is judged.
func New(cfg Config) *Checker {
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	return &Checker{timeout: cfg.Timeout, client: &http.Client{
		Transport: &http.Transport{TLSClientConfig: cfg.TLS, DisableKeepAlives: true, DisableCompression: true,
			MaxResponseHeaderBytes: maxHeader, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Answer is what a check found.
type Answer struct {
	Failure *prober.Failure // nil: it is as it has to be
	Times   prober.HTTPTimes
	Bytes   int64
	Took    time.Duration // for the whole of it
	Expires time.Time     // when the first certificate of the chain does; zero without TLS
}

// Check makes one check. An answer that is right, but late or under a certificate
// that expires soon, is degraded. An error means that the check cannot be made.
func (c *Checker) Check(ctx context.Context, check prober.APICheck, now time.Time) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	watch := newWatch()
	req, err := request(watch.trace(ctx), check)
	if err != nil {
		return Answer{}, err
	}
	res, err := c.client.Do(req)
	if err != nil {
		return Answer{Failure: watch.explain(check, req.URL.Host, err), Times: watch.times(), Took: watch.took()}, nil
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	a := Answer{Times: watch.times(), Bytes: int64(len(body)), Took: watch.took()}
	a.Times.Protocol = res.Proto
	if res.TLS != nil && len(res.TLS.PeerCertificates) > 0 {
		a.Expires = res.TLS.PeerCertificates[0].NotAfter
	}
	if err != nil {
		a.Failure = watch.explain(check, req.URL.Host, err)
		return a, nil
	}
	a.Failure = judge(check, res.StatusCode, body)
	if a.Failure == nil {
		a.Failure = late(check, a, now)
	}
	return a, nil
}

func request(ctx context.Context, check prober.APICheck) (*http.Request, error) {
	var body io.Reader
	if check.Body != "" {
		body = strings.NewReader(check.Body)
	}
	u, err := url.Parse(check.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("api check %q: want an http or https URL", check.Name)
	}
	req, err := http.NewRequestWithContext(ctx, check.Method, check.URL, body)
	if err != nil {
		return nil, fmt.Errorf("api check %q: not a request that can be made", check.Name)
	}
	req.Header.Set("User-Agent", "streamcanary")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range check.Headers {
		req.Header.Set(h.Name, h.Value.Reveal())
	}
	return req, nil
}

// judge looks at the status and the field that is asked for.
func judge(check prober.APICheck, status int, body []byte) *prober.Failure {
	if !slices.Contains(check.Status, status) {
		return wrongStatus(check, status)
	}
	if len(body) > maxBody {
		return fail(check, prober.StageProvision, prober.ReasonAPIBadAnswer, "%d, but longer than %d bytes", status, maxBody)
	}
	if check.Path == "" {
		return nil
	}
	path, err := prober.ParseJSONPath(check.Path)
	if err != nil {
		return inconclusive(check, prober.ReasonConfiguration, "path %s %v", check.Path, err)
	}
	var document any
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	if d.Decode(&document) != nil {
		return fail(check, prober.StageProvision, prober.ReasonAPIBadAnswer, "%d, but not JSON", status)
	}
	value, found := path.In(document)
	switch got := prober.JSONText(value); {
	case !found:
		return fail(check, prober.StageProvision, prober.ReasonAPIWrongValue, "nothing at %s", check.Path)
	case check.Want != nil && got != *check.Want:
		return fail(check, prober.StageProvision, prober.ReasonAPIWrongValue, "%s is %q; want %q",
			check.Path, hide(check, got, maxShown), prober.Clip(*check.Want, maxShown))
	}
	return nil
}

func wrongStatus(check prober.APICheck, status int) *prober.Failure {
	text := fmt.Sprintf("%d %s", status, http.StatusText(status))
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return inconclusive(check, prober.ReasonAPIUnauthorized, "%s; check the probe's headers", text)
	case http.StatusPaymentRequired, http.StatusTooManyRequests:
		return inconclusive(check, prober.ReasonAPIQuota, "%s", text)
	}
	return fail(check, prober.StageProvision, prober.ReasonAPIError, "%s; want %s", text, numbers(check.Status))
}

// late finds what is right, but not as good as asked for.
func late(check prober.APICheck, a Answer, now time.Time) *prober.Failure {
	f := (*prober.Failure)(nil)
	if bound := check.MaxLatency; bound > 0 && a.Took > bound {
		f = fail(check, prober.StageLatency, prober.ReasonLatencyHigh, "answered after %s; want %s", a.Took.Round(time.Millisecond), bound)
	}
	if least := time.Duration(check.CertificateDays) * 24 * time.Hour; !a.Expires.IsZero() && a.Expires.Sub(now) < least {
		f = fail(check, prober.StageConnect, prober.ReasonCertificateExpiring, "the certificate expires on %s, in %d days; want at least %d",
			a.Expires.UTC().Format(time.DateOnly), int(a.Expires.Sub(now)/(24*time.Hour)), check.CertificateDays)
	}
	if f != nil {
		f.Outcome = prober.Degraded
	}
	return f
}

func fail(check prober.APICheck, stage prober.Stage, reason prober.Reason, format string, args ...any) *prober.Failure {
	detail := fmt.Sprintf("%s: %s", check.Name, fmt.Sprintf(format, args...))
	return &prober.Failure{Outcome: prober.Fail, Stage: stage, Reason: reason, Detail: prober.Clip(detail, prober.MaxDetail)}
}

func inconclusive(check prober.APICheck, reason prober.Reason, format string, args ...any) *prober.Failure {
	f := fail(check, prober.StageProvision, reason, format, args...)
	f.Outcome = prober.Inconclusive
	return f
}

// hide takes the probe's own secrets out of a text, should the API repeat them:
// its headers, and what its URL has besides host and path. It keeps at most limit bytes.
func hide(check prober.APICheck, text string, limit int) string {
	return prober.HideClip(text, limit, append(prober.HeaderSecrets(check.Headers), prober.URLSecrets(check.URL)...)...)
}

func numbers(list []int) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = fmt.Sprint(n)
	}
	return strings.Join(words, ", ")
}
