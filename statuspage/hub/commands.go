package hub

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"streamcanary/prober"
	"streamcanary/statuspage/alert"
	"streamcanary/statuspage/incident"
	"streamcanary/statuspage/postmortem"
	"streamcanary/statuspage/store"
)

const (
	maxCommandBody = 64 << 10 // bytes
	commandWait    = 10 * time.Second
	incidentsMost  = 500 // of one answer
)

// wish is what a person sends. It becomes a command once it is known whose it is.
type wish struct {
	ID         string                     `json:"id"`
	Who        string                     `json:"who"` // believed only where the token has no name
	Note       string                     `json:"note"`
	Name       string                     `json:"name"`
	Message    string                     `json:"message"`
	Status     incident.Phase             `json:"status"`
	Impact     incident.Impact            `json:"impact"`
	Components map[string]incident.Status `json:"components"`
	Into       string                     `json:"into"`
	Postmortem string                     `json:"postmortem"`
}

// windowWish is what a person sends of a maintenance.
type windowWish struct {
	ID         string    `json:"id"`
	Who        string    `json:"who"`
	Note       string    `json:"note"`
	Name       string    `json:"name"`
	Message    string    `json:"message"`
	Components []string  `json:"components"`
	Regions    []string  `json:"regions"`
	StartsAt   time.Time `json:"starts_at"` // none is now
	EndsAt     time.Time `json:"ends_at"`
	Lasts      float64   `json:"lasts_s"` // seconds, in the place of ends_at
}

// takes lists what of a wish each action makes something of. What it does not is
// refused: a person's words must not be lost without one.
func takes(a incident.Action) []string {
	switch a {
	case incident.ActionOpen:
		return []string{"name", "message", "status", "impact", "components"}
	case incident.ActionStatus:
		return []string{"status", "message"}
	case incident.ActionImpact:
		return []string{"impact", "message"}
	case incident.ActionComponents:
		return []string{"components", "message"}
	case incident.ActionMerge:
		return []string{"into", "message"}
	case incident.ActionPostmortem:
		return []string{"postmortem", "message"}
	case incident.ActionRelease, incident.ActionKeep, incident.ActionMaintenanceEnd, incident.ActionMaintenanceCancel:
		return nil
	default:
		return []string{"message"}
	}
}

// surplus is what a wish has that its action makes nothing of; "" is nothing.
func (x wish) surplus(a incident.Action) string {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"name", x.Name != ""}, {"message", x.Message != ""}, {"status", x.Status != ""}, {"impact", x.Impact != ""},
		{"components", len(x.Components) > 0}, {"into", x.Into != ""}, {"postmortem", x.Postmortem != ""},
	} {
		if f.set && !slices.Contains(takes(a), f.name) {
			return f.name
		}
	}
	return ""
}

// handlePeople serves what on-call may do, to whoever holds a token.
func (h *Hub) handlePeople(mux *http.ServeMux) {
	for pattern, do := range map[string]http.HandlerFunc{
		"GET /v1/agents":                      h.getAgents,
		"GET /v1/components":                  h.getComponents,
		"GET /v1/incidents":                   h.getIncidents,
		"GET /v1/incidents/{id}":              h.getIncident,
		"GET /v1/incidents/{id}/postmortem":   h.getPostmortem,
		"POST /v1/incidents":                  h.postIncident,
		"POST /v1/incidents/{id}/{action}":    h.postAction,
		"GET /v1/maintenances":                h.getMaintenances,
		"POST /v1/maintenances":               h.postMaintenance,
		"POST /v1/maintenances/{id}/{action}": h.postMaintenanceAction,
	} {
		mux.Handle(pattern, alert.RequireTokens(h.token, h.people, do))
	}
}

