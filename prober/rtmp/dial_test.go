package rtmp

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"streamcanary/prober"
)

func TestResolve(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	tests := map[string]struct {
		lookup func(context.Context, string) ([]netip.Addr, error)
		stage  prober.Stage
		reason prober.Reason
		detail string
	}{
		"no such name": {
			func(context.Context, string) ([]netip.Addr, error) {
				return nil, &net.DNSError{Err: "no such host", Name: "ingest.test", IsNotFound: true}
			}, prober.StageResolve, prober.ReasonNameNotResolved, "ingest.test: no such host",
		},
		"no address": {
			func(context.Context, string) ([]netip.Addr, error) { return nil, nil },
			prober.StageResolve, prober.ReasonNameNotResolved, "has no address",
		},
		"no answer": {
			func(ctx context.Context, _ string) ([]netip.Addr, error) { <-ctx.Done(); return nil, ctx.Err() },
			prober.StageResolve, prober.ReasonNameNotResolved, "no answer for ingest.test within 50ms",
		},
		"resolved, refused": {
			func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
			}, prober.StageConnect, prober.ReasonConnectionRefused, "refused",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig("rtmp://ingest.test:" + port + "/live/" + testKey)
			cfg.ResolveTimeout = 50 * time.Millisecond
			cfg.Lookup = test.lookup
			b, failure, err := Publish(t.Context(), cfg)
			if b != nil || err != nil {
				t.Fatalf("Publish gave %v, %v", b, err)
			}
			wantFailure(t, failure, test.stage, test.reason)
			if !strings.Contains(failure.Detail, test.detail) {
				t.Errorf("detail %q, want %q in it", failure.Detail, test.detail)
			}
		})
	}
}

// A first address that is dead must not hide a second one that works.
func TestDialTriesEveryAddress(t *testing.T) {
	t.Parallel()
	s := serve(t, healthy)
	addr := netip.MustParseAddrPort(s.listener.Addr().String())
	cfg := testConfig("rtmp://ingest.test:" + portOf(s.listener.Addr()) + "/live/" + testKey)
	cfg.Lookup = func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.9"), addr.Addr()}, nil
	}
	publishTo(t, cfg)
}

func TestDialEnding(t *testing.T) {
	t.Parallel()
	for errno, want := range map[syscall.Errno]prober.Reason{
		syscall.ECONNREFUSED: prober.ReasonConnectionRefused,
		syscall.ENETUNREACH:  prober.ReasonUnreachable,
		syscall.EHOSTUNREACH: prober.ReasonUnreachable,
		syscall.ETIMEDOUT:    prober.ReasonConnectTimeout,
		syscall.ECONNRESET:   prober.ReasonConnectionReset,
	} {
		err := &net.OpError{Op: "dial", Net: "tcp", Err: errno}
		if got := dialEnding(Config{}, err); got.reason != want {
			t.Errorf("%v: %s, want %s", errno, got.reason, want)
		}
	}
	if err := localFault(&net.OpError{Op: "dial", Err: syscall.EMFILE}); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("EMFILE is this machine's fault; got %v", err)
	}
}

// A run that is called off says nothing of the server; one whose own time is over
// says what it waited for.
func TestPublishIsCalledOff(t *testing.T) {
	t.Parallel()
	s := serve(t, func(c *fakeConn) error { return c.hold() })
	cfg := testConfig(s.url())
	cfg.HandshakeTimeout = time.Minute

	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, failure, err := Publish(ctx, cfg)
	if err != nil || failure == nil || failure.Outcome != prober.Inconclusive || failure.Reason != prober.ReasonCancelled {
		t.Errorf("cancelled: %+v, %v", failure, err)
	}

	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, failure, err = Publish(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	wantFailure(t, failure, prober.StageConnect, prober.ReasonHandshakeTimeout)
}

func TestParseEndpoint(t *testing.T) {
	t.Parallel()
	tests := []struct{ url, app, key, address, tcURL, wrong string }{
		{url: "rtmp://h/live/k", app: "live", key: "k", address: "h:1935", tcURL: "rtmp://h/live"},
		{url: "rtmp://h:1936/a/b/k?token=t", app: "a/b", key: "k?token=t", address: "h:1936", tcURL: "rtmp://h:1936/a/b"},
		{url: "rtmp://[::1]:1/app/k%20k", app: "app", key: "k%20k", address: "[::1]:1", tcURL: "rtmp://[::1]:1/app"},
		{url: "rtmp://h/app/a|b#c?x=/y/", app: "app", key: "a|b#c?x=/y/", address: "h:1935", tcURL: "rtmp://h/app"},
		{url: "http://h/live/" + testKey, wrong: "scheme"},
		{url: "rtmp://h/" + testKey, wrong: "no app or no stream key"},
		{url: "rtmp://h/live/", wrong: "no app or no stream key"},
		{url: "rtmp:///live/" + testKey, wrong: "no host"},
		{url: "rtmp://h:0/live/" + testKey, wrong: "port"},
		{url: "rtmp://u:" + testKey + "@h/live/k", app: "live", key: "k", address: "h:1935", tcURL: "rtmp://h/live"},
		{url: "rtmps://h/live/k", app: "live", key: "k", address: "h:443", tcURL: "rtmps://h/live"},
		{url: "rtmp://h/live/" + testKey + "%zz", wrong: "cannot be parsed"},
		{url: "", wrong: "scheme"},
	}
	for _, test := range tests {
		e, err := parseEndpoint(test.url)
		if test.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), test.wrong) || strings.Contains(err.Error(), testKey) {
				t.Errorf("%q: error %v, want %q and no key", test.url, err, test.wrong)
			}
			_, failure, err := Publish(t.Context(), Config{URL: test.url})
			if err != nil || failure == nil || failure.Reason != prober.ReasonConfiguration || failure.Outcome != prober.Inconclusive {
				t.Errorf("%q: Publish gave %+v, %v", test.url, failure, err)
				continue
			}
			wantDetail(t, failure)
			continue
		}
		if err != nil || e.app != test.app || e.key.Reveal() != test.key || e.address() != test.address || e.tcURL != test.tcURL {
			t.Errorf("%q: %+v %q, %v", test.url, e, e.key.Reveal(), err)
		}
	}
}

