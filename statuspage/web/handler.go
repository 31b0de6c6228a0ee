// Package web serves the page: HTML that needs no script, the documents of the
// Statuspage API v2, and feeds. It knows nothing but the public projection.
package web

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"path"
	"strings"

	"streamcanary/statuspage"
)

// Source is where the handler gets what it shows.
type Source interface {
	// Page returns the page as it is now.
	Page(ctx context.Context) (statuspage.Page, error)
	// Incident returns one public incident, however old, or an error that is
	// statuspage.ErrNotFound.
	Incident(ctx context.Context, id string) (statuspage.Incident, error)
}

// Config is what a handler needs.
type Config struct {
	Source Source
	Logger *slog.Logger // nil: none
}

// Handler serves a page at the root of its host.
type Handler struct {
	source    Source
	logger    *slog.Logger
	templates *template.Template
	policy    string // Content-Security-Policy
	mux       *http.ServeMux
}

// New makes a handler.
func New(c Config) *Handler {
	h := &Handler{
		source: c.Source, logger: c.Logger, templates: parse(), policy: contentSecurityPolicy(style), mux: http.NewServeMux(),
	}
	if h.logger == nil {
		h.logger = slog.New(slog.DiscardHandler)
	}
	for pattern, makeAnswer := range h.routes() {
		h.mux.Handle("GET "+pattern, h.serve(makeAnswer)) // GET also takes HEAD
		h.mux.HandleFunc("OPTIONS "+pattern, options)
	}
	return h
}

// routes lists every path that is served.
func (h *Handler) routes() map[string]answerFunc {
	return map[string]answerFunc{
		"/{$}":            h.index,
		"/history":        h.history,
		"/incidents/{id}": h.incident,
		"/favicon.svg":    favicon,
		"/robots.txt":     robots,
		"/history.atom":   h.onPage(atom),
		"/history.rss":    h.onPage(rss),

		"/api/v2/summary.json":                         h.onPage(summary),
		"/api/v2/status.json":                          h.onPage(status),
		"/api/v2/components.json":                      h.onPage(components),
		"/api/v2/incidents.json":                       h.onPage(incidents),
		"/api/v2/incidents/unresolved.json":            h.onPage(unresolved),
		"/api/v2/incidents/{file}":                     h.incidentFile,
		"/api/v2/scheduled-maintenances.json":          h.onPage(maintenances(every)),
		"/api/v2/scheduled-maintenances/upcoming.json": h.onPage(maintenances(upcoming)),
		"/api/v2/scheduled-maintenances/active.json":   h.onPage(maintenances(active)),
		"/": h.notFound,
	}
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.secure(w.Header())
	CleanPath(h.mux).ServeHTTP(w, r)
}

// CleanPath lets next see a path without double slashes: clients that are given
// a base with a trailing slash ask for //api/v2/..., and an http.ServeMux would
// redirect them, which not all of them follow. Put it around the outermost mux.
func CleanPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "//") {
			clean := *r.URL
			clean.Path, clean.RawPath = path.Clean(r.URL.Path), ""
			r = r.WithContext(r.Context()) // a shallow copy: the caller's request stays as it was
			r.URL = &clean
		}
		next.ServeHTTP(w, r)
	})
}

// answer is a whole response: everything here is small and made in memory, so
// that an error in the middle never leaves half a page behind.
type answer struct {
	status      int // 0: 200
	contentType string
	cache       string // Cache-Control
	crossOrigin bool
	body        []byte
}

type answerFunc func(r *http.Request) (answer, error)

// onPage makes an answer of nothing but the page.
func (h *Handler) onPage(f func(statuspage.Page) (answer, error)) answerFunc {
	return func(r *http.Request) (answer, error) {
		p, err := h.source.Page(r.Context())
		if err != nil {
			return answer{}, err
		}
		return f(p)
	}
}

func (h *Handler) serve(f answerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, err := f(r)
		switch {
		case errors.Is(err, statuspage.ErrNotFound):
			a, err = h.notFound(r)
		case err != nil && r.Context().Err() != nil:
			return // nobody is waiting any more
		}
		if err != nil {
			h.logger.ErrorContext(r.Context(), "status page: cannot answer", "path", r.URL.Path, "err", err)
			a = broken()
		}
		write(w, r, a)
	})
}
