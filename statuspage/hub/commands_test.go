package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"streamcanary/statuspage/hub"
	"streamcanary/statuspage/incident"
)

// call is one call of an on-call person.
func call(t *testing.T, method, url, bearer, body string) (code int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	got, code := do(t, req)
	return code, string(got)
}

// must is a call that has to be carried out; it gives the incident afterwards.
func must(t *testing.T, url, body string) incident.Incident {
	t.Helper()
	code, answer := call(t, http.MethodPost, url, annas, body)
	var done struct{ Incident incident.Incident }
	if err := json.Unmarshal([]byte(answer), &done); code != http.StatusOK || err != nil {
		t.Fatalf("%s: %d: %s", url, code, answer)
	}
	return done.Incident
}

func TestCommandRefusals(t *testing.T) {
	t.Parallel()
	h := newPlan(t).start(t)
	open := must(t, h.url+"/v1/incidents", `{"name": "x", "message": "y", "components": {"ingest-fra": "major_outage"}}`).ID
	over := must(t, h.url+"/v1/incidents", `{"name": "x", "message": "y", "components": {"ingest-fra": "major_outage"}}`).ID
	must(t, h.url+"/v1/incidents/"+over+"/resolve", "")
	must(t, h.url+"/v1/incidents/"+open+"/update", `{"id": "first", "message": "x"}`)
	for name, test := range map[string]struct {
		method, path, bearer, body string
		code                       int
		want                       string
	}{
		"no token":         {"POST", "/v1/incidents/" + open + "/resolve", "", "", 401, "send the on-call token"},
		"wrong token":      {"POST", "/v1/incidents/" + open + "/resolve", "token-of-ben", "", 401, "send the on-call token"},
		"list, no token":   {"GET", "/v1/incidents", "", "", 401, "send the on-call token"},
		"show, no token":   {"GET", "/v1/incidents/" + open, "", "", 401, "send the on-call token"},
		"unknown":          {"POST", "/v1/incidents/n0n0n0n0n0n0/resolve", token, "", 404, "no incident with the id"},
		"show unknown":     {"GET", "/v1/incidents/n0n0n0n0n0n0", token, "", 404, `there is no incident with the id "n0n0n0n0n0n0"`},
		"resolved":         {"POST", "/v1/incidents/" + over + "/update", token, `{"message": "x"}`, 409, "has to be reopened first"},
		"no such action":   {"POST", "/v1/incidents/" + open + "/explode", token, "", 404, "want one of update, status"},
		"not frozen twice": {"POST", "/v1/incidents/" + open + "/freeze", token, "", 409, "it is frozen already"},
		"wrong value":      {"POST", "/v1/incidents/" + open + "/impact", token, `{"impact": "huge"}`, 422, `there is no impact "huge"`},
		"unknown key":      {"POST", "/v1/incidents/" + open + "/impact", token, `{"effect": "huge"}`, 422, `unknown field "effect"`},
		"two objects":      {"POST", "/v1/incidents/" + open + "/impact", token, `{}{}`, 422, "something follows"},
		"not JSON":         {"POST", "/v1/incidents/" + open + "/impact", token, `impact=major`, 422, "not what is expected"},
		"odd id":           {"POST", "/v1/incidents/" + open + "/impact", token, `{"id": "a b"}`, 422, "id is too long"},
		"long":             {"POST", "/v1/incidents/" + open + "/update", token, `{"message": "` + strings.Repeat("x", 70<<10) + `"}`, 413, "larger than 65536 bytes"},
		"long message":     {"POST", "/v1/incidents/" + open + "/update", token, `{"message": "` + strings.Repeat("x", 6<<10) + `"}`, 422, "longer than 5000 bytes"},
		"id of another":    {"POST", "/v1/incidents/" + open + "/resolve", token, `{"id": "first"}`, 409, `the id "first" was that of another command, update of ` + open},
		"merge unknown":    {"POST", "/v1/incidents/n0n0n0n0n0n0/merge", token, `{"into": "` + open + `"}`, 404, "no incident with the id"},
		"into unknown":     {"POST", "/v1/incidents/" + open + "/merge", token, `{"into": "n0n0n0n0n0n0"}`, 404, `no incident with the id "n0n0n0n0n0n0" is open to be merged into`},
		"into resolved":    {"POST", "/v1/incidents/" + open + "/merge", token, `{"into": "` + over + `"}`, 409, "is open to be merged into"},
		"into none":        {"POST", "/v1/incidents/" + open + "/merge", token, "", 422, "into which incident"},
		"lost words":       {"POST", "/v1/incidents/" + open + "/release", token, `{"message": "It goes on."}`, 422, "release takes no message"},
		"lost status":      {"POST", "/v1/incidents/" + open + "/impact", token, `{"impact": "minor", "status": "identified"}`, 422, "impact takes no status"},
		"lost name":        {"POST", "/v1/maintenances/x/end", token, `{"name": "x"}`, 422, "end takes no name"},
		"odd length":       {"POST", "/v1/maintenances", token, `{"name": "x", "lasts_s": -1}`, 422, "lasts_s is a number"},
		"odd state":        {"GET", "/v1/incidents?state=closed", token, "", 400, "state is open, resolved or all"},
		"odd limit":        {"GET", "/v1/incidents?limit=0", token, "", 400, "limit is a number"},
		"odd maintenance":  {"POST", "/v1/maintenances", token, `{"name": "x"}`, 422, "has to end after it starts"},
		"no maintenance":   {"POST", "/v1/maintenances/x/cancel", token, "", 404, "no maintenance has the id"},
		"no such step":     {"POST", "/v1/maintenances/x/begin", token, "", 404, "want cancel or end"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, answer := call(t, test.method, h.url+test.path, test.bearer, test.body)
			if code != test.code || !strings.Contains(answer, test.want) || strings.Contains(answer, token) {
				t.Errorf("%d: %s, want %d: %s", code, answer, test.code, test.want)
			}
		})
	}
}

