package incident

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

func TestApril(t *testing.T) {
	t.Parallel()
	f := newFleet(t, nil)
	f.run(20 * time.Second)
	f.step(Input{Change: &Change{ID: "deploy-1", Summary: "media server 4.2", Source: "ci"}})
	f.run(2 * time.Second)
	start := f.now
	f.broken = between(start, start.Add(25*time.Second), faults{
		ingest: everywhere(prober.StageIngest), playback: everywhere(prober.StageConnect), api: true,
	})
	f.run(2 * time.Minute)

	if d := f.opened().At.Sub(start); d > 4*time.Second {
		t.Errorf("opened after %v", d)
	}
	in := f.last()
	if in.Phase != Resolved || in.Impact != ImpactCritical || !in.Public {
		t.Errorf("ended as %s, %s, public %v", in.Phase, in.Impact, in.Public)
	}
	said := ""
	for _, u := range in.Updates {
		t.Logf("%s %s %q", u.At.Sub(start), u.Phase, u.Body)
		said += u.Body + "\n"
	}
	for _, want := range []string{"Running broadcasts dropped in all regions", "New streams cannot be created", "Playback is failing in all regions"} {
		if !strings.Contains(said, want) {
			t.Errorf("no update says %q", want)
		}
	}
	if got, want := len(in.Components), 7; got != want {
		t.Errorf("%d components, want %d: %v", got, want, in.Components)
	}
	if len(in.Changes) != 1 || strings.Contains(said, "4.2") {
		t.Errorf("changes %v; they are for on-call only", in.Changes)
	}
	if n := len(f.of(IncidentResolved)); n != 1 {
		t.Errorf("resolved %d times", n)
	}
	for _, c := range f.policy.View(f.state).Components {
		if c.Status != Operational || !c.UnknownSince.IsZero() {
			t.Errorf("component %s is %s, unknown since %v", c.ID, c.Status, c.UnknownSince)
		}
	}
}

