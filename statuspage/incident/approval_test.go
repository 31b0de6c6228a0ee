package incident

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// kept is a topology in which components are published as given; others are auto.
func kept(how map[string]Publish) func(*Topology) {
	return func(top *Topology) {
		for i := range top.Components {
			if p, ok := how[top.Components[i].ID]; ok {
				top.Components[i].Publish = p
			}
		}
	}
}

// out is rounds in which the playbacks of these regions show nothing.
func (r *rig) out(n int, outs ...string) {
	r.every(n, func(_, i int) {
		r.canaries(i, nil)
		r.cells(i, prober.KindPlayback, at(outs))
	})
}

func at(outs []string) func(in, out string) prober.Stage {
	return func(_, out string) prober.Stage {
		if slices.Contains(outs, out) {
			return prober.StageManifest
		}
		return ""
	}
}

// dropped is rounds in which nothing can be pushed to these regions.
func (r *rig) dropped(n int, ins ...string) {
	fails := map[string]prober.Stage{}
	for _, in := range ins {
		fails[in] = prober.StageIngest
	}
	r.every(n, func(_, i int) { r.canaries(i, fails) })
}

// shown is all that the page would have of an incident in words.
func shown(in Incident) string {
	if !in.Public {
		return ""
	}
	text := in.Name + "\n"
	for _, u := range in.Updates {
		if u.Kept == "" {
			text += u.Body + "\n"
		}
	}
	return text
}

func keptSettings(s *Settings) { s.ApproveWithin, s.Hold = 0, time.Minute }

// TestWordsOfWhatIsKept: the words name what the page may show, and no more, before
// a person publishes it and after.
func TestWordsOfWhatIsKept(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		how                 map[string]Publish
		first, then         []string // regions without playback
		before, after       []string // in public words
		notBefore, notAfter []string
		impact              Impact // in the end
		dropped             bool   // what is pushed there, and not playback
	}{
		"hold and internal": {
			how:   map[string]Publish{"playback-fra": PublishHold, "playback-sin": PublishInternal},
			first: []string{"fra", "sin"}, then: []string{"fra", "sin"},
			after: []string{"Frankfurt"}, notBefore: []string{"Frankfurt", "Singapore"}, notAfter: []string{"Singapore"}, impact: ImpactMajor,
		},
		"internal, and then hold": {
			how:   map[string]Publish{"playback-fra": PublishHold, "playback-sin": PublishInternal},
			first: []string{"sin"}, then: []string{"fra", "sin"},
			after: []string{"Frankfurt"}, notBefore: []string{"Frankfurt", "Singapore"}, notAfter: []string{"Singapore"}, impact: ImpactMajor,
		},
		"auto and hold": {
			how:   map[string]Publish{"playback-fra": PublishHold},
			first: []string{"fra", "sin"}, then: []string{"fra", "sin"},
			before: []string{"Singapore"}, notBefore: []string{"Frankfurt"}, after: []string{"Frankfurt", "Singapore"}, impact: ImpactMajor,
		},
		"hold, and then auto": {
			how:   map[string]Publish{"playback-fra": PublishHold},
			first: []string{"fra"}, then: []string{"fra", "sin"},
			before: []string{"Singapore"}, notBefore: []string{"Frankfurt"}, after: []string{"Frankfurt", "Singapore"}, impact: ImpactMajor,
		},
		"all of them": {
			dropped: true,
			how:     map[string]Publish{"ingest-fra": PublishHold, "ingest-sin": PublishInternal},
			first:   []string{"fra", "sin", "nyc"}, then: []string{"fra", "sin", "nyc"},
			before: []string{"New York"}, notBefore: []string{"Frankfurt", "Singapore", "all regions"},
			after: []string{"Frankfurt and New York"}, notAfter: []string{"Singapore", "all regions"}, impact: ImpactMinor,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 3, kept(test.how), keptSettings)
			fail := r.out
			if test.dropped {
				fail = r.dropped
			}
			r.warm()
			fail(10, test.first...)
			fail(15, test.then...)
			if n := len(r.state.Incidents); n != 1 {
				t.Fatalf("%d incidents, want one", n)
			}
			id := r.state.Incidents[0].Incident.ID
			look := func(when string, in Incident, has, hasNot []string) {
				text := shown(in)
				for _, w := range has {
					if !strings.Contains(text, w) {
						t.Errorf("%s it does not say %s:\n%s", when, w, text)
					}
				}
				for _, w := range hasNot {
					if strings.Contains(text, w) {
						t.Errorf("%s it says %s:\n%s", when, w, text)
					}
				}
			}
			in := r.incident(id)
			look("withheld,", in, test.before, test.notBefore)
			if in.Public && in.Impact != test.impact {
				t.Errorf("its impact counts what is withheld: %s", in.Impact)
			}
			r.must(Command{Action: ActionPublish, Incident: id})
			in = r.incident(id)
			look("published,", in, test.after, test.notAfter)
			for _, w := range test.after {
				if !strings.Contains(in.Name, w) || !strings.Contains(in.Updates[len(in.Updates)-1].Body, w) {
					t.Errorf("its title and its newest words do not say %s:\n%s", w, shown(in))
				}
			}
			if in.Impact != test.impact || in.Frozen {
				t.Errorf("its impact is %s, want %s; frozen: %t", in.Impact, test.impact, in.Frozen)
			}
			r.up(60)
			look("at the end", r.incident(id), test.after, test.notAfter)
			if n := r.count(IncidentResolved); n != 1 {
				t.Errorf("%d resolved", n)
			}
		})
	}
}

