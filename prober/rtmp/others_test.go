package rtmp

import (
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

// A redirect to where this machine has no route decides nothing.
func TestARedirectWithoutARoute(t *testing.T) {
	t.Parallel()
	redirects := redirecting(func() string { return "rtmp://[2001:db8::6]:1935/elsewhere" })
	for name, test := range map[string]struct {
		second func(*fakeConn) error
		reason prober.Reason // of the failure
		where  string        // of the note
	}{
		"the next fails": {brokenServers()["hangs up"].script, prober.ReasonConnectionClosed, ""},
		"the next works": {healthy, "", "every IPv6 address of rtmp://[2001:db8::6]:1935/elsewhere"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := pair(t, map[string]func(*fakeConn) error{"127.0.0.9": redirects, "127.0.0.1": test.second}, "127.0.0.9", "127.0.0.1")
			cfg = dualStack(cfg, map[string]error{"2001:db8::6": syscall.ENETUNREACH}, "127.0.0.9", "127.0.0.1")
			b, failure, err := Publish(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if test.reason != "" {
				wantFailure(t, failure, prober.StageConnect, test.reason)
				if !strings.Contains(failure.Detail, "; at rtmp://[2001:db8::6]:1935/elsewhere: cannot be reached") {
					t.Errorf("detail %q", failure.Detail)
				}
				return
			}
			if failure != nil {
				t.Fatal(failure)
			}
			t.Cleanup(func() { b.abandon() })
			b.aside.Wait()
			if found := b.Stats().Findings; len(found) != 1 || found[0].Severity != prober.SeverityNote || found[0].Where != test.where {
				t.Errorf("findings %+v", found)
			}
		})
	}
}
