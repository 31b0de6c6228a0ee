package rtmp

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"

	"streamcanary/prober"
)

// An agent without IPv6 says so in a note, once for all of an ingest's addresses; one
// that is without a route to one address alone has found a fault.
func TestEveryAddressWithoutAFamily(t *testing.T) {
	t.Parallel()
	const good, four, six, seven = "127.0.0.1", "127.0.0.9", "2001:db8::6", "2001:db8::7"
	const note = "note unreachable every IPv6 address of rtmp://ingest.test:PORT/live"
	for name, test := range map[string]struct {
		errs map[string]error
		want []string
	}{
		"no route":                     {map[string]error{six: syscall.ENETUNREACH, seven: syscall.EHOSTUNREACH}, []string{note}},
		"IPv6 is switched off":         {map[string]error{six: syscall.EADDRNOTAVAIL, seven: syscall.EADDRNOTAVAIL}, []string{note}},
		"the kernel has none":          {map[string]error{six: syscall.EAFNOSUPPORT}, []string{note}},
		"another one of it is refused": {map[string]error{six: syscall.EHOSTUNREACH, seven: syscall.ECONNREFUSED}, []string{"degraded connection_refused address [2001:db8::7]:PORT", "degraded unreachable address [2001:db8::6]:PORT"}},
		"another one of it is silent":  {map[string]error{six: syscall.ENETUNREACH, seven: syscall.ETIMEDOUT}, []string{"degraded connect_timeout address [2001:db8::7]:PORT", "degraded unreachable address [2001:db8::6]:PORT"}},
		"beside one of its own family": {map[string]error{four: syscall.EHOSTUNREACH}, []string{"degraded unreachable address 127.0.0.9:PORT"}},
		"another one of it is none":    {map[string]error{six: syscall.ENETUNREACH, seven: syscall.EINVAL}, []string{"degraded unreachable address [2001:db8::7]:PORT", note}},
		"what cannot be tried":         {map[string]error{four: syscall.EMFILE}, nil},
		"the route is missing for one, and the other cannot be tried": {map[string]error{six: syscall.ENETUNREACH, seven: syscall.EMFILE}, []string{note}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, healthy)
			port := portOf(s.listener.Addr())
			order := []string{good}
			for addr := range test.errs {
				order = append(order, addr)
			}
			cfg := dualStack(testConfig("rtmp://ingest.test:"+port+"/live/"+testKey), test.errs, order...)
			cfg.EveryAddress = true
			b := publishTo(t, cfg)
			b.aside.Wait()
			var got []string
			for _, f := range b.Stats().Findings {
				got = append(got, strings.ReplaceAll(string(f.Severity)+" "+string(f.Reason)+" "+f.Where, ":"+port, ":PORT"))
				if f.Section != "every_address" || f.Stage != prober.StageConnect || f.Count != 1 {
					t.Errorf("%+v", f)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// A redirect to where this machine has no route decides nothing, while the ingest has
// other addresses.
func TestARedirectWithoutARoute(t *testing.T) {
	t.Parallel()
	const to = "rtmp://[2001:db8::6]:1935/elsewhere"
	redirects := redirecting(func() string { return to })
	for name, errno := range map[string]syscall.Errno{"no route": syscall.ENETUNREACH, "IPv6 is switched off": syscall.EADDRNOTAVAIL} {
		for next, test := range map[string]struct {
			second func(*fakeConn) error // nil: there is none
			reason prober.Reason         // of the failure
		}{
			"fails": {brokenServers()["hangs up"].script, prober.ReasonConnectionClosed},
			"works": {healthy, ""},
			"none":  {nil, prober.ReasonUnreachable},
		} {
			t.Run(name+", next: "+next, func(t *testing.T) {
				t.Parallel()
				order := []string{"127.0.0.9", "127.0.0.1"}
				cfg := pair(t, map[string]func(*fakeConn) error{order[0]: redirects, order[1]: test.second}, order...)
				if test.second == nil {
					order = order[:1]
				}
				b, failure, err := Publish(t.Context(), dualStack(cfg, map[string]error{"2001:db8::6": errno}, order...))
				switch {
				case test.second == nil && errno == syscall.EADDRNOTAVAIL: // nothing is known of it
					if b != nil || failure != nil || !errors.Is(err, errno) {
						t.Errorf("%+v, %v", failure, err)
					}
				case test.reason != "":
					if err != nil {
						t.Fatal(err)
					}
					wantFailure(t, failure, prober.StageConnect, test.reason)
					if test.second != nil && !strings.Contains(failure.Detail, "; at "+to+": cannot be ") {
						t.Errorf("detail %q", failure.Detail)
					}
				default:
					if failure != nil || err != nil {
						t.Fatal(failure, err)
					}
					t.Cleanup(func() { b.abandon() })
					b.aside.Wait()
					if found := b.Stats().Findings; len(found) != 1 || found[0].Severity != prober.SeverityNote || found[0].Where != "every IPv6 address of "+to {
						t.Errorf("findings %+v", found)
					}
				}
			})
		}
	}
}

// The addresses beside one that redirects are looked at, too: as the broadcaster would,
// who is redirected by the next one.
func TestARedirectHidesNoOther(t *testing.T) {
	t.Parallel()
	behind := serve(t, healthy)
	redirects := redirecting(func() string { return "rtmp://127.0.0.1:" + portOf(behind.listener.Addr()) + "/elsewhere" })
	broken := brokenServers()
	for name, test := range map[string]struct {
		second func(*fakeConn) error // nil: nobody is there
		reason prober.Reason         // of the finding; "" has none
	}{
		"nobody":    {nil, prober.ReasonConnectionRefused},
		"hangs up":  {broken["hangs up"].script, prober.ReasonConnectionClosed},
		"rejects":   {broken["rejects"].script, prober.ReasonConnectRejected},
		"redirects": {redirects, ""},
		"works":     {healthy, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := "127.0.0.8"
			if test.second == nil {
				at = "127.0.0.7" // somewhere else
			}
			cfg := pair(t, map[string]func(*fakeConn) error{"127.0.0.9": redirects, at: test.second}, "127.0.0.9", at)
			b := publishTo(t, dualStack(cfg, nil, "127.0.0.9", "127.0.0.8"))
			b.aside.Wait()
			found := b.Stats().Findings
			if len(found) == 0 || found[0].Reason != prober.ReasonRedirected {
				t.Fatalf("findings %+v", found)
			}
			found = found[1:]
			if test.reason == "" && len(found) > 0 || test.reason != "" && (len(found) != 1 || found[0].Reason != test.reason || found[0].Severity != prober.SeverityDegraded ||
				!strings.HasPrefix(found[0].Where, "address 127.0.0.8:") || !strings.Contains(found[0].Detail, " of rtmp://ingest.test:")) {
				t.Errorf("findings %+v", found)
			}
		})
	}
}

// Where a redirect leads to the same host, what is closed there is told once.
func TestARedirectToTheSameHost(t *testing.T) {
	t.Parallel()
	to := ""
	cfg := pair(t, map[string]func(*fakeConn) error{"127.0.0.9": func(c *fakeConn) error {
		id, o, err := c.connectObject()
		if err != nil {
			return err
		}
		if o["app"] == "live" {
			return c.reject(id, "moved", map[string]any{"ex": map[string]any{"code": 302, "redirect": to}})
		}
		return c.acceptAfter(id)
	}, "127.0.0.1": healthy}, "127.0.0.9", "127.0.0.1")
	to = strings.TrimSuffix(cfg.URL, "/live/"+testKey) + "/elsewhere"
	b := publishTo(t, dualStack(cfg, nil, "127.0.0.9", "127.0.0.8"))
	b.aside.Wait()
	found := b.Stats().Findings
	if len(found) != 2 || found[1].Reason != prober.ReasonConnectionRefused || found[1].Count != 1 {
		t.Errorf("findings %+v", found)
	}
}
