package rtmp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/yutopp/go-rtmp/message"

	"streamcanary/prober"
)

// connectObject reads the connect command's object.
func (c *fakeConn) connectObject() (int64, map[string]any, error) {
	if err := c.handshake(); err != nil {
		return 0, nil, err
	}
	for {
		m, err := c.next()
		if err != nil {
			return 0, nil, err
		}
		cmd, ok := m.(*message.CommandMessage)
		if !ok || cmd.CommandName != "connect" {
			continue
		}
		body, err := io.ReadAll(cmd.Body)
		if err != nil {
			return 0, nil, err
		}
		values, err := decodeAMF(body)
		if err != nil || len(values) == 0 {
			return 0, nil, errors.Join(err, errors.New("connect without an object"))
		}
		o, _ := values[0].(map[string]any)
		return cmd.TransactionID, o, nil
	}
}

// reject answers a connect with an error and more of its information.
func (c *fakeConn) reject(transaction int64, description string, more map[string]any) error {
	info := map[string]any{"level": "error", "code": "NetConnection.Connect.Rejected", "description": description}
	for k, v := range more {
		info[k] = v
	}
	if err := c.reply("_error", transaction, nil, info); err != nil {
		return err
	}
	return c.hold()
}

// redirecting is a server that sends everybody elsewhere.
func redirecting(to func() string) func(*fakeConn) error {
	return func(c *fakeConn) error {
		id, _, err := c.connectObject()
		if err != nil {
			return err
		}
		return c.reject(id, "moved", map[string]any{"ex": map[string]any{"code": 302, "redirect": to()}})
	}
}

func TestRedirect(t *testing.T) {
	t.Parallel()
	behind := serve(t, healthy)
	front := serve(t, redirecting(func() string { return "rtmp://" + behind.listener.Addr().String() + "/other" }))
	b := publishTo(t, testConfig(front.url()))
	if b.at.app != "other" || b.at.key.Reveal() != testKey || b.at.address() != behind.listener.Addr().String() {
		t.Errorf("published at %s", b.at)
	}
	found := b.Stats().Findings
	if len(found) != 1 || found[0].Reason != prober.ReasonRedirected || found[0].Severity != prober.SeverityNote ||
		!strings.Contains(found[0].Detail, "redirects to rtmp://"+behind.listener.Addr().String()+"/other") {
		t.Errorf("findings %+v", found)
	}
}

func TestRedirectsThatAreNotFollowed(t *testing.T) {
	t.Parallel()
	var loop *fakeServer
	loop = serve(t, redirecting(func() string { return "rtmp://" + loop.listener.Addr().String() + "/live" }))
	_, failure, err := Publish(t.Context(), testConfig(loop.url()))
	if err != nil {
		t.Fatal(err)
	}
	wantFailure(t, failure, prober.StageConnect, prober.ReasonConnectRejected)
	if !strings.Contains(failure.Detail, "redirects once more") {
		t.Errorf("detail %q", failure.Detail)
	}
	for to, want := range map[string]string{
		"rtmp://h/live":                  "from rtmps to rtmp",
		"https://h/live?" + testKey:      "no RTMP URL",
		"rtmps://" + testKey + ":99999/": "cannot be used",
	} {
		at, err := parseEndpoint("rtmps://h/live/" + testKey)
		if err != nil {
			t.Fatal(err)
		}
		_, over := at.elsewhere(to)
		if over == nil || !strings.Contains(over.what, want) || strings.Contains(over.what, testKey) {
			t.Errorf("%q: %+v, want %q", to, over, want)
		}
	}
	// One that is followed is shown, and may have the key in it.
	at, err := parseEndpoint("rtmp://h/live/" + testKey)
	if err != nil {
		t.Fatal(err)
	}
	if to, over := at.elsewhere("rtmp://other/live/" + testKey + "/more"); over != nil || to.String() != "rtmp://other:1935/live/[secret]/more" {
		t.Errorf("%s, %+v", to, over)
	}
}

