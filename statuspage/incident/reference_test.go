package incident

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// canary is one result of an agent's canary to the first region, with what it
// says of the independent reference.
func (r *rig) canary(agent int, reference prober.Control, stage prober.Stage) {
	r.round++
	r.result(prober.Result{Agent: fmt.Sprintf("a%d", agent), Kind: prober.KindCanary, Ingest: regions[0], Round: fmt.Sprint(r.round), RoundOf: 1,
		Host: prober.Host{Reference: reference, ReferenceDetail: "connect unreachable"}}, stage)
}

// An agent that cannot reach the reference is out alone; a reference that fails
// at so many sites that the others are no quorum, or fewer, is out itself.
func TestReference(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cut    int // agents whose reference fails while they see the ingest fail
		opens  bool
		events map[EventType]int
	}{
		"nobody":      {0, true, map[EventType]int{}},
		"one of four": {1, true, map[EventType]int{AgentSick: 1, AgentRecovered: 1}},
		"two of four": {2, true, map[EventType]int{AgentSick: 2, AgentRecovered: 2}}, // the others are a quorum
		"three":       {3, true, map[EventType]int{ReferenceFailed: 1, ReferenceBack: 1}},
		"all":         {4, true, map[EventType]int{ReferenceFailed: 1, ReferenceBack: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 4, nil, nil)
			r.every(5, func(_, i int) { r.canary(i, prober.ControlPass, "") })
			failed := func(i int) prober.Control {
				if i < c.cut {
					return prober.ControlFail
				}
				return prober.ControlPass
			}
			r.every(30, func(_, i int) { r.canary(i, failed(i), "") })
			r.every(10, func(_, i int) { r.canary(i, failed(i), prober.StageIngest) })
			if got := r.count(IncidentOpened) > 0; got != c.opens {
				t.Errorf("opened: %v", got)
			}
			r.every(60, func(_, i int) { r.canary(i, prober.ControlPass, "") })
			for _, kind := range []EventType{AgentSick, AgentRecovered, ReferenceFailed, ReferenceBack} {
				if n := r.count(kind); n != c.events[kind] {
					t.Errorf("%d of %s, want %d", n, kind, c.events[kind])
				}
			}
		})
	}
}

// Nothing of an agent that is cut off counts, from its first word of it on.
func TestAnAgentThatIsCutOffDoesNotCount(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reference prober.Control
		opens     bool
	}{"cut off": {prober.ControlFail, false}, "well": {prober.ControlPass, true}, "not asked": {"", true}, "not known yet": {prober.ControlUnknown, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 2, nil, nil) // both are needed
			r.every(5, func(_, i int) { r.canary(i, prober.ControlPass, "") })
			r.every(20, func(_, i int) {
				if i == 0 {
					r.canary(i, c.reference, prober.StageIngest)
					return
				}
				r.canary(i, prober.ControlPass, prober.StageIngest)
			})
			if got := r.count(IncidentOpened) > 0; got != c.opens {
				t.Errorf("opened: %v", got)
			}
		})
	}
}

// A site that falls silent with its reference failing does not keep it out, and
// the reason that on-call reads is the agent's own.
func TestReferenceTellsWhy(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.every(5, func(_, i int) { r.canary(i, prober.ControlPass, "") })
	r.canary(0, prober.ControlFail, "")
	r.pass(40 * time.Second) // silent
	r.every(40, func(_, i int) {
		if i == 1 {
			r.canary(i, prober.ControlFail, "")
		}
		if i == 2 {
			r.canary(i, prober.ControlPass, "")
		}
	})
	if n := r.count(ReferenceFailed); n != 0 {
		t.Errorf("the reference is out: %d", n)
	}
	for _, e := range r.events {
		if e.Type == AgentSick && e.Agent == "a1" && strings.Contains(e.Summary, "connect unreachable") {
			return
		}
	}
	t.Errorf("on-call is not told why: %+v", r.events)
}
