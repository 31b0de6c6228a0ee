package rtmp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"streamcanary/prober"
)

// ending is why a broadcast is over: the server's doing, whatever stage it
// meets. It is an error so that it can be the cause of a cancelled context.
type ending struct {
	reason prober.Reason
	what   string // evidence, scrubbed

	redirect  string // where connect sends us instead; "": nowhere
	challenge string // what connect wants answered; "": nothing

	dialled  netip.Addr   // where TCP stood; the zero value: nowhere, or the broadcast's
	unrouted []netip.Addr // all addresses, where none has a route from here or can be tried
	fault    error        // of this machine, which could not even try
	familial bool         // the fault may be that it is without the address's family
}

func (e *ending) Error() string { return string(e.reason) + ": " + e.what }

// errClosedByUs is the cause when Close ends a broadcast.
var errClosedByUs = errors.New("closed by the publisher")

// protocolError is what a server sent that is not RTMP, or not within bounds.
type protocolError string

func (e protocolError) Error() string { return string(e) }

// failure puts an ending into a stage; nil if there is none.
func (e *ending) failure(stage prober.Stage, at endpoint) *prober.Failure {
	if e == nil {
		return nil
	}
	f := &prober.Failure{Outcome: prober.Fail, Stage: stage, Reason: e.reasonAt(stage)}
	if e.reason == prober.ReasonCancelled {
		f.Outcome = prober.Inconclusive
	}
	if e.dialled.IsValid() {
		at.dialled = e.dialled
	}
	f.Detail = prober.Clip(at.named()+": "+e.what, prober.MaxDetail)
	return f
}

// reasonAt keeps to the reasons of a stage where a server uses another's words.
func (e *ending) reasonAt(stage prober.Stage) prober.Reason {
	switch {
	case stage == prober.StageConnect && strings.HasPrefix(string(e.reason), "publish_"):
		return prober.ReasonConnectRejected
	case stage != prober.StageConnect && e.reason == prober.ReasonConnectRejected:
		return prober.ReasonPublishRejected
	case stage == prober.StageIngest && e.reason == prober.ReasonHandshakeFailed:
		return prober.ReasonConnectionClosed
	}
	return e.reason
}

// networkEnding says what an error of the connection means. The error's own text
// is not quoted: it repeats addresses and nothing more.
func networkEnding(err error) *ending {
	var bad protocolError
	var timeout net.Error
	switch {
	case errors.As(err, &bad):
		return &ending{reason: prober.ReasonHandshakeFailed, what: "what the server sent is not RTMP: " + string(bad)}
	case errors.Is(err, errStalled), errors.Is(err, syscall.ETIMEDOUT):
		return &ending{reason: prober.ReasonSendStalled, what: "the server took no bytes: " + plain(err)}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &ending{reason: prober.ReasonConnectionClosed, what: "the server closed the connection (FIN)"}
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNABORTED):
		return &ending{reason: prober.ReasonConnectionReset, what: "the server reset the connection (RST)"}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return &ending{reason: prober.ReasonUnreachable, what: "the network says: " + plain(err)}
	case errors.As(err, &timeout) && timeout.Timeout():
		return &ending{reason: prober.ReasonSendStalled, what: "the server took no bytes: the write deadline passed"}
	}
	return &ending{reason: prober.ReasonConnectionClosed, what: "the connection broke: " + plain(err)}
}

// plain is an error without the addresses that package net puts around it.
func plain(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return prober.Clip(err.Error(), 120)
}

// runOver is the ending of a step whose context is done: cancelled, or, when the
// run's own deadline passed, the step's own reason for silence.
func runOver(ctx context.Context, silent prober.Reason, what string) *ending {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &ending{reason: silent, what: what + ", and the run's own time is over"}
	}
	return &ending{reason: prober.ReasonCancelled, what: "cancelled: " + what}
}

// quoted makes a server's words fit for a detail: without the key, valid UTF-8,
// no control characters, bounded.
func (e endpoint) quoted(s string) string {
	return fmt.Sprintf("%q", e.scrub(s, 120))
}
