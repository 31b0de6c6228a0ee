package hub

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
	"streamcanary/statuspage/incident"
)

const (
	maxChangeBody = 16 << 10 // bytes
	maxChangeText = 500      // bytes of one field
	maxScope      = 50       // components, and regions, of one change
)

// postChange takes a report that something was deployed. It answers 202 with
// {"id": "..."} once the journal has it. The same id again, within the time for
// which the journal knows ids (report.DefaultDuplicates), is the same change.
func (h *Hub) postChange(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxChangeBody))
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
		http.Error(w, fmt.Sprintf("a change is at most %d bytes", maxChangeBody), http.StatusRequestEntityTooLarge)
		return
	}
	if err != nil {
		http.Error(w, "the body ended early; send it again", http.StatusBadRequest)
		return
	}
	c, err := h.readChange(body, time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	if err := h.keepChange(r, c); err != nil {
		h.log.Error("a change could not be taken", "error", err)
		http.Error(w, "the journal does not take it now; send it again, with the same id", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]string{"id": c.ID}) // the client went away: nobody to tell
}

func (h *Hub) keepChange(r *http.Request, c incident.Change) error {
	payload, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = h.journal.Change(r.Context(), c.ID, payload)
	return err
}

// readChange reads {"summary": required, "source", "id", "link", "at", "components",
// "regions"}. Without
// an id it gets one of its own, without a time it is of now.
func (h *Hub) readChange(body []byte, now time.Time) (incident.Change, error) {
	var c incident.Change
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(&c)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the object")
		}
	}
	if err != nil {
		return c, fmt.Errorf("the body is not a change: %w; want {\"summary\": \"...\", \"source\": \"...\"}", err)
	}
	if err := h.checkChange(c); err != nil {
		return c, err
	}
	if c.At.IsZero() {
		c.At = now
	}
	c.At = c.At.UTC()
	if c.ID == "" {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", c.Summary, c.Source, c.At.UnixNano()))
		c.ID = hex.EncodeToString(sum[:8])
	}
	return c, nil
}

func (h *Hub) checkChange(c incident.Change) error {
	for _, f := range []struct{ name, text string }{{"summary", c.Summary}, {"source", c.Source}, {"link", c.Link}, {"id", c.ID}} {
		if len(f.text) > maxChangeText {
			return fmt.Errorf("%s is longer than %d bytes", f.name, maxChangeText)
		}
	}
	if strings.TrimSpace(c.Summary) == "" {
		return errors.New("summary is missing: say what was changed")
	}
	if strings.ContainsFunc(c.ID, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("id has a character that is not printable ASCII, or a space")
	}
	if err := h.checkScope(c); err != nil {
		return err
	}
	if c.Link != "" {
		u, err := url.Parse(c.Link)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return errors.New("link is no http or https address")
		}
	}
	return nil
}

// checkScope wants components and regions that the configuration has: a misspelt one
// would never be named beside an incident.
func (h *Hub) checkScope(c incident.Change) error {
	topology := h.policy.Topology()
	var components, regions []string
	for _, known := range topology.Components {
		components = append(components, known.ID)
	}
	for _, t := range topology.Targets {
		for _, r := range t.Regions {
			regions = append(regions, r.ID)
		}
	}
	for _, s := range []struct {
		name         string
		given, known []string
	}{{"components", c.Components, components}, {"regions", c.Regions, regions}} {
		if len(s.given) > maxScope {
			return fmt.Errorf("%s: %d are named, at most %d; leave them out for a change that concerns everything", s.name, len(s.given), maxScope)
		}
		for _, id := range s.given {
			if !slices.Contains(s.known, id) {
				return fmt.Errorf("%s: %q is not configured; there are %s", s.name, prober.Clip(id, 100), strings.Join(s.known, ", "))
			}
		}
	}
	return nil
}
