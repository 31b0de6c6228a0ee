package incident

import (
	"slices"
	"strings"

	"streamcanary/prober"
)

// Place is where the cause of an incident lies, as far as tests can tell.
type Place string

// The places. The README has the table by which they follow from what failed.
const (
	PlaceAPI        Place = "api"
	PlaceIngest     Place = "ingest"   // one or more
	PlacePlayback   Place = "playback" // one or more
	PlaceCore       Place = "core"
	PlaceRegion     Place = "region"     // ingests and playbacks of the same regions
	PlaceEverywhere Place = "everywhere" // every ingest and every playback
	PlaceUnknown    Place = "unknown"    // what was seen does not separate
)

// Cause is where an incident's cause lies. Internal: the public is told what was
// seen, and at most that this does not tell where.
type Cause struct {
	Place Place  `json:"place"`
	Words string `json:"words"` // "ingest fra", "cause unknown: the core and playback fra failed, ..."
}

// cause places what failed; without anything that failed it is the zero Cause. What
// only plays badly says nothing beside what does not play.
func (t *turn) cause(target Target, failures []Failure) Cause {
	has := blameOf(target, failures, func(f Failure) bool { return f.Kind != KindQuality })
	if has.nothing() {
		has = blameOf(target, failures, func(Failure) bool { return true })
	}
	if has.nothing() {
		return Cause{}
	}
	place := has.place(t.index)
	switch place {
	case PlaceUnknown:
		return Cause{place, "cause unknown: " + has.String() + " failed, and what was seen does not separate them"}
	case PlaceRegion:
		return Cause{place, "region " + listed(has.ingests.regions(t.index))}
	case PlaceEverywhere:
		return Cause{place, string(place)}
	default:
		return Cause{place, has.String()}
	}
}

// blame is which elements of a target failed.
type blame struct {
	api, core          bool
	ingests, playbacks endpointsBlamed
}

// endpointsBlamed are those of a type, in the configuration's order.
type endpointsBlamed struct {
	elements []prober.Element
	of       int // that there are
}

func blameOf(target Target, failures []Failure, counts func(Failure) bool) blame {
	failed := func(e prober.Element) bool {
		return slices.ContainsFunc(failures, func(f Failure) bool { return f.Element == e && counts(f) })
	}
	endpoints := func(all []Endpoint, element func(target, id string) prober.Element) endpointsBlamed {
		b := endpointsBlamed{of: len(all)}
		for _, x := range all {
			if e := element(target.ID, x.ID); failed(e) {
				b.elements = append(b.elements, e)
			}
		}
		return b
	}
	return blame{
		api: failed(api(target.ID)), core: failed(core(target.ID)),
		ingests: endpoints(target.Ingests, ingest), playbacks: endpoints(target.Playbacks, playback),
	}
}

func (b blame) nothing() bool {
	return !b.api && !b.core && b.ingests.none() && b.playbacks.none()
}

// place reads the table.
func (b blame) place(x index) Place {
	alone := func(api, core, ingests, playbacks bool) bool {
		return b.api == api && b.core == core && b.ingests.none() != ingests && b.playbacks.none() != playbacks
	}
	switch {
	case b.ingests.all() && b.playbacks.all():
		return PlaceEverywhere
	case alone(true, false, false, false):
		return PlaceAPI
	case alone(false, true, false, false):
		return PlaceCore
	case alone(false, false, true, false):
		return PlaceIngest
	case alone(false, false, false, true):
		return PlacePlayback
	case alone(false, false, true, true) && slices.Equal(b.ingests.regions(x), b.playbacks.regions(x)):
		return PlaceRegion
	}
	return PlaceUnknown
}

func (b blame) String() string {
	var all []string
	if b.api {
		all = append(all, "the API")
	}
	if !b.ingests.none() {
		all = append(all, b.ingests.named("ingest"))
	}
	if b.core {
		all = append(all, "the core")
	}
	if !b.playbacks.none() {
		all = append(all, b.playbacks.named("playback"))
	}
	return listed(all)
}

func (b endpointsBlamed) none() bool { return len(b.elements) == 0 }
func (b endpointsBlamed) all() bool  { return len(b.elements) == b.of && b.of > 0 }

// named lists ids, or says that it is all of them.
func (b endpointsBlamed) named(what string) string {
	if b.all() && b.of > 1 {
		return "every " + what
	}
	var ids []string
	for _, e := range b.elements {
		ids = append(ids, e.ID)
	}
	return what + " " + strings.Join(ids, ", ")
}

// regions are those of the elements, sorted.
func (b endpointsBlamed) regions(x index) []string {
	var all []string
	for _, e := range b.elements {
		all = append(all, x.regions[e])
	}
	slices.Sort(all)
	return slices.Compact(all)
}
