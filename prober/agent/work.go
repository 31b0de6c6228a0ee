package agent

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"streamcanary/prober"
)

// rememberedRequests is how many requests to probe now are known again.
const rememberedRequests = 64

// work is what an assignment has running. It belongs to Run's goroutine.
type work struct {
	env      *env
	machine  *machine
	units    map[string]*unit // by target
	requests []string         // ids of the latest requests to probe now
	stopping sync.WaitGroup
}

// assign makes what runs agree with as. Its revision is not compared: the latest
// word counts, also of a hub that was set up anew and numbers from one again.
func (w *work) assign(ctx context.Context, as prober.Assignment) {
	w.env.budget.set(as.Budget, time.Now())
	w.machine.set(as.Controls)
	wanted := map[string]bool{}
	for _, t := range as.Targets {
		if wanted[t.ID] {
			w.env.log.Error("target assigned twice, the second is ignored", "target", t.ID)
			continue
		}
		wanted[t.ID] = true
		w.assignTarget(ctx, t, probesOf(as, t.ID), as.Sampling)
	}
	for id := range w.units {
		if !wanted[id] {
			w.drop(id)
		}
	}
}

func probesOf(as prober.Assignment, target string) []prober.Probe {
	return slices.DeleteFunc(slices.Clone(as.Probes), func(p prober.Probe) bool { return p.Target != target })
}

func (w *work) assignTarget(ctx context.Context, t prober.Target, probes []prober.Probe, sampling prober.Sampling) {
	u := w.units[t.ID]
	if u != nil && !reflect.DeepEqual(u.target.Platform, t.Platform) {
		w.drop(t.ID) // nothing of it can go on: its streams are the other platform's
		u = nil
	}
	if u == nil {
		var err error
		if u, err = newUnit(ctx, w.env, t); err != nil {
			w.env.log.Error("target cannot be probed", "target", t.ID, "error", err)
			return
		}
		w.units[t.ID] = u
	}
	if !reflect.DeepEqual(u.target, t) || !reflect.DeepEqual(u.wanted, probes) {
		u.apply(t, probes)
	}
	u.sampler.set(sampling)
}

// announce tells the other agents what is up here.
func (w *work) announce() {
	if w.env.Announce == nil {
		return
	}
	list := []prober.Broadcast{}
	for _, id := range slices.Sorted(maps.Keys(w.units)) {
		list = append(list, w.units[id].announced()...)
	}
	w.env.Announce(list)
}

// heard has what another agent has up sampled.
func (w *work) heard(b prober.Broadcasts) {
	if b.Pusher == w.env.Agent {
		return
	}
	for _, u := range w.units {
		u.sampler.heard(b, time.Now())
	}
}

// drop stops a unit, without waiting for it.
func (w *work) drop(target string) {
	u := w.units[target]
	delete(w.units, target)
	w.stopping.Go(u.stop)
}

// stop stops everything and waits for it.
func (w *work) stop() {
	for id := range w.units {
		w.drop(id)
	}
	w.stopping.Wait()
}

// probeNow starts the extra rounds of a request, unless it is known already.
func (w *work) probeNow(ctx context.Context, req prober.ProbeNow) {
	if ctx.Err() != nil || slices.Contains(w.requests, req.ID) {
		return
	}
	w.requests = append(w.requests, req.ID)
	if len(w.requests) > rememberedRequests {
		w.requests = w.requests[1:]
	}
	u := w.units[req.Target]
	if u == nil {
		w.env.log.Warn("request to probe a target that is not assigned", "request", req.ID, "target", req.Target)
		return
	}
	u.probeNow(req)
}
