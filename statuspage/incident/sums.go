package incident

import (
	"slices"
	"time"

	"streamcanary/prober"
)

// goodsBetween is how many good rounds part one failure's beginning from the next's.
const goodsBetween = 2

// goodsAgain is how many good rounds in a row show that a site no longer sees fail what
// it saw fail: where nearly all fails, one is good now and then.
const goodsAgain = 3

// weigh moves the sum of one element, kind and site by one piece of evidence,
// within [0, h/q]: no site alone, whatever it sees, can open anything.
func (t *turn) weigh(key string, e prober.Element, kind prober.Kind, ok bool, evidence Evidence) {
	sum := t.s.Sums[key]
	if sum == nil {
		sum = &sumState{Element: e, Kind: kind, Sites: map[string]*siteSum{}}
		t.s.Sums[key] = sum
	}
	site := sum.Sites[evidence.Site]
	if site == nil {
		site = &siteSum{}
		sum.Sites[evidence.Site] = site
	}
	sum.EvidenceAt, site.At = t.s.At, t.s.At
	t.touch(key)
	w := t.weights[kind]
	if ok {
		site.Failing, site.Ran = false, true
		site.Goods = min(site.Goods+1, goodsAgain)
		site.W = max(site.W-w.ok, 0)
		if site.W >= t.doubted() && !sum.Open && t.goodSite(evidence.Site) && !t.muted(e) && !t.alone(sum, evidence.Site) {
			t.request(e.Target) // what fails now and then is not left to the next turn
		}
		if sum.Open {
			t.askRecovery(sum, site)
			site.V = min(site.V+w.ok, t.siteCap(t.settings.RecoveryThreshold))
		} else if t.goodSite(evidence.Site) {
			t.measure(key, sum, site.Noise)
		}
		site.Noise = 0
		return
	}
	gain := w.fail
	if site.Failing {
		gain = w.again
	}
	// What was good in between is another failure, though some of its weight is left.
	if site.W == 0 || site.Goods >= goodsBetween {
		site.FirstFail = evidence.At
	}
	site.Goods = 0
	site.Failing, site.V = true, 0
	site.Noise++
	before := site.W
	site.W = min(site.W+gain, t.siteCap(t.settings.Threshold))
	last := evidence // evidence itself would be on the heap for every good round, too
	site.Last = &last
	if sum.Open {
		return
	}
	t.afterwards(sum, site)
	// At its cap a site has said all that it can: more rounds add nothing. Nor is
	// hurried what opens nothing now.
	if site.W > before && !t.muted(e) {
		t.request(e.Target)
	}
}

// askRecovery asks for rounds when a site first sees an open element good again, and,
// where that goes on, until it is sure, so that the end of an outage is as quick to show
// as its beginning.
func (t *turn) askRecovery(sum *sumState, site *siteSum) {
	goesOn := site.Goods >= goodsAgain && site.V < t.siteCap(t.settings.RecoveryThreshold)
	if (site.V == 0 || goesOn) && !t.muted(sum.Element) {
		t.request(sum.Element.Target)
	}
}

// doubted is the sum of a site from which on rounds are asked for even after a good one,
// until it is less: it has seen more than chance explains, and less than opens.
func (p Policy) doubted() Nats { return p.siteCap(p.settings.Threshold) / 2 }

// request makes every agent that can see the target probe it now. While the
// rounds of one request run, no other is made: a failing platform is not to be
// hammered.
func (t *turn) request(target string) {
	if t.settings.ConfirmRounds == 0 || t.s.Requests[target].After(t.s.At) {
		return
	}
	rounds, spacing := t.settings.ConfirmRounds, t.settings.ConfirmSpacing
	t.s.Requests[target] = t.s.At.Add(time.Duration(rounds) * spacing)
	e := Event{Type: ProbeRequested, Key: "probe/" + target, Summary: "Probe " + target + " now"}
	t.emit(e)
	last := &t.events[len(t.events)-1]
	last.ProbeNow = &prober.ProbeNow{
		ID: last.ID, Target: target, Rounds: rounds, Spacing: spacing,
		Kinds: ConfirmedKinds(),
	}
}

