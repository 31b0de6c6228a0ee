package api_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/api"
)

const key = "Bearer very-secret-key"

func ptr(s string) *string { return &s }

// serve answers every request with a status and a body, after a while.
func serve(t *testing.T, status int, body string, after time.Duration) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(after):
		case <-r.Context().Done():
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, strings.ReplaceAll(body, "KEY", r.Header.Get("Authorization")))
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func check(t *testing.T, cfg api.Config, c prober.APICheck) api.Answer {
	t.Helper()
	c.Name = "streams"
	if c.Method == "" {
		c.Method = http.MethodGet
	}
	if c.Status == nil {
		c.Status = []int{200}
	}
	a, err := api.New(cfg).Check(t.Context(), c, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestCheck(t *testing.T) {
	t.Parallel()
	headers := []prober.Header{{Name: "Authorization", Value: key}}
	for name, c := range map[string]struct {
		status int
		body   string
		check  prober.APICheck
		want   string // outcome stage reason: part of the detail; "" passes
	}{
		"status":           {status: 200},
		"another status":   {status: 204, check: prober.APICheck{Status: []int{200, 204}}},
		"server error":     {status: 500, want: "fail provision api_error: streams: 500 Internal Server Error; want 200"},
		"redirect":         {status: 302, want: "fail provision api_error: 302 Found"},
		"refused":          {status: 401, want: "inconclusive provision api_unauthorized: 401 Unauthorized; check the probe's headers"},
		"refusal wanted":   {status: 401, check: prober.APICheck{Status: []int{401}}},
		"quota":            {status: 429, want: "inconclusive provision api_quota: 429"},
		"value":            {status: 200, body: `{"nodes":[{"up":true}]}`, check: prober.APICheck{Path: "$.nodes[0].up", Want: ptr("true")}},
		"any value":        {status: 200, body: `{"version":"4.2"}`, check: prober.APICheck{Path: "$.version"}},
		"big number":       {status: 200, body: `{"id":12345678901234567890}`, check: prober.APICheck{Path: "$.id", Want: ptr("12345678901234567890")}},
		"wrong value":      {status: 200, body: `{"status":"degraded"}`, check: prober.APICheck{Path: "$.status", Want: ptr("ok")}, want: `fail provision api_wrong_value: streams: $.status is "degraded"; want "ok"`},
		"secret in value":  {status: 200, body: `{"status":"KEY"}`, check: prober.APICheck{Path: "$.status", Want: ptr("ok"), Headers: headers}, want: `fail provision api_wrong_value: $.status is "[secret]"`},
		"secret alone":     {status: 200, body: `{"status":"no very-SECRET-key"}`, check: prober.APICheck{Path: "$.status", Want: ptr("ok"), Headers: headers}, want: `fail provision api_wrong_value: $.status is "no [secret]"`},
		"query in value":   {status: 200, body: `{"status":"no hidden"}`, check: prober.APICheck{Path: "$.status", Want: ptr("ok")}, want: `fail provision api_wrong_value: $.status is "no [secret]"`},
		"no value":         {status: 200, body: `{}`, check: prober.APICheck{Path: "$.status"}, want: "fail provision api_wrong_value: nothing at $.status"},
		"not JSON":         {status: 200, body: `<html>`, check: prober.APICheck{Path: "$.status"}, want: "fail provision api_bad_answer: 200, but not JSON"},
		"endless":          {status: 200, body: strings.Repeat("x", 2<<20), want: "fail provision api_bad_answer: longer than 1048576 bytes"},
		"bad path":         {status: 200, check: prober.APICheck{Path: "status"}, want: "inconclusive provision configuration: begin with $"},
		"slower than told": {status: 200, check: prober.APICheck{MaxLatency: time.Nanosecond}, want: "degraded latency latency_high: answered after"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.check.URL = serve(t, c.status, c.body, 0) + "/health?token=hidden"
			expect(t, check(t, api.Config{}, c.check), c.want)
		})
	}
}

// What the URL has besides host and path is sent, and stays out when it is repeated.
func TestUserStaysOut(t *testing.T) {
	t.Parallel()
	address := strings.Replace(serve(t, 200, `{"status":"no KEY of al1ce, hunter2, s3cr3t99"}`, 0), "http://", "http://al1ce:hunter2@", 1)
	a := check(t, api.Config{}, prober.APICheck{URL: address + "/health?s3cr3t99", Path: "$.status", Want: ptr("ok")})
	expect(t, a, `fail provision api_wrong_value: $.status is "no [secret] of [secret], [secret], [secret]"`)
}

// What a value is made of that a check shows the beginning of, takes it no time.
func TestLongValue(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789abcdef/", 60)
	for _, unit := range []string{`\\`, "%", "&", "x"} {
		address := serve(t, 200, `{"status":"`+strings.Repeat(unit, (1<<20-100)/len(unit))+`"}`, 0)
		began := time.Now()
		a := check(t, api.Config{}, prober.APICheck{URL: address + "/health?token=abcdefgh12345678", Path: "$.status", Want: ptr("ok"),
			Headers: []prober.Header{{Name: "Authorization", Value: prober.Secret("Bearer " + long)}}})
		expect(t, a, "fail provision api_wrong_value: $.status is ")
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("1 MiB of %q took %s", unit, took)
		}
	}
}