// FuzzEndpoint is for any URL: it is taken apart without loss, or refused without
// being quoted.
func FuzzEndpoint(f *testing.F) {
	for _, seed := range []string{"rtmp://h/live/k", "rtmp://h:1936/a/b/k?token=t", "rtmp://[::1]/a/k#%41", "rtmp://u:p@h/a/k", "rtmp://h", "x:y"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		e, err := parseEndpoint(raw)
		if err != nil {
			if rest := strings.TrimPrefix(raw, "rtmp://"); len(rest) > 20 && strings.Contains(err.Error(), rest) {
				t.Errorf("the error %q quotes the URL", err)
			}
			return
		}
		if e.host == "" || e.port == "" || e.app == "" || !strings.HasSuffix(raw, "/"+e.app+"/"+e.key.Reveal()) {
			t.Errorf("%q became %+v and the key %q", raw, e, e.key.Reveal())
		}
		if got := e.quoted("no " + e.key.Reveal()); len(e.key.Reveal()) >= 4 && !strings.Contains(got, "[secret]") {
			t.Errorf("the key %q became %s", e.key.Reveal(), got)
		}
	})
}

func TestScrub(t *testing.T) {
	t.Parallel()
	e, err := parseEndpoint("rtmp://al%20ice:hun%2Fter2@h/live/k%41y-9?token=t0p&sign=SIGN%2Bature&user=bobby&pass=s3same")
	if err != nil {
		t.Fatal(err)
	}
	for _, said := range []string{
		"k%41y-9?token=t0p", "no k%41y-9 here", "kAy-9", "KAY-9", "token=t0p", "token t0p has expired", "sign SIGN%2Bature, SIGN+ature, sign+ATURE",
		"user bobby, not BOBBY; password s3same", "user=bobby&pass=s3same", "al ice or al%20ice or al+ice, not AL ICE", "hun/ter2, hun%2fter2",
	} {
		got := strings.ToLower(e.quoted(said))
		for _, secret := range []string{"k%41y-9", "kay-9", "t0p", "ature", "bobby", "s3same", "al ice", "al%20ice", "al+ice", "ter2"} {
			if strings.Contains(got, secret) {
				t.Errorf("%q became %s, with %q in it", said, got, secret)
			}
		}
	}
	// Whatever the server says, it is soon quoted.
	began := time.Now()
	for range 20 {
		if got := e.quoted(strings.Repeat(`\`, 65000)); !strings.HasSuffix(got, `..."`) {
			t.Errorf("became %s", got)
		}
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %s", took)
	}
	// The words around it stay, though the query names its values so.
	if got, want := e.quoted("token t0p has expired; password s3same"), `"token [secret] has expired; password [secret]"`; got != want {
		t.Errorf("became %s, want %s", got, want)
	}
	// Who has no user has none to hide, and a key of one letter is no word to hide.
	if e, err = parseEndpoint("rtmp://h/live/k"); err != nil {
		t.Fatal(err)
	}
	if got, want := e.quoted("bad query: user=, app=live, k"), `"bad query: user=, app=live, k"`; got != want {
		t.Errorf("became %s, want %s", got, want)
	}
}

// freePort is a loopback port where nobody listens, below those that the kernel
// gives to whoever connects: one of them would soon be taken.
func freePort(tb testing.TB) string {
	tb.Helper()
	for range 100 {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 12_000 + rand.N(20_000)})
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			tb.Fatal(err)
		}
		return portOf(l.Addr())
	}
	tb.Fatal("no free port in a hundred")
	return ""
}

func portOf(a net.Addr) string {
	_, port, _ := net.SplitHostPort(a.String())
	return port
}
