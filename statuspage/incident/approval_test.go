package incident

import (
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
