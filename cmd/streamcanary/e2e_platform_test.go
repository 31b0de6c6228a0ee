package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober/origin"
	"streamcanary/statuspage/alert"
)

const leftoversHub = `installation: e2e
page: {name: Example Video, url: "http://%[1]s"}
http: {listen: "%[1]s"}
data: hub
nats: {listen: "%[2]s"}
alerts: {token_file: token}
targets:
  - id: video
    name: Example Video
    platform: {type: livepeer, api: "%[3]s", api_key: demo-key}
    regions: [{id: eu, name: Europe}]
    ingests: [{id: eu, region: eu, url: "%[4]s"}]
    playbacks: [{id: eu, region: eu, url: "%[5]s"}]
probes:
  - {kind: canary, target: video, every: 2s}
  - {kind: golive, target: video, every: 5s}
agents:
  - {id: ams, site: hall-1, key_file: ams.key}
components:
  - {id: ingest, name: Live ingest, elements: [video/ingest/eu]}
  - {id: playback, name: Live playback, elements: [video/playback/eu, video/core]}
  - {id: api, name: API, elements: [video/api]}
policy: {quorum: 1}
`

// TestKilledAgentLeavesNothing kills the agent -9 in mid-broadcast: its streams stay
// at the platform, and the next start deletes them, and nothing else.
func TestKilledAgentLeavesNothing(t *testing.T) {
	t.Parallel()
	o := startOrigins(t, origin.Config{Auth: "demo-key"}, "eu")[0]
	w := newAPISystem(t, o)
	agent := w.agent(t, agentA)
	var left []apiStream
	eventually(t, "a broadcast of the agent's runs", e2ePatience, func() (err error) {
		if left, err = listStreams(o); err == nil && !slices.ContainsFunc(left, func(s apiStream) bool { return s.Active }) {
			err = fmt.Errorf("streams %v", left)
		}
		return err
	})
	agent.kill()
	left, err := listStreams(o)
	if err != nil || len(left) == 0 || !strings.HasPrefix(left[0].Name, "streamcanary-ams-") {
		t.Fatalf("left behind: %v, %v", left, err)
	}
	prefix := left[0].Name[:len("streamcanary-ams-")+9] // with the hash of agent and target
	alike := []string{strings.ToUpper(prefix) + "x", strings.TrimSuffix(prefix, "-"), "a person's " + prefix + "x", "streamcanary-ams-00000000-x", "streamcanary-ams2-00000000-x"}
	for _, name := range alike {
		if err := createStream(o, name); err != nil {
			t.Fatal(err)
		}
	}
	w.agent(t, agentA)
	eventually(t, "what was left behind is swept, and the agent broadcasts again", e2ePatience, func() error {
		now, err := listStreams(o)
		for _, s := range now {
			if slices.ContainsFunc(left, func(old apiStream) bool { return old.ID == s.ID }) {
				err = fmt.Errorf("%s is still there", s.Name)
			}
		}
		if err == nil && !slices.ContainsFunc(now, func(s apiStream) bool { return s.Active && strings.HasPrefix(s.Name, prefix) }) {
			err = fmt.Errorf("streams %v", now)
		}
		return err
	})
	now, err := listStreams(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range alike {
		if !slices.ContainsFunc(now, func(s apiStream) bool { return s.Name == name }) {
			t.Errorf("%q is gone: it was not ours", name)
		}
	}
}

// TestOnCallIsToldOfARefusedKey: it is nobody's outage, and on-call alone knows.
func TestOnCallIsToldOfARefusedKey(t *testing.T) {
	t.Parallel()
	o := startOrigins(t, origin.Config{Auth: "another-key"}, "eu")[0]
	w := newAPISystem(t, o)
	w.agent(t, agentA)
	told := w.alerted(t, "platform.refused", agentA)
	if !strings.Contains(told.Summary, "401") || strings.Contains(told.Summary, "demo-key") {
		t.Errorf("told %q", told.Summary)
	}
	if all, err := w.alerts(); err != nil || slices.ContainsFunc(all, func(a alert.Alert) bool { return a.Incident != nil }) {
		t.Errorf("alerts %+v, %v: want no incident", all, err)
	}
}

// newAPISystem is a hub and one agent's files, of a platform with an API; the hub is
// served.
func newAPISystem(t *testing.T, o *origin.Origin) *system {
	t.Helper()
	page, nats := freePort(t, "127.0.0.1"), freePort(t, "127.0.0.1")
	w := &system{dir: t.TempDir(), page: "http://" + page, token: "e2e-on-call-token"}
	for name, content := range map[string]string{
		"hub.yaml": fmt.Sprintf(leftoversHub, page, nats, o.APIURL(), o.RTMPURL(), o.HLSURL()), "token": w.token.Reveal(),
		agentA + ".yaml": fmt.Sprintf(systemAgent, agentA, nats, "hall-1"), agentA + ".key": "e2e-agents-key-ams",
	} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.serve(t)
	return w
}

type apiStream struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Active bool   `json:"isActive"`
}

func listStreams(o *origin.Origin) ([]apiStream, error) {
	var list []apiStream
	return list, callAPI(http.MethodGet, o.APIURL()+"/stream", nil, &list)
}

func createStream(o *origin.Origin, name string) error {
	return callAPI(http.MethodPost, o.APIURL()+"/stream", map[string]string{"name": name}, &apiStream{})
}

func callAPI(method, url string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer demo-key")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return json.NewDecoder(res.Body).Decode(into)
}