func expect(t *testing.T, a api.Answer, want string) {
	t.Helper()
	if a.Failure == nil {
		if want != "" {
			t.Errorf("passed, want %s", want)
		}
		return
	}
	f := *a.Failure
	head, detail, _ := strings.Cut(want, ": ")
	if got := fmt.Sprint(f.Outcome, " ", f.Stage, " ", f.Reason); got != head || !strings.Contains(f.Detail, detail) {
		t.Errorf("got %s: %s\nwant %s", got, f.Detail, want)
	}
	if strings.Contains(f.Detail, "very-secret") || strings.Contains(f.Detail, "hidden") {
		t.Errorf("a secret in %q", f.Detail)
	}
}

func TestWhatGoesWrongBefore(t *testing.T) {
	t.Parallel()
	quick := api.Config{Timeout: 200 * time.Millisecond}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	expect(t, check(t, quick, prober.APICheck{URL: closed.URL}), "fail connect connection_refused: refuses connections")
	expect(t, check(t, quick, prober.APICheck{URL: "http://nowhere.invalid"}), "fail resolve name_not_resolved: nowhere.invalid")
	expect(t, check(t, quick, prober.APICheck{URL: serve(t, 200, "", time.Minute)}), "fail provision api_timeout: no whole answer")

	plain := serve(t, 200, "", 0)
	expect(t, check(t, quick, prober.APICheck{URL: strings.Replace(plain, "http:", "https:", 1)}), "fail connect tls_failed: ")
	abrupt := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(abrupt.Close)
	expect(t, check(t, quick, prober.APICheck{URL: abrupt.URL, Method: http.MethodPost, Body: "{}"}), "fail provision api_unreachable: ")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a, err := api.New(quick).Check(ctx, prober.APICheck{Name: "streams", Method: http.MethodGet, URL: plain, Status: []int{200}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	expect(t, a, "inconclusive provision cancelled: ")
	if _, err := api.New(quick).Check(t.Context(), prober.APICheck{URL: "ftp://x"}, time.Now()); err == nil {
		t.Error("made a check of ftp")
	}
}

func TestSilentServerAtTheHandshake(t *testing.T) {
	t.Parallel()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	a := check(t, api.Config{Timeout: 200 * time.Millisecond}, prober.APICheck{URL: "https://" + l.Addr().String()})
	expect(t, a, "fail connect tls_failed: ")
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }))
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	trusting := api.Config{TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}

	a := check(t, trusting, prober.APICheck{URL: srv.URL, CertificateDays: 14})
	expect(t, a, "")
	if !a.Expires.Equal(srv.Certificate().NotAfter) || a.Times.TLS <= 0 || a.Times.Connect <= 0 || a.Times.FirstByte <= 0 || a.Bytes != 2 || a.Times.Protocol != "HTTP/1.1" {
		t.Errorf("got %+v", a)
	}
	expect(t, check(t, trusting, prober.APICheck{URL: srv.URL, CertificateDays: 1e5 - 1}), "degraded connect certificate_expiring: the certificate expires on "+srv.Certificate().NotAfter.UTC().Format(time.DateOnly))
	expect(t, check(t, api.Config{}, prober.APICheck{URL: srv.URL}), "fail connect tls_failed: certificate")

	expired := api.Config{TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12, Time: func() time.Time { return srv.Certificate().NotAfter.Add(time.Hour) }}}
	expect(t, check(t, expired, prober.APICheck{URL: srv.URL}), "fail connect tls_failed: expired")
}

func FuzzAnswer(f *testing.F) {
	f.Add(`{"a":[1,{"b":null}]}`, "$.a[1].b", "null")
	f.Add("[", "$[0]", "")
	f.Fuzz(func(t *testing.T, body, path, want string) {
		c := prober.APICheck{Name: "x", Status: []int{200}, Path: path, Want: &want}
		if f := api.Judge(c, http.StatusOK, []byte(body)); f != nil && (f.Detail == "" || len(f.Detail) > prober.MaxDetail) {
			t.Errorf("detail %q", f.Detail)
		}
	})
}
