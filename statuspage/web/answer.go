package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// Cache-Control of what changes with the state. One second is enough for a cache
// in front to take any load off the hub and adds next to nothing to the time to
// the first sight of an incident; an hour of stale-if-error keeps the last page
// up when the hub itself is down.
const (
	cacheShort = "public, max-age=1, stale-if-error=3600"
	cacheLong  = "public, max-age=86400"
	cacheNone  = "no-store"
)

// secure sets the headers that every answer carries.
func (h *Handler) secure(header http.Header) {
	header.Set("Content-Security-Policy", h.policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}

// contentSecurityPolicy allows one style sheet and our own images, and nothing
// else: the page has no script, no form and no foreign asset.
func contentSecurityPolicy(style string) string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

func write(w http.ResponseWriter, r *http.Request, a answer) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", a.cache)
	if a.crossOrigin {
		h.Set("Access-Control-Allow-Origin", "*")
	}
	if a.status != 0 && a.status != http.StatusOK {
		w.WriteHeader(a.status)
		if r.Method != http.MethodHead {
			_, _ = w.Write(a.body) // the client went away: nobody to tell
		}
		return
	}
	sum := sha256.Sum256(a.body)
	h.Set("ETag", fmt.Sprintf(`"%x"`, sum[:12]))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body)) // HEAD, If-None-Match
}

// options answers a browser that asks before it reads across origins.
func options(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Allow", "GET, HEAD, OPTIONS")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
	h.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

func jsonAnswer(document any) (answer, error) {
	body, err := json.Marshal(document)
	if err != nil {
		return answer{}, fmt.Errorf("encode JSON: %w", err)
	}
	return answer{
		contentType: "application/json; charset=utf-8", cache: cacheShort, crossOrigin: true, body: body,
	}, nil
}

// broken says that the page itself is in trouble, and nothing of why.
func broken() answer {
	return answer{
		status: http.StatusServiceUnavailable, contentType: "text/plain; charset=utf-8", cache: cacheNone,
		body: []byte("The status page cannot be shown at the moment. Please try again in a minute.\n"),
	}
}

func robots(*http.Request) (answer, error) {
	return answer{
		contentType: "text/plain; charset=utf-8", cache: cacheLong,
		body: []byte("User-agent: *\nDisallow: /api/\n"),
	}, nil
}