// TestPeople: a person takes an incident over, the hub is started again in the
// middle, and everybody hears of everything once.
func TestPeople(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	receiver := freeAddr(t)
	p.Webhook = "http://" + receiver
	k := startHook(t, receiver)
	h := p.start(t)
	agents := startFleet(t, p.NATS).warm()
	agents.down.Store(true)
	id := waitIncident(t, h.url)

	one := h.url + "/v1/incidents/" + id
	in := must(t, one+"/update", `{"id": "u1", "message": "A switch has failed. We replace it.", "note": "secret ticket 77"}`)
	if !in.Frozen || len(in.Audit) != 1 || in.Audit[0].Who != "anna" || in.Audit[0].Note != "secret ticket 77" {
		t.Errorf("%+v", in.Audit)
	}
	for range 2 { // sent again, it is the same
		must(t, one+"/update", `{"id": "u1", "message": "A switch has failed. We replace it.", "note": "secret ticket 77"}`)
	}
	code, answer := call(t, http.MethodPost, one+"/status", token, `{"status": "identified", "who": "ben"}`)
	if code != http.StatusOK || !strings.Contains(answer, `"who":"ben (shared token)"`) {
		t.Errorf("%d: %s", code, answer)
	}
	agents.down.Store(false)
	h.stop()
	h = p.start(t)
	one = h.url + "/v1/incidents/" + id
	waitAlert(t, h.url, "automation.waits") // it is over, and nobody but a person resolves it
	if s, _ := readSummary(t, h.url); len(s.Incidents) != 1 || s.Incidents[0].Status != "identified" {
		t.Errorf("frozen: %+v", s)
	}
	if code, answer := call(t, http.MethodGet, h.url+"/v1/incidents?state=open", annas, ""); code != 200 || !strings.Contains(answer, "secret ticket 77") || !strings.Contains(answer, `"frozen":true`) {
		t.Errorf("%d: %s", code, answer)
	}
	must(t, one+"/release", "")
	waitResolved(t, h.url)
	must(t, one+"/reopen", `{"message": "Not yet."}`)
	if waitAnyIncident(t, h.url) != id {
		t.Error("another incident was opened")
	}
	must(t, one+"/false-alarm", `{"note": "it was us"}`)
	waitResolved(t, h.url)
	eventually(t, "the webhook has both openings and both resolves", func() error {
		if got := k.of("incident/" + id); strings.ReplaceAll(got, "notice ", "") != "trigger resolve trigger resolve" {
			return fmt.Errorf("%q", got)
		}
		return nil
	})
	public, _ := get(t, h.url+"/incidents/"+id)
	if n := strings.Count(string(public), "A switch has failed. We replace it."); n != 1 {
		t.Errorf("the update stands %d times in the page: %s", n, public)
	}
	if !strings.Contains(string(public), "False alarm") {
		t.Errorf("the page does not say that it was a false alarm: %s", public)
	}
	for _, path := range []string{"/", "/history", "/history.atom", "/history.rss", "/incidents/" + id, "/api/v2/summary.json", "/api/v2/incidents.json"} {
		body, _ := get(t, h.url+path)
		for _, secret := range []string{"secret ticket", "anna", "ben", "it was us", annas} {
			if strings.Contains(string(body), secret) {
				t.Errorf("%s shows %q", path, secret)
			}
		}
	}
}

