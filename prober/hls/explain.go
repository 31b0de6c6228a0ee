package hls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"

	"streamcanary/prober"
)

// explain maps an error of a GET to a failure. Trouble before the connection
// stands is the endpoint's (stage resolve or connect), whatever was fetched;
// after that it belongs to the request's own stage. The error's text is not
// used as it is: net/http puts the whole URL into it.
func (c *clock) explain(ctx context.Context, req request, got int, err error) *prober.Failure {
	where := place(req.url)
	var ue *url.Error
	if errors.As(err, &ue) {
		if u, perr := url.Parse(ue.URL); perr == nil && u.Host != "" {
			where = place(u) // after redirects
		}
		err = ue.Err
	}
	phase, timing := c.now()
	if fail := explainBound(ctx, req, where, phase, got, timing.Total, err); fail != nil {
		return fail
	}
	if fail := explainConnect(where, phase, err); fail != nil {
		return fail
	}
	return explainAnswer(req, where, got, err)
}

// explainBound tells of bounds that are ours: time, bytes, redirects.
func explainBound(ctx context.Context, req request, where string, p phase, got int, took time.Duration, err error) *prober.Failure {
	took = took.Round(10 * time.Millisecond)
	cause := context.Cause(ctx)
	var dns *net.DNSError
	switch {
	case errors.Is(err, errRedirects):
		return failf(req.stage, prober.ReasonRedirectLoop, "%s: %v", where, errRedirects)
	case errors.Is(err, errTooLarge):
		return failf(req.stage, prober.ReasonTooLarge, "%s: longer than the bound of %d bytes", where, req.limit)
	case cause == nil && (!isTimeout(err) || errors.As(err, &dns)):
		return nil
	case cause != nil && !errors.Is(cause, errTotal) && !errors.Is(cause, errStalled):
		return &prober.Failure{Outcome: prober.Inconclusive, Stage: req.stage, Reason: prober.ReasonCancelled, Detail: prober.Clip(where+": cancelled", prober.MaxDetail)}
	case p == resolving:
		return failf(prober.StageResolve, prober.ReasonNameNotResolved, "%s: no answer from the resolver in %s", where, took)
	case p == connecting || p == securing:
		return failf(prober.StageConnect, prober.ReasonConnectTimeout, "%s: no connection (%s) in %s", where, p, took)
	case cause == nil || errors.Is(cause, errStalled):
		return failf(req.stage, prober.ReasonHTTPTimeout, "%s: the server went silent after %d bytes, given up after %s", where, got, took)
	}
	return failf(req.stage, prober.ReasonHTTPTimeout, "%s: only %d bytes in %s", where, got, took)
}

// explainConnect tells of errors before the connection stands; nil if it did.
func explainConnect(where string, p phase, err error) *prober.Failure {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.As(err, &dns):
		return failf(prober.StageResolve, prober.ReasonNameNotResolved, "%s: %s", where, dns.Err)
	case isTLS(err) || p == securing:
		return failf(prober.StageConnect, prober.ReasonTLSFailed, "%s: %v", where, err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return failf(prober.StageConnect, prober.ReasonConnectionRefused, "%s: connection refused", where)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return failf(prober.StageConnect, prober.ReasonUnreachable, "%s: no route", where)
	case errors.As(err, &op) && op.Op == "dial":
		return failf(prober.StageConnect, prober.ReasonUnreachable, "%s: cannot connect: %v", where, op.Err)
	}
	return nil
}

// explainAnswer tells of a connection that stood and an answer that did not.
func explainAnswer(req request, where string, got int, err error) *prober.Failure {
	text := err.Error()
	switch {
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return failf(req.stage, prober.ReasonHTTPClosed, "%s: connection reset after %d bytes of the answer", where, got)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		return failf(req.stage, prober.ReasonHTTPClosed, "%s: closed after %d bytes, before the answer was whole", where, got)
	case strings.Contains(text, "headers exceeded"):
		return failf(req.stage, prober.ReasonTooLarge, "%s: more than %d bytes of response header", where, maxHeaderBytes)
	case errors.Is(err, errEncoding), errors.Is(err, errGzip):
		return failf(req.stage, prober.ReasonHTTPEncoding, "%s: the answer is %v", where, err)
	case errors.Is(err, errNeedsTLS):
		return &prober.Failure{Outcome: prober.Inconclusive, Stage: req.stage, Reason: prober.ReasonConfiguration, Detail: prober.Clip(where+": "+err.Error(), prober.MaxDetail)}
	case strings.Contains(text, "Location header"), strings.Contains(text, "unsupported protocol scheme"):
		return failf(req.stage, prober.ReasonHTTPStatus, "%s: a redirect that leads nowhere", where)
	}
	return failf(req.stage, prober.ReasonHTTPClosed, "%s: the answer is not HTTP or broke off: %s", where, cutAt(text, 120))
}

func isTLS(err error) bool {
	var record tls.RecordHeaderError
	var verify *tls.CertificateVerificationError
	var alert tls.AlertError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	return errors.As(err, &record) || errors.As(err, &verify) || errors.As(err, &alert) ||
		errors.As(err, &authority) || errors.As(err, &name) ||
		strings.Contains(err.Error(), "HTTP response to HTTPS client")
}

func isTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}
