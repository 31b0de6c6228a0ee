package main

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"streamcanary/statuspage/alert"
	"streamcanary/statuspage/incident"
)

// TestSystemThroughIncident runs hub and agents as processes of their own
// against nginx. nginx is killed; the hub is killed in mid-incident and goes on
// where it was; nginx comes back; one agent is killed.
func TestSystemThroughIncident(t *testing.T) {
	t.Parallel()
	const openWithin = 20 * time.Second
	s := startNginx(t, "127.0.0.1")
	w := newSystem(t, s, "127.0.0.1")
	agents := []string{agentA, agentB, agentC}
	running := map[string]*process{}
	for _, agent := range agents {
		running[agent] = w.agent(t, agent)
	}
	w.known(t)

	change := start(t, "streamcanary change", "/usr/bin/env", "STREAMCANARY_ALERTS_TOKEN="+w.token.Reveal(), binary(t), "change", "--hub", w.page, "--summary", "nginx 1.29", "--component", "ingest", "--id", "n129")
	if code := change.exit(t, e2ePatience); code != exitOK || strings.TrimSpace(change.stdout.text()) != "n129" {
		t.Errorf("change: exit code %d, %s%s", code, change.stdout.text(), change.stderr.text())
	}

	killed := time.Now()
	s.kill()
	took := eventually(t, "an incident is in summary.json", e2ePatience, func() error {
		now, err := w.summary()
		if err == nil && len(now.Incidents) == 0 {
			err = errors.New("there is none")
		}
		return err
	})
	t.Logf("nginx was killed; the incident was public %.1f s later", took.Seconds())
	if took > openWithin {
		t.Errorf("the incident was public after %v, want at most %v", took, openWithin)
	}
	open := opened(t, w.page)

	// Without its hub an agent keeps what it finds.
	w.hub.kill()
	for _, agent := range agents {
		eventually(t, "results wait on the disk of agent "+agent, e2ePatience, func() error { return w.waiting(agent, 10, 1<<20) })
	}
	w.serve(t)
	back := opened(t, w.page)
	if back.ID != open.ID || !back.CreatedAt.Equal(open.CreatedAt) {
		t.Errorf("after the hub's restart incident %s is open, not %s", back.ID, open.ID)
	}
	for _, agent := range agents {
		took := eventually(t, "the outbox of agent "+agent+" drains", e2ePatience, func() error { return w.waiting(agent, 0, 2) })
		t.Logf("the outbox of agent %s had drained %.1f s after the hub's return", agent, took.Seconds())
	}

	s.run(t)
	up := time.Now()
	took = eventually(t, "the incident resolves", 2*e2ePatience, func() error {
		all, err := incidentsOf(w.page)
		switch {
		case err != nil:
			return err
		case len(all) != 1 || all[0].ID != open.ID:
			t.Fatalf("there are %d incidents, not the one: %+v", len(all), all)
		case all[0].Status != "resolved":
			return fmt.Errorf("it is %s", all[0].Status)
		}
		return w.allGood()
	})
	t.Logf("nginx was away for %.1f s; the incident was resolved %.1f s after its return", up.Sub(killed).Seconds(), took.Seconds())
	w.pagedOnce(t, open.ID)
	w.replays(t, open)

	running[agentC].kill()
	gone := time.Now()
	silent := w.alerted(t, "agent.silent", agentC)
	t.Logf("agent %s was killed; on-call was told %.1f s later", agentC, silent.At.Sub(gone).Seconds())
	if silent.Action != alert.ActionTrigger || silent.Incident != nil {
		t.Errorf("a silent agent is told as %+v", silent)
	}
	if err := w.allGood(); err != nil {
		t.Errorf("an agent is gone, and the page changed: %v", err)
	}
	if all, err := incidentsOf(w.page); err != nil || len(all) != 1 {
		t.Errorf("an agent is gone, and there are %d incidents (%v)", len(all), err)
	}
	w.pagedOnce(t, open.ID)
}

