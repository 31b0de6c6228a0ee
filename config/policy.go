package config

import (
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/schedule"
	"streamcanary/statuspage/incident"
)

// settings turns the policy section, defaults included, into the engine's.
func (c *checker) settings(f policyFile) incident.Settings {
	s := incident.DefaultSettings()
	s.ConfirmRounds = f.ConfirmRounds
	s.RecoveryThreshold = incident.NatsOf(f.RecoveryThreshold)
	for _, d := range []struct {
		key string
		in  time.Duration
		out *time.Duration
	}{
		{"hold", f.Hold, &s.Hold},
		{"join_window", f.JoinWindow, &s.JoinWindow},
		{"open_settle", f.OpenSettle, &s.OpenSettle},
		{"update_settle", f.UpdateSettle, &s.UpdateSettle},
		{"recovery_settle", f.RecoverySettle, &s.RecoverySettle},
		{"confirm_spacing", f.ConfirmSpacing, &s.ConfirmSpacing},
		{"late_after", f.LateAfter, &s.LateAfter},
		{"silent_after", f.SilentAfter, &s.SilentAfter},
		{"unknown_after", f.UnknownAfter, &s.UnknownAfter},
		{"contradicted_after", f.ContradictedAfter, &s.ContradictedAfter},
		{"change_window", f.ChangeWindow, &s.ChangeWindow},
		{"update_every", f.UpdateEvery, &s.UpdateEvery},
		{"update_gap", f.UpdateGap, &s.UpdateGap},
		{"approve_within", f.ApproveWithin, &s.ApproveWithin},
	} {
		c.notNegative("policy."+d.key, d.in)
		*d.out = d.in
	}
	if f.UpdateEvery > 0 && f.UpdateEvery < minUpdateEvery {
		c.addf("policy.update_every", "is %s; want at least %s, or 0s to promise no update", f.UpdateEvery, minUpdateEvery)
	}
	if f.UpdateEvery >= minUpdateEvery && f.UpdateGap > f.UpdateEvery {
		c.addf("policy.update_gap", "is %s; want at most update_every, %s: what is promised by then is not held back", f.UpdateGap, f.UpdateEvery)
	}
	c.nats("policy.recovery_threshold", f.RecoveryThreshold)
	if f.ConfirmRounds < 0 || f.ConfirmRounds > maxConfirm {
		c.addf("policy.confirm_rounds", "is %d; want from 0 to %d", f.ConfirmRounds, maxConfirm)
	}
	if f.ConfirmRounds > 0 && f.ConfirmSpacing == 0 {
		c.addf("policy.confirm_spacing", "is 0s; want more, such as 2s")
	}
	s.Unapproved = incident.Unapproved(f.Unapproved)
	c.reference("policy.unapproved", f.Unapproved, "such choice", []string{string(incident.UnapprovedKeep), string(incident.UnapprovedPublish)})
	c.kinds(f.Kinds, &s)
	return s
}

// follows sets what follows from the sites, the probes and the wanted rate of false
// openings, unless the file sets it: the quorum, and the threshold.
func (c *checker) follows(f policyFile, h *Hub) {
	h.wanted, h.quorumSet = f.FalseOpenings, f.Quorum != nil
	if f.Quorum == nil || f.Threshold == nil {
		if !(f.FalseOpenings > 0 && f.FalseOpenings <= maxFalseOpenings) {
			c.addf("policy.false_openings", "is %v; want false openings of a component in a year, above 0 and up to %d, such as 0.01", f.FalseOpenings, maxFalseOpenings)
			return
		}
	}
	h.Settings.Quorum = incident.QuorumFor(len(h.Topology.Sites), f.FalseOpenings)
	if f.Quorum != nil {
		if h.Settings.Quorum = *f.Quorum; *f.Quorum < 1 {
			c.addf("policy.quorum", "is %d; want at least 1, the number of sites that must agree", *f.Quorum)
		}
	}
	if f.Threshold != nil {
		c.nats("policy.threshold", *f.Threshold)
		h.Settings.Threshold = incident.NatsOf(*f.Threshold)
		return
	}
	h.Settings.Threshold = incident.DefaultThreshold(h.Settings, h.Topology, h.schedule(), f.FalseOpenings)
}

// maxFalseOpenings is one a day: more is no status page.
const maxFalseOpenings = 365

// schedule is how often each target's probes bring evidence.
func (h *Hub) schedule() incident.Schedule {
	all := incident.Schedule{}
	for _, p := range h.Probes {
		s, err := schedule.Parse(p.Schedule)
		if err != nil {
			continue // told already
		}
		if all[p.Target] == nil {
			all[p.Target] = map[prober.Kind]time.Duration{}
		}
		first := s.Next(time.Unix(0, 0))
		period := s.Next(first).Sub(first)
		for _, kind := range kindsOf([]prober.Probe{p}, p.Target) {
			if have, ok := all[p.Target][kind]; !ok || period < have {
				all[p.Target][kind] = period
			}
		}
	}
	return all
}

