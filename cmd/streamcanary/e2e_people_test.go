package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"streamcanary/statuspage/incident"
)

// newPeople starts a hub that knows anna, and whose playback waits for a person.
func newPeople(t *testing.T) *system {
	t.Helper()
	page := freePort(t, "127.0.0.1")
	w := &system{dir: t.TempDir(), page: "http://" + page, token: "e2e-on-call-token"}
	hub := fmt.Sprintf(systemHub, page, freePort(t, "127.0.0.1"), "rtmp://127.0.0.1:9/live/{stream}", "http://127.0.0.1:9/{stream}/index.m3u8")
	hub = strings.Replace(hub, "alerts: {token_file: token}", "alerts: {token_file: token, people: [{id: anna, token_file: token-anna}]}", 1)
	hub = strings.Replace(hub, "name: Live playback,", "name: Live playback, publish: hold,", 1)
	files := map[string]string{"hub.yaml": hub, "token": w.token.Reveal(), "token-anna": "e2e-token-of-anna"}
	for _, agent := range []string{agentA, agentB, agentC} {
		files[agent+".key"] = "e2e-agents-key-" + agent
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.serve(t)
	return w
}

// TestPeopleByCommand takes the way of a person on call: the program's commands,
// against a hub in a process of its own that is killed in the middle.
func TestPeopleByCommand(t *testing.T) {
	t.Parallel()
	w := newPeople(t)

	id := strings.Fields(w.onCall(t, exitOK, "incident", "open", "No sound", "ingest=partial_outage", "-m", "Sound is missing.", "--note", "secret ticket 7"))[0]
	w.onCall(t, exitOK, "incident", "update", id, "-m", "We have found a broken mixer.", "--id", "once")
	w.onCall(t, exitOK, "incident", "update", id, "-m", "We have found a broken mixer.", "--id", "once")
	if said := w.onCall(t, exitFailure, "incident", "resolve", id, "--id", "once"); !strings.Contains(said, `refused: the id "once" was that of another command, update of `+id+" by anna;") {
		t.Errorf("an id twice: %s", said)
	}
	w.onCall(t, exitOK, "incident", "status", id, "identified")
	w.onCall(t, exitOK, "incident", "components", id, "ingest=major_outage")
	w.hub.kill()
	w.serve(t)
	if said := w.onCall(t, exitFailure, "incident", "impact", id, "huge"); !strings.Contains(said, `refused: there is no impact "huge"`) {
		t.Errorf("a wrong impact: %s", said)
	}
	if said := w.onCall(t, exitFailure, "incident", "resolve", "n0n0n0n0n0n0"); !strings.Contains(said, `refused: there is no incident with the id "n0n0n0n0n0n0"; 'streamcanary incident list --state all' has their ids`) {
		t.Errorf("an unknown incident: %s", said)
	}
	if list := w.onCall(t, exitOK, "incident", "list"); !strings.Contains(list, id) || !strings.Contains(list, "automation is frozen") {
		t.Errorf("list: %s", list)
	}
	var shown struct{ Incident incident.Incident }
	if err := json.Unmarshal([]byte(w.onCall(t, exitOK, "incident", "show", id, "--json")), &shown); err != nil {
		t.Fatal(err)
	}
	if in := shown.Incident; len(in.Audit) != 4 || in.Audit[0].Who != "anna" || in.Phase != incident.Identified || len(in.Updates) != 4 {
		t.Errorf("%+v", in)
	}
	if text := w.onCall(t, exitOK, "incident", "show", id); !strings.Contains(text, "open by anna (secret ticket 7)") || !strings.Contains(text, "ingest=partial_outage -> ingest=major_outage") {
		t.Errorf("show: %s", text)
	}
	s, err := w.summary()
	if err != nil || len(s.Incidents) != 1 || s.Components[0].Status != "major_outage" {
		t.Errorf("the page says %+v (%v)", s, err)
	}
	if list := w.onCall(t, exitOK, "components"); !strings.HasPrefix(list, "ingest ") || !strings.Contains(list, "major_outage") || !strings.Contains(list, "unknown since ") {
		t.Errorf("components: %s", list)
	}
	w.onCall(t, exitOK, "incident", "false-alarm", id)
	w.onCall(t, exitOK, "incident", "reopen", id, "-m", "It was none.")
	w.onCall(t, exitOK, "incident", "resolve", id)
	if list := w.onCall(t, exitOK, "incident", "list", "--state", "resolved"); !strings.Contains(list, id) {
		t.Errorf("list: %s", list)
	}

	// On the hub's machine its file has address and token.
	local := start(t, "streamcanary incident list", binary(t), "incident", "list", "--state", "all", "--config", filepath.Join(w.dir, "hub.yaml"))
	if code := local.exit(t, e2ePatience); code != exitOK || !strings.Contains(local.stdout.text(), id) {
		t.Errorf("by the configuration: %d: %s%s", code, local.stdout.text(), local.stderr.text())
	}
	local = start(t, "streamcanary incident list", binary(t), "incident", "list", "--hub", w.page, "--token-file", filepath.Join(w.dir, "token-anna"))
	if code := local.exit(t, e2ePatience); code != exitOK {
		t.Errorf("by a token's file: %d: %s", code, local.stderr.text())
	}

	// A maintenance begins and ends by itself.
	w.onCall(t, exitOK, "maintenance", "add", "New mixers", "--component", "ingest", "--for", "5s", "-m", "Sound may be missing.")
	status := func(want string) {
		t.Helper()
		eventually(t, "the ingest is "+want, e2ePatience, func() error {
			s, err := w.summary()
			if err == nil && s.Components[0].Status != want {
				err = fmt.Errorf("it is %s", s.Components[0].Status)
			}
			return err
		})
	}
	status("under_maintenance")
	status("operational")
	for range 2 { // a step of a pipeline that is repeated
		w.onCall(t, exitOK, "maintenance", "add", "Now", "--region", "eu", "--for", "1h", "--id", "now-1")
	}
	list := w.onCall(t, exitOK, "maintenance", "list")
	if strings.Count(list, " Now ") != 1 {
		t.Errorf("list: %s", list)
	}
	now := ""
	for line := range strings.Lines(list) {
		if strings.Contains(line, " Now ") {
			now, _, _ = strings.Cut(line, " ")
		}
	}
	eventually(t, "it has begun", e2ePatience, func() error {
		if show := w.onCall(t, exitOK, "maintenance", "show", now); !strings.Contains(show, "in progress") {
			return fmt.Errorf("%s", show)
		}
		return nil
	})
	w.onCall(t, exitOK, "maintenance", "end", now, "--note", "it was quick")
	if show := w.onCall(t, exitOK, "maintenance", "show", now); !strings.Contains(show, "maintenance_add by anna: announced\n") || !strings.Contains(show, "maintenance_end by anna: running -> ended (it was quick)\n") {
		t.Errorf("show: %s", show)
	}
	later := strings.Fields(w.onCall(t, exitOK, "maintenance", "add", "Later", "--region", "eu", "--at", time.Now().Add(time.Hour).Format(time.RFC3339), "--for", "1h"))[0]
	if list := w.onCall(t, exitOK, "maintenance", "list"); !strings.Contains(list, "completed") || !strings.Contains(list, "scheduled") {
		t.Errorf("list: %s", list)
	}
	w.onCall(t, exitOK, "maintenance", "cancel", later)
	if said := w.onCall(t, exitFailure, "maintenance", "cancel", later); !strings.Contains(said, "refused: no maintenance has the id") {
		t.Errorf("cancelled twice: %s", said)
	}
	for _, path := range []string{"/", "/incidents/" + id, "/api/v2/incidents.json", "/history.atom"} {
		body, err := fetch(w.page+path, "")
		if err != nil || strings.Contains(string(body), "secret ticket") || strings.Contains(string(body), "anna") {
			t.Errorf("%s: %s (%v)", path, body, err)
		}
	}
}

// TestEveryActionByCommand: each action takes --note, and stands in incident show with
// who, when, what was and what is; what cannot be done is refused with the reason.
func TestEveryActionByCommand(t *testing.T) {
	t.Parallel()
	w := newPeople(t)
	open := func(name string) string {
		return strings.Fields(w.onCall(t, exitOK, "incident", "open", name, "ingest=major_outage", "-m", "Something is odd.", "--note", "note of open"))[0]
	}
	id, into := open("No sound"), open("No pictures")
	for _, step := range []struct {
		code int
		args []string // the action, and what follows the incident's id
		want string   // in the trail, or of the refusal
	}{
		{exitOK, []string{"update", "-m", "We are on it."}, "update by anna (note of update)"},
		{exitOK, []string{"status", "identified"}, "status by anna: investigating -> identified (note of status)"},
		{exitOK, []string{"impact", "minor"}, "impact by anna: major -> minor (note of impact)"},
		{exitFailure, []string{"impact", "minor"}, "refused: its impact is minor already"},
		{exitOK, []string{"components", "ingest=partial_outage"}, "components by anna: ingest=major_outage -> ingest=partial_outage (note of components)"},
		{exitFailure, []string{"components", "mixer=partial_outage"}, `refused: there is no component "mixer"`},
		{exitOK, []string{"release"}, "release by anna: frozen -> automatic (note of release)"},
		{exitFailure, []string{"release"}, "refused: it is not frozen: its automation is at work"},
		{exitOK, []string{"freeze"}, "freeze by anna: automatic -> frozen (note of freeze)"},
		{exitFailure, []string{"publish"}, "refused: nothing of it is withheld"},
		{exitFailure, []string{"keep"}, "refused: nothing of it waits to be published"},
		{exitFailure, []string{"reopen"}, "refused: it is open"},
		{exitOK, []string{"resolve"}, " -> resolved (note of resolve)"},
		{exitFailure, []string{"update", "-m", "Too late."}, "is open; one that is resolved has to be reopened first"},
		{exitOK, []string{"reopen"}, "reopen by anna: resolved -> investigating (note of reopen)"},
		{exitOK, []string{"false-alarm"}, "false_alarm by anna: investigating -> resolved (note of false-alarm)"},
		{exitOK, []string{"reopen"}, "reopen by anna: resolved -> investigating (note of reopen)"},
		{exitFailure, []string{"merge", "n0n0n0n0n0n0"}, `refused: no incident with the id "n0n0n0n0n0n0" is open to be merged into`},
		{exitOK, []string{"merge", into}, "merge by anna: merged into " + into + " (note of merge)"},
		{exitFailure, []string{"reopen"}, "refused: it goes on in the incident " + into},
		{exitFailure, []string{"postmortem"}, "refused: the incident goes on in " + into + "; its postmortem is that one's"},
	} {
		args := append([]string{"incident", step.args[0], id}, step.args[1:]...)
		said := w.onCall(t, step.code, append(args, "--note", "note of "+step.args[0])...)
		if step.code == exitOK {
			said = w.onCall(t, exitOK, "incident", "show", id)
		}
		if !strings.Contains(said, step.want) {
			t.Errorf("%v: no %q in\n%s", step.args, step.want, said)
		}
	}
	if show := w.onCall(t, exitOK, "incident", "show", into); !strings.Contains(show, "merge by anna: took in "+id+" (note of merge)") {
		t.Errorf("show: %s", show)
	}
}

// onCall runs a command as anna, and gives what it said.
func (w *system) onCall(t *testing.T, code int, args ...string) string {
	t.Helper()
	p := start(t, "streamcanary "+args[0], "/usr/bin/env", append([]string{"STREAMCANARY_ALERTS_TOKEN=e2e-token-of-anna", "STREAMCANARY_HUB=" + w.page, binary(t)}, args...)...)
	if got := p.exit(t, e2ePatience); got != code {
		t.Fatalf("%v: exit code %d, want %d: %s%s", args, got, code, p.stdout.text(), p.stderr.text())
	}
	return p.stdout.text() + p.stderr.text()
}