// replays exports what the hub has recorded, and runs it through the policy in force
// and one under which every site has to agree.
func (w *system) replays(t *testing.T, open publicIncident) {
	t.Helper()
	exported := start(t, "streamcanary results export", "/usr/bin/env", "STREAMCANARY_ALERTS_TOKEN="+w.token.Reveal(), binary(t), "results", "export", "--hub", w.page, "--since", "1h")
	if code := exported.exit(t, e2ePatience); code != exitOK {
		t.Fatalf("results export: exit code %d, %s", code, exported.stderr.text())
	}
	recording, stricter := filepath.Join(w.dir, "results.jsonl"), filepath.Join(w.dir, "stricter.yaml")
	config, err := os.ReadFile(filepath.Join(w.dir, "hub.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{recording: exported.stdout.text(), stricter: string(config) + "  quorum: 3\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range append([]string{w.token.Reveal()}, "e2e-agents-key") {
		if strings.Contains(exported.stdout.text(), key) {
			t.Error("a secret is in the recording")
		}
	}
	replay := streamcanary(t, "replay", "--json", "--policy", stricter, recording)
	if code := replay.exit(t, e2ePatience); code != exitOK {
		t.Fatalf("replay: exit code %d, %s", code, replay.stderr.text())
	}
	var got replayed
	if err := json.Unmarshal([]byte(replay.stdout.text()), &got); err != nil {
		t.Fatal(err)
	}
	t.Logf("replayed %d results: opened after %.1f s by the policy in force, after %.1f s if every site has to agree", got.Results, got.Present.OpenedAfter, got.Other.OpenedAfter)
	if got.Present.Incidents != 1 || got.Other.Incidents != 1 || got.Missed+got.False != 0 || got.Agents != 3 || got.Other.OpenedAfter < got.Present.OpenedAfter {
		t.Errorf("replayed: %+v", got)
	}
	if len(got.Pairs) == 1 && got.Pairs[0].Present.CreatedAt.Sub(open.CreatedAt).Abs() > time.Second {
		t.Errorf("the replay opens at %s, and the hub did at %s", got.Pairs[0].Present.CreatedAt, open.CreatedAt)
	}
}

// pagedOnce wants one trigger and one resolve of an incident in the on-call
// feed, and of no other.
func (w *system) pagedOnce(t *testing.T, id string) {
	t.Helper()
	all, err := w.alerts()
	if err != nil {
		t.Fatal(err)
	}
	did, related := map[alert.Action]int{}, 0
	for _, a := range all {
		if a.Incident == nil {
			continue
		}
		did[a.Action]++
		for _, c := range a.Incident.Changes {
			if c.ID != "n129" || c.Scope != incident.ScopeComponent || c.Coincidence <= 0 || c.Coincidence > 1 {
				t.Errorf("a related change: %+v", c)
			}
			related++
		}
		if a.Incident.ID != id {
			t.Errorf("alert of another incident: %+v", a)
		}
	}
	if related == 0 {
		t.Error("the change before the incident is in no alert")
	}
	if did[alert.ActionTrigger] != 1 || did[alert.ActionResolve] != 1 {
		t.Errorf("want one trigger and one resolve:%s", tellAlerts(all))
	}
}

// waiting is nil if so many results wait in an agent's outbox.
func (w *system) waiting(agent string, least, most int) error {
	n, err := outboxRows(filepath.Join(w.dir, "agent-"+agent, "outbox.db"))
	if err == nil && (n < least || n > most) {
		err = fmt.Errorf("%d results wait", n)
	}
	return err
}

// outboxRows counts what is in an outbox whose agent has it locked: in a copy,
// which is taken again when the agent wrote meanwhile.
func outboxRows(path string) (n int, err error) {
	dir, err := os.MkdirTemp("", "streamcanary-e2e-outbox-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + suffix)
		if err != nil && (suffix == "" || !errors.Is(err, fs.ErrNotExist)) {
			return 0, err
		}
		if err := os.WriteFile(filepath.Join(dir, "outbox.db"+suffix), content, 0o600); err != nil {
			return 0, err
		}
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "outbox.db"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return n, db.QueryRow("SELECT COUNT(*) FROM results").Scan(&n)
}