// adobe is a server that asks for user and password as Flash Media Server did. Its
// arithmetic is written out, not shared with the publisher; ffmpeg proves it.
func adobe(user, password string) func(*fakeConn) error {
	return func(c *fakeConn) error {
		id, o, err := c.connectObject()
		if err != nil {
			return err
		}
		app, _ := o["app"].(string)
		_, query, _ := strings.Cut(app, "?")
		said := map[string]string{}
		for pair := range strings.SplitSeq(query, "&") {
			k, v, _ := strings.Cut(pair, "=")
			said[k] = v
		}
		const salt, challenge = "c2FsdA==", "Y2hhbGxlbmdl"
		switch {
		case said["authmod"] != "adobe":
			return c.reject(id, "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ", nil)
		case said["response"] == "":
			return c.reject(id, fmt.Sprintf("[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=needauth&user=%s&salt=%s&challenge=%s&opaque=%s",
				said["user"], salt, challenge, challenge), nil)
		case said["user"] != user || said["response"] != digest64(digest64(user+salt+password)+challenge+said["challenge"]):
			return c.reject(id, "[ AccessManager.Reject ] : [ authmod=adobe ] : ?reason=authfailed&opaque="+challenge, nil)
		}
		return c.acceptAfter(id)
	}
}

// acceptAfter accepts a connect that has been read, and is healthy from there on.
func (c *fakeConn) acceptAfter(id int64) error {
	if err := c.reply("_result", id, map[string]any{}, map[string]any{"level": "status", "code": "NetConnection.Connect.Success"}); err != nil {
		return err
	}
	id, err := c.expect("createStream")
	if err != nil {
		return err
	}
	if err := c.reply("_result", id, nil, 1.0); err != nil {
		return err
	}
	if _, err := c.expect("publish"); err != nil {
		return err
	}
	if err := c.status("status", "NetStream.Publish.Start", "go"); err != nil {
		return err
	}
	return c.drain()
}

func TestAdobeAuthentication(t *testing.T) {
	t.Parallel()
	const password = "p4ss-w0rd"
	s := serve(t, adobe("canary", password))
	address := s.listener.Addr().String()
	for name, test := range map[string]struct {
		cfg    Config
		detail string // "" is success
	}{
		"in the URL":  {testConfig("rtmp://canary:" + password + "@" + address + "/live/" + testKey), ""},
		"beside it":   {Config{URL: s.url(), User: "canary", Password: password}, ""},
		"none":        {testConfig(s.url()), "asks for a user and password, and none is configured"},
		"wrong":       {Config{URL: s.url(), User: "canary", Password: "wr0ng-p4ss"}, "the server refused the user and password"},
		"wrong user":  {Config{URL: s.url(), User: "nobody", Password: password}, "the server refused the user and password"},
		"no password": {Config{URL: s.url(), User: "canary"}, "the server refused the user and password"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, failure, err := Publish(t.Context(), test.cfg)
			if err != nil {
				t.Fatal(err)
			}
			if test.detail == "" {
				if failure != nil {
					t.Fatalf("%+v", failure)
				}
				closeAfter(t, b)
				return
			}
			wantFailure(t, failure, prober.StageConnect, prober.ReasonConnectRejected)
			if !strings.Contains(failure.Detail, test.detail) || strings.Contains(failure.Detail, password) {
				t.Errorf("detail %q, want %q in it and no password", failure.Detail, test.detail)
			}
		})
	}
}

// ffmpeg passes the same server: what it checks is what others speak, too.
func TestFFmpegPassesAdobeAuthentication(t *testing.T) {
	t.Parallel()
	ffmpeg := findFFmpeg(t)
	s := serve(t, adobe("canary", "p4ss"))
	u := url.URL{Scheme: "rtmp", User: url.UserPassword("canary", "p4ss"), Host: s.listener.Addr().String(), Path: "/live/one"}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, ffmpeg, "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac", "-f", "flv", u.String()).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
}

// The broadcast runs at the address that works; the one that does not is named.
func TestEveryAddress(t *testing.T) {
	t.Parallel()
	s := serve(t, healthy)
	cfg := testConfig("rtmp://ingest.test:" + portOf(s.listener.Addr()) + "/live/" + testKey)
	cfg.EveryAddress = true
	cfg.Lookup = func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.9"), netip.MustParseAddr("::1")}, nil
	}
	b := publishTo(t, cfg)
	b.aside.Wait()
	found := b.Stats().Findings
	if len(found) != 2 {
		t.Fatalf("findings %+v, want one for each of two addresses", found)
	}
	for _, f := range found {
		if f.Reason != prober.ReasonConnectionRefused || f.Severity != prober.SeverityDegraded || f.Stage != prober.StageConnect ||
			!strings.Contains(f.Where, "127.0.0.9:") && !strings.Contains(f.Where, "[::1]:") {
			t.Errorf("finding %+v", f)
		}
	}
}

