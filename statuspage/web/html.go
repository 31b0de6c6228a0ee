package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"streamcanary/statuspage"
)

//go:embed template
var files embed.FS

//go:embed template/style.css
var style string

// parse reads the templates. They are embedded, so a mistake in them is ours.
func parse() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"machine": func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") },
		"second":  func(t time.Time) string { return t.UTC().Format("Jan 2, 15:04:05 UTC") },
		"clock":   func(t time.Time) string { return t.UTC().Format("15:04:05") },
		"phase":   phaseLabel,
		"impact":  statuspage.ImpactText,
	}).ParseFS(files, "template/*.html"))
}

// refreshSeconds is how often a page that may change reloads itself.
const refreshSeconds = 30

// frame is what every page needs around its own content.
type frame struct {
	Page        statuspage.Page
	Title       string
	Description string
	Tone        string
	Refresh     int // seconds; 0: never
	IsHistory   bool
	Style       template.CSS
}

func newFrame(p statuspage.Page, title string) frame {
	headline, tone := p.Headline()
	return frame{
		Page: p, Title: title + " - " + p.Name + " Status", Tone: string(tone),
		Description: p.Name + " status: " + headline,
		Style:       template.CSS(style), //nolint:gosec // our own file, embedded
	}
}

func (h *Handler) render(name string, data any) (answer, error) {
	var b bytes.Buffer
	if err := h.templates.ExecuteTemplate(&b, name, data); err != nil {
		return answer{}, fmt.Errorf("render %s: %w", name, err)
	}
	return answer{contentType: "text/html; charset=utf-8", cache: cacheShort, body: b.Bytes()}, nil
}

func (h *Handler) index(r *http.Request) (answer, error) {
	p, err := h.source.Page(r.Context())
	if err != nil {
		return answer{}, err
	}
	headline, _ := p.Headline()
	f := newFrame(p, headline)
	f.Refresh = refreshSeconds
	return h.render("index", struct {
		frame
		Headline string
		Work     []maintenanceView
		Open     []incidentView
		Groups   []groupView
		Days     []dayView
	}{f, headline, maintenanceViews(p), incidentViews(p.Incidents, p.At), groupViews(p.Groups), days(p)})
}

func (h *Handler) history(r *http.Request) (answer, error) {
	p, err := h.source.Page(r.Context())
	if err != nil {
		return answer{}, err
	}
	f := newFrame(p, "Incident history")
	f.IsHistory = true
	return h.render("history", struct {
		frame
		Months []dayView
	}{f, months(p)})
}

func (h *Handler) incident(r *http.Request) (answer, error) {
	p, err := h.source.Page(r.Context())
	if err != nil {
		return answer{}, err
	}
	id := r.PathValue("id")
	if n := slices.IndexFunc(p.Maintenances, func(m statuspage.Maintenance) bool { return m.ID == id }); n >= 0 {
		return h.maintenance(p, p.Maintenances[n])
	}
	i, err := h.find(r, p, id)
	if err != nil {
		return answer{}, err
	}
	f := newFrame(p, i.Name)
	f.Description = statuspage.PhaseText(i.Phase) + ": " + i.Name
	if i.Open() {
		f.Refresh = refreshSeconds
	}
	review, err := markdown(i.Postmortem)
	if err != nil {
		return answer{}, err
	}
	return h.render("incident", struct {
		frame
		Incident   incidentView
		Postmortem template.HTML
	}{f, newIncidentView(i, p.At), review})
}

// notFound answers programs in JSON and people with a page.
func (h *Handler) notFound(r *http.Request) (answer, error) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		return jsonNotFound(), nil
	}
	p, err := h.source.Page(r.Context())
	if err != nil {
		return answer{}, err
	}
	a, err := h.render("notfound", struct{ frame }{newFrame(p, "Not found")})
	a.status, a.cache = http.StatusNotFound, cacheNone
	return a, err
}

// favicon shows the page's tone in the browser's tab.
func favicon(r *http.Request) (answer, error) {
	color, ok := map[string]string{
		string(statuspage.ToneNone):             "#0d7a4d",
		string(statuspage.IndicatorMinor):       "#c98a06",
		string(statuspage.IndicatorMajor):       "#d95f16",
		string(statuspage.IndicatorCritical):    "#c9281c",
		string(statuspage.IndicatorMaintenance): "#175cd3",
		string(statuspage.ToneMonitoring):       "#0c6e8c",
	}[r.URL.Query().Get("tone")]
	if !ok {
		color = "#6b7280"
	}
	return answer{
		contentType: "image/svg+xml", cache: cacheLong,
		body: fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 28"><rect width="28" height="28" rx="8" fill="%s"/>`+
			`<path d="M5 15h3.5l2.5-7 4 12 3-8 1.5 3H23" fill="none" stroke="#fff" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"/></svg>`, color),
	}, nil
}

func phaseLabel(u updateView) string {
	if u.Repeats {
		return "Update"
	}
	return statuspage.PhaseText(u.Phase)
}
