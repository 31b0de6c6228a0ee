package incident

import (
	"fmt"
	"testing"
	"time"

	"streamcanary/prober"
)

// rig feeds rounds made by hand, two seconds apart, from sites a0, a1, ...
type rig struct {
	t      *testing.T
	policy Policy
	state  State
	now    time.Time
	seq    uint64
	seqs   map[string]uint64
	round  int
	events []Event
	record func(Input) // nil: not
}

func newRig(t *testing.T, sites int, topology func(*Topology), settings func(*Settings)) *rig {
	t.Helper()
	top := topologyOf(sites)
	if topology != nil {
		topology(&top)
	}
	s := DefaultSettings()
	s.Hold = time.Minute
	if settings != nil {
		settings(&s)
	}
	p, err := NewPolicy(s, top)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{t: t, policy: p, state: NewState(), now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), seqs: map[string]uint64{}}
}

// topologyOf is the fleet's platform, seen from any number of sites.
func topologyOf(sites int) Topology {
	top := topology()
	top.Sites = nil
	for i := range sites {
		id := fmt.Sprintf("a%d", i)
		top.Sites = append(top.Sites, Site{ID: id, Agents: []string{id}})
	}
	return top
}

func (r *rig) step(in Input) {
	r.seq++
	in.Seq, in.At = r.seq, r.now
	if r.record != nil {
		r.record(in)
	}
	var events []Event
	r.state, events = r.policy.Step(r.state, in)
	r.events = append(r.events, events...)
}

// pass lets time go by, with the ticks that the engine asks for.
func (r *rig) pass(d time.Duration) {
	for end := r.now.Add(d); r.now.Before(end); {
		next := r.now.Add(10 * time.Second) // the hub's housekeeping
		if due := r.policy.Next(r.state); !due.IsZero() && due.Before(next) {
			next = due
		}
		if next.After(end) {
			next = end
		}
		if !next.After(r.now) {
			next = r.now.Add(100 * time.Millisecond)
		}
		r.now = next
		r.step(Input{})
	}
}

func (r *rig) result(x prober.Result, stage prober.Stage) {
	r.seqs[x.Agent]++
	x.Seq, x.Target, x.Pusher = r.seqs[x.Agent], "live", x.Agent
	if x.Boot == "" {
		x.Boot = "boot"
	}
	if x.Control == "" {
		x.Control = prober.ControlPass
	}
	x.Outcome = prober.Pass
	switch stage {
	case "":
	case unknown:
		x.Outcome, x.Reason = prober.Inconclusive, prober.ReasonNothingPushed
	default:
		x.Outcome, x.Stage, x.Reason = prober.Fail, stage, prober.ReasonConnectionRefused
	}
	r.step(Input{Result: &x})
}

// unknown stands for an inconclusive result.
const unknown prober.Stage = "?"

// canaries is a round of an agent's canaries: the stage at which each fails.
func (r *rig) canaries(agent int, fails map[string]prober.Stage) {
	r.round++
	for _, in := range regions {
		r.result(prober.Result{Agent: fmt.Sprintf("a%d", agent), Kind: prober.KindCanary, Ingest: in, Round: fmt.Sprint(r.round), RoundOf: len(regions)}, fails[in])
	}
}

// cells is a round that pulls: the stage at which each cell fails.
func (r *rig) cells(agent int, kind prober.Kind, fails func(in, out string) prober.Stage) {
	r.round++
	a, round, of := fmt.Sprintf("a%d", agent), fmt.Sprint(r.round), len(regions)*len(regions)
	if kind == prober.KindGoLive {
		of += len(regions)
	}
	for _, in := range regions {
		if kind == prober.KindGoLive {
			r.result(prober.Result{Agent: a, Kind: kind, Ingest: in, Round: round, RoundOf: of}, "")
		}
		for _, out := range regions {
			r.result(prober.Result{Agent: a, Kind: kind, Ingest: in, Playback: out, Round: round, RoundOf: of, Run: a + in}, fails(in, out))
		}
	}
}

func well(string, string) prober.Stage { return "" }

// every is n rounds of all sites, two seconds apart.
func (r *rig) every(n int, round func(k, agent int)) {
	for k := range n {
		for i := range r.policy.topology.Sites {
			round(k, i)
		}
		r.pass(2 * time.Second)
	}
}

// warm lets every broadcast be seen up.
func (r *rig) warm() {
	r.every(3, func(_, i int) {
		r.canaries(i, nil)
		r.cells(i, prober.KindPlayback, well)
		r.cells(i, prober.KindGoLive, well)
	})
}

func (r *rig) count(kind EventType) int {
	n := 0
	for _, e := range r.events {
		if e.Type == kind {
			n++
		}
	}
	return n
}

// said is every public word so far, oldest first.
func (r *rig) said() string {
	said := ""
	for _, e := range r.events {
		if e.Incident != nil {
			said += e.Incident.Name + "\n" + e.Incident.Updates[len(e.Incident.Updates)-1].Body + "\n"
		}
	}
	return said
}
