package hub_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"streamcanary/statuspage/incident"
)

// TestPostmortem: on-call gets a draft; what a person makes of it, and nothing
// else, stands on the page.
func TestPostmortem(t *testing.T) {
	t.Parallel()
	h := newPlan(t).start(t)
	if code, answer := postChange(t, h.url, token, `{"summary": "Roll-out of the fix"}`); code != http.StatusAccepted {
		t.Fatalf("%d: %s", code, answer)
	}
	id := must(t, h.url+"/v1/incidents", `{"name": "Black pictures", "message": "We look into it.", "components": {"ingest-fra": "major_outage"}, "note": "ticket 7"}`).ID
	at := h.url + "/v1/incidents/" + id + "/postmortem"
	for name, test := range map[string]struct {
		method, bearer, body string
		code                 int
		want                 string
	}{
		"draft of an open one": {"GET", token, "", 409, "the incident is not resolved"},
		"text of an open one":  {"POST", token, `{"postmortem": "x"}`, 409, "it is not resolved"},
		"no token":             {"GET", "", "", 401, "send the on-call token"},
	} {
		if code, answer := call(t, test.method, at, test.bearer, test.body); code != test.code || !strings.Contains(answer, test.want) {
			t.Errorf("%s: %d: %s", name, code, answer)
		}
	}
	must(t, h.url+"/v1/incidents/"+id+"/resolve", "")
	code, draft := call(t, http.MethodGet, at, token, "")
	for _, want := range []string{"# Black pictures", "component-minutes", "ticket 7", "Roll-out of the fix", incident.InternalBegin} {
		if code != http.StatusOK || !strings.Contains(draft, want) {
			t.Errorf("no %q in the draft: %d\n%s", want, code, draft)
		}
	}
	whole, err := json.Marshal(map[string]string{"postmortem": draft})
	if err != nil {
		t.Fatal(err)
	}
	if code, answer := call(t, http.MethodPost, at, token, string(whole)); code != http.StatusUnprocessableEntity || !strings.Contains(answer, "for on-call alone") {
		t.Errorf("the draft as it is: %d: %s", code, answer)
	}
	text, _, _ := strings.Cut(draft, incident.InternalBegin)
	mine, err := json.Marshal(map[string]string{"postmortem": text + "\n## Root cause\n\nA **switch** broke. <script>alert(1)</script>\n"})
	if err != nil {
		t.Fatal(err)
	}
	if in := must(t, at, string(mine)); in.Phase != incident.Postmortem || in.PostmortemAt.IsZero() {
		t.Errorf("%+v", in)
	}
	page, _ := get(t, h.url+"/incidents/"+id)
	if !strings.Contains(string(page), "A <strong>switch</strong> broke.") || strings.Contains(string(page), "alert(1)</script>") {
		t.Errorf("the page shows\n%s", page)
	}
	for _, path := range []string{"/", "/history", "/history.atom", "/incidents/" + id, "/api/v2/incidents.json"} {
		public, _ := get(t, h.url+path)
		if strings.Contains(string(public), "Roll-out") || strings.Contains(string(public), "ticket 7") {
			t.Errorf("%s shows what is internal", path)
		}
	}
}

// TestLongPostmortem: the journal takes the longest postmortem of the longest incident,
// for the second time, whatever it is written with.
func TestLongPostmortem(t *testing.T) {
	t.Parallel()
	h := newPlan(t).start(t)
	id := must(t, h.url+"/v1/incidents", `{"name": "Black pictures", "message": "We look into it.", "components": {"ingest-fra": "major_outage"}}`).ID
	long := strings.Repeat("<", incident.MaxMessage)
	for {
		code, answer := call(t, http.MethodPost, h.url+"/v1/incidents/"+id+"/update", annas, `{"message": "`+long+`"}`)
		if code == http.StatusConflict && strings.Contains(answer, "all that is kept of one incident") {
			break
		}
		if code != http.StatusOK {
			t.Fatalf("%d: %s", code, answer)
		}
	}
	must(t, h.url+"/v1/incidents/"+id+"/resolve", "")
	for _, letter := range []string{"<", "&"} {
		text := strings.Repeat(letter, incident.MaxPostmortem)
		code, answer := call(t, http.MethodPost, h.url+"/v1/incidents/"+id+"/postmortem", annas, `{"postmortem": "`+text+`"}`)
		if code != http.StatusOK {
			t.Errorf("%d: %s", code, answer)
		}
	}
}
