package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"streamcanary/prober"
)

const (
	maxEvidence = 160      // bytes of an error's body that reach a failure's detail
	maxError    = 2 << 10  // bytes of it that are looked at for them: most may be spaces
	maxStream   = 64 << 10 // bytes of one stream's description
	maxList     = 8 << 20  // bytes of one page of a list
	maxPages    = 50       // pages of a list
	maxField    = 256      // bytes of an id or key
	maxURL      = 2 << 10  // bytes of a URL
)

// api calls one HTTP API, bounded in bytes and time, and says in a failure what
// it did wrong. It is safe for use by several goroutines.
type api struct {
	base      *url.URL
	authorize func(*http.Request)
	secrets   []prober.Secret // never in a failure, should the server repeat them
	client    *http.Client
	wait      pause
}

func newAPI(p prober.Platform, client *http.Client) (*api, error) {
	base, err := url.Parse(p.API)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("platform %s: its api has to be an http or https URL, such as https://livepeer.studio/api", p.Type)
	}
	if client == nil {
		// No proxy from the environment: a probe that leaves through one tests it.
		client = &http.Client{Transport: &http.Transport{
			TLSHandshakeTimeout: requestTimeout, MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
		}}
	}
	own := *client
	// No contract here knows a redirect, and the token must not follow one.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	a := &api{base: base, client: &own, secrets: append(prober.URLSecrets(p.API), p.Key), authorize: func(*http.Request) {}}
	if p.Key != "" {
		a.authorize = func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+p.Key.Reveal()) }
	}
	return a, nil
}

// call is one request and the answer that the contract promises.
type call struct {
	stage  prober.Stage
	method string
	path   string // behind the API's base
	shown  string // the path without what is nobody's business; "" is the path itself
	body   []byte // nil is none
	kind   string // Content-Type of the body; "" is application/json
	want   []int  // the statuses of success
	limit  int64  // bytes of the answer

	secrets []prober.Secret // of the stream that it is about
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

// do makes a call. With the failure that is a success of another status than
// promised comes its answer: what was asked for may have been done.
func (a *api) do(ctx context.Context, c call) (answer, *prober.Failure, error) {
	if failure := a.wait.holds(time.Now()); failure != nil {
		return answer{}, c.at(*failure), nil
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := a.request(ctx, c)
	if err != nil {
		return answer{}, nil, err
	}
	res, err := a.client.Do(req)
	if err != nil {
		return answer{}, a.unanswered(c, err), nil
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, c.limit+1))
	switch {
	case err != nil:
		return answer{}, a.unanswered(c, err), nil
	case !slices.Contains(c.want, res.StatusCode):
		failure := c.refused(res.StatusCode, a.evidence(c, res.StatusCode, body))
		a.wait.note(res, *failure, time.Now())
		if res.StatusCode/100 == 2 {
			return answer{status: res.StatusCode, body: body}, failure, nil
		}
		return answer{}, failure, nil
	case int64(len(body)) > c.limit:
		return answer{}, c.failure(prober.ReasonAPIBadAnswer, fmt.Sprintf("%d, but longer than %d bytes", res.StatusCode, c.limit)), nil
	}
	return answer{status: res.StatusCode, header: res.Header, body: body}, nil, nil
}

func (a *api) request(ctx context.Context, c call) (*http.Request, error) {
	var body io.Reader
	if c.body != nil {
		body = bytes.NewReader(c.body)
	}
	address := strings.TrimSuffix(a.base.String(), "/") + c.path
	req, err := http.NewRequestWithContext(ctx, c.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: not a request that can be made", c.method, c.place())
	}
	req.Header.Set("Accept", "application/json")
	if c.body != nil {
		kind := c.kind
		if kind == "" {
			kind = "application/json"
		}
		req.Header.Set("Content-Type", kind)
	}
	a.authorize(req)
	return req, nil
}

// asJSON is a body of values that can always be written.
func asJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("platform: a body that is no JSON: " + err.Error())
	}
	return b
}