// reached says whether an element opens: the good sites' sums reach h, and at
// least q sites with good controls have a part in it.
func (t *turn) reached(sum *sumState) bool {
	var total Nats
	sites := 0
	for id, site := range sum.Sites {
		if site.W > 0 && t.goodSite(id) && !site.Contradicted {
			total += site.W
			sites++
		}
	}
	return sites >= t.settings.Quorum && total >= t.settings.Threshold
}

// recovered says whether an open element is good again: enough sites say so, and
// fewer than would open it still see it fail. No data adds nothing, so it never
// counts as recovery.
func (t *turn) recovered(sum *sumState) bool {
	var total Nats
	sites, failing := 0, 0
	for id, site := range sum.Sites {
		if fails := site.Failing || site.Last != nil && site.Goods < goodsAgain; fails && t.goodSite(id) && t.s.At.Sub(site.At) <= t.settings.UnknownAfter {
			failing++
		}
		if site.V > 0 && t.goodSite(id) {
			total += site.V
			sites++
		}
	}
	return sites >= t.settings.Quorum && total >= t.settings.RecoveryThreshold && failing < t.settings.Quorum
}

// failure describes a sum that has just opened. It began with the first failure
// of the q-th site: fewer could be the sites' own noise from long before.
func (t *turn) failure(sum *sumState) Failure {
	f := Failure{Element: sum.Element, Kind: sum.Kind, OpenedAt: t.s.At}
	var firsts []time.Time
	for _, id := range sortedKeys(sum.Sites) {
		site := sum.Sites[id]
		if site.W > 0 && site.Last != nil && t.goodSite(id) && !site.Contradicted {
			firsts = append(firsts, site.FirstFail)
			f.Evidence = append(f.Evidence, *site.Last)
			if site.Last.At.After(f.LastFailed) {
				f.LastFailed = site.Last.At
			}
		}
	}
	slices.SortFunc(firsts, time.Time.Compare)
	f.FirstSeen = firsts[0]
	f.FirstFailed = firsts[min(t.settings.Quorum, len(firsts))-1]
	return f
}

// closeSum forgets what an element's sums held.
func (sum *sumState) closeSum() {
	sum.Open, sum.SplitSince = false, time.Time{}
	for _, site := range sum.Sites {
		site.forget()
	}
}

// forget clears what a site has seen, towards opening and towards recovery.
func (s *siteSum) forget() {
	s.W, s.V, s.Failing, s.FirstFail, s.Noise = 0, 0, false, time.Time{}, 0
	s.AloneSince, s.Contradicted = time.Time{}, false
	s.Dim, s.Strays, s.Goods, s.By = nil, nil, goodsAgain, nil
}

// saw notes which of a site's agents see it fail.
func (s *siteSum) saw(agent string, ok bool) {
	i := slices.Index(s.By, agent)
	switch {
	case ok && i >= 0:
		s.By = slices.Delete(s.By, i, i+1)
	case !ok && i < 0:
		s.By = append(s.By, agent)
	}
}

// touched lists the sums whose verdict may have changed in this turn.
func (t *turn) touched() []string {
	if t.allDirty {
		return sortedKeys(t.s.Sums)
	}
	slices.Sort(t.dirty)
	return t.dirty
}

// touch notes that a sum got evidence.
func (t *turn) touch(key string) {
	if t.dirty == nil {
		t.dirty = make([]string, 0, 16)
	}
	if !slices.Contains(t.dirty, key) {
		t.dirty = append(t.dirty, key)
	}
}

// afterwards keeps the word "no failure since" true: a site that fails after the
// element has recovered as a whole is noted in the incident.
func (t *turn) afterwards(sum *sumState, site *siteSum) {
	for _, o := range t.s.Incidents {
		for i := range o.Incident.Failures {
			f := &o.Incident.Failures[i]
			if f.Element == sum.Element && f.Kind == sum.Kind && site.Last.At.After(f.LastFailed) {
				f.LastFailed = site.Last.At
			}
		}
	}
}

// goodSince counts the good sites that have seen the element good since a time,
// and not failing after that.
func (t *turn) goodSince(sum *sumState, since time.Time) int {
	n := 0
	for id, site := range sum.Sites {
		if !site.Failing && t.goodSite(id) && site.At.After(since) {
			n++
		}
	}
	return n
}
