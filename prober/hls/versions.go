package hls

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// Version is which HTTP is spoken.
type Version string

// The versions.
const (
	VersionAny Version = ""    // as browsers do: HTTP/2 where TLS agrees on it, HTTP/3 where Alt-Svc offers it
	Version1   Version = "1.1" // nothing else
	Version2   Version = "2"   // nothing else, without TLS too
	Version3   Version = "3"   // nothing else
)

// Versions lists every version.
func Versions() []Version { return []Version{VersionAny, Version1, Version2, Version3} }

// TransportConfig says how servers are reached. The zero value is as browsers do.
type TransportConfig struct {
	Version Version
	RootCAs *x509.CertPool // nil is the system's
}

// Transport reaches servers over HTTP/1.1, 2 and 3. It is shared by followers,
// which then share connections.
type Transport struct {
	version Version
	tcp     *http.Transport
	quic    *http3.Transport
	offers  offers

	mu     sync.Mutex
	socket *quic.Transport // made when it is first needed
	closed bool
}

// NewVersionedTransport makes a transport. Close frees it.
func NewVersionedTransport(cfg TransportConfig) (*Transport, error) {
	if !slices.Contains(Versions(), cfg.Version) {
		return nil, fmt.Errorf("HTTP version %q: want 1.1, 2 or 3, or nothing for what the server offers", cfg.Version)
	}
	t := &Transport{version: cfg.Version, tcp: NewTransport()}
	t.tcp.TLSClientConfig = &tls.Config{RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS12}
	switch cfg.Version {
	case Version1:
		t.tcp.ForceAttemptHTTP2, t.tcp.Protocols = false, new(http.Protocols)
		t.tcp.Protocols.SetHTTP1(true)
	case Version2:
		t.tcp.Protocols = new(http.Protocols)
		t.tcp.Protocols.SetHTTP2(true)
		t.tcp.Protocols.SetUnencryptedHTTP2(true)
	case VersionAny, Version3:
	}
	t.quic = &http3.Transport{
		TLSClientConfig:        &tls.Config{RootCAs: cfg.RootCAs, MinVersion: tls.VersionTLS13},
		QUICConfig:             &quic.Config{HandshakeIdleTimeout: 5 * time.Second, MaxIdleTimeout: 30 * time.Second},
		MaxResponseHeaderBytes: maxHeaderBytes,
		DisableCompression:     true,
		Dial:                   t.dialQUIC,
	}
	return t, nil
}

// RoundTrip sends r by HTTP/3 where that is asked for, or was offered and works.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.version == Version3 {
		return t.roundTrip3(r)
	}
	if t.version == VersionAny && r.URL.Scheme == "https" && r.Method == http.MethodGet {
		if _, ok := t.offers.of(r.URL.Host, time.Now()); ok {
			resp, err := t.roundTrip3(r)
			if err == nil || r.Context().Err() != nil {
				return resp, err
			}
			t.offers.broken(r.URL.Host, time.Now()) // RFC 7838 2.4: then the origin itself
		}
	}
	resp, err := t.tcp.RoundTrip(r)
	if err == nil && t.version == VersionAny && resp.TLS != nil {
		t.offers.read(r.URL.Host, resp.Header.Values("Alt-Svc"), time.Now())
	}
	return resp, err
}

// errNeedsTLS is a mistake in the configuration.
var errNeedsTLS = errors.New("HTTP/3 needs https")

func (t *Transport) roundTrip3(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		return nil, errNeedsTLS
	}
	return t.quic.RoundTrip(r)
}

// dialQUIC connects to where the host's HTTP/3 is offered, or to the host. The
// certificate has to be the host's own either way (RFC 7838 2.1).
func (t *Transport) dialQUIC(ctx context.Context, addr string, tlsConfig *tls.Config, cfg *quic.Config) (*quic.Conn, error) {
	socket, err := t.udp()
	if err != nil {
		return nil, err
	}
	if elsewhere, ok := t.offers.of(addr, time.Now()); ok {
		addr = elsewhere
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "udp", port)
	if err != nil {
		return nil, err
	}
	addresses, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return nil, err
	}
	trace := httptrace.ContextClientTrace(ctx)
	if trace == nil {
		trace = &httptrace.ClientTrace{}
	}
	begun(trace)
	conn, err := socket.DialEarly(ctx, &net.UDPAddr{IP: addresses[0].IP, Port: number, Zone: addresses[0].Zone}, tlsConfig, cfg)
	if err == nil {
		done(trace, addr)
	}
	return conn, err
}

// QUIC agrees on TLS while it connects: all of that time is the connection's.
func begun(trace *httptrace.ClientTrace) {
	if trace.ConnectStart != nil {
		trace.ConnectStart("udp", "")
	}
}

func done(trace *httptrace.ClientTrace, addr string) {
	if trace.ConnectDone != nil {
		trace.ConnectDone("udp", addr, nil)
	}
}

func (t *Transport) udp() (*quic.Transport, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, http3.ErrTransportClosed
	}
	if t.socket == nil {
		conn, err := net.ListenUDP("udp", nil)
		if err != nil {
			return nil, err
		}
		t.socket = &quic.Transport{Conn: conn}
	}
	return t.socket, nil
}

// Close ends all connections. The transport cannot be used any more.
func (t *Transport) Close() error {
	t.tcp.CloseIdleConnections()
	err := t.quic.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.socket == nil {
		return err
	}
	socket := t.socket
	t.socket = nil
	return errors.Join(err, socket.Close(), socket.Conn.Close())
}
