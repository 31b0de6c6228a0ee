package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/schedule"
)

// Bounds of what the kinds of probe have besides.
const (
	maxChecks      = 20
	maxPulls       = 20
	leastBroadcast = 5 * time.Second
	mostBroadcast  = 10 * time.Minute
	mostWithin     = 30 * time.Minute
	mostDays       = 365
)

// uses says whether the probes of a target push, and whether they pull. Without
// any probe it is taken to be for both, so that its mistakes are told.
func uses(probes []probeFile, target string) (pushes, pulls bool) {
	known := false
	for _, p := range probes {
		if p.Target != target {
			continue
		}
		known = true
		switch prober.Kind(p.Kind) {
		case prober.KindAPI:
		case prober.KindPlayback:
			pulls = true
		default:
			pushes, pulls = true, true
		}
	}
	return pushes || !known, pulls || !known
}

// ofKind checks the keys that a kind of probe has for itself.
func (c *checker) ofKind(at string, f probeFile, p *prober.Probe, targets []targetFile) {
	kind := prober.Kind(f.Kind)
	for _, k := range []struct {
		name string
		kind prober.Kind
		set  bool
	}{
		{"checks", prober.KindAPI, len(f.Checks) > 0}, {"streams", prober.KindPlayback, len(f.Streams) > 0},
		{"broadcast", prober.KindRecording, c.present(at + ".broadcast")}, {"within", prober.KindRecording, c.present(at + ".within")},
		{"tolerance", prober.KindRecording, c.present(at + ".tolerance")}, {"url", prober.KindRecording, f.URL != ""},
	} {
		if k.set && k.kind != kind {
			c.addf(at+"."+k.name, "is not a key of probes of kind %s, but of kind %s; remove it", kind, k.kind)
		}
	}
	switch kind {
	case prober.KindAPI:
		p.Checks = c.checks(at+".checks", f.Checks)
	case prober.KindPlayback:
		p.Pulls = c.pulls(at+".streams", f, targets)
	case prober.KindRecording:
		p.Recording = c.recording(at, f, targets)
	case prober.KindCanary:
		for _, t := range targets {
			if t.ID == f.Target && t.Platform.Type == typeMux && t.Platform.Test {
				c.warnf("target %s has test streams, which mux ends after 5 minutes: its canary will be seen to drop; leave test out, or the canary", t.ID)
			}
		}
	case prober.KindGoLive:
	}
}

func (c *checker) checks(at string, files []checkFile) []prober.APICheck {
	if len(files) == 0 || len(files) > maxChecks {
		c.addf(at, "has %s; want from 1 to %d: name, url", count(len(files), "check"), maxChecks)
	}
	var list []prober.APICheck
	for i, f := range files {
		entry := index(at, i)
		c.need(entry+".name", f.Name, "what is checked, for on-call")
		c.address(entry+".url", f.URL, "https://HOST/PATH", "https", "http")
		check := prober.APICheck{Name: f.Name, URL: f.URL, Method: orElse(f.Method, "GET"), Headers: c.headers(entry+".headers", f.Headers),
			Body: f.Body, Status: f.Status, Path: f.Path, Want: f.Want, MaxLatency: f.MaxLatency, CertificateDays: f.CertificateDays}
		c.method(entry+".method", check.Method)
		if !c.present(entry + ".status") {
			check.Status = []int{200}
		}
		c.statuses(entry+".status", check.Status)
		c.jsonPath(entry+".path", f.Path)
		if f.Want != nil && f.Path == "" {
			c.addf(entry+".want", "has no path; want the JSONPath of the value beside it, such as path: $.status")
		}
		c.notNegative(entry+".max_latency", f.MaxLatency)
		if f.CertificateDays < 0 || f.CertificateDays > mostDays {
			c.addf(entry+".certificate_days", "is %d; want from 1 to %d days", f.CertificateDays, mostDays)
		} else if f.CertificateDays > 0 && strings.HasPrefix(f.URL, "http:") {
			c.addf(entry+".certificate_days", "is set for an http:// address, which has no certificate; remove it")
		}
		list = append(list, check)
	}
	return list
}

func (c *checker) pulls(at string, f probeFile, targets []targetFile) []prober.Pull {
	if len(f.Streams) == 0 || len(f.Streams) > maxPulls {
		c.addf(at, "has %s; want from 1 to %d that others push: name, playback, url, expect: live or vod", count(len(f.Streams), "stream"), maxPulls)
	}
	var playbacks []string
	for _, t := range targets {
		if t.ID == f.Target {
			for _, p := range t.Playbacks {
				playbacks = append(playbacks, p.ID)
			}
		}
	}
	var list []prober.Pull
	for i, s := range f.Streams {
		entry := index(at, i)
		c.need(entry+".name", s.Name, "what is played, for on-call")
		c.reference(entry+".playback", s.Playback, "playback of the target", playbacks)
		c.address(entry+".url", s.URL, "https://HOST/PATH of a playlist", "https", "http")
		expect := orElse(s.Expect, "live")
		c.reference(entry+".expect", expect, "expectation", []string{"live", "vod"})
		list = append(list, prober.Pull{Name: s.Name, Playback: s.Playback, URL: s.URL, VOD: expect == "vod"})
	}
	return list
}