// When no address works, the failure says how many there are.
func TestNoAddressWorks(t *testing.T) {
	t.Parallel()
	cfg := testConfig("rtmp://ingest.test:" + freePort(t) + "/live/" + testKey)
	cfg.Lookup = func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.9")}, nil
	}
	_, failure, err := Publish(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	wantFailure(t, failure, prober.StageConnect, prober.ReasonConnectionRefused)
	if !strings.Contains(failure.Detail, "tried all of its 2 addresses: the TCP connection was refused at 127.0.0.1, 127.0.0.9") {
		t.Errorf("detail %q", failure.Detail)
	}
}

// pair is two servers at one port of two addresses, and a configuration that has
// the addresses in that order.
func pair(t *testing.T, scripts map[string]func(*fakeConn) error, order ...string) Config {
	t.Helper()
	for range 10 {
		first, err := serveAt(t, &net.TCPAddr{IP: net.ParseIP(order[0])}, scripts[order[0]])
		if err != nil {
			t.Fatal(err)
		}
		port := portOf(first.listener.Addr())
		number, err := strconv.Atoi(port)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := serveAt(t, &net.TCPAddr{IP: net.ParseIP(order[1]), Port: number}, scripts[order[1]]); err != nil {
			continue // somebody has that port there
		}
		cfg := testConfig("rtmp://ingest.test:" + port + "/live/" + testKey)
		cfg.EveryAddress, cfg.CommandTimeout = true, 500*time.Millisecond
		cfg.Lookup = func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr(order[0]), netip.MustParseAddr(order[1])}, nil
		}
		return cfg
	}
	t.Fatal("no port that is free at both addresses")
	return Config{}
}

// brokenServers fail behind TCP.
func brokenServers() map[string]struct {
	script func(*fakeConn) error
	stage  prober.Stage // where it fails
	reason prober.Reason
	looked bool // a look, which publishes nothing, sees it as well
} {
	return map[string]struct {
		script func(*fakeConn) error
		stage  prober.Stage
		reason prober.Reason
		looked bool
	}{
		"hangs up": {func(c *fakeConn) error {
			if _, _, err := c.connectObject(); err != nil {
				return err
			}
			return c.hangUp()
		}, prober.StageConnect, prober.ReasonConnectionClosed, true},
		"rejects": {func(c *fakeConn) error {
			id, _, err := c.connectObject()
			if err != nil {
				return err
			}
			return c.reject(id, "no such application", nil)
		}, prober.StageConnect, prober.ReasonConnectRejected, true},
		"gives no stream": {func(c *fakeConn) error {
			if err := c.acceptConnect(); err != nil {
				return err
			}
			return c.drain()
		}, prober.StagePublish, prober.ReasonPublishNoAnswer, false},
	}
}