func TestScenarios(t *testing.T) {
	t.Parallel()
	fra := func(s prober.Stage) map[string]prober.Stage { return map[string]prober.Stage{"fra": s} }
	tests := []struct {
		name       string
		faults     faults
		within     time.Duration // 0: nothing public may happen
		components []string
		status     Status
		impact     Impact
		title      string
	}{
		{name: "restart of one region", within: 15 * time.Second,
			faults:     faults{ingest: fra(prober.StageIngest), playback: fra(prober.StageConnect)},
			components: []string{"ingest-fra", "playback-fra"}, status: MajorOutage, impact: ImpactMajor, title: "Live streaming outage in Frankfurt"},
		{name: "new broadcasts refused everywhere", within: 15 * time.Second,
			faults:     faults{golive: everywhere(prober.StagePublish)},
			components: []string{"ingest-fra", "ingest-nyc", "ingest-sin"}, status: PartialOutage, impact: ImpactMajor, title: "New broadcasts cannot start in any region"},
		{name: "new broadcasts refused in one region", within: 20 * time.Second,
			faults:     faults{golive: fra(prober.StagePublish)},
			components: []string{"ingest-fra"}, status: PartialOutage, impact: ImpactMinor, title: "New broadcasts cannot start in Frankfurt"},
		{name: "running broadcasts drop", within: 4 * time.Second,
			faults:     faults{ingest: everywhere(prober.StageIngest)},
			components: []string{"ingest-fra", "ingest-nyc", "ingest-sin"}, status: MajorOutage, impact: ImpactCritical, title: "Live streaming outage in all regions"},
		{name: "one playback frozen", within: 20 * time.Second,
			faults:     faults{playback: fra(prober.StageManifest)},
			components: []string{"playback-fra"}, status: MajorOutage, impact: ImpactMajor, title: "Playback is failing in Frankfurt"},
		{name: "playback unreachable everywhere", within: 20 * time.Second,
			faults:     faults{playback: everywhere(prober.StageConnect)},
			components: []string{"playback-fra", "playback-nyc", "playback-sin"}, status: MajorOutage, impact: ImpactCritical, title: "Playback is failing in all regions"},
		{name: "nothing comes out", within: 20 * time.Second,
			faults:     faults{relay: true},
			components: []string{"playback-fra", "playback-nyc", "playback-sin"}, status: MajorOutage, impact: ImpactCritical, title: "Broadcasts are accepted but do not play"},
		{name: "API down", within: 20 * time.Second,
			faults: faults{api: true}, components: []string{"api"}, status: MajorOutage, impact: ImpactMajor, title: "New streams cannot be created"},
		{name: "one agent cut off from everything", faults: faults{cutOff: map[string]bool{"agent-fra": true}}},
		{name: "one agent sick", faults: faults{sick: map[string]bool{"agent-fra": true}}},
		{name: "one agent silent", faults: faults{silent: map[string]bool{"agent-fra": true}}},
		{name: "two agents sick", faults: faults{sick: map[string]bool{"agent-fra": true, "agent-nyc": true}}},
		{name: "every agent sick", faults: faults{sick: map[string]bool{"agent-fra": true, "agent-nyc": true, "agent-sin": true}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, nil)
			f.run(20 * time.Second)
			start := f.now
			f.broken = between(start, start.Add(time.Minute), tt.faults)
			f.run(time.Minute)
			if tt.within == 0 {
				f.nothingPublic()
				f.run(time.Minute)
				f.nothingPublic()
				return
			}
			if d := f.opened().At.Sub(start); d > tt.within {
				t.Errorf("opened after %v, want %v", d, tt.within)
			}
			in := f.last()
			if in.Name != tt.title || in.Impact != tt.impact {
				t.Errorf("%q, %s; want %q, %s", in.Name, in.Impact, tt.title, tt.impact)
			}
			if got := slices.Sorted(slices.Values(in.Components)); !slices.Equal(got, tt.components) {
				t.Errorf("components %v, want %v", got, tt.components)
			}
			for _, c := range f.policy.View(f.state).Components {
				want := Operational
				if slices.Contains(tt.components, c.ID) {
					want = tt.status
				}
				if c.Status != want {
					t.Errorf("%s is %s, want %s", c.ID, c.Status, want)
				}
			}
			f.run(time.Minute)
			if in = f.last(); in.Phase != Resolved || len(f.of(IncidentResolved)) != 1 {
				t.Errorf("after the fault: %s", in.Phase)
			}
			for i, u := range in.Updates[1:] {
				if last := in.Updates[i]; u.Phase == last.Phase && news(last.Body) == news(u.Body) {
					t.Errorf("update %d says nothing new: %q", i+1, u.Body)
				}
			}
			f.run(5 * time.Minute)
			f.opened()
		})
	}
}

func TestAgentsAreToldToOnCall(t *testing.T) {
	t.Parallel()
	all := map[string]bool{"agent-fra": true, "agent-nyc": true, "agent-sin": true}
	one := map[string]bool{"agent-nyc": true}
	tests := []struct {
		name   string
		faults faults
		want   map[EventType]int
	}{
		{"silent", faults{silent: one}, map[EventType]int{AgentSilent: 1, AgentRecovered: 1}},
		{"sick", faults{sick: one}, map[EventType]int{AgentSick: 1, AgentRecovered: 1}},
		{"cut off", faults{cutOff: one}, map[EventType]int{AgentContradicted: 1, AgentRecovered: 1}},
		{"no agent at all", faults{silent: all}, map[EventType]int{AgentSilent: 3, NoAgents: 1, AgentRecovered: 3, AgentsBack: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, nil)
			f.run(20 * time.Second)
			f.broken = between(f.now, f.now.Add(2*time.Minute), tt.faults)
			f.run(4 * time.Minute)
			got := map[EventType]int{}
			for _, e := range f.events {
				if e.Type != ProbeRequested {
					got[e.Type]++
				}
			}
			if !maps.Equal(got, tt.want) {
				t.Errorf("told %v, want %v", got, tt.want)
			}
		})
	}
}

