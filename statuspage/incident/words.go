package incident

import (
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
)

// observation is one kind of failure in public words: what was seen, and where.
type observation struct {
	title    string // "%s" is where
	sentence string
	again    string // when it has recovered
	whom     string // it may affect
	noRegion bool
	negative bool // "in any region", not "in all regions"
	since    time.Time
	regions  []string // ids
}

// The public phrases. They claim what test broadcasts saw, never a cause.
func phrase(f Failure) observation {
	accepted := slices.ContainsFunc(f.Evidence, func(e Evidence) bool { return pulled(e.Stage) })
	switch {
	case f.Kind == KindQuality:
		return qualityPhrase(f)
	case f.Element.Type == prober.ElementCore && f.partial():
		return observation{title: "Some broadcasts do not play everywhere", sentence: "Some broadcasts are accepted but do not play everywhere", again: "playback of every broadcast everywhere", whom: "viewers of some broadcasts", noRegion: true}
	case f.Element.Type == prober.ElementAPI && f.Kind == prober.KindAPI:
		return observation{title: "The API is failing", sentence: "The API does not answer, or not as it should", again: "answers of the API", whom: "whoever uses the API", noRegion: true}
	case f.Element.Type == prober.ElementCore && f.Kind == prober.KindRecording:
		return observation{title: "Recordings of broadcasts are missing", sentence: "Recordings of broadcasts are missing or do not play", again: "recordings of broadcasts", whom: "viewers of recordings", noRegion: true}
	case f.Element.Type == prober.ElementAPI:
		return observation{title: "New streams cannot be created", sentence: "New streams cannot be created through the API", again: "creating streams through the API", whom: "broadcasters who create streams", noRegion: true}
	case f.Element.Type == prober.ElementCore:
		return observation{title: "Broadcasts are accepted but do not play", sentence: "Broadcasts are accepted but do not play in any region", again: "playback of accepted broadcasts", whom: "broadcasters and viewers everywhere", noRegion: true}
	case f.Element.Type == prober.ElementPlayback && f.Kind == prober.KindGoLive:
		return observation{title: "New broadcasts do not play %s", sentence: "New broadcasts do not play %s", again: "playback of new broadcasts %s", whom: "viewers of new broadcasts %s", negative: true}
	case f.Element.Type == prober.ElementPlayback:
		return observation{title: "Playback is failing %s", sentence: "Playback is failing %s", again: "playback %s", whom: "viewers %s"}
	case f.Kind == prober.KindCanary:
		return observation{title: "Running broadcasts dropped %s", sentence: "Running broadcasts dropped %s", again: "running broadcasts %s", whom: "broadcasters %s and their viewers"}
	case f.Kind == prober.KindGoLive && !accepted:
		return observation{title: "New broadcasts cannot start %s", sentence: "New broadcasts cannot start %s", again: "starting new broadcasts %s", whom: "broadcasters %s", negative: true}
	default:
		return observation{title: "Broadcasts do not play %s", sentence: "Broadcasts are accepted but do not play when pushed %s", again: "playback of broadcasts pushed %s", whom: "broadcasters %s and their viewers", negative: true}
	}
}

// qualityPhrase says in what way it plays badly, where all sites saw the same way.
func qualityPhrase(f Failure) observation {
	o := observation{title: "Playback is degraded %s", sentence: "Broadcasts play, but with delays, interruptions or missing qualities %s", again: "quality of playback %s", whom: "viewers %s"}
	all := func(r prober.Reason) bool {
		return !slices.ContainsFunc(f.Evidence, func(e Evidence) bool { return e.Reason != r })
	}
	switch {
	case all(prober.ReasonRebuffering):
		o.title, o.sentence, o.again = "Playback is interrupted %s", "Broadcasts play, but stand still again and again %s", "playback without interruptions %s"
	case all(prober.ReasonLatencyHigh):
		o.title, o.sentence, o.again = "Live latency is high %s", "Broadcasts play much later than usual %s", "latency of playback %s"
	}
	switch f.Element.Type {
	case prober.ElementCore:
		o.noRegion = true
	case prober.ElementIngest:
		o.title = strings.ReplaceAll(o.title, "%s", "of broadcasts pushed %s")
		o.sentence = strings.ReplaceAll(o.sentence, "%s", "when pushed %s")
		o.again = strings.ReplaceAll(o.again, "%s", "of broadcasts pushed %s")
		o.whom = "viewers of broadcasts pushed %s"
	default:
	}
	return o
}

// pulled says whether a stage is one of pulling: what was pushed was taken.
func pulled(s prober.Stage) bool {
	return slices.Contains([]prober.Stage{prober.StageManifest, prober.StageSegment, prober.StageMedia, prober.StageLatency}, s)
}

// observe gathers failures that read alike, in the order of their beginning.
func (t *turn) observe(failures []Failure) []observation {
	var all []observation
	for _, f := range failures {
		if t.covered(f, failures) {
			continue
		}
		o := phrase(f)
		o.since = f.FirstFailed
		i := slices.IndexFunc(all, func(other observation) bool { return other.sentence == o.sentence })
		if i < 0 {
			all, i = append(all, o), len(all)
		}
		if o.since.Before(all[i].since) {
			all[i].since = o.since
		}
		if region := t.index.regions[f.Element]; region != "" && !slices.Contains(all[i].regions, region) {
			all[i].regions = append(all[i].regions, region)
		}
	}
	slices.SortStableFunc(all, func(a, b observation) int { return a.since.Compare(b.since) })
	return all
}