// waitAnyIncident waits for an open incident, whatever its components say: a person's
// may be of no consequence.
func waitAnyIncident(t *testing.T, base string) (id string) {
	t.Helper()
	eventually(t, "an incident is open", func() error {
		s, ok := readSummary(t, base)
		if !ok || len(s.Incidents) != 1 {
			return fmt.Errorf("summary.json: %+v", s)
		}
		id = s.Incidents[0].ID
		return nil
	})
	return id
}

// TestMaintenance: the configuration's window begins and ends by itself, over a
// start of the hub in the middle, each once; nothing opens in it.
func TestMaintenance(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	now := time.Now()
	p.Work = []hub.Maintenance{{ID: "switches", Name: "New switches", Message: "We replace switches.", Regions: regions,
		StartsAt: now.Add(-time.Minute), EndsAt: now.Add(time.Hour)}}
	h := p.start(t)
	agents := startFleet(t, p.NATS).warm()
	waitAlert(t, h.url, "maintenance.began")
	agents.down.Store(true)
	if s, _ := readSummary(t, h.url); s.Status.Indicator != "maintenance" || s.Components[0].Status != "under_maintenance" {
		t.Errorf("%+v", s)
	}
	code, answer := call(t, http.MethodGet, h.url+"/v1/maintenances", annas, "")
	var list struct{ Maintenances []incident.MaintenanceView }
	if err := json.Unmarshal([]byte(answer), &list); code != 200 || err != nil || len(list.Maintenances) != 1 || len(list.Maintenances[0].Affected) != 6 {
		t.Fatalf("%d: %s", code, answer)
	}
	h.stop()
	h = p.start(t)
	time0 := h.Folded()
	eventually(t, "results were folded", func() error {
		if h.Folded() < time0+100 {
			return fmt.Errorf("%d", h.Folded()-time0)
		}
		return nil
	})
	if s, _ := readSummary(t, h.url); len(s.Incidents) != 0 {
		t.Errorf("opened in a maintenance: %+v", s)
	}
	// What still fails at its end opens at once.
	if code, answer := call(t, http.MethodPost, h.url+"/v1/maintenances/"+list.Maintenances[0].ID+"/end", annas, `{"note": "done"}`); code != 200 {
		t.Fatalf("%d: %s", code, answer)
	}
	waitIncident(t, h.url)
	agents.down.Store(false)
	waitResolved(t, h.url)
	seen := map[string]int{}
	for _, a := range alerts(t, h.url) {
		if a.Maintenance != nil {
			seen[a.Type]++
		}
	}
	if fmt.Sprint(seen) != "map[maintenance.began:1 maintenance.ended:1 maintenance.scheduled:1]" {
		t.Errorf("on-call heard %v", seen)
	}
}

