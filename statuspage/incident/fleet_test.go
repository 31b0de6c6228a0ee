package incident

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"streamcanary/prober"
)

// fleet is a platform of three regions and an agent in each, simulated: it
// turns what is broken into the results that real agents would send, feeds them
// to the real Step, and starts the rounds that the engine asks for.
type fleet struct {
	t       *testing.T
	policy  Policy
	state   State
	events  []Event
	inputs  []Input
	now     time.Time
	rng     *rand.Rand
	queue   []timed // results on their way, by time
	agents  []string
	seq     map[string]uint64
	round   int
	journal uint64
	golive  time.Duration
	broken  func(at time.Time) faults
	noise   float64
}

type timed struct {
	at  time.Time
	seq uint64 // keeps the order of equals
	r   prober.Result
}

// faults is what is broken at a moment.
type faults struct {
	api      bool
	ingest   map[string]prober.Stage // by ingest: the stage at which every push fails
	golive   map[string]prober.Stage // by ingest: the stage at which only new ones fail
	playback map[string]prober.Stage // by playback
	relay    bool                    // nothing that is pushed comes out anywhere
	cutOff   map[string]bool         // agents that reach nothing but the hub
	sick     map[string]bool         // agents whose control fails, and which reach nothing
	silent   map[string]bool         // agents that are not heard
}

var regions = []string{"fra", "nyc", "sin"}

func topology() Topology {
	t := Topology{Installation: "test", Page: PageInfo{Name: "Example Video", URL: "https://status.example.video"}}
	target := Target{ID: "live", Name: "Live", HasAPI: true}
	names := map[string]string{"fra": "Frankfurt", "nyc": "New York", "sin": "Singapore"}
	for _, r := range regions {
		target.Regions = append(target.Regions, Region{ID: r, Name: names[r]})
		target.Ingests = append(target.Ingests, Endpoint{ID: r, Region: r})
		target.Playbacks = append(target.Playbacks, Endpoint{ID: r, Region: r})
		t.Sites = append(t.Sites, Site{ID: "site-" + r, Agents: []string{"agent-" + r}})
		t.Components = append(t.Components,
			Component{ID: "ingest-" + r, Name: "Ingest - " + names[r], Publish: PublishAuto, Elements: []prober.Element{ingest("live", r)}},
			Component{ID: "playback-" + r, Name: "Playback - " + names[r], Publish: PublishAuto, Elements: []prober.Element{playback("live", r), {Target: "live", Type: prober.ElementCore}}})
	}
	t.Components = append(t.Components, Component{ID: "api", Name: "Streams API", Publish: PublishAuto, Elements: []prober.Element{{Target: "live", Type: prober.ElementAPI}}})
	t.Targets = []Target{target}
	return t
}

func newFleet(t *testing.T, change func(*Settings)) *fleet {
	t.Helper()
	s := DefaultSettings()
	s.Hold = 10 * time.Second
	if change != nil {
		change(&s)
	}
	p, err := NewPolicy(s, topology())
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{
		t: t, policy: p, state: NewState(), now: time.Date(2026, 4, 8, 13, 36, 0, 0, time.UTC),
		rng: rand.New(rand.NewPCG(1, 2)), seq: map[string]uint64{}, golive: 9 * time.Second,
		broken: func(time.Time) faults { return faults{} },
	}
	for _, r := range regions {
		f.agents = append(f.agents, "agent-"+r)
	}
	return f
}

// run lets d pass, in steps of 100 ms.
func (f *fleet) run(d time.Duration) {
	for end := f.now.Add(d); f.now.Before(end); {
		f.now = f.now.Add(100 * time.Millisecond)
		b := f.broken(f.now)
		for i, a := range f.agents {
			offset := time.Duration(i) * 700 * time.Millisecond
			if f.now.UnixMilli()%2000 == offset.Milliseconds()%2000 {
				f.watch(a, b)
			}
			if f.now.UnixMilli()%f.golive.Milliseconds() == (time.Duration(i)*f.golive/3).Milliseconds()/100*100 {
				f.goLive(a, b)
			}
		}
		f.deliver()
		if next := f.policy.Next(f.state); !next.IsZero() && !next.After(f.now) {
			f.step(Input{})
		}
	}
}

// deliver feeds what has arrived by now, oldest first.
func (f *fleet) deliver() {
	slices.SortStableFunc(f.queue, func(a, b timed) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.seq, b.seq)) })
	for len(f.queue) > 0 && !f.queue[0].at.After(f.now) {
		r := f.queue[0].r
		f.queue = f.queue[1:]
		f.seq[r.Agent]++
		r.Seq = f.seq[r.Agent]
		r.ID = fmt.Sprintf("%s-%d", r.Agent, r.Seq)
		f.step(Input{Result: &r})
	}
}

func (f *fleet) step(in Input) {
	f.journal++
	in.Seq, in.At = f.journal, f.now
	f.inputs = append(f.inputs, in)
	var events []Event
	f.state, events = f.policy.Step(f.state, in)
	for _, e := range events {
		f.events = append(f.events, e)
		if e.ProbeNow == nil {
			continue
		}
		for i := range e.ProbeNow.Rounds {
			at := f.now.Add(time.Duration(i) * e.ProbeNow.Spacing)
			for _, a := range f.agents {
				f.goLiveAt(a, f.broken(at), at)
			}
		}
	}
	f.check()
}

