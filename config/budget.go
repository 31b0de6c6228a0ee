package config

import (
	"strconv"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/schedule"
)

// What the budget assumes of a broadcast.
const (
	// GoLiveRun is about how long a go-live run that passes stays up: the 5 s that
	// an ingest must hold, and what the broadcast's begin and end take.
	GoLiveRun = 6 * time.Second
	// SampleRun is about how much of another agent's broadcast is pulled until its
	// marker is seen: the newest few segments.
	SampleRun = 6 * time.Second
	// PullRun is how long a stream that others push is pulled, where its probe has no
	// timeout and target durations are not above 5 s, and VODRun about what is downloaded of VOD: four segments of
	// one rendition.
	PullRun = 20 * time.Second
	VODRun  = 24 * time.Second
)

// Budget is what all probes together cost one agent, in bytes an hour.
type Budget struct {
	Sent     int64
	Received int64

	// Of these, what is never left out: the canaries, sent and received.
	Continuous int64
	// And what is left out first: samples of other agents' broadcasts, received.
	Samples int64
}

// Budget adds up what the probes make each agent send and receive: bitrate
// times broadcasts, and that times playbacks for what comes back. Every agent
// runs every probe. A canary is up all the time, a go-live for GoLiveRun a round,
// and where there are canaries of others, each target's have their samples.
func (h *Hub) Budget() Budget {
	var total Budget
	for _, p := range h.Probes {
		for _, t := range h.Targets {
			if t.ID != p.Target {
				continue
			}
			if sent, received, known := otherKinds(p, t); known {
				total.Sent += sent
				total.Received += received
				continue
			}
			sent := int64(upPerHour(p).Seconds() * broadcastBytes(t) * float64(len(t.Ingests)))
			total.Sent += sent
			received := int64(float64(sent) * pulledTimes(t))
			total.Received += received
			if p.Kind != prober.KindCanary {
				continue
			}
			total.Continuous += sent + received
			if every := h.Sampling.Every; every > 0 && len(h.Agents) > 1 {
				samples := float64(time.Hour) / float64(every) * SampleRun.Seconds() * broadcastBytes(t)
				total.Samples += int64(float64(int64(samples)) * pulledTimes(t))
			}
		}
	}
	total.Received += total.Samples
	return total
}

// budgets compares each agent's budget with what it is to do: what is never left
// out must fit.
func (c *checker) budgets(h *Hub) {
	cost := h.Budget()
	all := cost.Sent + cost.Received
	for i, a := range h.Agents {
		at := index("agents", i) + ".budget"
		if !c.present(at) {
			at = "budget"
		}
		switch {
		case a.Budget == 0 || !c.clean("probes") || !c.clean("targets"):
		case a.Budget < cost.Continuous:
			c.addf(at, "is %s an hour, but the canaries of agent %s alone send and receive %s, which is never left out; want more than that, or fewer ingests and playbacks",
				byteCount(a.Budget), a.ID, byteCount(cost.Continuous))
		case a.Budget < all:
			c.warnf("the budget of agent %s is %s an hour, but its probes come to %s: samples of other agents' broadcasts are left out first, then go-live rounds and recordings",
				a.ID, byteCount(a.Budget), byteCount(all))
		}
		if at == "budget" && !c.clean(at) {
			return // once is enough
		}
	}
}

// broadcastBytes is what a second of a target's broadcast takes: the same at each
// of its ingests.
func broadcastBytes(t prober.Target) float64 { return float64(bitrateOf(t)) / 8 }

// bitrateOf is that of a target's broadcasts, in bits per second.
func bitrateOf(t prober.Target) int {
	var s prober.Signal
	if len(t.Ingests) > 0 {
		s = t.Ingests[0].Signal
	}
	return s.WithDefaults().Bitrate
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

// pulledTimes is how often the bytes of a target's broadcast are pulled, over all of its
// playbacks: of each its expected ladder, or where none is set one rendition like what
// was pushed. Of low latency each part is fetched beside its segment.
func pulledTimes(t prober.Target) float64 {
	times := 0.0
	for _, p := range t.Playbacks {
		times += pulledLive(p.Pull, bitrateOf(t))
	}
	return times
}

// pulledBytes is what one round takes of the streams that others push. Their bitrate
// is that of the expected ladder, or where none is set the target's own.
func pulledBytes(p prober.Probe, t prober.Target) float64 {
	length := p.Timeout
	if length <= 0 {
		length = PullRun
	}
	seconds := 0.0 // of a broadcast of the target's bitrate
	for _, s := range p.Pulls {
		pull := pullingAt(t, s.Playback)
		if s.VOD {
			seconds += min(VODRun, length).Seconds() * highest(pull, bitrateOf(t))
			continue
		}
		seconds += length.Seconds() * pulledLive(pull, bitrateOf(t))
	}
	return seconds * broadcastBytes(t)
}

func pullingAt(t prober.Target, playback string) prober.Pulling {
	for _, p := range t.Playbacks {
		if p.ID == playback {
			return p.Pull
		}
	}
	return prober.Pulling{}
}

// highest is the rendition of VOD that is played, as a share of a bitrate: which
// one is listed first is not known.
func highest(p prober.Pulling, bitrate int) float64 {
	most := 0.0
	for _, r := range p.Ladder {
		most = max(most, float64(r.Bandwidth)/float64(bitrate))
	}
	if most == 0 {
		return 1
	}
	return most
}

// recorded is the rendition of a recording that is played, as a share of what was
// pushed: any playback's, since it may be reached as any.
func recorded(t prober.Target) float64 {
	if len(t.Playbacks) == 0 {
		return 1
	}
	most := 0.0
	for _, p := range t.Playbacks {
		most = max(most, highest(p.Pull, bitrateOf(t)))
	}
	return most
}

// pulledLive is pulledOnce of what is live, where parts may be fetched beside.
func pulledLive(p prober.Pulling, bitrate int) float64 {
	if p.LowLatency {
		return 2 * pulledOnce(p, bitrate)
	}
	return pulledOnce(p, bitrate)
}

// pulledOnce is what one playback gives of a broadcast, as a share of its bitrate.
func pulledOnce(p prober.Pulling, bitrate int) float64 {
	if len(p.Ladder) == 0 {
		return sampled(p.Sample)
	}
	sum := 0.0
	for _, r := range p.Ladder {
		every, set := p.SampleBy[rungName(r)]
		if !set {
			every = p.Sample
		}
		rate := float64(r.Bandwidth)
		if rate == 0 {
			rate = float64(bitrate) // at most, as most ladders go down from the source
		}
		sum += rate / float64(bitrate) * sampled(every)
	}
	return sum
}

// rungName is the rendition of a rung as sample_by names it.
func rungName(r prober.Rung) string {
	if r.Rendition == "" && r.Height > 0 {
		return strconv.Itoa(r.Height) + "p"
	}
	return r.Rendition
}

// sampled is the share of segments that are downloaded.
func sampled(every int) float64 {
	switch {
	case every == prober.SampleNone:
		return 0
	case every > 1:
		return 1 / float64(every)
	}
	return 1
}
