package config

import (
	"strings"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/schedule"
)

// Bounds of a probe's timeout.
const (
	minTimeout = time.Second
	maxTimeout = 10 * time.Minute
	minGoLive  = 6 * time.Second // an accepted broadcast has to hold for 5 s
)

// runKinds are the kinds that agents can run.
func runKinds() []string {
	var kinds []string
	for _, k := range prober.Kinds() {
		kinds = append(kinds, string(k))
	}
	return kinds
}

func (c *checker) probes(files []probeFile, targets []targetFile) []prober.Probe {
	if len(files) == 0 {
		c.addf("probes", "is missing or empty; want a list with at least one probe: kind, target, every")
	}
	known := make([]string, 0, len(targets))
	for _, t := range targets {
		known = append(known, t.ID)
	}
	probes := make([]prober.Probe, 0, len(files))
	seen := map[string]string{}
	for i, f := range files {
		at := index("probes", i)
		kind := c.reference(at+".kind", f.Kind, "kind of probe", runKinds())
		target := c.reference(at+".target", f.Target, "target", known)
		if first, twice := seen[f.Kind+" "+f.Target]; twice && kind && target {
			c.addf(at, "target %q already has a %s probe in line %d; remove one of them", f.Target, f.Kind, c.line(first))
		}
		seen[f.Kind+" "+f.Target] = at
		least := minTimeout
		if f.Kind == string(prober.KindGoLive) {
			least = minGoLive
		}
		if c.present(at+".timeout") && (f.Timeout < least || f.Timeout > maxTimeout) {
			c.addf(at+".timeout", "is %s; want from %s to %s", f.Timeout, least, maxTimeout)
		}
		p := prober.Probe{
			Kind: prober.Kind(f.Kind), Target: f.Target,
			Schedule: c.schedule(at, f), Timeout: f.Timeout, Jitter: f.Jitter,
		}
		c.rotation(at, f, &p)
		if kind && target {
			c.ofKind(at, f, &p, targets)
		}
		probes = append(probes, p)
	}
	c.watchedTwice(files)
	return probes
}

// timeouts refuses a run that may last longer than its round is waited for: what
// it finds at its end would never be weighed.
func (c *checker) timeouts(h *Hub) {
	for i, p := range h.Probes {
		at := index("probes", i) + ".timeout"
		if round, ok := h.Settings.RoundTimeout[p.Kind]; ok && p.Timeout > round && len(p.Pulls) == 0 && c.clean(at) {
			c.addf(at, "is %s, but a round of %s is judged after %s; shorten it, or raise round_timeout of %s in policy.kinds",
				p.Timeout, p.Kind, round, p.Kind)
		}
	}
}

// kindsOf lists the kinds of evidence that the probes of a target bring. Whoever
// keeps a broadcast up watches it, too.
func kindsOf(probes []prober.Probe, target string) []prober.Kind {
	var kinds []prober.Kind
	for _, p := range probes {
		if p.Target != target {
			continue
		}
		kinds = append(kinds, p.Kind)
		if p.Kind == prober.KindCanary {
			kinds = append(kinds, prober.KindPlayback)
		}
	}
	return kinds
}

// heard keeps agents from looking silent between two of their results: the
// default grows with the interval of the most frequent probe, and a value that
// is too short for it is refused.
func (c *checker) heard(h *Hub) {
	var shortest time.Duration
	for _, p := range h.Probes {
		s, err := schedule.Parse(p.Schedule)
		if err != nil {
			return // told already
		}
		first := s.Next(time.Unix(0, 0))
		if period := s.Next(first).Sub(first); shortest == 0 || period < shortest {
			shortest = period
		}
	}
	least := 2 * shortest
	switch {
	case h.Settings.SilentAfter >= least:
	case !c.present("policy.silent_after"):
		h.Settings.SilentAfter = least
	case c.clean("policy.silent_after"):
		c.addf("policy.silent_after", "is %s, but the most frequent probe runs every %s: agents would look silent in between; want at least %s, or a canary", h.Settings.SilentAfter, shortest, least)
	}
}

// schedule gives the one schedule that every or cron stands for.
func (c *checker) schedule(at string, f probeFile) string {
	everySet := c.present(at + ".every")
	spec, key := f.Cron, at+".cron"
	switch {
	case everySet && f.Cron != "":
		c.addf(key, "is set beside every; remove one of them")
		return ""
	case everySet:
		spec, key = "@every "+f.Every.String(), at+".every"
	case f.Cron == "":
		c.addf(at+".every", "is missing; want an interval such as every: 30s, or cron: \"*/5 * * * *\"")
		return ""
	}
	if c.muted(key) {
		return ""
	}
	if everySet && (f.Every < time.Second || f.Every%time.Second != 0) {
		c.addf(key, "is %s; want whole seconds, at least 1s", f.Every)
		return ""
	}
	if _, err := schedule.Parse(spec); err != nil {
		text := strings.TrimPrefix(err.Error(), "schedule ")
		c.addf(key, "%s; want minute, hour, day of month, month and day of week, in UTC, such as \"*/5 * * * *\"", strings.ReplaceAll(text, ";", ","))
	}
	return spec
}

// present says whether the file has a value at path.
func (c *checker) present(path string) bool {
	_, ok := c.lines[path]
	return ok
}
