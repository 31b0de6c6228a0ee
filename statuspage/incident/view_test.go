package incident

import (
	"fmt"
	"testing"
	"time"

	"streamcanary/prober"
)

// TestAgentView: on-call reads of each agent whether it counts, and why not.
func TestAgentView(t *testing.T) {
	t.Parallel()
	r := newRig(t, 0, shared(4, 1), nil)
	of := func() map[string]AgentView {
		all := map[string]AgentView{}
		for _, v := range r.policy.View(r.state).Agents {
			all[v.ID] = v
		}
		return all
	}
	if v := of()["a1"]; len(of()) != 5 || v.Site != "s0" || !v.SeenAt.IsZero() || v.Silent {
		t.Errorf("before anything was heard: %+v", of())
	}
	r.agents(3, func(i int) { r.seesOut(i) })
	r.agents(60, func(i int) {
		switch i {
		case 2: // silent
		case 3:
			r.round++
			r.result(prober.Result{Agent: "a3", Kind: prober.KindAPI, Round: fmt.Sprint(r.round), RoundOf: 1, Control: prober.ControlFail, ControlDetail: "its origin"}, "")
			r.result(prober.Result{Agent: "a3", Kind: prober.KindAPI, Round: fmt.Sprint(r.round), RoundOf: 1, Age: time.Minute}, "")
		case 4:
			r.round++
			r.result(prober.Result{
				Agent: "a4", Kind: prober.KindAPI, Round: fmt.Sprint(r.round), RoundOf: 1,
				Host: prober.Host{Reference: prober.ControlFail, ReferenceDetail: "no answer"},
			}, "")
		default:
			seenAt("nyc")(r, i)
		}
	})
	all := of()
	if v := all["a0"]; !v.Counts || v.Silent || v.Sick || v.Alone || v.Late != 0 || r.now.Sub(v.SeenAt) > 3*time.Second || v.Control != prober.ControlPass {
		t.Errorf("one that is well: %+v", v)
	}
	if v := all["a2"]; v.Counts || !v.Silent || v.Site != "s1" || r.now.Sub(v.SeenAt) < time.Minute {
		t.Errorf("one that is silent: %+v", v)
	}
	if v := all["a4"]; v.Counts || v.Sick || v.Reference != prober.ControlFail || v.RefDetail != "no answer" {
		t.Errorf("one that the reference takes out: %+v", v)
	}
	if v := all["a3"]; v.Counts || !v.Sick || v.ControlDetail != "its origin" || v.Late != 60 {
		t.Errorf("one that is sick, of which results are late: %+v", v)
	}
}
