package incident

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// messagesOf gives the messages of the newest incident, oldest first.
func messagesOf(in *Incident) string {
	var b strings.Builder
	for _, u := range in.Updates {
		fmt.Fprintf(&b, "[%s, %s]\n%s\n\n", u.At.Format("15:04:05"), u.Phase, u.Body)
	}
	return b.String()
}

func lastIncident(t *testing.T, events []Event) *Incident {
	t.Helper()
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].Incident != nil {
			return events[i].Incident
		}
	}
	t.Fatal("nothing was said of any incident")
	return nil
}

// TestMessages holds what the page says, from the first word to the last, to texts
// that a person has read.
func TestMessages(t *testing.T) {
	t.Parallel()
	frankfurt := map[string]bool{"fra": true}
	all := map[string]bool{"fra": true, "nyc": true, "sin": true}
	for _, tt := range []struct {
		name string
		dead map[string]bool
		of   string
		long time.Duration
	}{
		{"playback_of_one_region", frankfurt, "playback", time.Minute},
		{"playback_of_all_regions", all, "playback", time.Minute},
		{"ingest_of_one_region", frankfurt, "ingest", time.Minute},
		{"an_hour_of_one_playback", frankfurt, "playback", 65 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 3, nil, func(s *Settings) { s.Hold = 2 * time.Minute })
			r.wordsRounds(10*time.Second, nil, "")
			r.wordsRounds(tt.long, tt.dead, tt.of)
			r.wordsRounds(4*time.Minute, nil, "")
			in := lastIncident(t, r.events)
			if in.Phase != Resolved {
				t.Fatalf("it is %s", in.Phase)
			}
			golden(t, "words."+tt.name+".txt", in.Name+"\n\n"+messagesOf(in))
			promisesKept(t, in)
		})
	}
}

// wordsRounds lets rounds pass, two seconds apart, in which endpoints are dead.
func (r *rig) wordsRounds(d time.Duration, dead map[string]bool, of string) {
	for end := r.now.Add(d); r.now.Before(end); {
		for agent := range 3 {
			if of == "ingest" {
				fails := map[string]prober.Stage{}
				for in := range dead {
					fails[in] = prober.StageConnect
				}
				r.canaries(agent, fails)
				continue
			}
			r.canaries(agent, nil)
			r.cells(agent, prober.KindPlayback, func(_, out string) prober.Stage {
				if dead[out] {
					return prober.StageManifest
				}
				return ""
			})
		}
		r.pass(2 * time.Second)
	}
}

// promisesKept: whoever was told that an update comes by then has one by then.
func promisesKept(t *testing.T, in *Incident) {
	t.Helper()
	for i, u := range in.Updates {
		_, promise, promised := strings.Cut(u.Body, "Next update by ")
		if !promised {
			if u.Phase != Resolved {
				t.Errorf("no update was promised: %q", u.Body)
			}
			continue
		}
		by, err := time.Parse("15:04 UTC.", promise)
		if err != nil {
			t.Fatal(err)
		}
		if i+1 == len(in.Updates) {
			t.Fatalf("an update was promised and none came: %q", u.Body)
		}
		if next := in.Updates[i+1].At; next.Format("15:04:05") > by.Format("15:04:05") {
			t.Errorf("promised by %s, and came at %s", by.Format("15:04"), next.Format("15:04:05"))
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *updateTable {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run with -update if it is meant:\n%s", path, got)
	}
}

// TestPromises: who freezes an incident, or mutes promises, gets what that means.
func TestPromises(t *testing.T) {
	t.Parallel()
	fra := map[string]bool{"fra": true}
	t.Run("frozen", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, 3, nil, nil)
		r.wordsRounds(10*time.Second, nil, "")
		r.wordsRounds(30*time.Second, fra, "playback")
		id := lastIncident(t, r.events).ID
		r.step(Input{Command: &Command{ID: "1", Who: "ann", Action: ActionFreeze, Incident: id}})
		r.wordsRounds(40*time.Minute, fra, "playback")
		waits := 0
		for _, e := range r.events {
			if e.Type == AutomationWaits && strings.Contains(e.Summary, "promised an update for now") {
				waits++
			}
		}
		if n := len(lastIncident(t, r.events).Updates); waits != 1 || n != 1 {
			t.Errorf("on-call was told %d times, and %d messages were published", waits, n)
		}
	})
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, 3, nil, func(s *Settings) { s.UpdateEvery = 0 })
		r.wordsRounds(10*time.Second, nil, "")
		r.wordsRounds(40*time.Minute, fra, "playback")
		if in := lastIncident(t, r.events); len(in.Updates) != 1 || strings.Contains(in.Updates[0].Body, "Next update") {
			t.Errorf("%s", messagesOf(in))
		}
	})
}

// TestOwnWords: an installation's templates are used, checked and bounded.
func TestOwnWords(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, func(s *Settings) {
		s.Words = Words{Opened: "{{.Name}}! {{(index .Failing 0).Whom}}, {{.Sites}}, {{.NextUpdate}}", Resolved: "Over.\x07\t \n"}
	})
	plain := newRig(t, 3, nil, nil)
	if r.policy.Hash() == plain.policy.Hash() {
		t.Error("the policy's hash does not cover its words")
	}
	r.wordsRounds(10*time.Second, nil, "")
	r.wordsRounds(30*time.Second, map[string]bool{"fra": true}, "playback")
	r.wordsRounds(4*time.Minute, nil, "")
	in := lastIncident(t, r.events)
	if got := in.Updates[0].Body; got != "Playback is failing in Frankfurt! viewers in Frankfurt, 3, 12:30 UTC" {
		t.Errorf("%q", got)
	}
	if got := in.Updates[len(in.Updates)-1].Body; got != "Over." {
		t.Errorf("%q", got)
	}
}

