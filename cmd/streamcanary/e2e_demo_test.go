package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// startDemo runs a demo that tells its story as JSON, and gives its page.
func startDemo(t *testing.T, addr string, args ...string) *process {
	t.Helper()
	p := streamcanary(t, append([]string{"demo", "--json", "--http", addr}, args...)...)
	p.wait(t, 0, "the demo is up", e2ePatience, says(`"kind":"start"`))
	return p
}

// TestDemoPlaysApril lets the demo play its incident and judge the page, as
// whoever tries streamcanary for the first time sees it.
func TestDemoPlaysApril(t *testing.T) {
	t.Parallel()
	p := startDemo(t, freePort(t, "127.0.0.1"), "--exit-after-drill")
	if code := p.exit(t, 5*time.Minute); code != exitOK {
		t.Fatalf("exit code %d, stderr %q", code, p.stderr.text())
	}
	var statuses []string
	incidents := map[string]bool{}
	lines, _ := p.stdout.since(0)
	for _, l := range lines {
		var told line
		if err := json.Unmarshal([]byte(l.text), &told); err != nil {
			t.Fatalf("%q is not a line of the story: %v", l.text, err)
		}
		if told.Incident != "" {
			incidents[told.Incident] = true
			statuses = append(statuses, told.Status)
			t.Logf("%.1f s: %s", told.Elapsed, strings.SplitN(told.Text, "\n", 2)[0])
		}
	}
	story := strings.Join(statuses, " ")
	if len(incidents) != 1 || !strings.HasPrefix(story, "investigating ") || !strings.HasSuffix(story, " monitoring resolved") {
		t.Errorf("incidents %v went %s", incidents, story)
	}
}

// TestDemoKilledInIncident kills a whole demo in mid-incident. Another on the
// same data goes on with the same incident.
func TestDemoKilledInIncident(t *testing.T) {
	t.Parallel()
	addr, dir := freePort(t, "127.0.0.1"), t.TempDir()
	page := "http://" + addr
	args := []string{"--data", dir, "--drill", "none"}
	demo := startDemo(t, addr, args...)
	demo.wait(t, 0, "all is green", 2*time.Minute, says(`"kind":"green"`))
	drill := streamcanary(t, "drill", "restart", "--for", "40s", "--http", addr)
	open := opened(t, page)
	demo.kill()
	if code := drill.exit(t, e2ePatience); code != exitFailure || drill.stderr.text() == "" {
		t.Errorf("a drill whose demo was killed: exit code %d, stderr %q", code, drill.stderr.text())
	}

	startDemo(t, addr, args...)
	back := opened(t, page)
	if back.ID != open.ID || !back.CreatedAt.Equal(open.CreatedAt) {
		t.Errorf("incident %s from %s is open, want %s from %s", back.ID, back.CreatedAt, open.ID, open.CreatedAt)
	}
	var last publicIncident
	took := eventually(t, "the incident resolves", 3*time.Minute, func() error {
		all, err := incidentsOf(page)
		if err != nil {
			return err
		}
		if len(all) != 1 || all[0].ID != open.ID {
			t.Fatalf("there are %d incidents, not the one: %+v", len(all), all)
		}
		if last = all[0]; last.Status != "resolved" {
			return fmt.Errorf("it is %s", last.Status)
		}
		return nil
	})
	t.Logf("the incident was resolved %.1f s after the restart", took.Seconds())
	if err := continues(open, last); err != nil {
		t.Error(err)
	}
}

// continues is nil if an incident still has every update that it had.
func continues(before, after publicIncident) error {
	var errs []error
	had := map[string]string{}
	for _, u := range after.Updates {
		if _, twice := had[u.ID]; twice {
			errs = append(errs, fmt.Errorf("update %s is there twice", u.ID))
		}
		had[u.ID] = u.Body
	}
	for _, u := range before.Updates {
		if had[u.ID] != u.Body {
			errs = append(errs, fmt.Errorf("update %s said %q, and says %q", u.ID, u.Body, had[u.ID]))
		}
	}
	return errors.Join(errs...)
}
