package rtmp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"streamcanary/prober"
)

// dualStack is a configuration whose host has these addresses, in that order. Those of
// errs fail with them, as on a machine that has no way to them; the others are dialled.
func dualStack(cfg Config, errs map[string]error, order ...string) Config {
	cfg.Lookup = func(context.Context, string) ([]netip.Addr, error) {
		var addrs []netip.Addr
		for _, a := range order {
			addrs = append(addrs, netip.MustParseAddr(a))
		}
		return addrs, nil
	}
	cfg.dialTCP = func(ctx context.Context, d net.Dialer, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if err := errs[host]; err != nil {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
		}
		return d.DialContext(ctx, "tcp", address)
	}
	return cfg
}

func TestNobody(t *testing.T) {
	t.Parallel()
	const a, b, six, seven = "192.0.2.1", "192.0.2.2", "2001:db8::6", "2001:db8::7"
	refused, silent := error(syscall.ECONNREFUSED), context.DeadlineExceeded
	noRoute := syscall.ENETUNREACH.Error()
	type dialled struct {
		addr string
		err  error
	}
	for name, test := range map[string]struct {
		failed []dialled
		reason prober.Reason
		fault  error // of this machine
		detail string
		routed bool // there was a way to one of them
	}{
		"one":                             {[]dialled{{a, refused}}, prober.ReasonConnectionRefused, nil, "the TCP connection was refused", true},
		"one without a route":             {[]dialled{{six, syscall.ENETUNREACH}}, prober.ReasonUnreachable, nil, "cannot be reached: " + noRoute, false},
		"one that cannot be tried":        {[]dialled{{six, syscall.EADDRNOTAVAIL}}, prober.ReasonUnreachable, syscall.EADDRNOTAVAIL, "", false},
		"none that can be tried":          {[]dialled{{a, syscall.EMFILE}, {six, syscall.EADDRNOTAVAIL}}, prober.ReasonUnreachable, syscall.EMFILE, "", false},
		"the kernel knows no IPv6":        {[]dialled{{six, syscall.EAFNOSUPPORT}}, prober.ReasonUnreachable, syscall.EAFNOSUPPORT, "", false},
		"refused, the last without IPv6":  {[]dialled{{a, refused}, {six, syscall.EADDRNOTAVAIL}}, prober.ReasonConnectionRefused, nil, "", true},
		"refused, the first without IPv6": {[]dialled{{six, syscall.EADDRNOTAVAIL}, {a, refused}}, prober.ReasonConnectionRefused, nil, "", true},
		"refused, the last has no route":  {[]dialled{{a, refused}, {six, syscall.ENETUNREACH}}, prober.ReasonConnectionRefused, nil, "", true},
		"refused, the first has no route": {[]dialled{{six, syscall.EHOSTUNREACH}, {a, refused}}, prober.ReasonConnectionRefused, nil, "", true},
		"reset, and no route":             {[]dialled{{six, syscall.ENETUNREACH}, {a, syscall.ECONNRESET}}, prober.ReasonConnectionReset, nil, "", true},
		"silent, and no route":            {[]dialled{{six, syscall.ENETUNREACH}, {a, silent}}, prober.ReasonConnectTimeout, nil, "", true},
		"no route, and cannot be tried":   {[]dialled{{six, syscall.EADDRNOTAVAIL}, {a, syscall.EHOSTUNREACH}}, prober.ReasonUnreachable, nil, "", false},
		"no route, and the same for IPv6": {[]dialled{{six, syscall.EACCES}, {a, syscall.ENETUNREACH}}, prober.ReasonUnreachable, nil, "", false},
		"no files, and no route":          {[]dialled{{a, syscall.EMFILE}, {six, syscall.ENETUNREACH}}, prober.ReasonUnreachable, syscall.EMFILE, "", false},
		"no files for IPv6, and no route": {[]dialled{{a, syscall.EHOSTUNREACH}, {six, syscall.ENFILE}}, prober.ReasonUnreachable, syscall.ENFILE, "", false},
		"no buffers, and no route":        {[]dialled{{six, syscall.ENETUNREACH}, {a, syscall.ENOBUFS}}, prober.ReasonUnreachable, syscall.ENOBUFS, "", false},
		"no memory, and no route":         {[]dialled{{six, syscall.EHOSTUNREACH}, {a, syscall.ENOMEM}}, prober.ReasonUnreachable, syscall.ENOMEM, "", false},
		"no ports, and no route":          {[]dialled{{a, syscall.EADDRNOTAVAIL}, {six, syscall.ENETUNREACH}}, prober.ReasonUnreachable, syscall.EADDRNOTAVAIL, "", false},
		"no ports, and neither family":    {[]dialled{{six, syscall.EADDRNOTAVAIL}, {a, syscall.EADDRNOTAVAIL}, {seven, syscall.ENETUNREACH}}, prober.ReasonUnreachable, syscall.EADDRNOTAVAIL, "", false},
		"no files, and refused":           {[]dialled{{a, syscall.EMFILE}, {b, refused}, {six, syscall.ENETUNREACH}}, prober.ReasonConnectionRefused, nil, "", true},
		"no route, and no address at all": {[]dialled{{a, syscall.EHOSTUNREACH}, {six, syscall.EINVAL}}, prober.ReasonUnreachable, nil, "", true},
		"of those that answer, the first": {[]dialled{{six, syscall.ENETUNREACH}, {b, silent}, {a, refused}}, prober.ReasonConnectTimeout, nil, "", true},
		"what became of the others": {[]dialled{{six, syscall.ENETUNREACH}, {a, refused}, {seven, syscall.EADDRNOTAVAIL}, {b, refused}}, prober.ReasonConnectionRefused, nil,
			"tried all of its 4 addresses: the TCP connection was refused at 192.0.2.1, 192.0.2.2; cannot be reached: " + noRoute + " at 2001:db8::6; " +
				"cannot be tried from here: " + syscall.EADDRNOTAVAIL.Error() + " at 2001:db8::7", true},
		"many that fail alike": {[]dialled{{a, refused}, {b, refused}, {"192.0.2.3", refused}, {"192.0.2.4", refused}, {"192.0.2.5", refused}, {six, syscall.ENETUNREACH}}, prober.ReasonConnectionRefused, nil,
			"tried all of its 6 addresses: the TCP connection was refused at 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4 and 1 more; cannot be reached: " + noRoute + " at 2001:db8::6", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var failed []untaken
			for _, d := range test.failed {
				failed = append(failed, untaken{netip.MustParseAddr(d.addr), &net.OpError{Op: "dial", Net: "tcp", Err: d.err}})
			}
			over := nobody(Config{}, failed)
			if !errors.Is(over.fault, test.fault) || over.reason != test.reason || test.detail != "" && over.what != test.detail || (over.unrouted == nil) != test.routed {
				t.Errorf("%+v", over)
			}
		})
	}
}