// refused says what a status means that is not a promised one.
func (c call) refused(status int, evidence string) *prober.Failure {
	detail := fmt.Sprintf("%d %s", status, http.StatusText(status))
	if evidence != "" {
		detail += ": " + evidence
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return c.inconclusive(prober.ReasonAPIUnauthorized, detail+"; check the platform's api_key")
	case http.StatusPaymentRequired, http.StatusTooManyRequests:
		return c.inconclusive(prober.ReasonAPIQuota, detail)
	}
	return c.failure(prober.ReasonAPIError, fmt.Sprintf("%s (the contract says %d)", detail, c.want[0]))
}

// unanswered says why no whole answer came.
func (a *api) unanswered(c call, err error) *prober.Failure {
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return c.inconclusive(prober.ReasonCancelled, "the agent gave up the call")
	case errors.As(err, &timeout) && timeout.Timeout():
		return c.failure(prober.ReasonAPITimeout, "no whole answer from "+a.base.Host+" in time")
	}
	var outer *url.Error // names the whole URL, which is more than anybody should see
	if errors.As(err, &outer) {
		err = outer.Err
	}
	return c.failure(prober.ReasonAPIUnreachable, a.base.Host+": "+a.hide(c, err.Error(), prober.MaxDetail)) // which quotes an answer that is not HTTP
}

// place is the call's path for people.
func (c call) place() string {
	if c.shown != "" {
		return c.shown
	}
	path, _, _ := strings.Cut(c.path, "?")
	return path
}

func (c call) failure(reason prober.Reason, detail string) *prober.Failure {
	detail = fmt.Sprintf("%s %s: %s", c.method, c.place(), detail)
	return &prober.Failure{Outcome: prober.Fail, Stage: c.stage, Reason: reason, Detail: prober.Clip(detail, prober.MaxDetail)}
}

func (c call) inconclusive(reason prober.Reason, detail string) *prober.Failure {
	f := c.failure(reason, detail)
	f.Outcome = prober.Inconclusive
	return f
}

// at is another call's failure, as this one's.
func (c call) at(f prober.Failure) *prober.Failure {
	f.Stage = c.stage
	return &f
}

// secretField is a field of an error's JSON, or of what is cut off from one, that
// may hold a key or token which is not known here, such as that of a stream which
// exists already.
var secretField = regexp.MustCompile(`(?i)("[^"]*(?:key|token|secret|password|url)[^"]*"\s*:\s*)("(?:[^"\\]|\\.)*"?)`)

// evidence makes the beginning of an error's body fit for a line of text, and
// takes our secrets out of it should the server repeat them. Of what is no error
// it gives nothing: there the body is the stream, with its key.
func (a *api) evidence(c call, status int, body []byte) string {
	if status < http.StatusBadRequest {
		return ""
	}
	text := a.hide(c, string(body[:min(len(body), maxStream)]), maxError)
	text = secretField.ReplaceAllString(text, `$1"`+prober.Secret("").String()+`"`)
	text = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	return prober.Clip(strings.Join(strings.Fields(text), " "), maxEvidence)
}

// hide takes our secrets out of a server's words, the account's and the stream's, and
// keeps at most limit bytes of them.
func (a *api) hide(c call, text string, limit int) string {
	return prober.HideClip(text, limit, slices.Concat(a.secrets, c.secrets)...)
}

// decodes says whether an answer is the JSON that was promised.
func (a answer) decodes(into any) bool { return json.Unmarshal(a.body, into) == nil }

// usable says whether a value from the API can stand in a URL's path without
// changing what the URL means.
func usable(s string) bool {
	if s == "" || len(s) > maxField || strings.Trim(s, ".") == "" {
		return false
	}
	return url.PathEscape(s) == s
}

// field is a value of an answer with its name, for the check of several at once.
type field struct{ name, value string }

// unusable is the failure of the first field that usable refuses, or nil.
func (c call) unusable(status int, fields ...field) *prober.Failure {
	for _, f := range fields {
		if !usable(f.value) {
			return c.failure(prober.ReasonAPIBadAnswer, fmt.Sprintf("%d, but without a usable %s", status, f.name))
		}
	}
	return nil
}

// usableURL says whether an address from the API may be used as it is: one of
// the schemes, a host, no user, no fragment.
func usableURL(s string, schemes ...string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= maxURL && slices.Contains(schemes, u.Scheme) && u.Hostname() != "" && u.User == nil && u.Fragment == ""
}
