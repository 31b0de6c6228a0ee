package summary

import (
	"slices"
	"time"

	"streamcanary/prober"
)

// Recorder makes a Summary of results and samples as they come, in bounded memory.
// It is for one goroutine at a time.
type Recorder struct {
	sum   Summary
	last  map[Side]Event
	every int      // samples that become one
	waits []Sample // less than every
}

// NewRecorder begins with what is known before: version, mode, addresses, Began.
func NewRecorder(known Summary) *Recorder {
	return &Recorder{sum: known, last: map[Side]Event{}, every: 1}
}

// Add counts a result in. It reports whether that changed what is seen of its side.
func (r *Recorder) Add(res prober.Result) (changed bool) {
	s, side := &r.sum, SideOf(res)
	if res.Run != "" {
		s.Run = res.Run
	}
	r.count(side, res.Outcome)
	s.Findings = prober.AddFindings(s.Findings, MaxFindings, res.Findings...)
	r.figures(side, res.Figures)
	r.Stages(side, res.Figures.Stages)
	r.judge(side, res)
	return r.event(side, res)
}

// Stages notes how long stages took that were passed.
func (r *Recorder) Stages(side Side, times []prober.StageTime) {
	for _, t := range times {
		r.step(side, t.Stage).Duration = t.Duration
	}
}

func (r *Recorder) count(side Side, o prober.Outcome) {
	at := slices.IndexFunc(r.sum.Rounds, func(c Rounds) bool { return c.Side == side })
	if at < 0 {
		if at = len(r.sum.Rounds); side == Push {
			at = 0
		}
		r.sum.Rounds = slices.Insert(r.sum.Rounds, at, Rounds{Side: side})
	}
	c := &r.sum.Rounds[at]
	switch o {
	case prober.Pass:
		c.Pass++
	case prober.Degraded:
		c.Degraded++
	case prober.Fail:
		c.Fail++
	case prober.Inconclusive:
		c.Inconclusive++
	}
}

// figures adds one side's to those of both.
func (r *Recorder) figures(side Side, f prober.Figures) {
	s := &r.sum.Figures
	s.BytesSent += f.BytesSent
	s.BytesReceived += f.BytesReceived
	if side == Push {
		s.SendStall, s.SendQueue = max(s.SendStall, f.SendStall), max(s.SendQueue, f.SendQueue)
		s.Interruptions = max(s.Interruptions, f.Interruptions)
		s.InterruptionTime = f.InterruptionTime
		r.sum.Away += f.InterruptionTime
		return
	}
	if s.TTFF == 0 {
		s.TTFF = f.TTFF
	}
	if f.LatencyBy != "" {
		s.LatencyFirst, s.LatencyLast, s.LatencyBy, s.PartLatency = f.LatencyFirst, f.LatencyLast, f.LatencyBy, f.PartLatency
	}
	if f.HTTP != (prober.HTTPTimes{}) {
		s.HTTP = f.HTTP
	}
	s.Proof = f.Proof
	if f.Viewing != (prober.Viewing{}) {
		s.Viewing = f.Viewing.After(s.Viewing)
	}
	s.Skipped += f.Skipped
	s.Missed += f.Missed
	s.Recovered += f.Recovered
	if len(f.Renditions) > 0 {
		s.Renditions = nil
		r.sum.Renditions = prober.AddRenditions(r.sum.Renditions, f.Renditions)
	}
}

// step is a side's stage, put in its place if it is new.
func (r *Recorder) step(side Side, stage prober.Stage) *Step {
	order := prober.Stages()
	rank := func(s Step) int {
		n := slices.Index(order, s.Stage)
		if s.Side == Pull {
			n += len(order)
		}
		return n
	}
	made := Step{Side: side, Stage: stage}
	at := 0
	for ; at < len(r.sum.Steps) && rank(r.sum.Steps[at]) <= rank(made); at++ {
		if s := &r.sum.Steps[at]; s.Side == side && s.Stage == stage {
			return s
		}
	}
	made.Outcome = prober.Pass
	r.sum.Steps = slices.Insert(r.sum.Steps, at, made)
	return &r.sum.Steps[at]
}

