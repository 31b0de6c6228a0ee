package hub

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"streamcanary/statuspage/incident"
)

const (
	maxChangeBody = 16 << 10
	maxChangeText = 500
)

// authorized lets through whoever shows the token.
func (h *Hub) authorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || subtle.ConstantTimeCompare([]byte(got), []byte(h.token.Reveal())) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="on-call"`)
			http.Error(w, "send the on-call token: Authorization: Bearer TOKEN", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// postChange takes a report that something was deployed. It answers 202 with
// the change's id once the journal has it; reporting the same id again is the
// same change.
func (h *Hub) postChange(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxChangeBody))
	if err != nil {
		http.Error(w, fmt.Sprintf("a change is at most %d bytes", maxChangeBody), http.StatusRequestEntityTooLarge)
		return
	}
	c, err := readChange(body, time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	payload, err := json.Marshal(c)
	if err != nil {
		http.Error(w, "the change cannot be written", http.StatusInternalServerError)
		return
	}
	if _, err := h.journal.Change(r.Context(), "change-"+c.ID, payload); err != nil {
		h.log.Error("a change could not be taken", "error", err)
		http.Error(w, "the journal does not take it now; send it again", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusAccepted)
	_, _ = fmt.Fprintf(w, "{\"id\":%q}\n", c.ID)
}

// readChange reads {"summary": required, "source", "id", "link", "at"}.
func readChange(body []byte, now time.Time) (incident.Change, error) {
	var c incident.Change
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("the body is not a change: %w; want {\"summary\": \"...\", \"source\": \"...\"}", err)
	}
	for name, text := range map[string]string{"summary": c.Summary, "source": c.Source, "link": c.Link, "id": c.ID} {
		if len(text) > maxChangeText {
			return c, fmt.Errorf("%s is longer than %d bytes", name, maxChangeText)
		}
	}
	if strings.TrimSpace(c.Summary) == "" {
		return c, fmt.Errorf("summary is missing: say what was changed")
	}
	if c.At.IsZero() {
		c.At = now.UTC()
	}
	if c.ID == "" {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", c.Summary, c.Source, c.At.UnixNano()))
		c.ID = hex.EncodeToString(sum[:8])
	}
	return c, nil
}