func (h *Hub) getIncidents(w http.ResponseWriter, r *http.Request) {
	q := store.Query{Limit: 100}
	switch state := r.URL.Query().Get("state"); state {
	case "", "open", "resolved":
		resolved := state == "resolved"
		q.Resolved = &resolved
	case "all":
	default:
		http.Error(w, "state is open, resolved or all", http.StatusBadRequest)
		return
	}
	if text := r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > incidentsMost {
			http.Error(w, fmt.Sprintf("limit is a number from 1 to %d", incidentsMost), http.StatusBadRequest)
			return
		}
		q.Limit = n
	}
	found, err := h.store.Incidents(r.Context(), q)
	if err != nil {
		h.unreadable(w, r, err)
		return
	}
	for i := range found {
		found[i] = h.present(found[i])
	}
	answerJSON(w, http.StatusOK, map[string]any{"incidents": append([]incident.Incident{}, found...)})
}

// present is an incident with the evidence of now, while it is open.
func (h *Hub) present(in incident.Incident) incident.Incident {
	open := h.view.Load().Incidents
	if i := slices.IndexFunc(open, func(o incident.Incident) bool { return o.ID == in.ID }); i >= 0 {
		return open[i]
	}
	return in
}

func (h *Hub) getIncident(w http.ResponseWriter, r *http.Request) {
	in, err := h.store.Incident(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, store.ErrNotFound):
		http.Error(w, noIncident(r.PathValue("id")), http.StatusNotFound)
	case err != nil:
		h.unreadable(w, r, err)
	default:
		answerJSON(w, http.StatusOK, map[string]any{"incident": h.present(in)})
	}
}

// getPostmortem gives a draft, for on-call: it has what must not be published.
func (h *Hub) getPostmortem(w http.ResponseWriter, r *http.Request) {
	in, err := h.store.Incident(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, store.ErrNotFound):
		http.Error(w, noIncident(r.PathValue("id")), http.StatusNotFound)
	case err != nil:
		h.unreadable(w, r, err)
	case in.MergedInto != "":
		http.Error(w, "the incident goes on in "+in.MergedInto+"; its postmortem is that one's", http.StatusConflict)
	case in.ResolvedAt.IsZero():
		http.Error(w, "the incident is not resolved; a postmortem comes after that", http.StatusConflict)
	default:
		w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = io.WriteString(w, postmortem.Draft(h.policy.Topology(), in)) //nolint:gosec // Markdown, and the client may be gone: nobody to tell
	}
}

func (h *Hub) getMaintenances(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, http.StatusOK, map[string]any{"maintenances": h.view.Load().Maintenances})
}

func (h *Hub) unreadable(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody waits any more
	}
	h.log.Error("incidents cannot be read", "error", err)
	http.Error(w, "the incidents cannot be read at the moment; try again", http.StatusServiceUnavailable)
}

func (h *Hub) postIncident(w http.ResponseWriter, r *http.Request) {
	if c, ok := readWish(w, r, incident.ActionOpen); ok {
		h.carryOut(w, r, c)
	}
}

// postAction takes POST /v1/incidents/ID/ACTION, the action with a dash where the
// engine's has an underscore.
func (h *Hub) postAction(w http.ResponseWriter, r *http.Request) {
	action, ok := actionOf(r.PathValue("action"))
	if !ok {
		http.Error(w, "there is no such action; want one of "+strings.Join(actions(), ", "), http.StatusNotFound)
		return
	}
	c, ok := readWish(w, r, action)
	if !ok {
		return
	}
	c.Incident = r.PathValue("id")
	if action == incident.ActionReopen || action == incident.ActionFalseAlarm || action == incident.ActionPostmortem {
		// What is resolved is no longer in the engine's state: it comes with the command, as
		// the one before has left it, whether or not its person has waited for that.
		h.editing.Lock()
		defer h.editing.Unlock()
		if !h.await(r.Context(), h.entered.Load()) {
			http.Error(w, "what others have done before is not taken in yet; send it again", http.StatusServiceUnavailable)
			return
		}
		in, err := h.store.Incident(r.Context(), c.Incident)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			h.unreadable(w, r, err)
			return
		}
		if err == nil && !in.ResolvedAt.IsZero() {
			c.Resolved = &in
		}
	}
	h.carryOut(w, r, c)
}

func actions() []string {
	return []string{"update", "status", "impact", "components", "freeze", "release", "resolve", "reopen", "false-alarm", "merge", "publish", "keep", "postmortem"}
}

