package incident

import (
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

const causeUnknownWords = "What our tests see does not tell where the cause lies."

// TestPlaces breaks a platform, and reads where the engine says that it lies. The
// public is told at most that this is not known.
func TestPlaces(t *testing.T) {
	t.Parallel()
	one := func(id string, s prober.Stage) map[string]prober.Stage { return map[string]prober.Stage{id: s} }
	everything := faults{ingest: everywhere(prober.StageIngest), playback: everywhere(prober.StageConnect), api: true}
	for _, tt := range []struct {
		name   string
		faults faults
		place  Place
		words  string
	}{
		{"the API", faults{api: true}, PlaceAPI, "the API"},
		{"an ingest", faults{ingest: one("fra", prober.StageIngest)}, PlaceIngest, "ingest fra"},
		{"two ingests", faults{golive: map[string]prober.Stage{"fra": prober.StagePublish, "sin": prober.StagePublish}}, PlaceIngest, "ingest fra, sin"},
		{"ingest everywhere", faults{golive: everywhere(prober.StagePublish)}, PlaceIngest, "every ingest"},
		{"a playback", faults{playback: one("nyc", prober.StageManifest)}, PlacePlayback, "playback nyc"},
		{"playback everywhere", faults{playback: everywhere(prober.StageConnect)}, PlacePlayback, "every playback"},
		{"nothing comes out", faults{relay: true}, PlaceCore, "the core"},
		{"a region", faults{ingest: one("fra", prober.StageIngest), playback: one("fra", prober.StageConnect)}, PlaceRegion, "region fra"},
		{"everything", everything, PlaceEverywhere, "everywhere"},
		{"the core, and a playback that cannot be reached", faults{relay: true, playback: one("fra", prober.StageConnect)}, PlaceUnknown,
			"cause unknown: the core and playback fra failed, and what was seen does not separate them"},
		{"the API and an ingest", faults{api: true, ingest: one("fra", prober.StageIngest)}, PlaceUnknown,
			"cause unknown: the API and ingest fra failed, and what was seen does not separate them"},
		{"every playback and an ingest", faults{golive: one("fra", prober.StagePublish), playback: everywhere(prober.StageConnect)}, PlaceUnknown,
			"cause unknown: ingest fra and every playback failed, and what was seen does not separate them"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, nil)
			f.run(20 * time.Second)
			f.broken = between(f.now, f.now.Add(time.Minute), tt.faults)
			f.run(50 * time.Second)
			open := f.policy.View(f.state).Incidents
			if len(open) != 1 {
				t.Fatalf("%d incidents are open", len(open))
			}
			if got := open[0].Cause; got.Place != tt.place || got.Words != tt.words {
				t.Errorf("it lies in %s: %q; want %s: %q", got.Place, got.Words, tt.place, tt.words)
			}
			said := open[0].Updates[len(open[0].Updates)-1].Body
			if strings.Contains(said, causeUnknownWords) != (tt.place == PlaceUnknown) {
				t.Errorf("the public is told %q", said)
			}
			f.run(2 * time.Minute)
			in := f.last()
			if in.Phase != Resolved || in.Cause.Words != tt.words {
				t.Errorf("%s, and it lay in %+v", in.Phase, in.Cause)
			}
			for _, u := range in.Updates {
				if u.Phase != Investigating && strings.Contains(u.Body, causeUnknownWords) {
					t.Errorf("it says so when it is over: %q", u.Body)
				}
			}
		})
	}
}

// What is not public says nothing in public words, though on-call has it.
func TestUnknownCauseIsOfWhatIsTold(t *testing.T) {
	t.Parallel()
	f := newFleet(t, nil)
	top := topology()
	for i := range top.Components {
		if top.Components[i].ID == "api" {
			top.Components[i].Publish = PublishInternal
		}
	}
	p, err := NewPolicy(f.policy.settings, top)
	if err != nil {
		t.Fatal(err)
	}
	f.policy = p
	f.run(20 * time.Second)
	f.broken = between(f.now, f.now.Add(time.Minute), faults{api: true, ingest: map[string]prober.Stage{"fra": prober.StageIngest}})
	f.run(50 * time.Second)
	open := f.policy.View(f.state).Incidents
	if len(open) != 1 || open[0].Cause.Place != PlaceUnknown {
		t.Fatalf("%+v", open)
	}
	for _, u := range open[0].Updates {
		if u.Kept == "" && strings.Contains(u.Body, causeUnknownWords) {
			t.Errorf("the public is told of what is internal: %q", u.Body)
		}
	}
}

// An incident that a person opened, and that no test saw, lies nowhere; what only
// plays badly says nothing beside what does not play.
func TestPlaceOfLittle(t *testing.T) {
	t.Parallel()
	p, err := NewPolicy(DefaultSettings(), topology())
	if err != nil {
		t.Fatal(err)
	}
	s := NewState()
	x := turn{Policy: p, s: &s}
	out, badly := Failure{Element: playback("live", "fra"), Kind: prober.KindPlayback}, Failure{Element: core("live"), Kind: KindQuality}
	for _, tt := range []struct {
		failures []Failure
		want     Cause
	}{
		{nil, Cause{}},
		{[]Failure{badly}, Cause{PlaceCore, "the core"}},
		{[]Failure{out, badly}, Cause{PlacePlayback, "playback fra"}},
		{[]Failure{{Element: playback("live", "gone"), Kind: prober.KindPlayback}}, Cause{}},
	} {
		if got := x.cause(topology().Targets[0], tt.failures); got != tt.want {
			t.Errorf("%+v: %+v, want %+v", tt.failures, got, tt.want)
		}
	}
}