// minUpdateEvery keeps readers from a page that says nothing new all the time.
const minUpdateEvery = 5 * time.Minute

// maxConfirm bounds the extra load of confirmation.
const maxConfirm = 20

// maxNats is far above every useful threshold: e^-100 a round is never.
const maxNats = 100

func (c *checker) nats(at string, value float64) {
	if !(value > 0 && value <= maxNats) { // also refuses what is not a number
		c.addf(at, "is %v; want nats above 0, up to %d", value, maxNats)
	}
}

func (c *checker) notNegative(at string, d time.Duration) {
	if d < 0 {
		c.addf(at, "is %s; want a duration that is not negative", d)
	}
}

// kinds lays the file's figures over the defaults of each kind.
func (c *checker) kinds(files []kindFile, s *incident.Settings) {
	known := make([]string, 0, len(incident.Promises()))
	for _, k := range incident.Promises() {
		known = append(known, string(k))
	}
	seen := ids{}
	for i, f := range files {
		at := index("policy.kinds", i)
		if !c.reference(at+".kind", f.Kind, "kind of probe", known) {
			continue
		}
		if first, twice := seen[f.Kind]; twice {
			c.addf(at+".kind", "%s has its figures in line %d already; remove one of them", f.Kind, c.line(first))
			continue
		}
		seen[f.Kind] = at
		kind := prober.Kind(f.Kind)
		s.Rates[kind] = c.rates(at, f, s.Rates[kind])
		if f.RoundTimeout != nil {
			s.RoundTimeout[kind] = *f.RoundTimeout
			if *f.RoundTimeout < minTimeout || *f.RoundTimeout > maxTimeout {
				c.addf(at+".round_timeout", "is %s; want from %s to %s", *f.RoundTimeout, minTimeout, maxTimeout)
			}
		}
	}
}

func (c *checker) rates(at string, f kindFile, r incident.Rates) incident.Rates {
	for _, p := range []struct {
		key string
		in  *float64
		out *float64
	}{{"p0", f.P0, &r.P0}, {"p1", f.P1, &r.P1}, {"again_p0", f.AgainP0, &r.AgainP0}} {
		if p.in == nil {
			continue
		}
		*p.out = *p.in
		if !(*p.in > 0 && *p.in < 1) {
			c.addf(at+"."+p.key, "is %v; want a probability above 0 and below 1", *p.in)
			return r
		}
	}
	if !(r.P0 <= r.AgainP0 && r.AgainP0 < r.P1) {
		c.addf(at, "has p0 %v, again_p0 %v and p1 %v; want p0 <= again_p0 < p1", r.P0, r.AgainP0, r.P1)
	}
	return r
}

// quorum refuses to publish by itself what too few sites can see.
func (c *checker) quorum(h *Hub) {
	sites := len(h.Topology.Sites)
	probesKnown := c.clean("probes")
	var tooFew, alone []string
	for i, component := range h.Topology.Components {
		if component.Publish != incident.PublishAuto {
			continue
		}
		if h.Settings.Quorum > sites {
			tooFew = append(tooFew, component.ID)
		}
		if sites == 1 && !h.quorumSet {
			alone = append(alone, component.ID)
		}
		var unseen []string
		for _, e := range component.Elements {
			if !probed(h.Probes, e) {
				unseen = append(unseen, e.String())
			}
		}
		if probesKnown && len(unseen) > 0 {
			c.addf(index("components", i)+".publish", "is auto, but no probe sees %s; add one in probes, or set publish: hold", strings.Join(unseen, ", "))
		}
	}
	if len(alone) > 0 {
		c.warnf("one site alone decides what %s auto, its own trouble too: %s; add agents at other sites, best three in all, set publish: hold there, or policy.quorum: 1 if that is meant",
			plural(len(alone), "component publishes", "components publish"), strings.Join(alone, ", "))
	}
	if len(tooFew) > 0 && c.clean("agents") {
		c.addf("policy.quorum", "is %d, but only %s can see what %s auto: %s; add agents at other sites, lower the quorum, or set publish: hold there",
			h.Settings.Quorum, count(sites, "site"), plural(len(tooFew), "component publishes", "components publish"), strings.Join(tooFew, ", "))
	}
}

// probed says whether a probe brings evidence on e.
func probed(probes []prober.Probe, e prober.Element) bool {
	return slices.ContainsFunc(probes, func(p prober.Probe) bool { return sees(p, e) })
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