// An address that takes TCP and fails behind it is a finding, first or second: which
// one DNS names first decides nothing.
func TestEveryAddressBehindTCP(t *testing.T) {
	t.Parallel()
	const bad, good = "127.0.0.9", "127.0.0.1"
	for name, broken := range brokenServers() {
		for _, order := range [][]string{{bad, good}, {good, bad}} {
			t.Run(name+", "+order[0]+" first", func(t *testing.T) {
				t.Parallel()
				b := publishTo(t, pair(t, map[string]func(*fakeConn) error{bad: broken.script, good: healthy}, order...))
				b.aside.Wait()
				if b.at.dialled.String() != good {
					t.Errorf("published at %s", b.at.named())
				}
				found := b.Stats().Findings
				if !broken.looked && order[0] == good {
					if len(found) > 0 {
						t.Errorf("findings %+v", found)
					}
					return
				}
				if len(found) != 1 || found[0].Reason != broken.reason || found[0].Stage != broken.stage || found[0].Severity != prober.SeverityDegraded ||
					!strings.HasPrefix(found[0].Where, "address "+bad+":") {
					t.Errorf("findings %+v", found)
				}
			})
		}
		t.Run(name+", everywhere", func(t *testing.T) {
			t.Parallel()
			cfg := pair(t, map[string]func(*fakeConn) error{bad: broken.script, good: broken.script}, bad, good)
			_, failure, err := Publish(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			wantFailure(t, failure, broken.stage, broken.reason)
			if !strings.Contains(failure.Detail, "/live at "+bad+": ") || !strings.Contains(failure.Detail, "; at "+good+": ") {
				t.Errorf("detail %q", failure.Detail)
			}
		})
		t.Run(name+", and the first alone is asked", func(t *testing.T) {
			t.Parallel()
			cfg := pair(t, map[string]func(*fakeConn) error{bad: broken.script, good: healthy}, bad, good)
			cfg.EveryAddress = false
			_, failure, err := Publish(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			wantFailure(t, failure, broken.stage, broken.reason)
			if !strings.Contains(failure.Detail, "/live at "+bad+": ") || strings.Contains(failure.Detail, good) {
				t.Errorf("detail %q", failure.Detail)
			}
		})
	}
}

// A broadcast that fails later says at which address it was.
func TestALaterFailureNamesTheAddress(t *testing.T) {
	t.Parallel()
	cfg := pair(t, map[string]func(*fakeConn) error{"127.0.0.1": func(c *fakeConn) error {
		if err := c.acceptPublish(); err != nil {
			return err
		}
		return c.take(5)
	}, "127.0.0.9": healthy}, "127.0.0.1", "127.0.0.9")
	b := publishTo(t, cfg)
	failure := <-sending(t, b, &testSource{})
	if failure == nil || failure.Stage != prober.StageIngest || !strings.Contains(failure.Detail, "/live at 127.0.0.1: ") {
		t.Errorf("failure %+v", failure)
	}
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no IPv6 on loopback: %v", err)
		}
		t.Skipf("no IPv6 on loopback: %v", err)
	}
	t.Cleanup(func() { _ = l.Close() })
	behind := serve(t, healthy)
	ctx, end := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		if conn, err := l.Accept(); err == nil {
			forward(ctx, conn, behind.listener.Addr().String())
		}
	}()
	t.Cleanup(func() { end(); _ = l.Close(); <-over })
	publishTo(t, testConfig("rtmp://"+l.Addr().String()+"/live/"+testKey))
}

