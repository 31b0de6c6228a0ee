package hub_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"streamcanary/statuspage/incident"
)

// TestComponentsForOnCall: what one site alone sees fail is suspect to whoever has
// a token, and the page says nothing of it.
func TestComponentsForOnCall(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	h := p.start(t)
	agents := startFleet(t, p.NATS).warm()
	if code, answer := call(t, http.MethodGet, h.url+"/v1/components", "", ""); code != http.StatusUnauthorized {
		t.Errorf("without a token: %d: %s", code, answer)
	}
	read := func() (incident.ComponentState, error) {
		code, answer := call(t, http.MethodGet, h.url+"/v1/components", annas, "")
		var doc struct {
			Components []struct {
				incident.ComponentState
				Name string
			}
		}
		if err := json.Unmarshal([]byte(answer), &doc); err != nil || code != http.StatusOK || len(doc.Components) != 2*len(regions) {
			t.Fatalf("%d: %s", code, answer)
		}
		if c := doc.Components[0]; c.ID != "ingest-fra" || c.Name != "Ingest fra" {
			t.Fatalf("the first is %+v", c)
		}
		return doc.Components[0].ComponentState, nil
	}
	if c, _ := read(); len(c.Suspicions) > 0 || c.Status != incident.Operational {
		t.Errorf("all is well, and it is %+v", c)
	}
	agents.ill.Store("nyc", true)
	eventually(t, "ingest-fra is suspect", func() error {
		c, err := read()
		if err == nil && (len(c.Suspicions) != 1 || c.SuspectSince.IsZero() || c.Suspicions[0].Evidence[0].Site != "site-nyc") {
			err = fmt.Errorf("%+v", c)
		}
		if c.Status != incident.Operational {
			t.Errorf("its status is %s", c.Status)
		}
		return err
	})
	for _, path := range []string{"/", "/api/v2/summary.json", "/api/v2/components.json", "/history.atom"} {
		if body, _ := get(t, h.url+path); strings.Contains(string(body), "uspect") || strings.Contains(string(body), "site-nyc") {
			t.Errorf("%s tells of it: %s", path, body)
		}
	}
	agents.ill.Delete("nyc")
	eventually(t, "it is not suspect any more", func() error {
		c, err := read()
		if err == nil && !c.SuspectSince.IsZero() {
			err = fmt.Errorf("%+v", c)
		}
		return err
	})
}

// TestAgentsForOnCall: whoever has a token reads which agents are heard.
func TestAgentsForOnCall(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	h := p.start(t)
	startFleet(t, p.NATS).warm()
	if code, answer := call(t, http.MethodGet, h.url+"/v1/agents", "", ""); code != http.StatusUnauthorized {
		t.Errorf("without a token: %d: %s", code, answer)
	}
	eventually(t, "every agent is heard", func() error {
		code, answer := call(t, http.MethodGet, h.url+"/v1/agents", annas, "")
		var doc struct {
			At      time.Time
			Agents  []incident.AgentView
			Refused []incident.RefusedCount
		}
		if err := json.Unmarshal([]byte(answer), &doc); err != nil || code != http.StatusOK || len(doc.Agents) != len(regions) || doc.At.IsZero() || doc.Refused == nil {
			t.Fatalf("%d: %s", code, answer)
		}
		for _, a := range doc.Agents {
			if a.SeenAt.IsZero() || a.Silent || a.Site == "" {
				return fmt.Errorf("%+v", a)
			}
		}
		return nil
	})
}