func TestUnknownIsNotGood(t *testing.T) {
	t.Parallel()
	f := newFleet(t, nil)
	f.run(20 * time.Second)
	f.broken = func(time.Time) faults {
		return faults{silent: map[string]bool{"agent-fra": true, "agent-nyc": true, "agent-sin": true}}
	}
	heard := f.now
	f.run(3 * time.Minute)
	f.step(Input{}) // the hub's own look at the clock
	for _, c := range f.policy.View(f.state).Components {
		if c.UnknownSince.IsZero() || c.UnknownSince.After(heard.Add(10*time.Second)) {
			t.Errorf("%s: unknown since %v, last heard about %v", c.ID, c.UnknownSince, heard)
		}
		if c.Status != Operational {
			t.Errorf("%s: silence made it %s", c.ID, c.Status)
		}
	}
}

func TestNoDataNeverResolves(t *testing.T) {
	t.Parallel()
	f := newFleet(t, nil)
	f.run(20 * time.Second)
	start := f.now
	f.broken = func(at time.Time) faults {
		if at.Before(start.Add(20 * time.Second)) {
			return faults{ingest: everywhere(prober.StageIngest)}
		}
		return faults{silent: map[string]bool{"agent-fra": true, "agent-nyc": true}}
	}
	f.run(10 * time.Minute)
	if in := f.last(); in.Phase == Resolved {
		t.Error("one site alone resolved it")
	}
	if n := len(f.of(QuorumLost)); n != 1 {
		t.Errorf("on-call was told %d times that too few sites are left", n)
	}
	f.broken = func(time.Time) faults { return faults{} }
	f.run(2 * time.Minute)
	if in := f.last(); in.Phase != Resolved {
		t.Errorf("with all sites back: %s", in.Phase)
	}
}

func TestRelapseIsTheSameIncident(t *testing.T) {
	t.Parallel()
	f := newFleet(t, func(s *Settings) { s.Hold = time.Minute })
	f.run(20 * time.Second)
	start := f.now
	f.broken = func(at time.Time) faults {
		since := at.Sub(start)
		if since < 20*time.Second || since > 80*time.Second && since < 100*time.Second {
			return faults{ingest: everywhere(prober.StageIngest)}
		}
		return faults{}
	}
	f.run(4 * time.Minute)
	in := f.last()
	var phases []Phase
	for _, u := range in.Updates {
		phases = append(phases, u.Phase)
	}
	if got := slices.Compact(phases); !slices.Equal(got, []Phase{Investigating, Monitoring, Investigating, Monitoring, Resolved}) {
		t.Errorf("phases %v", got)
	}
}

func TestApartInTimeIsAnotherIncident(t *testing.T) {
	t.Parallel()
	f := newFleet(t, nil)
	f.run(20 * time.Second)
	start := f.now
	f.broken = func(at time.Time) faults {
		b := faults{golive: map[string]prober.Stage{}, playback: map[string]prober.Stage{}}
		if since := at.Sub(start); since < 5*time.Minute {
			b.golive["fra"] = prober.StagePublish
			if since > 3*time.Minute {
				b.playback["sin"] = prober.StageManifest
			}
		}
		return b
	}
	f.run(8 * time.Minute)
	if got := titles(f.of(IncidentOpened)); !slices.Equal(got, []string{"New broadcasts cannot start in Frankfurt", "Playback is failing in Singapore"}) {
		t.Errorf("opened %v", got)
	}
	if n := len(f.of(IncidentResolved)); n != 2 {
		t.Errorf("%d resolved", n)
	}
}