// An ingest whose port is closed is refused, also for an agent without IPv6: it is
// neither inconclusive nor a matter of routes.
func TestDualStackIsDown(t *testing.T) {
	t.Parallel()
	const four, six = "127.0.0.1", "2001:db8::6"
	for name, errno := range map[string]error{"IPv6 is switched off": syscall.EADDRNOTAVAIL, "no route": syscall.ENETUNREACH, "no host": syscall.EHOSTUNREACH} {
		for _, order := range [][]string{{four, six}, {six, four}} {
			for _, every := range []bool{false, true} {
				t.Run(name+", "+order[0]+" first", func(t *testing.T) {
					t.Parallel()
					cfg := dualStack(testConfig("rtmp://ingest.test:"+freePort(t)+"/live/"+testKey), map[string]error{six: errno}, order...)
					cfg.EveryAddress = every
					_, failure, err := Publish(t.Context(), cfg)
					if err != nil {
						t.Fatal(err)
					}
					wantFailure(t, failure, prober.StageConnect, prober.ReasonConnectionRefused)
					if !strings.Contains(failure.Detail, "refused at "+four+"; ") || !strings.HasSuffix(failure.Detail, " at "+six) {
						t.Errorf("detail %q", failure.Detail)
					}
				})
			}
		}
	}
}

// Who is out of ports or files has tried nothing, be there a way to IPv6 or not.
func TestOwnFaultBesideNoRoute(t *testing.T) {
	t.Parallel()
	for _, errno := range []syscall.Errno{syscall.EADDRNOTAVAIL, syscall.EMFILE} {
		cfg := dualStack(testConfig("rtmp://ingest.test:1935/live/"+testKey), map[string]error{"192.0.2.1": errno, "2001:db8::6": syscall.ENETUNREACH}, "192.0.2.1", "2001:db8::6")
		if _, failure, err := Publish(t.Context(), cfg); failure != nil || !errors.Is(err, errno) {
			t.Errorf("%v: failure %+v, error %v", errno, failure, err)
		}
	}
}

// An address that failed is a failure, also where this machine cannot even try the next.
func TestEveryAddressBesideALocalFault(t *testing.T) {
	t.Parallel()
	s := serve(t, brokenServers()["hangs up"].script)
	cfg := dualStack(testConfig("rtmp://ingest.test:"+portOf(s.listener.Addr())+"/live/"+testKey),
		map[string]error{"2001:db8::6": syscall.EADDRNOTAVAIL}, "127.0.0.1", "2001:db8::6")
	cfg.EveryAddress, cfg.CommandTimeout = true, 500*time.Millisecond
	_, failure, err := Publish(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	wantFailure(t, failure, prober.StageConnect, prober.ReasonConnectionClosed)
}

// A connection that stood and then has no route any more says as much as any other.
func TestRank(t *testing.T) {
	t.Parallel()
	stood := &ending{reason: prober.ReasonUnreachable, dialled: netip.MustParseAddr("192.0.2.1")}
	if got := rank(stood); got != rank(&ending{reason: prober.ReasonConnectionClosed}) {
		t.Errorf("rank %d", got)
	}
}