// check holds what must hold after every step.
func (f *fleet) check() {
	for _, o := range f.state.Incidents {
		for _, fl := range o.Incident.Failures {
			if n := len(fl.Evidence); n < f.policy.settings.Quorum {
				f.t.Fatalf("%s opened on the word of %d sites", fl.Element, n)
			}
		}
	}
	for key, sum := range f.state.Sums {
		for id, site := range sum.Sites {
			if site.W < 0 || site.W > f.policy.siteCap(f.policy.settings.Threshold) {
				f.t.Fatalf("sum %s of %s is out of bounds: %d", key, id, site.W)
			}
		}
	}
	if n := len(f.state.Rounds); n > 200 {
		f.t.Fatalf("%d rounds are open", n)
	}
}

func (f *fleet) send(at time.Time, b faults, r prober.Result) {
	if b.silent[r.Agent] {
		return
	}
	r.Boot, r.Site, r.Target, r.Control = "boot", "x", "live", prober.ControlPass
	if b.sick[r.Agent] {
		r.Control = prober.ControlFail
	}
	f.queue = append(f.queue, timed{at: at, seq: uint64(len(f.queue)), r: r})
}

func (f *fleet) noisy() bool { return f.noise > 0 && f.rng.Float64() < f.noise }

// dropped is the noise of a canary, which is rare.
func (f *fleet) dropped() bool { return f.noise > 0 && f.rng.Float64() < f.noise*f.noise }

func verdict(r prober.Result, stage prober.Stage) prober.Result {
	r.Outcome = prober.Pass
	if stage != "" {
		r.Outcome, r.Stage, r.Reason = prober.Fail, stage, prober.ReasonConnectionRefused
	}
	return r
}

// watch is a round of an agent's canaries and of pulling them.
func (f *fleet) watch(agent string, b faults) {
	f.round++
	round := fmt.Sprint(f.round)
	lost := b.cutOff[agent] || b.sick[agent]
	for _, in := range regions {
		stage := b.ingest[in]
		if lost || f.dropped() {
			stage = prober.StageIngest
		}
		f.send(f.now, b, verdict(prober.Result{Agent: agent, Kind: prober.KindCanary, Ingest: in, Round: round, RoundOf: 3}, stage))
	}
	for _, in := range regions {
		for _, out := range regions {
			r := prober.Result{Agent: agent, Pusher: agent, Kind: prober.KindPlayback, Ingest: in, Playback: out, Round: round, RoundOf: 9, Run: agent + in}
			f.send(f.now, b, f.pull(r, b, lost, b.ingest[in] != ""))
		}
	}
}

func (f *fleet) pull(r prober.Result, b faults, lost, unpushed bool) prober.Result {
	stage := b.playback[r.Playback]
	switch {
	case lost:
		stage = prober.StageConnect
	case b.relay && stage == "":
		stage = prober.StageManifest
	case f.noisy():
		stage = prober.StageSegment
	}
	if unpushed && stage != prober.StageConnect {
		r.Outcome, r.Reason = prober.Inconclusive, prober.ReasonNothingPushed
		return r
	}
	return verdict(r, stage)
}

func (f *fleet) goLive(agent string, b faults) { f.goLiveAt(agent, b, f.now) }

// goLiveAt is a go-live round: refusals are known at once, a pass after 7 s.
func (f *fleet) goLiveAt(agent string, b faults, at time.Time) {
	f.round++
	round := "g" + fmt.Sprint(f.round)
	lost := b.cutOff[agent] || b.sick[agent]
	for _, in := range regions {
		stage := cmp.Or(b.ingest[in], b.golive[in])
		switch {
		case b.api:
			stage = prober.StageProvision
		case lost:
			stage = prober.StageConnect
		case f.noisy():
			stage = prober.StagePublish
		case stage == prober.StageIngest:
			stage = prober.StageConnect
		}
		r := prober.Result{Agent: agent, Pusher: agent, Kind: prober.KindGoLive, Ingest: in, Round: round, RoundOf: 12, Run: agent + in + round}
		known := at.Add(7 * time.Second)
		if stage != "" {
			known = at.Add(100 * time.Millisecond)
		}
		f.send(known, b, verdict(r, stage))
		for _, out := range regions {
			r.Playback = out
			f.send(known, b, f.pull(r, b, lost, stage != ""))
		}
	}
}

// of lists the events of a type.
func (f *fleet) of(kind EventType) []Event {
	var found []Event
	for _, e := range f.events {
		if e.Type == kind {
			found = append(found, e)
		}
	}
	return found
}

// opened is the one incident that there must be.
func (f *fleet) opened() Event {
	f.t.Helper()
	all := f.of(IncidentOpened)
	if len(all) != 1 {
		f.t.Fatalf("%d incidents opened, want 1: %v", len(all), titles(all))
	}
	return all[0]
}

func titles(events []Event) []string {
	var all []string
	for _, e := range events {
		all = append(all, e.Summary)
	}
	return all
}

// last is the newest word on the one incident.
func (f *fleet) last() Incident {
	f.t.Helper()
	f.opened()
	for _, e := range slices.Backward(f.events) {
		if e.Incident != nil {
			return *e.Incident
		}
	}
	f.t.Fatal("no incident")
	return Incident{}
}

func (f *fleet) nothingPublic() {
	f.t.Helper()
	if all := f.of(IncidentOpened); len(all) > 0 {
		f.t.Fatalf("opened %v: %+v", titles(all), all[0].Incident.Failures)
	}
	for _, c := range f.policy.View(f.state).Components {
		if c.Status != Operational {
			f.t.Fatalf("component %s is %s", c.ID, c.Status)
		}
	}
}

// between is broken from start to end and well otherwise.
func between(start, end time.Time, b faults) func(time.Time) faults {
	return func(at time.Time) faults {
		if at.Before(start) || !at.Before(end) {
			return faults{}
		}
		return b
	}
}

func everywhere(s prober.Stage) map[string]prober.Stage {
	m := map[string]prober.Stage{}
	for _, r := range regions {
		m[r] = s
	}
	return m
}