// One sick pusher must not make healthy pullers speak against the platform.
func TestForeignBroadcastNobodySeesIsItsPushers(t *testing.T) {
	t.Parallel()
	f := newFleet(t, nil)
	f.run(20 * time.Second)
	for range 60 {
		for _, puller := range []string{"agent-nyc", "agent-sin"} {
			f.round++
			for _, in := range regions {
				f.send(f.now, faults{}, prober.Result{
					Agent: puller, Pusher: "agent-fra", Kind: prober.KindPlayback, Ingest: in, Playback: "fra", Run: "sick" + in,
					Round: "s" + time.Duration(f.round).String(), RoundOf: 3,
					Outcome: prober.Fail, Stage: prober.StageMedia, Reason: prober.ReasonNoMarker,
				})
			}
		}
		f.run(2 * time.Second)
	}
	f.nothingPublic()
	for key, sum := range f.state.Sums {
		for _, id := range []string{"site-nyc", "site-sin"} {
			if s := sum.Sites[id]; s != nil && s.W > 0 {
				t.Errorf("%s: %s speaks against the platform (%d)", key, id, s.W)
			}
		}
	}
	alone := map[string]int{}
	for _, e := range f.events {
		if e.Type == AgentContradicted {
			alone[e.Agent]++
		}
	}
	if fmt.Sprint(alone) != "map[agent-fra:1]" {
		t.Errorf("on-call is told of %v, want its pusher", alone)
	}
}

func TestNoiseOpensNothing(t *testing.T) {
	t.Parallel()
	f := newFleet(t, nil)
	f.noise = .03
	f.run(time.Hour) // years are simulated in TestRates
	f.nothingPublic()
}

func TestSameInputsSameBytes(t *testing.T) {
	t.Parallel()
	f := newFleet(t, nil)
	f.noise = .02
	f.run(20 * time.Second)
	f.broken = between(f.now, f.now.Add(20*time.Second), faults{ingest: everywhere(prober.StageIngest), playback: everywhere(prober.StageConnect)})
	f.run(2 * time.Minute)
	want, err := f.state.Encode()
	if err != nil {
		t.Fatal(err)
	}
	state := NewState()
	var ids []string
	for i, in := range f.inputs {
		if i%97 == 0 { // as a hub that is killed and starts again from its store
			b, err := state.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if state, err = DecodeState(b); err != nil {
				t.Fatal(err)
			}
		}
		var events []Event
		state, events = f.policy.Step(state, in)
		for _, e := range events {
			ids = append(ids, e.ID)
		}
		again, none := f.policy.Step(state, in)
		if state = again; len(none) > 0 {
			t.Fatalf("input %d, given twice, decided twice", i)
		}
	}
	got, err := state.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("a replay gave another state")
	}
	var first []string
	for _, e := range f.events {
		first = append(first, e.ID)
	}
	if !slices.Equal(ids, first) {
		t.Error("a replay gave other events")
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != len(first) {
		t.Error("two events share an id")
	}
}

const contradiction = "a stage that its path does not have"

// A clock that is far ahead is told; by its age the result counts all the same.
func TestAnAgentsClockAhead(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.every(20, func(_, i int) {
		r.round++
		stage := prober.Stage("")
		if r.round > 9 {
			stage = prober.StageIngest
		}
		r.result(prober.Result{Agent: fmt.Sprintf("a%d", i), Kind: prober.KindCanary, Ingest: regions[0], Round: fmt.Sprint(r.round), RoundOf: 1, Ended: r.now.Add(time.Hour)}, stage)
	})
	if n := r.count(ResultRefused); n != 1 || r.state.Refused["clock ahead"] != 60 {
		t.Errorf("told %d times, counted %d", n, r.state.Refused["clock ahead"])
	}
	if r.count(IncidentOpened) != 1 {
		t.Error("nothing opened")
	}
}