// TestPeopleWhoDoNotWait: what one person does to a resolved incident, and does not
// wait for, is not lost in what the next one does.
func TestPeopleWhoDoNotWait(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	h := p.start(t)
	id := must(t, h.url+"/v1/incidents", `{"name": "x", "message": "y", "components": {"ingest-fra": "major_outage"}}`).ID
	must(t, h.url+"/v1/incidents/"+id+"/resolve", "")
	h.stop()

	slow, run := p.open(t) // takes nothing in yet
	tail := func() uint64 {
		c, err := slow.Journal().Tail(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return c.Seq
	}
	leave := func(action, body string) {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, slow.url+"/v1/incidents/"+id+"/"+action, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+annas)
		if code, answer := do(t, req); answer != 0 {
			t.Errorf("%s was answered: %d: %s", action, answer, code)
		}
	}
	before := tail()
	leave("false-alarm", `{"note": "the first"}`)
	if tail() == before {
		t.Fatal("the first did not get into the journal")
	}
	leave("postmortem", `{"postmortem": "# The second"}`)
	ended := make(chan error, 1)
	go func() { ended <- run() }()
	in := must(t, slow.url+"/v1/incidents/"+id+"/postmortem", `{"postmortem": "# The third"}`)
	var did []string
	for _, a := range in.Audit {
		did = append(did, string(a.Action))
	}
	// The second may still be carried out, before it is seen that nobody waits for it.
	if got := strings.Join(did, " "); strings.TrimSuffix(got, " postmortem") != "open resolve false_alarm postmortem" && got != "open resolve false_alarm postmortem" || !in.FalseAlarm || in.Postmortem != "# The third" {
		t.Errorf("%s: false alarm %t, postmortem %q", got, in.FalseAlarm, in.Postmortem)
	}
	slow.stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestPeopleAtOnce: of what many people do to one incident at the same time, each is
// carried out once or refused, and stands once in the trail; nothing said is lost.
func TestPeopleAtOnce(t *testing.T) {
	t.Parallel()
	h := newPlan(t).start(t)
	id := must(t, h.url+"/v1/incidents", `{"name": "x", "message": "y", "components": {"ingest-fra": "major_outage"}}`).ID
	actions := []string{"update", "status", "impact", "components", "freeze", "release", "resolve", "reopen", "false-alarm", "postmortem"}
	bodies := []string{
		`"message": "m %d"`, `"status": "identified", "message": "s %d"`, `"impact": "minor", "message": "i %d"`,
		`"components": {"ingest-fra": "partial_outage"}, "message": "c %d"`, `"message": "f %d"`, ``, `"message": "r %d"`, `"message": "o %d"`, `"message": "a %d"`, `"postmortem": "# p %d"`,
	}
	var mu sync.Mutex
	done := map[string]string{} // by note
	var all sync.WaitGroup
	for who := range 6 {
		all.Go(func() {
			for n := range 12 {
				k := (who*7 + n*3) % len(actions)
				note := fmt.Sprintf("%d-%d", who, n)
				body := bodies[k]
				if strings.Contains(body, "%d") {
					body = fmt.Sprintf(body, who*100+n)
				}
				body = strings.TrimSuffix(fmt.Sprintf(`{"note": %q, %s`, note, body), ", ") + "}"
				code, answer := call(t, http.MethodPost, h.url+"/v1/incidents/"+id+"/"+actions[k], annas, body)
				switch code {
				case http.StatusOK:
					mu.Lock()
					done[note] = strings.ReplaceAll(actions[k], "-", "_")
					mu.Unlock()
				case http.StatusConflict: // it cannot be done now
				default:
					t.Errorf("%s: %d: %s", actions[k], code, answer)
				}
			}
		})
	}
	all.Wait()
	_, answer := call(t, http.MethodGet, h.url+"/v1/incidents/"+id, annas, "")
	var one struct{ Incident incident.Incident }
	if err := json.Unmarshal([]byte(answer), &one); err != nil {
		t.Fatal(err)
	}
	for _, a := range one.Incident.Audit[1:] {
		if done[a.Note] != string(a.Action) || a.Who != "anna" || a.At.IsZero() {
			t.Errorf("the trail has %+v, which is %q", a, done[a.Note])
		}
		delete(done, a.Note)
	}
	if len(done) > 0 {
		t.Errorf("the trail has nothing of %v", done)
	}
	ids := map[string]bool{}
	for _, u := range one.Incident.Updates {
		if ids[u.ID] {
			t.Errorf("two updates have the id %s", u.ID)
		}
		ids[u.ID] = true
	}
	t.Logf("%d edits were carried out, %d updates said", len(one.Incident.Audit), len(one.Incident.Updates))
}

// TestHold: what waits for a person is on-call's alone, and stays so where the person
// says so; who thinks otherwise publishes it.
func TestHold(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	p.Hold = true
	h := p.start(t)
	agents := startFleet(t, p.NATS).warm()
	agents.down.Store(true)
	asked := waitAlert(t, h.url, "approval.needed")
	if asked.Incident == nil || len(asked.Incident.Withheld) == 0 {
		t.Fatalf("%+v", asked)
	}
	one := h.url + "/v1/incidents/" + asked.Incident.ID
	hidden := func(when string) {
		t.Helper()
		if s, ok := readSummary(t, h.url); !ok || len(s.Incidents) != 0 || s.Status.Indicator != "none" {
			t.Errorf("%s the page has %+v", when, s)
		}
		if _, code := get(t, h.url+"/incidents/"+asked.Incident.ID); code != http.StatusNotFound {
			t.Errorf("%s the incident's page answers %d", when, code)
		}
	}
	hidden("while it waits")
	in := must(t, one+"/keep", `{"note": "a rehearsal"}`)
	if a := in.Audit[len(in.Audit)-1]; in.Frozen || len(in.Waiting()) != 0 || a.Who != "anna" || a.Note != "a rehearsal" || a.Action != incident.ActionKeep {
		t.Errorf("%+v", in)
	}
	waitAlert(t, h.url, "approval.over")
	hidden("kept,")
	if code, answer := call(t, http.MethodPost, one+"/keep", annas, ""); code != http.StatusConflict || !strings.Contains(answer, "nothing of it waits") {
		t.Errorf("twice: %d: %s", code, answer)
	}
	if in = must(t, one+"/publish", `{"note": "it is none"}`); !in.Public || len(in.Withheld) != 0 {
		t.Errorf("%+v", in)
	}
	waitIncident(t, h.url)
	agents.down.Store(false)
	waitResolved(t, h.url)
}
