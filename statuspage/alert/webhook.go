package alert

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The bounds of one attempt. Standard Webhooks advises 15 to 30 s; on-call is
// waiting for what stands behind.
const (
	webhookTimeout = 15 * time.Second
	webhookAnswer  = 64 << 10 // bytes that are read of an answer
)

// WebhookConfig says where alerts are posted.
type WebhookConfig struct {
	URL    Secret // https://host/...; may hold a token, so it is told by its host alone
	Secret Secret // whsec_ and base64 of 24 to 64 bytes; "" signs nothing
}

// Webhook posts alerts as Standard Webhooks (standardwebhooks.com): signed where
// there is a secret, with an id that is the same on every retry. Only 2xx
// acknowledges; 410 disables.
type Webhook struct {
	url    Secret
	host   string
	key    []byte // nil signs nothing
	client *http.Client
}

// NewWebhook checks the configuration. Its errors never show the secret.
func NewWebhook(c WebhookConfig) (*Webhook, error) {
	u, err := url.Parse(c.URL.Reveal())
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errors.New("webhook: url: want https://host/path") // the parser's error would repeat the URL
	}
	key, err := webhookKey(c.Secret)
	if err != nil {
		return nil, fmt.Errorf("webhook %s: %w", u.Host, err)
	}
	return &Webhook{url: c.URL, host: u.Host, key: key, client: webhookClient()}, nil
}

func webhookKey(s Secret) ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	encoded, ok := strings.CutPrefix(s.Reveal(), "whsec_")
	if !ok {
		return nil, errors.New("secret: want whsec_ followed by base64")
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, errors.New("secret: what follows whsec_ is not base64")
	}
	if len(key) < 24 || len(key) > 64 {
		return nil, fmt.Errorf("secret: has %d bytes, want 24 to 64", len(key))
	}
	return key, nil
}

// webhookClient makes a connection per attempt, since alerts are rare and one
// that lay idle may be dead, and follows no redirect: what was signed for one
// address is not for another.
func webhookClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // documented to be one
	t.DisableKeepAlives = true
	return &http.Client{
		Transport:     t,
		Timeout:       webhookTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Send makes one attempt.
func (w *Webhook) Send(ctx context.Context, d Delivery) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url.Reveal(), bytes.NewReader(d.Body))
	if err != nil {
		return fmt.Errorf("webhook %s: the url cannot be requested", w.host)
	}
	now := time.Now()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "streamcanary")
	r.Header.Set("Webhook-Id", d.EventID)
	r.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	if w.key != nil {
		r.Header.Set("Webhook-Signature", signWebhook(w.key, d.EventID, now, d.Body))
	}
	answer, err := w.client.Do(r)
	if err != nil {
		return fmt.Errorf("webhook %s: %w", w.host, withoutURL(err))
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 200 && answer.StatusCode <= 299 {
		return nil
	}
	_, _ = io.CopyN(io.Discard, answer.Body, webhookAnswer) // lets the server finish; what it says is not trusted
	return fmt.Errorf("webhook %s: %w", w.host, &StatusError{Code: answer.StatusCode})
}

// signWebhook is v1: HMAC-SHA256 of "id.timestamp.body".
func signWebhook(key []byte, id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.", id, at.Unix())
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// withoutURL takes the URL, which may hold a token, out of a client's error.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
