package backtest

import (
	"time"

	"streamcanary/statuspage/incident"
)

// Figures compare a policy with the present one.
type Figures struct {
	Incidents   int
	OpenedAfter time.Duration // from the first failing result to the incident, mean over those that have one
	Slowest     time.Duration // the longest of those
	Open        time.Duration // how long incidents were open in all
	Updates     int           // words that were said
}

// FiguresOf a run, whose recording ends at a time.
func FiguresOf(r Run, end time.Time) Figures {
	f := Figures{Incidents: len(r.Incidents)}
	for _, in := range r.Incidents {
		after := OpenedAfter(in)
		f.OpenedAfter += after
		f.Slowest = max(f.Slowest, after)
		f.Open += OpenFor(in, end)
		f.Updates += len(in.Updates)
	}
	if f.Incidents > 0 {
		f.OpenedAfter /= time.Duration(f.Incidents)
	}
	return f
}

// OpenedAfter is the time from an incident's first failing result to its opening.
func OpenedAfter(in incident.Incident) time.Duration { return in.CreatedAt.Sub(in.StartedAt) }

// OpenFor is how long an incident was open, until end if it still is.
func OpenFor(in incident.Incident, end time.Time) time.Duration {
	if in.ResolvedAt.IsZero() {
		return end.Sub(in.CreatedAt)
	}
	return in.ResolvedAt.Sub(in.CreatedAt)
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
