package hls

import (
	"net"
	"net/http"
	"time"
)

const (
	maxRedirects   = 5
	maxHeaderBytes = 32 << 10
	userAgent      = "streamcanary"
)

// NewTransport makes the transport that the followers of one process share. It
// keeps connections alive, asks for no compression (a bound on bytes is then one
// on memory) and never takes a proxy from the environment: a probe that leaves
// through a proxy tests the proxy.
func NewTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        30 * time.Second,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 5 * time.Second, PingTimeout: 3 * time.Second},
	}
}

// newClient makes a client with cookies of its own that follows a few redirects.
// headers are for the host that was asked first alone.
func newClient(transport http.RoundTripper, headers http.Header) *http.Client {
	return &http.Client{
		Transport: transport,
		Jar:       newCookies(),
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			next.Header.Del("Referer") // it would carry the query, which may hold a token
			if !sameHost(next.URL, via[0].URL) {
				for name := range headers {
					next.Header.Del(name)
				}
			}
			if len(via) > maxRedirects {
				return errRedirects
			}
			return nil
		},
	}
}
