package agent

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"streamcanary/prober"
)

// reporter completes results and hands them to the sink in the order of their
// sequence.
type reporter struct {
	agent, site, boot string

	sink    Sink
	dropped func() uint64
	control func() (prober.Control, string, prober.Host)
	budget  *budget

	rounds, runs atomic.Uint64

	mu  sync.Mutex // held over Put, so that the sequence is the order
	seq uint64
}

func newReporter(cfg Config, control func() (prober.Control, string, prober.Host), b *budget) *reporter {
	return &reporter{agent: cfg.Agent, site: cfg.Site, boot: cfg.Boot,
		sink: cfg.Sink, dropped: cfg.Dropped, control: control, budget: b}
}

// report numbers results and hands them over.
func (r *reporter) report(results ...prober.Result) {
	if len(results) == 0 {
		return
	}
	state, detail, host := r.control()
	for _, res := range results {
		r.budget.spend(res.Figures.BytesSent + res.Figures.BytesReceived)
	}
	spending := r.budget.spending(time.Now())
	var dropped uint64
	if r.dropped != nil {
		dropped = r.dropped()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range results {
		r.seq++
		res := &results[i]
		res.ID = r.boot + "-" + strconv.FormatUint(r.seq, 10)
		res.Agent, res.Site, res.Boot, res.Seq = r.agent, r.site, r.boot, r.seq
		if res.Pusher == "" {
			res.Pusher = r.agent
		}
		res.Control, res.ControlDetail = state, prober.Clip(detail, prober.MaxDetail)
		res.Detail = prober.Clip(res.Detail, prober.MaxDetail)
		res.Dropped, res.Spending, res.Host = dropped, spending, host
	}
	r.sink.Put(results...)
}

// newRound names a turn of a probe.
func (r *reporter) newRound(kind prober.Kind) string {
	return fmt.Sprintf("%s-%s-%d", r.boot, kind, r.rounds.Add(1))
}

// newRun names a broadcast. The name of its stream is another, since a static
// platform's streams have their names for keys.
func (r *reporter) newRun() string {
	return fmt.Sprintf("%s-run-%d", r.boot, r.runs.Add(1))
}

// judged makes a result of a verdict: a pass when f is nil.
func judged(r prober.Result, f *prober.Failure) prober.Result {
	r.Ended = time.Now()
	if r.Started.IsZero() {
		r.Started = r.Ended
	}
	r.Outcome = prober.Pass
	if f != nil {
		r.Outcome, r.Stage, r.Reason, r.Detail = f.Outcome, f.Stage, f.Reason, f.Detail
	}
	return r
}

// nothing says that there is nothing to be said, and why.
func nothing(reason prober.Reason, detail string) *prober.Failure {
	return &prober.Failure{Outcome: prober.Inconclusive, Reason: reason, Detail: detail}
}

// broken makes a verdict of an error of our own: it says nothing of the platform.
func broken(stage prober.Stage, err error) *prober.Failure {
	return &prober.Failure{Outcome: prober.Inconclusive, Stage: stage, Reason: prober.ReasonConfiguration, Detail: err.Error()}
}
