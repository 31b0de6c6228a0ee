package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/report"
	"streamcanary/statuspage/alert"
	"streamcanary/statuspage/hub"
)

// TestOutage goes the whole way: results in over a real connection; page, feed
// and webhook out. The webhook's receiver is down until the incident is over.
func TestOutage(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	receiver := freeAddr(t)
	p.Webhook = "http://" + receiver
	h := p.start(t)
	agents := startFleet(t, p.NATS)

	eventually(t, "every component was looked at", func() error { return checked(t, h) })
	if s, _ := readSummary(t, h.url); len(s.Incidents) != 0 || s.Status.Indicator != "none" {
		t.Fatalf("all is well, but summary.json says %+v", s)
	}

	agents.down.Store(true)
	id := waitIncident(t, h.url)
	s, _ := readSummary(t, h.url)
	for _, c := range s.Components {
		if want := strings.HasPrefix(c.Name, "Ingest"); want == (c.Status == "operational") {
			t.Errorf("component %s is %s", c.Name, c.Status)
		}
	}
	opened := waitAlert(t, h.url, "incident.opened")
	if opened.Incident.ID != id || opened.Action != alert.ActionTrigger || len(opened.Incident.Sites) < 2 || !opened.Incident.Public {
		t.Errorf("alert %+v, want a trigger of incident %s with at least two sites", opened, id)
	}

	agents.down.Store(false)
	waitResolved(t, h.url)
	if resolved := waitAlert(t, h.url, "incident.resolved"); resolved.Key != opened.Key {
		t.Errorf("the resolve has key %s, the trigger %s", resolved.Key, opened.Key)
	}
	page, code := get(t, h.url+"/incidents/"+id)
	if code != http.StatusOK || !strings.Contains(string(page), "Resolved") || strings.Contains(string(page), "secret evidence") {
		t.Errorf("the incident's own page: %d: %s", code, page)
	}

	k := startHook(t, receiver)
	eventually(t, "the webhook has trigger and resolve", func() error {
		if got := k.of(opened.Key); got != "trigger resolve" {
			return fmt.Errorf("%q", got)
		}
		return nil
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, times := range k.seen {
		if times != 1 {
			t.Errorf("alert %s was sent %d times to a receiver that takes everything", id, times)
		}
	}
}

// checked says which component has not been looked at.
func checked(t *testing.T, h *running) error {
	t.Helper()
	page, err := h.Page(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range page.Groups {
		for _, c := range g.Components {
			if c.CheckedAt.IsZero() || !c.UnknownSince.IsZero() {
				return fmt.Errorf("%s: checked %v, unknown since %v", c.Name, c.CheckedAt, c.UnknownSince)
			}
		}
	}
	return nil
}

// TestCloseInMidIncident: a hub that is opened again goes on with the incident.
func TestCloseInMidIncident(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	k := startHook(t, freeAddr(t))
	p.Webhook = "http://" + k.addr
	h := p.start(t)
	agents := startFleet(t, p.NATS).warm()
	agents.down.Store(true)
	id := waitIncident(t, h.url)
	h.stop()

	h = p.start(t)
	if again := waitIncident(t, h.url); again != id {
		t.Fatalf("incident %s after the restart, %s before", again, id)
	}
	agents.down.Store(false)
	waitResolved(t, h.url)
	onceEach(t, h.url, k, id)
}

// TestKilledInMidIncident kills the hub's process with an incident open, and
// again while it recovers: the incident goes on, and nothing is told twice.
func TestKilledInMidIncident(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	p.HTTP = freeAddr(t)
	k := startHook(t, freeAddr(t))
	p.Webhook = "http://" + k.addr
	base := "http://" + p.HTTP
	kill := startChild(t, p)
	agents := startFleet(t, p.NATS).warm()
	agents.down.Store(true)
	id := waitIncident(t, base)
	kill()

	kill = startChild(t, p)
	if again := waitIncident(t, base); again != id {
		t.Fatalf("incident %s after the first kill, %s before", again, id)
	}
	agents.down.Store(false)
	eventually(t, "it recovers", func() error {
		if s, ok := readSummary(t, base); !ok || len(s.Incidents) != 1 || s.Incidents[0].Status != "monitoring" {
			return fmt.Errorf("%+v", s)
		}
		return nil
	})
	kill()

	h := p.start(t)
	waitResolved(t, h.url)
	onceEach(t, h.url, k, id)
}

// onceEach holds feed and webhook against one incident that opened and resolved.
func onceEach(t *testing.T, base string, k *hook, id string) {
	t.Helper()
	var got []string
	ids := map[string]bool{}
	for _, a := range alerts(t, base) {
		if ids[a.ID] {
			t.Errorf("the feed has %s (%s) twice", a.ID, a.Type)
		}
		ids[a.ID] = true
		if a.Incident != nil && a.Incident.ID != id {
			t.Errorf("the feed tells of another incident: %+v", a)
		}
		if a.Incident != nil && a.Action != alert.ActionUpdate {
			got = append(got, string(a.Action))
		}
	}
	if strings.Join(got, " ") != "trigger resolve" {
		t.Errorf("the feed has %v, want one trigger and one resolve", got)
	}
	eventually(t, "the webhook has everything", func() error {
		if got := k.of("incident/" + id); got != "trigger resolve" {
			return fmt.Errorf("%q", got)
		}
		return nil
	})
}

// startChild runs a hub in a process of its own, until kill or the test's end.
func startChild(t *testing.T, p plan) (kill func()) {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childHub+"="+string(b))
	child.Stderr = &lockedBuffer{}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	killed := false
	kill = func() {
		if killed {
			return
		}
		killed = true
		_ = child.Process.Kill()
		if _ = child.Wait(); child.ProcessState.Exited() {
			t.Errorf("the hub ended by itself: %s", child.Stderr)
		}
	}
	t.Cleanup(kill)
	return kill
}

// serveChild is what the child does: it ends when it is killed.
func serveChild(encoded string) error {
	var p plan
	if err := json.Unmarshal([]byte(encoded), &p); err != nil {
		return err
	}
	cfg, err := p.config(nil)
	if err != nil {
		return err
	}
	h, err := hub.Open(context.Background(), cfg)
	if err != nil {
		return err
	}
	handler, err := h.Handler()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", p.HTTP)
	if err != nil {
		return err
	}
	ended := make(chan error, 2)
	go func() { ended <- h.Run(context.Background()) }()
	go func() { ended <- http.Serve(l, handler) }()
	return errors.Join(errors.New("it should have been killed"), <-ended)
}

// TestJournalMadeAnew: the journal's folder is gone, the database is not.
func TestJournalMadeAnew(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	ids := map[string]bool{}
	for round := range 3 {
		// Each time the change is the journal's second entry, after the start.
		h, run := p.open(t)
		if code, body := postChange(t, h.url, token, `{"id": "deploy-1", "summary": "Roll-out"}`); code != http.StatusAccepted {
			t.Fatalf("%d: %s", code, body)
		}
		ended := make(chan error, 1)
		go func() { ended <- run() }()
		eventually(t, "the change is in the feed", func() error {
			all := alerts(t, h.url)
			if len(all) != round+1 {
				return fmt.Errorf("%d alerts: %+v", len(all), all)
			}
			for _, a := range all {
				ids[a.ID] = true
			}
			return nil
		})
		if len(ids) != round+1 {
			t.Fatalf("ids %v after %d changes", ids, round+1)
		}
		if warned := strings.Contains(h.log.String(), "the journal is not the one that the state was made from"); warned != (round > 0) {
			t.Errorf("warned: %v in round %d", warned, round)
		}
		h.stop()
		if err := <-ended; err != nil {
			t.Fatalf("Run: %v", err)
		}
		if err := os.RemoveAll(p.Data + "/nats"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestJournalMadeAnewGoesOn: with a journal made anew, in mid-incident, results
// count as before, over a restart too.
func TestJournalMadeAnewGoesOn(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	h := p.start(t)
	agents := startFleet(t, p.NATS).warm()
	agents.down.Store(true)
	id := waitIncident(t, h.url)
	h.stop()
	if err := os.RemoveAll(p.Data + "/nats"); err != nil {
		t.Fatal(err)
	}
	h = p.start(t)
	if again := waitIncident(t, h.url); again != id {
		t.Errorf("incident %s with the new journal, %s before", again, id)
	}
	h.stop()
	h = p.start(t)
	agents.down.Store(false)
	waitResolved(t, h.url)
	agents.down.Store(true)
	if next := waitIncident(t, h.url); next == id {
		t.Errorf("a new outage has the id of the old one")
	}
}

// TestJournalBehind: an older journal than the database's is refused, with what
// to do.
func TestJournalBehind(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	h := p.start(t)
	eventually(t, "the start is taken in", func() error {
		if h.Folded() == 0 {
			return errors.New("nothing yet")
		}
		return nil
	})
	h.stop()
	if err := os.CopyFS(p.Data+"/old", os.DirFS(p.Data+"/nats")); err != nil {
		t.Fatal(err)
	}
	h, run := p.open(t)
	ended := make(chan error, 1)
	for range 3 {
		if _, err := h.Journal().Tick(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	tail, err := h.Journal().Tail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	go func() { ended <- run() }()
	eventually(t, "all is taken in", func() error {
		if got := h.Folded(); got < tail.Seq {
			return fmt.Errorf("%d of %d", got, tail.Seq)
		}
		return nil
	})
	h.stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.RemoveAll(p.Data+"/nats"), os.Rename(p.Data+"/old", p.Data+"/nats")); err != nil {
		t.Fatal(err)
	}
	_, run = p.open(t)
	if err := run(); !errors.Is(err, report.ErrAhead) || !strings.Contains(err.Error(), "delete the nats folder") {
		t.Errorf("Run: %v, want ErrAhead with what to do", err)
	}
}

// TestSilence: agents that fall silent are told to on-call and to nobody else.
func TestSilence(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	p.Settings.SilentAfter = 2 * time.Second
	h := p.start(t)
	agents := startFleet(t, p.NATS)
	eventually(t, "every component was looked at", func() error { return checked(t, h) })

	agents.muted.Store("nyc", true)
	silent := waitAlertOf(t, h.url, "agent.silent", "nyc")
	if silent.Action != alert.ActionTrigger {
		t.Errorf("%+v, want a trigger", silent)
	}
	agents.muted.Delete("nyc")
	if back := waitAlertOf(t, h.url, "agent.recovered", "nyc"); back.Key != silent.Key || back.Action != alert.ActionResolve {
		t.Errorf("%+v, want a resolve of %s", back, silent.Key)
	}
	for _, r := range regions {
		agents.muted.Store(r, true)
	}
	if none := waitAlert(t, h.url, "agents.none"); none.Severity != alert.SeverityCritical {
		t.Errorf("%+v, want it to be critical", none)
	}
	if s, _ := readSummary(t, h.url); len(s.Incidents) != 0 || s.Status.Indicator != "none" {
		t.Errorf("agents are silent, and the public page says %+v", s)
	}
}

// TestRunOnce: a hub that has run, or was closed, does not run again.
func TestRunOnce(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	h, run := p.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Run(ctx); err != nil {
		t.Errorf("Run with a context that has ended: %v", err)
	}
	if err := run(); err == nil || !strings.Contains(err.Error(), "open it again") {
		t.Errorf("the second Run: %v", err)
	}
	h.Close()
	h.Close() // harmless
	h, run = p.open(t)
	h.Close()
	if err := run(); err == nil || !strings.Contains(err.Error(), "open it again") {
		t.Errorf("Run after Close: %v", err)
	}
}

// TestOneHubPerFolder: the second is told what to do, and does no harm.
func TestOneHubPerFolder(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	h := p.start(t)
	second, err := plan{Data: p.Data, NATS: freeAddr(t), Settings: p.Settings}.config(nil)
	if err != nil {
		t.Fatal(err)
	}
	if other, err := hub.Open(t.Context(), second); err == nil {
		other.Close()
		t.Error("a second hub opened the folder")
	} else if want := "hub: data folder " + p.Data + ": another hub uses it; end that one"; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %q does not begin with %q", err, want)
	}
	eventually(t, "the first one goes on", func() error {
		if h.Folded() == 0 {
			return errors.New("it has taken nothing in")
		}
		return nil
	})
	h.stop()
	third, _ := p.open(t) // the folder is free again
	third.stop()
}

// TestOpenSaysWhatIsWrong, and leaves nothing behind.
func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	corrupt := t.TempDir()
	if err := os.WriteFile(corrupt+"/hub.db", []byte(strings.Repeat("not a database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*hub.Config)
		want   string
	}{
		"folder is a file": {func(c *hub.Config) { c.Data = file }, "hub: data folder: "},
		"bad database":     {func(c *hub.Config) { c.Data = corrupt }, "hub: store " + corrupt + "/hub.db: "},
		"bad address":      {func(c *hub.Config) { c.NATS.Addr = "127.0.0.1" }, `hub: nats server: address "127.0.0.1": want host:port`},
		"bad agent":        {func(c *hub.Config) { c.Assignments = map[string]prober.Assignment{"a b": {}} }, "hub: assign probes to agent a b: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, err := newPlan(t).config(nil)
			if err != nil {
				t.Fatal(err)
			}
			test.change(&cfg)
			h, err := hub.Open(t.Context(), cfg)
			if err == nil {
				h.Close()
				t.Fatal("opened")
			}
			if !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("error %q does not begin with %q", err, test.want)
			}
		})
	}
}
