package alert

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// vectorSecret is the secret of the public test vector (standard-webhooks,
// libraries; svix-webhooks, go/webhook_test.go).
const vectorSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func TestSignWebhookVector(t *testing.T) {
	t.Parallel()
	key, err := webhookKey(vectorSecret)
	if err != nil {
		t.Fatal(err)
	}
	got := signWebhook(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

func TestNewWebhookRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config WebhookConfig
		want   string
	}{
		"no scheme": {WebhookConfig{URL: "example.com/canaryurl", Secret: vectorSecret}, "webhook: url: want https://host/path"},
		"bad url":   {WebhookConfig{URL: "https://ex ample/canaryurl", Secret: vectorSecret}, "webhook: url: want https://host/path"},
		"no prefix": {WebhookConfig{URL: "https://example.com/canaryurl", Secret: "canarysecret"}, "webhook example.com: secret: want whsec_ followed by base64"},
		"no base64": {WebhookConfig{URL: "https://example.com/canaryurl", Secret: "whsec_canary!"}, "webhook example.com: secret: what follows whsec_ is not base64"},
		"too short": {WebhookConfig{URL: "https://example.com/canaryurl", Secret: "whsec_Y2FuYXJ5"}, "webhook example.com: secret: has 6 bytes, want 24 to 64"},
		"no key":    {WebhookConfig{URL: "https://example.com/canaryurl", Secret: "whsec_"}, "webhook example.com: secret: has 0 bytes, want 24 to 64"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := NewWebhook(c.config)
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// receive starts a receiver on loopback.
func receive(t *testing.T, f http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s
}

func hook(t *testing.T, address string) *Webhook {
	t.Helper()
	w, err := NewWebhook(WebhookConfig{URL: Secret(address), Secret: vectorSecret})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWebhookRequest(t *testing.T) {
	t.Parallel()
	var header http.Header
	var body []byte
	s := receive(t, func(_ http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, _ = io.ReadAll(r.Body)
	})
	w := hook(t, s.URL+"/canaryurl")
	d := delivery(1, "incident/a", ActionTrigger)
	before := time.Now().Truncate(time.Second)
	if err := w.Send(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	seconds, err := number(header.Get("webhook-timestamp"), 0)
	at := time.Unix(seconds, 0)
	if err != nil || at.Before(before) || at.After(time.Now()) {
		t.Errorf("webhook-timestamp %q is not the time of the attempt", header.Get("webhook-timestamp"))
	}
	if got, want := header.Get("webhook-signature"), signWebhook(w.key, "event-1", at, body); got != want {
		t.Errorf("webhook-signature %q, want %q", got, want)
	}
	if header.Get("webhook-id") != "event-1" || string(body) != `{"id":1}` || header.Get("Content-Type") != "application/json" {
		t.Errorf("received %v %s", header, body)
	}
}

// Without a secret there is nothing to sign with: no signature is better than
// one that anybody can make.
func TestWebhookUnsigned(t *testing.T) {
	t.Parallel()
	headers := make(chan http.Header, 1)
	s := receive(t, func(_ http.ResponseWriter, r *http.Request) { headers <- r.Header })
	w, err := NewWebhook(WebhookConfig{URL: Secret(s.URL)})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Send(t.Context(), delivery(1, "incident/a", ActionTrigger)); err != nil {
		t.Fatal(err)
	}
	got := <-headers
	if _, signed := got["Webhook-Signature"]; signed || got.Get("Webhook-Id") != "event-1" || got.Get("Webhook-Timestamp") == "" {
		t.Errorf("received %v", got)
	}
}

func TestWebhookAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer        http.HandlerFunc
		want          string // in the error; "" is an acknowledgement
		gone, refused bool
	}{
		"200": {answer: status(200)},
		"204": {answer: status(204)},
		"500": {answer: status(500), want: "answered 500 Internal Server Error"},
		"429": {answer: status(429), want: "answered 429 Too Many Requests"},
		"401": {answer: status(401), want: "answered 401 Unauthorized"},
		"413": {answer: status(413), want: "answered 413 Request Entity Too Large", refused: true},
		"410": {answer: status(410), want: "answered 410 Gone: the receiver wants no more", gone: true},
		"redirect": {answer: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/there", http.StatusTemporaryRedirect)
		}, want: "answered 307 Temporary Redirect: redirects are not followed, configure the final address"},
		"slow":       {answer: hang, want: "Client.Timeout exceeded"},
		"hangs up":   {answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, want: "EOF"},
		"never ends": {answer: endless, want: "answered 500 Internal Server Error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := receive(t, c.answer)
			w := hook(t, strings.Replace(s.URL, "http://", "http://user:canarypassword@", 1)+"/canaryurl?token=canarytoken")
			w.client.Timeout = 500 * time.Millisecond
			if name == "200" || name == "204" {
				w.client.Timeout = 10 * time.Second
			}
			err := w.Send(t.Context(), delivery(1, "k", ActionTrigger))
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("a secret is in the error: %v", err)
			}
			if isGone(err) != c.gone || isRefusal(err) != c.refused {
				t.Errorf("gone %v, refused %v; want %v, %v", isGone(err), isRefusal(err), c.gone, c.refused)
			}
		})
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// hang never answers. A server sees its client leave only once it has read the body.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// endless answers with a body that never ends.
func endless(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusInternalServerError)
	for r.Context().Err() == nil {
		if _, err := w.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
}

// TestWebhookCancelled: a sink that is told to stop does.
func TestWebhookCancelled(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	s := receive(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	if err := hook(t, s.URL).Send(ctx, delivery(1, "k", ActionTrigger)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context canceled", err)
	}
}