func TestRefusedResults(t *testing.T) {
	t.Parallel()
	good := prober.Result{Agent: "agent-fra", Boot: "b", Seq: 1, Kind: prober.KindCanary, Target: "live", Ingest: "fra", Outcome: prober.Fail, Stage: prober.StageIngest, Control: prober.ControlPass, Round: "1", RoundOf: 1}
	tests := []struct {
		name   string
		change func(*prober.Result)
		cause  string
	}{
		{"unknown agent", func(r *prober.Result) { r.Agent = "mallory" }, "unknown agent"},
		{"unknown target", func(r *prober.Result) { r.Target = "other" }, "unknown target"},
		{"unknown ingest", func(r *prober.Result) { r.Ingest = "mars" }, "unknown ingest"},
		{"unknown playback", func(r *prober.Result) { r.Playback = "mars" }, "unknown playback"},
		{"unknown kind", func(r *prober.Result) { r.Kind = "vibes" }, "unknown kind"},
		{"a playback of nothing", func(r *prober.Result) { r.Ingest, r.Kind, r.Stage = "", prober.KindPlayback, prober.StageConnect }, "neither an ingest nor a playback"},
		{"a canary of nothing", func(r *prober.Result) { r.Ingest, r.Stage = "", prober.StageProvision }, "neither an ingest nor a playback"},
		{"from the future", func(r *prober.Result) { r.Age = -time.Hour }, "negative age"},
		{"from an hour ago", func(r *prober.Result) { r.Age = time.Hour }, ""},
		{"from last week", func(r *prober.Result) { r.Age = 7 * 24 * time.Hour }, "older than a day"},
		{"a push that fails in a playlist", func(r *prober.Result) { r.Stage = prober.StageManifest }, contradiction},
		{"a push that fails in its recording", func(r *prober.Result) { r.Stage = prober.StageRecording }, contradiction},
		{"a playback that fails to publish", func(r *prober.Result) { r.Playback, r.Kind = "fra", prober.KindPlayback }, contradiction},
		{"an API that fails in a segment", func(r *prober.Result) { r.Ingest, r.Kind, r.Stage = "", prober.KindAPI, prober.StageSegment }, contradiction},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, nil)
			for range 2 {
				r := good
				tt.change(&r)
				f.step(Input{Result: &r})
			}
			if len(f.state.Sums) > 0 {
				t.Error("it was weighed")
			}
			if tt.cause == "" {
				if f.state.Agents["agent-fra"].Late != 2 {
					t.Error("it was not counted as late")
				}
				return
			}
			if f.state.Refused[tt.cause] != 2 || len(f.of(ResultRefused)) != 1 {
				t.Errorf("refused %v, told %d times; want counted twice, told once", f.state.Refused, len(f.of(ResultRefused)))
			}
		})
	}
}

// A cause is told once a day: what goes on for weeks is not forgotten, what comes back
// after weeks is told at once, and a clock that is set back keeps nothing quiet.
func TestRefusedResultsAreToldAgain(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	r := newRig(t, 3, nil, nil)
	stranger := func(n int, every time.Duration) (told int) {
		t.Helper()
		before := r.count(ResultRefused)
		for range n {
			r.result(prober.Result{Agent: "mallory", Kind: prober.KindCanary, Ingest: regions[0]}, "")
			r.now = r.now.Add(every)
		}
		return r.count(ResultRefused) - before
	}
	if n := stranger(60, time.Minute); n != 1 {
		t.Errorf("in an hour: told %d times", n)
	}
	if n := stranger(6*24, time.Hour); n != 6 {
		t.Errorf("in the six days after: told %d times", n)
	}
	r.now = r.now.Add(30 * day)
	if n := stranger(60, time.Minute); n != 1 {
		t.Errorf("when it came back: told %d times", n)
	}
	r.now = r.now.Add(-300 * day)
	if n := stranger(50, time.Hour); n != 2 {
		t.Errorf("in the two days after the clock was set back: told %d times", n)
	}
	if n := len(r.state.RefusedTold); n != 1 || r.state.Refused["unknown agent"] != 60+6*24+60+50 {
		t.Errorf("%v, %v", r.state.RefusedTold, r.state.Refused)
	}
}

// news is a message without who saw it and what is promised.
func news(body string) string {
	var lines []string
	for line := range strings.SplitSeq(body, "\n") {
		if !strings.HasPrefix(line, "Seen by ") && !strings.HasPrefix(line, "Next update by ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
