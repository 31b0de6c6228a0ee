package backtest

import "time"

// Figures compare a policy with the present one.
type Figures struct {
	Incidents   int
	OpenedAfter time.Duration // from the first failing result to the incident, mean over all of them
	Slowest     time.Duration // the longest of those
	Open        time.Duration // how long incidents were open in all
	Updates     int           // words that were said
}

// FiguresOf a run, whose recording ends at a time.
func FiguresOf(r Run, end time.Time) Figures {
	f := Figures{Incidents: len(r.Incidents)}
	for _, in := range r.Incidents {
		after := in.OpenedAfter()
		f.OpenedAfter += after
		f.Slowest = max(f.Slowest, after)
		f.Open += in.OpenFor(end)
		f.Updates += len(in.Updates)
	}
	if f.Incidents > 0 {
		f.OpenedAfter /= time.Duration(f.Incidents)
	}
	return f
}

// OpenedAfter is the time from the first failing result to the opening.
func (o Opened) OpenedAfter() time.Duration { return o.CreatedAt.Sub(o.Began) }

// OpenFor is how long the incident was open, until end if it still is.
func (o Opened) OpenFor(end time.Time) time.Duration {
	if o.ResolvedAt.IsZero() {
		return end.Sub(o.CreatedAt)
	}
	return o.ResolvedAt.Sub(o.CreatedAt)
}

// Missed are the incidents that the present policy opened and the other did not.
func (r Report) Missed() int {
	n := 0
	for _, p := range r.Pairs {
		if p.Other == nil {
			n++
		}
	}
	return n
}

// False are those that the other opened and the present policy did not: which of the
// two is right, a recording does not say.
func (r Report) False() int {
	n := 0
	for _, p := range r.Pairs {
		if p.Present == nil {
			n++
		}
	}
	return n
}