// covered says whether a failure is said already by another: new broadcasts do
// not play where no broadcast does, an API that makes no streams is failing, and
// what is out is not also bad.
func (t *turn) covered(f Failure, all []Failure) bool {
	if f.Kind == KindQuality {
		return slices.ContainsFunc(all, func(o Failure) bool { return o.Element == f.Element && o.Kind != KindQuality })
	}
	by := prober.Kind("")
	switch {
	case f.Element.Type == prober.ElementPlayback && f.Kind == prober.KindGoLive:
		by = prober.KindPlayback
	case f.Element.Type == prober.ElementAPI && f.Kind == prober.KindAPI:
		by = prober.KindGoLive
	}
	return slices.ContainsFunc(all, func(o Failure) bool { return o.Element == f.Element && o.Kind == by })
}

// where names regions: "in Frankfurt and New York", "in all regions", "in any
// region".
func (t *turn) where(target Target, ids []string, long, negative bool) string {
	var names []string
	for _, r := range target.Regions {
		if slices.Contains(ids, r.ID) {
			names = append(names, r.Name)
		}
	}
	list := listed(names)
	if len(names) > 1 && len(names) == len(target.Regions) {
		where := "in all regions"
		if negative {
			where = "in any region"
		}
		if long {
			where += " (" + list + ")"
		}
		return where
	}
	if list == "" {
		return ""
	}
	return "in " + list
}

func listed(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

func fill(pattern, where string) string {
	return strings.TrimSpace(strings.ReplaceAll(pattern, "%s", where))
}

// title names an incident by all that ever failed in it.
func (t *turn) title(in *Incident) string {
	target := t.index.target[in.Target]
	all := t.observe(t.told(in))
	name := ""
	switch len(all) {
	case 0:
		name = orElse(t.nameless(in), in.Name)
	case 1:
		name = fill(all[0].title, t.where(target, all[0].regions, false, all[0].negative))
	default:
		var regions []string
		wide := false
		for _, o := range all {
			wide = wide || o.noRegion
			regions = append(regions, o.regions...)
		}
		name = "Live streaming outage"
		if where := t.where(target, regions, false, false); !wide && where != "" {
			name += " " + where
		}
	}
	if prefix := target.Name + ": "; len(t.topology.Targets) > 1 && target.ID != "" && !strings.HasPrefix(name, prefix) {
		name = prefix + name
	}
	return name
}

// describe is what an incident has come to, without what is no news: who saw it,
// what that does not tell, and when the next word comes.
func (t *turn) describe(in *Incident) string {
	now := t.telling(in)
	now.Sites, now.NextUpdate, now.CauseUnknown = 0, "", false
	return t.words.phrase(messageOf(in, now, updated), now)
}

// messageOf gives the template for what an incident is; while something fails it is
// the one that is wanted.
func messageOf(in *Incident, now Telling, wanted message) message {
	switch {
	case in.Phase == Resolved:
		return resolved
	case len(now.Failing) == 0:
		return monitoring
	}
	return wanted
}

// telling is all that the public may be told of an incident.
func (t *turn) telling(in *Incident) Telling {
	target := t.index.target[in.Target]
	tell := Telling{Name: in.Name, FoundBy: foundByTests}
	var now, over []Failure
	told, ended := t.told(in), in.StartedAt
	for _, f := range told {
		if f.RecoveredAt.IsZero() {
			now = append(now, f)
		} else {
			over = append(over, f)
		}
		if f.LastFailed.After(ended) {
			ended = f.LastFailed
		}
		if f.Kind != prober.KindAPI {
			tell.FoundBy = foundByBroadcasts
		}
	}
	if len(told) > 0 { // of one that a person opened, and that no test saw, no time is known
		tell.Began, tell.LastFailed = t.when(in.StartedAt), t.when(ended)
	}
	tell.Sites, tell.CauseUnknown = sitesOf(now), t.cause(target, told).Place == PlaceUnknown
	tell.WorkingAgain = t.workingAgain(target, over, now)
	var whom []string
	for _, o := range t.observe(now) {
		since := "since "
		if strings.HasPrefix(o.sentence, "Running broadcasts dropped") {
			since = "at "
		}
		told := Told{
			What: fill(o.sentence, t.where(target, o.regions, true, o.negative)), Since: since + t.when(o.since),
			Whom: fill(o.whom, t.where(target, o.regions, false, false)),
		}
		tell.Failing = append(tell.Failing, told)
		whom = append(whom, told.Whom)
	}
	tell.Whom = strings.Join(widest(whom), "; ")
	return tell
}

// widest leaves out who is named again: "broadcasters" beside "broadcasters and
// their viewers".
func widest(whom []string) []string {
	var all []string
	for i, w := range whom {
		named := slices.Contains(whom[:i], w) ||
			slices.ContainsFunc(whom, func(o string) bool { return o != w && strings.HasPrefix(o, w) })
		if !named {
			all = append(all, w)
		}
	}
	return all
}

// workingAgain names what has recovered, but not what still fails in another way.
func (t *turn) workingAgain(target Target, over, now []Failure) string {
	failing := t.observe(now)
	var again []string
	for _, o := range t.observe(over) {
		for _, f := range failing {
			if f.sentence == o.sentence {
				o.regions = slices.DeleteFunc(o.regions, func(r string) bool { return slices.Contains(f.regions, r) })
			}
		}
		still := slices.ContainsFunc(failing, func(f observation) bool { return f.sentence == o.sentence })
		if !still || len(o.regions) > 0 {
			again = append(again, fill(o.again, t.where(target, o.regions, false, false)))
		}
	}
	return strings.Join(again, "; ")
}

func clock(at time.Time) string { return at.UTC().Format("15:04:05 UTC") }