func actionOf(name string) (incident.Action, bool) {
	return incident.Action(strings.ReplaceAll(name, "-", "_")), slices.Contains(actions(), name)
}

func readWish(w http.ResponseWriter, r *http.Request, action incident.Action) (incident.Command, bool) {
	var x wish
	if !readBody(w, r, &x) {
		return incident.Command{}, false
	}
	if name := x.surplus(action); name != "" {
		http.Error(w, fmt.Sprintf("%s takes no %s; leave it out, or send it as what it is for", path.Base(r.URL.Path), name), http.StatusUnprocessableEntity)
		return incident.Command{}, false
	}
	return incident.Command{
		ID: x.ID, Action: action, Who: whose(r.Context(), x.Who), Note: x.Note, Name: x.Name, Message: x.Message, Phase: x.Status,
		Impact: x.Impact, Components: x.Components, Into: x.Into, Postmortem: x.Postmortem,
	}, true
}

func (h *Hub) postMaintenance(w http.ResponseWriter, r *http.Request) {
	var x windowWish
	if !readBody(w, r, &x) {
		return
	}
	if most := incident.MaxWindow.Seconds(); x.Lasts < 0 || x.Lasts > most {
		http.Error(w, fmt.Sprintf("lasts_s is a number from 0 to %.0f", most), http.StatusUnprocessableEntity)
		return
	}
	h.carryOut(w, r, incident.Command{
		ID: x.ID, Who: whose(r.Context(), x.Who), Note: x.Note, Action: incident.ActionMaintenanceAdd, Lasts: time.Duration(x.Lasts * float64(time.Second)),
		Window: &incident.Window{Name: x.Name, Body: x.Message, Components: x.Components, Regions: x.Regions, StartsAt: x.StartsAt.UTC(), EndsAt: x.EndsAt.UTC()},
	})
}

func (h *Hub) postMaintenanceAction(w http.ResponseWriter, r *http.Request) {
	action, known := map[string]incident.Action{"cancel": incident.ActionMaintenanceCancel, "end": incident.ActionMaintenanceEnd}[r.PathValue("action")]
	if !known {
		http.Error(w, "there is no such action; want cancel or end", http.StatusNotFound)
		return
	}
	if c, ok := readWish(w, r, action); ok {
		c.Maintenance = r.PathValue("id")
		h.carryOut(w, r, c)
	}
}

// whose is the person behind a token. Who holds the shared one is asked.
func whose(ctx context.Context, said string) string {
	name := alert.Who(ctx)
	if name != "" {
		return name
	}
	if said = strings.TrimSpace(said); said != "" {
		return said + " (shared token)"
	}
	return "on-call (shared token)"
}

// readBody reads a JSON object; none at all is an empty one.
func readBody(w http.ResponseWriter, r *http.Request, into any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCommandBody))
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
		http.Error(w, fmt.Sprintf("the body is larger than %d bytes", maxCommandBody), http.StatusRequestEntityTooLarge)
		return false
	}
	if err != nil {
		http.Error(w, "the body ended early; send it again", http.StatusBadRequest)
		return false
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return true
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err = d.Decode(into)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the object")
		}
	}
	if err != nil {
		http.Error(w, "the body is not what is expected: "+err.Error(), http.StatusUnprocessableEntity)
		return false
	}
	return true
}