// What connect says, with and without the fields of enhanced RTMP v2.
func TestConnectFields(t *testing.T) {
	t.Parallel()
	for _, enhanced := range []bool{false, true} {
		got := make(chan map[string]any, 1)
		s := serve(t, func(c *fakeConn) error {
			_, o, err := c.connectObject()
			got <- o
			if err != nil {
				return err
			}
			return c.hold()
		})
		cfg := testConfig(s.url())
		cfg.Enhanced, cfg.CommandTimeout = enhanced, 100*time.Millisecond
		if _, _, err := Publish(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		o := <-got
		if o["app"] != "live" || o["tcUrl"] != "rtmp://"+s.listener.Addr().String()+"/live" {
			t.Errorf("connect says %v", o)
		}
		list, _ := o["fourCcList"].([]any)
		video, _ := o["videoFourCcInfoMap"].(map[string]any)
		if enhanced != (len(list) == 2 && video["avc1"] == 2.0 && o["capsEx"] == 0.0) || !enhanced && (list != nil || video != nil) {
			t.Errorf("enhanced %t: connect says %v", enhanced, o)
		}
	}
}

// Another chunk size and window in mid-broadcast are obeyed, and told; those of the
// greeting are not.
func TestServerAsksForMore(t *testing.T) {
	t.Parallel()
	told := make(chan int32, 10)
	s := serve(t, func(c *fakeConn) error {
		if err := c.acceptConnect(); err != nil {
			return err
		}
		id, err := c.expect("createStream")
		if err != nil {
			return err
		}
		for _, m := range []message.Message{&message.WinAckSize{Size: 5_000_000}, &message.SetPeerBandwidth{Size: 5_000_000, Limit: 2}} {
			if err := c.say(m); err != nil {
				return err
			}
		}
		if err := c.reply("_result", id, nil, 1.0); err != nil {
			return err
		}
		if _, err = c.expect("publish"); err != nil {
			return err
		}
		if err := c.status("status", "NetStream.Publish.Start", ""); err != nil {
			return err
		}
		if err := c.take(20); err != nil {
			return err
		}
		c.flush()
		said := append(chunk(2, 4, kindSetChunkSize, 0, 0, 1, 0), chunk(2, 4, kindAckWindow, 0, 0, 8, 0)...)
		said = append(said, chunk(2, 5, kindBandwidth, 0, 0, 8, 0, 2)...)
		if _, err := c.Write(said); err != nil {
			return err
		}
		for {
			m, err := c.next()
			if err != nil {
				return err
			}
			if w, ok := m.(*message.WinAckSize); ok {
				told <- w.Size
			}
		}
	})
	b := publishTo(t, testConfig(s.url()))
	done := sending(t, b, &testSource{})
	select { // the answer to the greeting's was read by take
	case got := <-told:
		if got != 2048 {
			t.Errorf("our window is %d, want 2048", got)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the peer bandwidth was not answered")
	}
	stats := b.Stats()
	if stats.Server != (Server{ChunkSize: 256, AckWindow: 2048, PeerBandwidth: 2048}) {
		t.Errorf("server %+v", stats.Server)
	}
	var reasons []prober.Reason
	for _, f := range stats.Findings {
		reasons = append(reasons, f.Reason)
		if f.Severity != prober.SeverityNote || f.Stage != prober.StageIngest || f.Count != 1 {
			t.Errorf("finding %+v", f)
		}
	}
	if fmt.Sprint(reasons) != "[chunk_size_changed window_changed window_changed]" {
		t.Errorf("findings %v", reasons)
	}
	select {
	case failure := <-done:
		t.Errorf("Send ended: %+v", failure)
	default:
	}
}

// Where a redirect leads to nothing, the ingest's other addresses are left, and what
// failed is named as it was dialled.
func TestEveryAddressBeforeARedirect(t *testing.T) {
	t.Parallel()
	hangsUp := brokenServers()["hangs up"].script
	to := serve(t, hangsUp)
	behind := "127.0.0.1:" + portOf(to.listener.Addr())
	closed := "127.0.0.1:" + freePort(t)
	for name, c := range map[string]struct {
		to, where string // where it redirects to, and what the finding names
		second    func(*fakeConn) error
	}{
		"it publishes":                  {behind, "address " + behind, healthy},
		"it fails as well":              {behind, "", hangsUp},
		"a redirect to nobody":          {closed, "every address", healthy},
		"to nobody, and it fails, too":  {closed, "", hangsUp},
		"a redirect to an unknown host": {"nowhere.test:1935", "every address", healthy},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			redirects := redirecting(func() string { return "rtmp://" + c.to + "/elsewhere" })
			cfg := pair(t, map[string]func(*fakeConn) error{"127.0.0.9": redirects, "127.0.0.1": c.second}, "127.0.0.9", "127.0.0.1")
			known := cfg.Lookup
			cfg.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
				if host == "nowhere.test" {
					return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
				}
				return known(ctx, host)
			}
			b, failure, err := Publish(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if c.where == "" {
				if failure == nil || failure.Stage != prober.StageConnect {
					t.Errorf("failure %+v", failure)
				}
				return
			}
			if failure != nil {
				t.Fatal(failure)
			}
			t.Cleanup(func() { b.abandon() })
			b.aside.Wait()
			found := b.Stats().Findings
			if len(found) != 1 || found[0].Where != c.where || !strings.Contains(found[0].Detail, "/elsewhere") {
				t.Errorf("findings %+v", found)
			}
			if stages := b.Stats().Stages; len(stages) != 3 || stages[0].Duration > 100*time.Millisecond {
				t.Errorf("stages %+v, want resolve, connect and publish", stages)
			}
		})
	}
}

// What is left of a failed attempt is not added to what was before it.
func TestStopwatchAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w stopwatch
		for _, s := range []prober.Stage{prober.StageResolve, prober.StageConnect} {
			w.begin(s)
			wait(time.Second)
		}
		w.again()
		w.begin(prober.StageConnect)
		wait(2 * time.Second)
		want := []prober.StageTime{{Stage: prober.StageResolve, Duration: time.Second}, {Stage: prober.StageConnect, Duration: 2 * time.Second}}
		if got := w.end(); !slices.Equal(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}

func wait(d time.Duration) { <-time.After(d) }
