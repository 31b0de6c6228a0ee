package api

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptrace"
	"net/url"
	"sync"
	"syscall"
	"time"

	"streamcanary/prober"
)

// watch notes how far a request came, and when.
type watch struct {
	begun time.Time

	mu        sync.Mutex
	resolving time.Time
	dialing   time.Time
	shaking   time.Time
	sent      time.Time // written, or the connection was there
	t         prober.HTTPTimes
	ended     time.Time
}

func newWatch() *watch { return &watch{begun: time.Now()} }

func (w *watch) trace(ctx context.Context) context.Context {
	at := func(field *time.Time) {
		w.mu.Lock()
		defer w.mu.Unlock()
		*field = time.Now()
	}
	since := func(from *time.Time, into *time.Duration) {
		w.mu.Lock()
		defer w.mu.Unlock()
		*into = time.Since(*from)
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { at(&w.resolving) },
		DNSDone:      func(httptrace.DNSDoneInfo) { since(&w.resolving, &w.t.Resolve) },
		ConnectStart: func(string, string) { at(&w.dialing) },
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				since(&w.dialing, &w.t.Connect)
			}
		},
		TLSHandshakeStart: func() { at(&w.shaking) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err == nil {
				since(&w.shaking, &w.t.TLS)
			}
		},
		WroteRequest:         func(httptrace.WroteRequestInfo) { at(&w.sent) },
		GotFirstResponseByte: func() { since(&w.sent, &w.t.FirstByte) },
	})
}

// times gives the parts; it is called once the body has been read.
func (w *watch) times() prober.HTTPTimes {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = time.Now()
	t := w.t
	if t.FirstByte > 0 {
		t.Body = max(w.ended.Sub(w.sent)-t.FirstByte, 0)
	}
	return t
}

func (w *watch) took() time.Duration { return time.Since(w.begun) }

// explain says why no whole answer came, by how far the request had come.
func (w *watch) explain(check prober.APICheck, host string, err error) *prober.Failure {
	w.mu.Lock()
	connected, shaking, sent, secured := w.t.Connect > 0, !w.shaking.IsZero(), !w.sent.IsZero(), w.t.TLS > 0
	w.mu.Unlock()
	var outer *url.Error // names the whole URL, which is more than anybody should see
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var timeout net.Error
	late := errors.As(err, &timeout) && timeout.Timeout()
	var name *net.DNSError
	switch {
	case errors.Is(err, context.Canceled):
		return inconclusive(check, prober.ReasonCancelled, "the agent stopped")
	case errors.As(err, &name):
		return fail(check, prober.StageResolve, prober.ReasonNameNotResolved, "%s: %s", host, name.Err)
	case !connected && errors.Is(err, syscall.ECONNREFUSED):
		return fail(check, prober.StageConnect, prober.ReasonConnectionRefused, "%s refuses connections", host)
	case !connected && late:
		return fail(check, prober.StageConnect, prober.ReasonConnectTimeout, "%s: no connection in time", host)
	case !connected:
		return fail(check, prober.StageConnect, prober.ReasonUnreachable, "%s: %s", host, hide(check, err.Error(), prober.MaxDetail))
	case shaking && !secured && !sent:
		return fail(check, prober.StageConnect, prober.ReasonTLSFailed, "%s: %s", host, hide(check, err.Error(), prober.MaxDetail))
	case late:
		return fail(check, prober.StageProvision, prober.ReasonAPITimeout, "no whole answer from %s in time", host)
	}
	return fail(check, prober.StageProvision, prober.ReasonAPIUnreachable, "%s: %s", host, hide(check, err.Error(), prober.MaxDetail))
}
