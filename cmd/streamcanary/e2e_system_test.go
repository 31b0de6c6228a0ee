package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"streamcanary/prober"
	"streamcanary/statuspage/alert"
)

// system is a hub, three agents at three sites and what they watch, set up with
// files as an operator writes them.
type system struct {
	dir   string
	page  string // URL
	token prober.Secret
	hub   *process
}

// the agents of a system, each at a site of its own.
const (
	agentA = "ams"
	agentB = "lon"
	agentC = "waw"
)

const systemHub = `installation: e2e
page: {name: Example Video, url: "http://%[1]s"}
http: {listen: "%[1]s"}
data: hub
nats: {listen: "%[2]s"}
alerts: {token_file: token}
targets:
  - id: video
    name: Example Video
    platform: {type: static}
    regions: [{id: eu, name: Europe}]
    ingests: [{id: eu, region: eu, url: "%[3]s"}]
    playbacks: [{id: eu, region: eu, url: "%[4]s"}]
probes:
  - {kind: canary, target: video, every: 2s}
  - {kind: golive, target: video, every: 5s}
agents:
  - {id: ams, site: hall-1, key_file: ams.key}
  - {id: lon, site: hall-2, key_file: lon.key}
  - {id: waw, site: hall-3, key_file: waw.key}
components:
  - {id: ingest, name: Live ingest, elements: [video/ingest/eu]}
  - {id: playback, name: Live playback, elements: [video/playback/eu, video/core]}
policy:
  hold: 3s
`

const systemAgent = `hub: nats://%[2]s
id: %[1]s
site: %[3]s
key_file: %[1]s.key
data: agent-%[1]s
`

// newSystem writes the files and starts the hub, whose NATS server listens at an
// address of this machine.
func newSystem(t *testing.T, s *nginx, host string) *system {
	t.Helper()
	page, nats := freePort(t, "127.0.0.1"), freePort(t, host)
	w := &system{dir: t.TempDir(), page: "http://" + page, token: "e2e-on-call-token"}
	files := map[string]string{
		"hub.yaml": fmt.Sprintf(systemHub, page, nats, s.ingest(prober.StreamVariable), s.playback(prober.StreamVariable)),
		"token":    w.token.Reveal(),
	}
	for i, agent := range []string{agentA, agentB, agentC} {
		files[agent+".yaml"] = fmt.Sprintf(systemAgent, agent, nats, fmt.Sprintf("hall-%d", i+1))
		files[agent+".key"] = "e2e-agents-key-" + agent
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"hub.yaml", agentA + ".yaml"} {
		if check := streamcanary(t, "config", "check", filepath.Join(w.dir, name)); check.exit(t, e2ePatience) != exitOK {
			t.Fatalf("config check %s: %s", name, check.stderr.text())
		}
	}
	w.serve(t)
	return w
}

// serve starts the hub, for the first time or again.
func (w *system) serve(t *testing.T) {
	t.Helper()
	w.hub = start(t, "streamcanary serve", binary(t), "serve", "--config", filepath.Join(w.dir, "hub.yaml"))
	eventually(t, "the page is served", e2ePatience, func() error {
		_, err := fetch(w.page+"/api/v2/status.json", "")
		return err
	})
}

func (w *system) agentArgs(agent string) []string {
	return []string{"agent", "--config", filepath.Join(w.dir, agent+".yaml")}
}

func (w *system) agent(t *testing.T, agent string) *process {
	t.Helper()
	return start(t, "streamcanary agent "+agent, binary(t), w.agentArgs(agent)...)
}

// known waits until the page knows of everything, and says that all is well.
func (w *system) known(t *testing.T) {
	t.Helper()
	took := eventually(t, "the page knows of everything, and all is well", 2*e2ePatience, func() error {
		page, err := fetch(w.page+"/", "")
		if err != nil {
			return err
		}
		for _, unknown := range []string{"Not checked yet", "Nothing has been checked yet", "No data"} {
			if strings.Contains(string(page), unknown) {
				return fmt.Errorf("the page says %q", unknown)
			}
		}
		return w.allGood()
	})
	t.Logf("the page knew of everything after %.1f s", took.Seconds())
}

// pageSummary is what the tests read of /api/v2/summary.json.
type pageSummary struct {
	Status struct {
		Indicator string `json:"indicator"`
	} `json:"status"`
	Components []struct {
		Name   string `json:"name"`
		Status string `json:"status"`
	} `json:"components"`
	Incidents []publicIncident `json:"incidents"` // unresolved
}

func (w *system) summary() (pageSummary, error) {
	var s pageSummary
	return s, fetchJSON(w.page+"/api/v2/summary.json", "", &s)
}

// allGood is nil if the page says that nothing is wrong and nothing is open.
func (w *system) allGood() error {
	s, err := w.summary()
	if err != nil {
		return err
	}
	for _, c := range s.Components {
		if c.Status != "operational" {
			return fmt.Errorf("%s is %s", c.Name, c.Status)
		}
	}
	if len(s.Incidents) > 0 || len(s.Components) != 2 || s.Status.Indicator != "none" {
		return fmt.Errorf("the page says %+v", s)
	}
	return nil
}

// incidents are all incidents that were ever public, newest first.
func incidentsOf(page string) ([]publicIncident, error) {
	var all struct {
		Incidents []publicIncident `json:"incidents"`
	}
	return all.Incidents, fetchJSON(page+"/api/v2/incidents.json", "", &all)
}

// opened waits until exactly one incident is open.
func opened(t *testing.T, page string) publicIncident {
	t.Helper()
	var open publicIncident
	eventually(t, "an incident opens", e2ePatience, func() error {
		all, err := incidentsOf(page)
		if err != nil {
			return err
		}
		if len(all) != 1 || all[0].Status == "resolved" {
			return fmt.Errorf("there are %d incidents: %+v", len(all), all)
		}
		open = all[0]
		return nil
	})
	return open
}

// alerts is the whole on-call feed.
func (w *system) alerts() ([]alert.Alert, error) {
	var feed struct {
		Alerts []alert.Alert `json:"alerts"`
	}
	return feed.Alerts, fetchJSON(w.page+"/alerts?limit=1000", w.token, &feed)
}

// alerted waits for an alert of a type, of an agent where one is given.
func (w *system) alerted(t *testing.T, kind, agent string) alert.Alert {
	t.Helper()
	var found alert.Alert
	eventually(t, "on-call is told "+kind, 2*e2ePatience, func() error {
		all, err := w.alerts()
		if err != nil {
			return err
		}
		for _, a := range all {
			if a.Type == kind && a.Agent == agent {
				found = a
				return nil
			}
		}
		return fmt.Errorf("there are %s", tellAlerts(all))
	})
	return found
}

func tellAlerts(all []alert.Alert) string {
	var b strings.Builder
	for _, a := range all {
		fmt.Fprintf(&b, "\n  %s %s %s %s: %s", a.At.Format("15:04:05"), a.Type, a.Action, a.Key, a.Summary)
	}
	return b.String()
}

// fetchJSON reads a document into v.
func fetchJSON(url string, token prober.Secret, v any) error {
	body, err := fetch(url, token)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, v)
}
