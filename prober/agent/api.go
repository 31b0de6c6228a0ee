package agent

import (
	"sync"
	"time"

	"streamcanary/prober"
)

// checkBound is for one check, its whole answer included.
const checkBound = 10 * time.Second

// apiRound makes all of a target's checks at once, and tells one result.
func (u *unit) apiRound() {
	probe := u.probe(prober.KindAPI)
	bound := probe.Timeout
	if bound <= 0 {
		bound = checkBound
	}
	r := prober.Result{Kind: prober.KindAPI, Target: probe.Target, Round: u.env.newRound(prober.KindAPI), RoundOf: 1, Started: time.Now()}
	parts := make([]part, len(probe.Checks))
	var wg sync.WaitGroup
	for i, c := range probe.Checks {
		wg.Go(func() {
			found, err := u.env.Check(u.ctx, c, bound)
			if err != nil {
				found.Failure = broken(prober.StageProvision, err)
			}
			parts[i] = part{name: c.Name, failure: found.Failure, figures: prober.Figures{HTTP: found.Times, BytesReceived: found.Bytes, Stages: stagesOf(found.Times)}}
		})
	}
	wg.Wait()
	worst, findings := fold(parts)
	r.Figures, r.Findings = worst.figures, findings
	u.env.report(judged(r, worst.failure))
}

// stagesOf are the times of a request in the words of a run.
func stagesOf(t prober.HTTPTimes) []prober.StageTime {
	var stages []prober.StageTime
	for _, s := range []prober.StageTime{
		{Stage: prober.StageResolve, Duration: t.Resolve},
		{Stage: prober.StageConnect, Duration: t.Connect + t.TLS},
		{Stage: prober.StageProvision, Duration: t.FirstByte + t.Body},
	} {
		if s.Duration > 0 {
			stages = append(stages, s)
		}
	}
	return stages
}