// TestKeep: what a person keeps from the page stays from it, and resolves by itself;
// nobody is asked again until more of it would have to wait.
func TestKeep(t *testing.T) {
	t.Parallel()
	settings := func(s *Settings) {
		s.ApproveWithin, s.Unapproved, s.Hold, s.JoinWindow = time.Minute, UnapprovedPublish, time.Minute, time.Hour
	}
	r := newRig(t, 3, kept(map[string]Publish{"playback-fra": PublishHold, "playback-nyc": PublishHold}), settings)
	r.warm()
	r.out(10, "fra")
	id := r.state.Incidents[0].Incident.ID
	if e := r.last(ApprovalNeeded); e == nil || !strings.Contains(e.Summary, "keep "+id) {
		t.Errorf("on-call does not learn of it: %+v", e)
	}
	if o := r.do(Command{Action: ActionKeep, Incident: id, Message: "A word."}); o.Refused != RefusedInvalid {
		t.Errorf("with a message: %+v", o)
	}
	r.must(Command{Action: ActionKeep, Incident: id, Note: "a rehearsal"})
	line := Audited{At: r.now, Command: fmt.Sprintf("c%d", r.seq), Who: "anna", Action: ActionKeep, Note: "a rehearsal", Before: "withheld", After: "kept from the page: playback-fra"}
	if in := r.incident(id); in.Frozen || len(in.Audit) != 1 || in.Audit[0] != line || len(in.Waiting()) != 0 || r.last(IncidentNoted) == nil {
		t.Errorf("%+v", in)
	}
	if e := r.last(ApprovalOver); e == nil || !strings.HasPrefix(e.Summary, "anna keeps it from the page") || r.count(ApprovalNeeded) != 1 {
		t.Errorf("%+v", e)
	}
	if o := r.do(Command{Action: ActionKeep, Incident: id}); o.Refused != RefusedConflict || o.Reason != "nothing of it waits to be published" {
		t.Errorf("twice: %+v", o)
	}
	r.out(100, "fra")
	if in := r.incident(id); in.Public || r.state.Components["playback-fra"].Status != Operational || r.count(ApprovalNeeded)+r.count(ApprovalOverdue) != 1 {
		t.Errorf("nobody published it: %+v", in)
	}

	r.out(10, "fra", "nyc")
	if in := r.incident(id); r.count(ApprovalNeeded) != 2 || !slices.Equal(in.Waiting(), []string{"playback-nyc"}) {
		t.Errorf("when it spread, on-call was asked %d times: %+v", r.count(ApprovalNeeded), in)
	}
	r.must(Command{Action: ActionKeep, Incident: id})
	r.up(60)
	if in := r.incident(id); in.Phase != Resolved || in.Public || r.count(ApprovalNeeded) != r.count(ApprovalOver) {
		t.Errorf("at the end: %+v", in)
	}

	// A person may come to think otherwise.
	r.out(10, "fra")
	id = r.state.Incidents[0].Incident.ID
	r.must(Command{Action: ActionKeep, Incident: id})
	r.must(Command{Action: ActionPublish, Incident: id})
	if in := r.incident(id); !in.Public || len(in.Withheld)+len(in.KeptBack) != 0 || r.state.Components["playback-fra"].Status != MajorOutage {
		t.Errorf("published: %+v", in)
	}
}

// TestKeepIsMerged: in a merge, what was kept stays so, but for what the other one
// still asks of.
func TestKeepIsMerged(t *testing.T) {
	t.Parallel()
	for name, keepBoth := range map[string]bool{"one was kept": false, "both were": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 3, kept(map[string]Publish{"playback-fra": PublishHold, "ingest-sin": PublishHold}), nil)
			r.warm()
			r.out(10, "fra")
			r.pass(2 * time.Minute)
			r.dropped(10, "sin")
			if n := len(r.state.Incidents); n != 2 {
				t.Fatalf("%d incidents, want two", n)
			}
			from, into := r.state.Incidents[0].Incident.ID, r.state.Incidents[1].Incident.ID
			r.must(Command{Action: ActionKeep, Incident: from})
			if keepBoth {
				r.must(Command{Action: ActionKeep, Incident: into})
			}
			r.must(Command{Action: ActionMerge, Incident: from, Into: into})
			in := r.incident(into)
			asks, want := r.count(ApprovalNeeded)-r.count(ApprovalOver), 1
			if keepBoth {
				want = 0
			}
			if asks != want || len(in.Waiting()) != want || len(in.Withheld) != 2 || in.Public {
				t.Errorf("%d questions are open, want %d: withheld %v, kept %v", asks, want, in.Withheld, in.KeptBack)
			}
		})
	}
}
