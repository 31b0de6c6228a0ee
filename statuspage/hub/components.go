package hub

import (
	"net/http"
	"time"

	"streamcanary/statuspage/incident"
)

// component is one as on-call sees it: with what the page must not show.
type component struct {
	incident.ComponentState
	Name    string           `json:"name"`
	Publish incident.Publish `json:"publish"`
}

// getComponents says how every component is: its status, since when nothing is
// known of it, and what speaks against it though nothing is open.
func (h *Hub) getComponents(w http.ResponseWriter, _ *http.Request) {
	view, all := h.honest(*h.view.Load(), time.Now()), []component{}
	for i, c := range h.policy.Topology().Components { // the view has the same order
		all = append(all, component{ComponentState: view.Components[i], Name: c.Name, Publish: c.Publish})
	}
	answerJSON(w, http.StatusOK, map[string]any{"at": view.At, "components": all})
}

// getAgents says of every agent whether it is heard and counts, and how many results
// were not taken.
func (h *Hub) getAgents(w http.ResponseWriter, _ *http.Request) {
	view := h.view.Load()
	answerJSON(w, http.StatusOK, map[string]any{"at": view.At, "agents": view.Agents, "refused": view.Refused})
}
