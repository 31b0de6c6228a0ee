package backtest

import "time"

// Figures compare a policy with the present one.
type Figures struct {
	Incidents   int
	OpenedAfter time.Duration // from the first failing result to the incident, mean over what both policies open
	Slowest     time.Duration // the longest of those
	Open        time.Duration // how long incidents were open in all
	Updates     int           // words that were said
}

// Figures are those of both policies, and the number of incidents that both open. How
// soon is told of those alone: one that misses what is slow to see is no quicker for it.
func (r Report) Figures() (present, other Figures, both int) {
	present, other = r.Present.figures(r.Recording.To), r.Other.figures(r.Recording.To)
	for _, p := range r.Pairs {
		if p.Present == nil || p.Other == nil || p.Before != nil {
			continue
		}
		both++
		present.opened(p.Present.OpenedAfter())
		other.opened(p.Other.OpenedAfter())
	}
	if both > 0 {
		present.OpenedAfter /= time.Duration(both)
		other.OpenedAfter /= time.Duration(both)
	}
	return present, other, both
}

func (f *Figures) opened(after time.Duration) {
	f.OpenedAfter += after
	f.Slowest = max(f.Slowest, after)
}

// figures are those of a run alone, whose recording ends at a time.
func (r Run) figures(end time.Time) Figures {
	f := Figures{Incidents: len(r.Incidents)}
	for _, in := range r.Incidents {
		f.Open += in.OpenFor(end)
		f.Updates += len(in.Updates)
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