// judge notes at which stage a result ended, and how.
func (r *Recorder) judge(side Side, res prober.Result) {
	if res.Outcome == prober.Pass {
		if side == Push {
			r.step(Push, prober.StageIngest)
		} else {
			r.step(Pull, prober.StageMedia)
		}
		return
	}
	if res.Stage == "" {
		return
	}
	if s := r.step(side, res.Stage); graver(res.Outcome, s.Outcome) {
		s.Outcome, s.Reason, s.Detail = res.Outcome, res.Reason, res.Detail
	}
}

// graver says whether a weighs more than b.
func graver(a, b prober.Outcome) bool {
	rank := []prober.Outcome{"", prober.Pass, prober.Inconclusive, prober.Degraded, prober.Fail}
	return slices.Index(rank, a) > slices.Index(rank, b)
}

func (r *Recorder) event(side Side, res prober.Result) (changed bool) {
	e := Event{At: res.Ended, Side: side, Outcome: res.Outcome, Stage: res.Stage, Reason: res.Reason, Detail: res.Detail, Away: res.Figures.InterruptionTime}
	last, seen := r.last[side]
	r.last[side] = e
	if seen && last.Outcome == e.Outcome && last.Stage == e.Stage && last.Reason == e.Reason && e.Away == 0 {
		return false
	}
	r.sum.Events = append(r.sum.Events, e)
	if over := len(r.sum.Events) - MaxEvents; over > 0 {
		r.sum.Events = slices.Delete(r.sum.Events, 0, over)
	}
	return true
}

// Sample notes how it is.
func (r *Recorder) Sample(s Sample) {
	for _, e := range r.last {
		s.Down = s.Down || e.Outcome == prober.Fail
	}
	r.waits = append(r.waits, s)
	if len(r.waits) < r.every {
		return
	}
	r.sum.Samples = append(r.sum.Samples, fold(r.waits))
	r.waits = r.waits[:0]
	if len(r.sum.Samples) < MaxSamples {
		return
	}
	half := make([]Sample, 0, MaxSamples)
	for pair := range slices.Chunk(r.sum.Samples, 2) {
		half = append(half, fold(pair))
	}
	r.sum.Samples, r.every = half, 2*r.every
}

// fold makes one of several: rates are means, the rest what is worst.
func fold(list []Sample) Sample {
	f := list[len(list)-1]
	f.Sent = mean(list, func(s Sample) int64 { return s.Sent })
	f.Received = mean(list, func(s Sample) int64 { return s.Received })
	for _, s := range list {
		f.Queue = max(f.Queue, s.Queue)
		f.Latency, f.Behind, f.Download = max(f.Latency, s.Latency), max(f.Behind, s.Behind), max(f.Download, s.Download)
		if s.Buffer >= 0 && (f.Buffer < 0 || s.Buffer < f.Buffer) {
			f.Buffer = s.Buffer
		}
		f.Down = f.Down || s.Down
	}
	return f
}

// mean leaves out what was not measured.
func mean(list []Sample, of func(Sample) int64) int64 {
	var sum, n int64
	for _, s := range list {
		if v := of(s); v >= 0 {
			sum, n = sum+v, n+1
		}
	}
	if n == 0 {
		return -1
	}
	return sum / n
}

// Snapshot is what is known so far.
func (r *Recorder) Snapshot() Summary {
	s := r.sum
	s.Steps, s.Findings, s.Renditions = slices.Clone(s.Steps), slices.Clone(s.Findings), slices.Clone(s.Renditions)
	s.Rounds, s.Events, s.Samples = slices.Clone(s.Rounds), slices.Clone(s.Events), slices.Clone(s.Samples)
	return s
}

// End is the whole of it, with its verdict; nil is that none was come to.
func (r *Recorder) End(at time.Time, verdict *prober.Result) Summary {
	s := r.Snapshot()
	s.Ended = at
	if verdict != nil {
		s.Outcome, s.Stage, s.Reason, s.Detail = verdict.Outcome, verdict.Stage, verdict.Reason, verdict.Detail
	}
	return s
}