func (c *checker) recording(at string, f probeFile, targets []targetFile) *prober.RecordingCheck {
	const broadcast, within, tolerance = 20 * time.Second, 2 * time.Minute, 5 * time.Second // defaults
	r := &prober.RecordingCheck{Broadcast: broadcast, Within: within, Tolerance: tolerance, URL: f.URL}
	for _, k := range []struct {
		name        string
		in          time.Duration
		out         *time.Duration
		least, most time.Duration
	}{
		{"broadcast", f.Broadcast, &r.Broadcast, leastBroadcast, mostBroadcast}, {"within", f.Within, &r.Within, time.Second, mostWithin},
		{"tolerance", f.Tolerance, &r.Tolerance, 100 * time.Millisecond, mostBroadcast},
	} {
		if !c.present(at + "." + k.name) {
			continue
		}
		*k.out = k.in
		if k.in < k.least || k.in > k.most {
			c.addf(at+"."+k.name, "is %s; want from %s to %s", k.in, k.least, k.most)
		}
	}
	if c.present(at + ".timeout") {
		c.addf(at+".timeout", "is not used by a recording probe; remove it: broadcast and within say how long it takes")
	}
	for _, t := range targets {
		if t.ID == f.Target {
			c.recordingURL(at+".url", f.URL, t.Platform)
		}
	}
	return r
}

func (c *checker) recordingURL(at, text string, p platformFile) {
	if text == "" {
		asked := slices.Contains([]string{typeLivepeer, typeMux, typeCloudflare}, p.Type) || p.Type == typeHTTP && p.Recording != nil
		if !asked && slices.Contains(platformTypes(), p.Type) {
			c.addf(at, "is missing, and a %s platform as it is configured cannot be asked where recordings are; want https://HOST/PATH with {stream} or {id}", p.Type)
		}
		return
	}
	plain := strings.NewReplacer(prober.StreamVariable, "x", "{id}", "x").Replace(text)
	switch {
	case c.address(at, text, "https://HOST/PATH with {stream} or {id}", "https", "http") == nil:
	case plain == text:
		c.addf(at, "holds neither {stream} nor {id}, so that one old recording would do for ever; want https://HOST/PATH with {stream} or {id}")
	case strings.ContainsAny(plain, "{}"):
		c.addf(at, "has braces that are neither {stream} nor {id}; those are the only variables")
	}
}

// watchedTwice refuses streams of others at a target with a canary: both are of
// the kind playback, and one that plays would speak for the other that does not.
func (c *checker) watchedTwice(files []probeFile) {
	for i, f := range files {
		canary := slices.ContainsFunc(files, func(o probeFile) bool { return o.Kind == string(prober.KindCanary) && o.Target == f.Target })
		if f.Kind == string(prober.KindPlayback) && canary && f.Target != "" {
			c.addf(index("probes", i), "target %q has a canary, which is itself watched at every playback; give streams that others push a target of their own", f.Target)
		}
	}
}

// sees says whether a probe brings evidence on an element: every agent that runs
// one pushes to every ingest of the target and pulls from every playback, but for
// the kinds that look at one thing.
func sees(p prober.Probe, e prober.Element) bool {
	if p.Target != e.Target {
		return false
	}
	switch p.Kind {
	case prober.KindAPI:
		return e.Type == prober.ElementAPI
	case prober.KindRecording:
		return e.Type == prober.ElementCore
	case prober.KindPlayback:
		return e.Type == prober.ElementPlayback && slices.ContainsFunc(p.Pulls, func(s prober.Pull) bool { return s.Playback == e.ID })
	case prober.KindGoLive:
		return true
	case prober.KindCanary:
	}
	return e.Type != prober.ElementAPI
}

// seldom warns of components that would be unknown between two looks at them.
func (c *checker) seldom(h *Hub) {
	if len(c.problems) > 0 {
		return
	}
	for _, component := range h.Topology.Components {
		for _, e := range component.Elements {
			if period, seen := shortestPeriod(h.Probes, e); seen && 2*period > h.Settings.UnknownAfter && h.Settings.UnknownAfter > 0 {
				c.warnf("component %s: %s is looked at every %s only, and unknown_after is %s: it may be unknown in between; probe it more often, or raise unknown_after",
					component.ID, e, period, h.Settings.UnknownAfter)
				break
			}
		}
	}
}

// shortestPeriod is the time between two looks at an element by its most frequent
// probe.
func shortestPeriod(probes []prober.Probe, e prober.Element) (shortest time.Duration, seen bool) {
	for _, p := range probes {
		s, err := schedule.Parse(p.Schedule)
		if err != nil || !sees(p, e) {
			continue
		}
		first := s.Next(time.Unix(0, 0))
		if period := s.Next(first).Sub(first); !seen || period < shortest {
			shortest, seen = period, true
		}
	}
	return shortest, seen
}

// otherKinds is what the kinds without a broadcast at every ingest cost in an
// hour, in bytes.
func otherKinds(p prober.Probe, t prober.Target) (sent, received int64, known bool) {
	rounds := float64(upPerHour(prober.Probe{Kind: prober.KindGoLive, Schedule: p.Schedule})) / float64(GoLiveRun)
	bytes := func(length time.Duration) int64 { return int64(rounds * length.Seconds() * broadcastBytes(t)) }
	switch {
	case p.Kind == prober.KindAPI:
		return 0, 0, true
	case p.Kind == prober.KindPlayback:
		return 0, int64(rounds * pulledBytes(p, t)), true
	case p.Recording != nil:
		sent := bytes(p.Recording.Broadcast)
		return sent, int64(float64(sent) * recorded(t)), true
	}
	return 0, 0, false
}

// whatOf says what a probe looks at, for the summary.
func whatOf(p prober.Probe) string {
	switch {
	case p.Kind == prober.KindAPI:
		return ": " + count(len(p.Checks), "check")
	case p.Kind == prober.KindPlayback:
		return ": " + count(len(p.Pulls), "stream") + " that others push"
	case p.Recording != nil:
		return fmt.Sprintf(": what is left of a broadcast of %s, within %s, to %s", p.Recording.Broadcast, p.Recording.Within, p.Recording.Tolerance)
	}
	return ""
}
