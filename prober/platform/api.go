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
	"strings"
	"time"
	"unicode"

	"streamcanary/prober"
)

const maxEvidence = 160 // bytes of an error's body that reach a failure's detail

// api calls one HTTP API, bounded in bytes and time, and says in a failure what
// it did wrong.
type api struct {
	base   *url.URL
	key    prober.Secret
	client *http.Client
}

func newAPI(base *url.URL, key prober.Secret, client *http.Client) *api {
	if client == nil {
		// No proxy from the environment: a probe that leaves through one tests it.
		client = &http.Client{Transport: &http.Transport{
			TLSHandshakeTimeout: requestTimeout, MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
		}}
	}
	own := *client
	// No contract here knows a redirect, and the token must not follow one.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &api{base: base, key: key, client: &own}
}

// call is one request and the answer that the contract promises.
type call struct {
	stage  prober.Stage
	method string
	path   string // behind the API's base
	body   any    // as JSON; nil is none
	want   int    // the status of success
	orElse int    // another; 0 is none
	limit  int64  // bytes of the answer
}

type answer struct {
	header http.Header
	body   []byte
}

func (a *api) do(ctx context.Context, c call) (answer, *prober.Failure, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := a.request(ctx, c)
	if err != nil {
		return answer{}, nil, err
	}
	res, err := a.client.Do(req)
	if err != nil {
		return answer{}, c.unanswered(a.base.Host, err), nil
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, c.limit+1))
	switch {
	case err != nil:
		return answer{}, c.unanswered(a.base.Host, err), nil
	case res.StatusCode != c.want && (c.orElse == 0 || res.StatusCode != c.orElse):
		return answer{}, c.refused(res.StatusCode, a.evidence(body)), nil
	case int64(len(body)) > c.limit:
		return answer{}, c.failure(prober.ReasonAPIBadAnswer, fmt.Sprintf("%d, but longer than %d bytes", res.StatusCode, c.limit)), nil
	}
	return answer{header: res.Header, body: body}, nil, nil
}

func (a *api) request(ctx context.Context, c call) (*http.Request, error) {
	var body io.Reader
	if c.body != nil {
		b, err := json.Marshal(c.body)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", c.method, c.path, err)
		}
		body = bytes.NewReader(b)
	}
	address := strings.TrimSuffix(a.base.String(), "/") + c.path
	req, err := http.NewRequestWithContext(ctx, c.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: not a request that can be made", c.method, c.path)
	}
	if c.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if a.key != "" {
		req.Header.Set("Authorization", "Bearer "+a.key.Reveal())
	}
	return req, nil
}

// refused says what a status means that is not the promised one.
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
	return c.failure(prober.ReasonAPIError, fmt.Sprintf("%s (the contract says %d)", detail, c.want))
}

// unanswered says why no whole answer came.
func (c call) unanswered(host string, err error) *prober.Failure {
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return c.inconclusive(prober.ReasonCancelled, "the agent gave up the call")
	case errors.As(err, &timeout) && timeout.Timeout():
		return c.failure(prober.ReasonAPITimeout, "no whole answer from "+host+" in time")
	}
	var outer *url.Error // names the whole URL, which is more than anybody should see
	if errors.As(err, &outer) {
		err = outer.Err
	}
	return c.failure(prober.ReasonAPIUnreachable, fmt.Sprintf("%s: %v", host, err))
}

func (c call) failure(reason prober.Reason, detail string) *prober.Failure {
	path, _, _ := strings.Cut(c.path, "?")
	detail = fmt.Sprintf("%s %s: %s", c.method, path, detail)
	return &prober.Failure{Outcome: prober.Fail, Stage: c.stage, Reason: reason, Detail: prober.Clip(detail, prober.MaxDetail)}
}

func (c call) inconclusive(reason prober.Reason, detail string) *prober.Failure {
	f := c.failure(reason, detail)
	f.Outcome = prober.Inconclusive
	return f
}

// evidence makes the beginning of an error's body fit for a line of text, and
// takes our token out of it should the server repeat it.
func (a *api) evidence(body []byte) string {
	text := string(body)
	if a.key != "" {
		text = strings.ReplaceAll(text, a.key.Reveal(), a.key.String())
	}
	text = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	return prober.Clip(strings.Join(strings.Fields(text), " "), maxEvidence)
}

// decodes says whether an answer is the JSON that was promised.
func (a answer) decodes(into any) bool { return json.Unmarshal(a.body, into) == nil }
