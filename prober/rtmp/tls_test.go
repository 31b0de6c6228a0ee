package rtmp

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/yutopp/go-rtmp/message"

	"streamcanary/prober"
)

// authority signs certificates for one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key}
}

func (a authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// pems are a server's certificate for a name and 127.0.0.1, and its key.
func (a authority) pems(t *testing.T, name string, until time.Time) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &k.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})
}

func (a authority) certificate(t *testing.T, name string, until time.Time) tls.Certificate {
	t.Helper()
	c, err := tls.X509KeyPair(a.pems(t, name, until))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// secure puts TLS before a fake server, and gives its port.
func secure(t *testing.T, s *fakeServer, cfg *tls.Config) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	over, end := context.WithCancel(context.Background())
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wait.Go(func() { forward(over, conn, s.listener.Addr().String()) })
		}
	})
	t.Cleanup(func() {
		end()
		_ = l.Close()
		wait.Wait()
	})
	return portOf(l.Addr())
}

// forward carries bytes both ways until either side closes, or ctx is done.
func forward(ctx context.Context, conn net.Conn, to string) {
	defer conn.Close()
	behind, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer behind.Close()
	_ = behind.(*net.TCPConn).SetWriteBuffer(64 << 10) // a server that stops is soon felt
	defer context.AfterFunc(ctx, func() {
		_ = conn.Close()
		_ = behind.Close()
	})()
	var wait sync.WaitGroup
	wait.Go(func() {
		_, _ = io.Copy(conn, behind)
		_ = conn.Close()
	})
	_, _ = io.Copy(behind, conn)
	_ = behind.(*net.TCPConn).CloseWrite()
	wait.Wait()
}

// secureConfig is for the name ingest.test, which is on loopback.
func secureConfig(port string, roots *x509.CertPool) Config {
	cfg := testConfig("rtmps://ingest.test:" + port + "/live/" + testKey)
	cfg.CAs = roots
	cfg.Lookup = func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	return cfg
}

func TestTLSFailures(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t), newAuthority(t)
	good := ca.certificate(t, "ingest.test", time.Now().Add(time.Hour))
	tests := map[string]struct {
		server *tls.Config
		roots  *x509.CertPool
		detail string
	}{
		"unknown authority": {&tls.Config{Certificates: []tls.Certificate{good}}, other.pool(), `unknown authority: the certificate is signed by "CN=test authority"`},
		"not the system's":  {&tls.Config{Certificates: []tls.Certificate{good}}, nil, "unknown authority"},
		"expired": {&tls.Config{Certificates: []tls.Certificate{ca.certificate(t, "ingest.test", time.Now().Add(-time.Hour))}}, ca.pool(),
			"expired: the certificate is valid from"},
		"wrong host": {&tls.Config{Certificates: []tls.Certificate{ca.certificate(t, "another.test", time.Now().Add(time.Hour))}}, ca.pool(),
			"wrong host: the certificate is not for ingest.test but for another.test, 127.0.0.1"},
		"refused": {&tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return nil, io.ErrUnexpectedEOF
		}}, ca.pool(), "the server refused: "},
		"too old": {&tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, ca.pool(), "protocol version"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, healthy)
			b, failure, err := Publish(t.Context(), secureConfig(secure(t, s, test.server), test.roots))
			if b != nil || err != nil {
				t.Fatalf("Publish gave %v, %v", b, err)
			}
			wantFailure(t, failure, prober.StageConnect, prober.ReasonTLSFailed)
			if !strings.Contains(failure.Detail, test.detail) {
				t.Errorf("detail %q, want %q in it", failure.Detail, test.detail)
			}
		})
	}
}

func TestNotTLS(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		script func(*fakeConn) error
		reason prober.Reason
		detail string
	}{
		"HTTP": {func(c *fakeConn) error {
			if _, err := c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); err != nil {
				return err
			}
			return c.hold()
		}, prober.ReasonTLSFailed, "does not speak TLS on this port"},
		"silent": {func(c *fakeConn) error { return c.hold() }, prober.ReasonTLSFailed, "TLS not answered within 300ms"},
		"closed": {func(c *fakeConn) error {
			if err := c.CloseWrite(); err != nil {
				return err
			}
			_, err := io.Copy(io.Discard, c.r)
			return err
		}, prober.ReasonConnectionClosed, "in the TLS handshake"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := secureConfig(portOf(serve(t, test.script).listener.Addr()), nil)
			if name == "silent" {
				cfg.HandshakeTimeout = 300 * time.Millisecond
			}
			_, failure, err := Publish(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			wantFailure(t, failure, prober.StageConnect, test.reason)
			if !strings.Contains(failure.Detail, test.detail) {
				t.Errorf("detail %q, want %q in it", failure.Detail, test.detail)
			}
		})
	}
}

// A broadcast over TLS asks for its server by name, is sent like any other, and
// ends with deleteStream and TLS's own goodbye.
func TestBroadcastOverTLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	good := ca.certificate(t, "ingest.test", time.Now().Add(time.Hour))
	asked := make(chan string, 1)
	deleted, tags := make(chan struct{}), make(chan int, 1)
	s := serve(t, func(c *fakeConn) error {
		if err := c.acceptPublish(); err != nil {
			return err
		}
		for n := 0; ; {
			m, err := c.next()
			if err != nil {
				return err
			}
			switch m := m.(type) {
			case *message.VideoMessage:
				n++
				if _, err := io.Copy(io.Discard, m.Payload); err != nil {
					return err
				}
			case *message.AudioMessage:
				n++
			case *message.CommandMessage:
				if m.CommandName == "deleteStream" {
					tags <- n
					close(deleted)
				}
			}
		}
	})
	port := secure(t, s, &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		asked <- hello.ServerName
		return &tls.Config{Certificates: []tls.Certificate{good}}, nil
	}})
	b, failure, err := Publish(t.Context(), secureConfig(port, ca.pool()))
	if failure != nil || err != nil {
		t.Fatalf("Publish: %+v, %v", failure, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	src := &testSource{size: 20_000, onNext: func(n int) {
		if n == 50 {
			cancel()
		}
	}}
	if failure := b.Send(ctx, src); failure != nil {
		t.Fatalf("Send: %+v", failure)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
	<-deleted
	if n := <-tags; n < 45 {
		t.Errorf("%d tags came", n)
	}
	if name := <-asked; name != "ingest.test" {
		t.Errorf("SNI is %q", name)
	}
}

// A server that stops reading is seen under TLS as it is without.
func TestStallUnderTLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	s := serve(t, func(c *fakeConn) error {
		if err := c.SetReadBuffer(16 << 10); err != nil {
			return err
		}
		if err := c.acceptPublish(); err != nil {
			return err
		}
		return c.hold()
	})
	port := secure(t, s, &tls.Config{Certificates: []tls.Certificate{ca.certificate(t, "ingest.test", time.Now().Add(time.Hour))}})
	b := publishTo(t, secureConfig(port, ca.pool()))
	b.cfg.CloseTimeout = 100 * time.Millisecond
	// Slow enough for any machine to carry, so that nothing but the stop is seen.
	failure := b.Send(t.Context(), &testSource{size: 20_000})
	wantFailure(t, failure, prober.StageIngest, prober.ReasonSendStalled)
}
