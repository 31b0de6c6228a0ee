package rtmp

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"streamcanary/prober"
)

// link is a connection that RTMP can begin on.
type link struct {
	conn   *net.TCPConn
	out    *sender
	secure *tls.Conn // nil where there is no TLS
	r      *bufio.Reader
}

// through is the connection as TLS and the handshake see it: what is written goes
// through the sender.
type through struct {
	*net.TCPConn
	out *sender
}

func (t through) Write(p []byte) (int, error) { return t.out.Write(p) }

// secured agrees on TLS: the name of the endpoint is asked for (SNI) and verified,
// against the system's authorities and those of Config.CAs.
func secured(ctx context.Context, cfg Config, at endpoint, l *link) *ending {
	step, cancel := context.WithTimeout(ctx, cfg.HandshakeTimeout)
	defer cancel()
	l.secure = tls.Client(through{l.conn, l.out}, &tls.Config{
		ServerName:                  at.host,
		RootCAs:                     cfg.CAs,
		MinVersion:                  tls.VersionTLS12,
		DynamicRecordSizingDisabled: true,
	})
	err := l.secure.HandshakeContext(step)
	switch {
	case err == nil:
		l.r = bufio.NewReaderSize(l.secure, readBuffer)
		return nil
	case ctx.Err() != nil:
		return runOver(ctx, prober.ReasonTLSFailed, "TLS was not answered")
	case step.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded):
		return &ending{reason: prober.ReasonTLSFailed, what: fmt.Sprintf(
			"TCP was accepted, TLS not answered within %s; is this port's protocol RTMPS?", cfg.HandshakeTimeout)}
	}
	return tlsEnding(at, err)
}

// tlsEnding names what is wrong with a server's TLS.
func tlsEnding(at endpoint, err error) *ending {
	if what := tlsTrouble(at, err); what != "" {
		return &ending{reason: prober.ReasonTLSFailed, what: what}
	}
	e := networkEnding(err)
	e.what += ", in the TLS handshake"
	return e
}

func tlsTrouble(at endpoint, err error) string {
	var record tls.RecordHeaderError
	var alert *net.OpError // crypto/tls has no better type for what the peer says
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &record):
		return "the server does not speak TLS on this port: its answer is no TLS record"
	case errors.As(err, &name):
		return fmt.Sprintf("wrong host: the certificate is not for %s but for %s", at.host, certificateNames(name.Certificate))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "expired: " + validity(invalid.Cert)
	case errors.As(err, &authority):
		return "unknown authority: the certificate is signed by " + issuer(authority.Cert) + ", which is not trusted; ca_file can name it"
	case errors.As(err, &invalid):
		return "the certificate is not valid: " + prober.Clip(strings.TrimPrefix(invalid.Error(), "x509: "), 120)
	case errors.As(err, &alert) && alert.Op == "remote error":
		return "the server refused: " + prober.Clip(strings.TrimPrefix(alert.Err.Error(), "tls: "), 120)
	}
	var verification *tls.CertificateVerificationError
	if errors.As(err, &verification) || strings.HasPrefix(err.Error(), "tls: ") {
		return prober.Clip(err.Error(), 160)
	}
	return ""
}

func certificateNames(c *x509.Certificate) string {
	if c == nil {
		return "another"
	}
	names := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no name at all"
	}
	return prober.Clip(strings.Join(names, ", "), 100)
}

func validity(c *x509.Certificate) string {
	if c == nil {
		return "the certificate is not valid at this time"
	}
	return fmt.Sprintf("the certificate is valid from %s to %s", c.NotBefore.UTC().Format(time.RFC3339), c.NotAfter.UTC().Format(time.RFC3339))
}

func issuer(c *x509.Certificate) string {
	if c == nil {
		return "an issuer"
	}
	return prober.Clip(fmt.Sprintf("%q", c.Issuer.String()), 100)
}