func TestWordsErrors(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		words Words
		want  string
	}{
		"syntax":  {Words{Opened: "a\nb {{if}}"}, "words.opened, line 2 of the template: missing value for if"},
		"field":   {Words{Updated: "\n\n{{.Cause}}"}, "words.updated, line 3 of the template: executing \"updated\" at <.Cause>: can't evaluate field Cause in type incident.Telling"},
		"func":    {Words{Unchanged: "{{env}}"}, "words.unchanged, line 1 of the template: function \"env\" not defined"},
		"index":   {Words{Opened: "{{index .Failing 1}}"}, "words.opened, line 1 of the template: executing \"opened\" at <index .Failing 1>: error calling index: reflect: slice index out of range"},
		"nothing": {Words{Resolved: "{{with .NextUpdate}}x{{end}}"}, "words.resolved says nothing at all of some incidents"},
		"long":    {Words{Monitoring: strings.Repeat("x", MaxMessage+1)}, "words.monitoring gives more than 5000 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			errs := tt.words.Check()
			if len(errs) != 1 || errs[0].Error() != tt.want {
				t.Errorf("%v, want %s", errs, tt.want)
			}
			s := DefaultSettings()
			s.Words = tt.words
			if _, err := NewPolicy(s, topology()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the policy says %v", err)
			}
		})
	}
}

// TestPhraseFallsBack: a template that fails over what no sample had gives way to
// the default, and what is too long is cut.
func TestPhraseFallsBack(t *testing.T) {
	t.Parallel()
	book, errs := Words{Opened: `{{if eq .Sites 7}}{{index .Failing 9}}{{end}}{{range .Failing}}{{.What}} {{end}}`}.compile()
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	tell := Telling{Failing: []Told{{What: "It fails", Since: "since noon"}}, FoundBy: foundByTests, Sites: 7}
	if got := book.phrase(opened, tell); got != "It fails, since noon.\nSeen by automated tests from 7 vantage points. We are investigating." {
		t.Errorf("%q", got)
	}
	tell.Sites = 1
	tell.Failing[0].What = strings.Repeat("ü", MaxMessage)
	if got := book.phrase(opened, tell); len(got) > MaxMessage || len(got) < MaxMessage-1 || strings.ContainsRune(got, '\ufffd') {
		t.Errorf("%d bytes", len(got))
	}
}

// FuzzWords: whatever stands in a template, checking it ends, and a message is
// plain text within its bounds.
func FuzzWords(f *testing.F) {
	for _, w := range DefaultWords().all() {
		f.Add(w.text)
	}
	for _, text := range []string{"", "{{", "{{.Name}}", "{{range .Failing}}{{.What}}{{end}}", "{{define \"x\"}}{{end}}", "\x00\xff", "{{index .Failing 5}}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "printf") || strings.Contains(text, "template") || strings.Contains(text, "range") && !strings.Contains(text, ".Failing") {
			return // an operator's own loops and widths
		}
		book, _ := Words{Opened: text}.compile()
		if book[opened].own == nil {
			return
		}
		got := book.phrase(opened, opened.samples()[1])
		if got == "" || len(got) > MaxMessage || strings.ContainsAny(got, "\x00\x07\x1b\r") {
			t.Errorf("%q", got)
		}
	})
}

// A partial recovery is an update of the same incident, once it has settled.
func TestPartialRecoveryIsAnUpdate(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	round := func(broken ...string) func(int, int) {
		return func(_, i int) {
			r.canaries(i, nil)
			for _, kind := range []prober.Kind{prober.KindPlayback, prober.KindGoLive} {
				r.cells(i, kind, func(_, out string) prober.Stage {
					if slices.Contains(broken, out) {
						return prober.StageManifest
					}
					return ""
				})
			}
		}
	}
	r.every(20, round(regions[0], regions[1]))
	if r.count(IncidentOpened) != 1 {
		t.Fatalf("%d incidents", r.count(IncidentOpened))
	}
	before, recovered := len(r.events), r.now
	r.every(40, round(regions[1]))
	var update *Event
	for i := range r.events[before:] {
		if e := &r.events[before+i]; e.Type == IncidentUpdated {
			update = e
			break
		}
	}
	if update == nil {
		t.Fatal("nothing was said")
	}
	settle := r.policy.Settings().RecoverySettle
	if after := update.At.Sub(recovered); after < 5*time.Second || after > settle+30*time.Second {
		t.Errorf("said after %v, want the recovery and %v", after, settle)
	}
	last := update.Incident.Updates[len(update.Incident.Updates)-1]
	if !strings.Contains(last.Body, "orking again") || update.Incident.Phase != Investigating || r.count(IncidentOpened) != 1 {
		t.Errorf("%s: %s", update.Incident.Phase, last.Body)
	}
	if r.state.Components["playback-"+regions[0]].Status != Operational || r.state.Components["playback-"+regions[1]].Status == Operational {
		t.Errorf("components %+v", r.state.Components)
	}
}
