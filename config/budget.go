package config

import (
	"time"

	"streamcanary/prober"
	"streamcanary/prober/schedule"
)

// GoLiveRun is about how long a go-live run that passes stays up: the 5 s that
// an ingest must hold, and what the broadcast's begin and end take.
const GoLiveRun = 6 * time.Second

// Budget is what all probes together cost one agent, in bytes an hour.
type Budget struct {
	Sent     int64
	Received int64
}

// Budget adds up what the probes make each agent send and receive: bitrate
// times broadcasts, and that times playbacks for what comes back. Every agent
// runs every probe. A canary is up all the time, a go-live for GoLiveRun a round.
func (h *Hub) Budget() Budget {
	var total Budget
	for _, p := range h.Probes {
		for _, t := range h.Targets {
			if t.ID != p.Target {
				continue
			}
			for _, in := range t.Ingests {
				sent := int64(upPerHour(p).Seconds() * float64(in.Signal.WithDefaults().Bitrate) / 8)
				total.Sent += sent
				total.Received += sent * int64(len(t.Playbacks))
			}
		}
	}
	return total
}

// upPerHour is how long one broadcast of p is up in an hour.
func upPerHour(p prober.Probe) time.Duration {
	if p.Kind == prober.KindCanary {
		return time.Hour
	}
	s, err := schedule.Parse(p.Schedule)
	if err != nil {
		return 0
	}
	// The busiest hour of a day: a cron schedule need not be even.
	day := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	most, inHour, hour := 0, 0, 0
	if period := s.Period(); period > 0 {
		return min(time.Duration(float64(GoLiveRun)*float64(time.Hour)/float64(period)), maxOverlap)
	}
	for at := s.Next(day.Add(-time.Second)); !at.IsZero() && at.Before(day.AddDate(0, 0, 1)); at = s.Next(at) {
		if at.Hour() != hour {
			hour, inHour = at.Hour(), 0
		}
		inHour++
		most = max(most, inHour)
	}
	return time.Duration(most) * GoLiveRun
}

// maxOverlap bounds the sum where rounds start faster than they end.
const maxOverlap = 24 * time.Hour
