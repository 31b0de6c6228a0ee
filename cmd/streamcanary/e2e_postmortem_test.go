package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"streamcanary/statuspage/incident"
)

// TestPostmortemByCommand takes a postmortem from the draft to the page, in the
// program's commands against a hub in a process of its own, and takes it back.
func TestPostmortemByCommand(t *testing.T) {
	t.Parallel()
	w := newPeople(t)
	w.onCall(t, exitOK, "change", "--summary", "Roll-out of mixer 7", "--component", "ingest")
	id := strings.Fields(w.onCall(t, exitOK, "incident", "open", "No sound", "ingest=major_outage", "-m", "Sound is missing.", "--note", "secret ticket 7"))[0]
	if said := w.onCall(t, exitFailure, "incident", "postmortem", id); !strings.Contains(said, "refused: the incident is not resolved; a postmortem comes after that") {
		t.Errorf("while it is open: %s", said)
	}
	w.onCall(t, exitOK, "incident", "resolve", id, "-m", "Sound is back.")

	draft := w.onCall(t, exitOK, "incident", "postmortem", id)
	for _, want := range []string{"# No sound", "**resolved**: Sound is back.", "open by anna", "secret ticket 7", "Roll-out of mixer 7", "By coincidence alone", "To be written by a person"} {
		if !strings.Contains(draft, want) {
			t.Errorf("no %q in the draft:\n%s", want, draft)
		}
	}
	file := filepath.Join(w.dir, "postmortem.md")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(draft)
	if said := w.onCall(t, exitUsage, "incident", "postmortem", id, "--publish", file); !strings.Contains(said, "it still has the part for on-call alone") {
		t.Errorf("the draft as it is: %s", said)
	}
	public, _, _ := strings.Cut(draft, incident.InternalBegin)
	write(strings.Replace(public, "_What broke, and why.", "A **mixer** broke. <script>alert(1)</script> _What broke, and why.", 1))
	if said := w.onCall(t, exitOK, "incident", "postmortem", id, "--publish", file, "--note", "as agreed on"); !strings.Contains(said, "postmortem, major impact: No sound") {
		t.Errorf("published: %s", said)
	}

	path := "/incidents/" + id
	shows := func(when string, want bool) {
		t.Helper()
		page, err := fetch(w.page+path, "")
		if err != nil || strings.Contains(string(page), "A <strong>mixer</strong> broke.") != want || strings.Contains(string(page), "alert(1)</script>") {
			t.Errorf("%s the page shows (%v)\n%s", when, err, page)
		}
	}
	shows("published,", true)
	if all, err := incidentsOf(w.page); err != nil || len(all) != 1 || all[0].Status != "postmortem" {
		t.Errorf("the API says %+v (%v)", all, err)
	}
	for _, path := range []string{"/", path, "/history", "/history.atom", "/api/v2/incidents.json"} {
		body, err := fetch(w.page+path, "")
		for _, secret := range []string{"secret ticket", "anna", "mixer 7", "as agreed on"} {
			if err != nil || strings.Contains(string(body), secret) {
				t.Errorf("%s shows %q (%v)", path, secret, err)
			}
		}
	}

	w.onCall(t, exitOK, "incident", "reopen", id, "--note", "it was the cable")
	shows("reopened,", false)
	if all, err := incidentsOf(w.page); err != nil || len(all) != 1 || all[0].Status != "investigating" {
		t.Errorf("reopened, the API says %+v (%v)", all, err)
	}
	w.onCall(t, exitOK, "incident", "resolve", id)
	shows("resolved again,", false)
	if draft = w.onCall(t, exitOK, "incident", "postmortem", id); !strings.Contains(draft, "A **mixer** broke.") {
		t.Errorf("what was withdrawn is lost:\n%s", draft)
	}
	write("# A cable broke\n")
	w.onCall(t, exitOK, "incident", "postmortem", id, "--publish", file)
	show := w.onCall(t, exitOK, "incident", "show", id)
	for _, want := range []string{
		"postmortem by anna: none -> ", "(as agreed on)", "reopen by anna: postmortem -> investigating, its postmortem withdrawn (it was the cable)", "\npostmortem of 20",
	} {
		if !strings.Contains(show, want) {
			t.Errorf("no %q in\n%s", want, show)
		}
	}
	if page, err := fetch(w.page+path, ""); err != nil || !strings.Contains(string(page), "A cable broke") {
		t.Errorf("the page shows (%v)\n%s", err, page)
	}
}