// carryOut brings a command into the journal and answers with what came of it.
// With an id of the caller's own, it may be sent again; the journal takes it once, and
// another command that has its id for the engine to refuse.
func (h *Hub) carryOut(w http.ResponseWriter, r *http.Request, c incident.Command) {
	if c.ID == "" {
		c.ID = rand.Text()
	}
	if len(c.ID) > maxChangeText || strings.ContainsFunc(c.ID, func(r rune) bool { return r <= ' ' || r > '~' }) {
		http.Error(w, "id is too long, or has a character that is not printable ASCII", http.StatusUnprocessableEntity)
		return
	}
	// From here on it is carried out, also for a person who does not wait.
	entering, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), commandWait)
	defer cancel()
	seq, err := h.enter(entering, c.ID+" "+c.Digest(), incident.Entered{Command: &c})
	if err != nil {
		h.log.Error("a command could not be taken", "error", err)
		http.Error(w, "the journal does not take it now; send it again, with the same id", http.StatusServiceUnavailable)
		return
	}
	out, known := h.outcome(r.Context(), c, seq)
	switch {
	case !known:
		answerJSON(w, http.StatusAccepted, map[string]any{"id": c.ID, "note": "taken; what came of it is not known yet"})
	case out.Refused != "":
		h.answerRefused(w, r, c, out)
	default:
		h.answerDone(w, r, c, out)
	}
}

func (h *Hub) enter(ctx context.Context, id string, e incident.Entered) (uint64, error) {
	var payload bytes.Buffer
	plain := json.NewEncoder(&payload)
	plain.SetEscapeHTML(false) // a byte of Markdown is not six: the journal's entries are bounded
	if err := plain.Encode(e); err != nil {
		return 0, err
	}
	seq, err := h.journal.Command(ctx, id, payload.Bytes())
	for err == nil && e.Command != nil {
		if old := h.entered.Load(); seq <= old || h.entered.CompareAndSwap(old, seq) {
			break
		}
	}
	return seq, err
}

// outcome waits until an entry is folded and committed, and says what came of the
// command in it; false is that nobody knows, yet or any more.
func (h *Hub) outcome(ctx context.Context, c incident.Command, seq uint64) (incident.Outcome, bool) {
	if !h.await(ctx, seq) {
		return incident.Outcome{}, false
	}
	digest := c.Digest()
	for _, o := range slices.Backward(h.view.Load().Outcomes) {
		if o.Of(c.ID, digest) {
			return o, true
		}
	}
	return incident.Outcome{}, false
}

// await waits until an entry is folded and committed, and says whether it is.
func (h *Hub) await(ctx context.Context, seq uint64) bool {
	ctx, cancel := context.WithTimeout(ctx, commandWait)
	defer cancel()
	for {
		moved := h.moved.changed()
		if h.folded.Load() >= seq {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-moved:
		case <-h.closing.Done():
			return false
		}
	}
}

// answerRefused answers 404 for what there is not, 409 for what cannot be done now, as
// with an incident that is resolved, and 422 for a wrong value.
func (h *Hub) answerRefused(w http.ResponseWriter, r *http.Request, c incident.Command, out incident.Outcome) {
	gone := func(id string) bool {
		_, err := h.store.Incident(r.Context(), id)
		return errors.Is(err, store.ErrNotFound)
	}
	switch {
	case out.Refused == incident.RefusedInvalid:
		http.Error(w, out.Reason, http.StatusUnprocessableEntity)
	case out.Refused == incident.RefusedUnknown && c.Maintenance == "" && gone(c.Incident):
		http.Error(w, noIncident(c.Incident), http.StatusNotFound)
	case out.Refused == incident.RefusedUnknown && (c.Maintenance != "" || c.Action == incident.ActionMerge && gone(c.Into)):
		http.Error(w, out.Reason, http.StatusNotFound)
	default:
		http.Error(w, out.Reason, http.StatusConflict)
	}
}

func noIncident(id string) string {
	return fmt.Sprintf("there is no incident with the id %q", prober.Clip(id, 60))
}

func (h *Hub) answerDone(w http.ResponseWriter, r *http.Request, c incident.Command, out incident.Outcome) {
	answer := map[string]any{"id": c.ID}
	if strings.HasPrefix(string(c.Action), "maintenance_") {
		for _, m := range h.view.Load().Maintenances {
			if m.ID == out.About {
				answer["maintenance"] = m
			}
		}
	} else {
		in, err := h.store.Incident(r.Context(), out.About)
		if err != nil {
			h.unreadable(w, r, err)
			return
		}
		answer["incident"] = h.present(in)
	}
	answerJSON(w, http.StatusOK, answer)
}

func answerJSON(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(document) // the client went away: nobody to tell
}
