package hls

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
)

// slightlyApart is by how many segments two origins behind one name may differ
// without either being at fault.
const slightlyApart = 3

// Analyze checks current, and how it follows from previous (nil for the first),
// with the default Rules.
func Analyze(previous, current *Playlist, at time.Time) []prober.Finding {
	return Rules{}.Analyze(previous, current, at)
}

// Analyze checks one playlist, and how a media playlist follows from the previous
// one (nil for the first), the gravest finding first. It is pure: at is when
// current was requested, so that a slow answer is not held against the playlist,
// and previous.Updated is when a change was last observed. The same playlist
// twice breaks no rule until it is stale. A delta update is to be Applied before.
func (r Rules) Analyze(previous, current *Playlist, at time.Time) []prober.Finding {
	found := &findings{rules: r}
	for _, f := range current.seen.faults {
		found.count(f)
	}
	if need, has := current.seen.need, current.Version; need > has {
		found.add(ruleVersion, "%s needs EXT-X-VERSION %d, and it is %d", current.seen.needFor, need, has)
	}
	switch {
	case current.Multivariant:
		if len(current.Variants) == 0 {
			found.add(ruleNoVariants, "the multivariant playlist lists no variant")
		}
	case current.Skipped > 0:
		found.add(ruleSkip, "EXT-X-SKIP leaves out %d segments, and no playlist is known that has them (6.2.5.1)", current.Skipped)
	default:
		found.media(current)
		found.lowLatency(current)
		found.dates(current)
		found.update(previous, current, at)
	}
	slices.SortStableFunc(found.list, func(a, b prober.Finding) int { return gravity(a) - gravity(b) })
	return found.list
}

func gravity(f prober.Finding) int { return slices.Index(prober.Severities(), f.Severity) }

// media checks one media playlist by itself.
func (f *findings) media(p *Playlist) {
	if p.EndList && (f.rules.Expect == ExpectLive || f.rules.Expect == ExpectEvent) {
		f.add(ruleEnded, "EXT-X-ENDLIST at media sequence %d, but the broadcast is up", p.MediaSequence)
	}
	if len(p.Segments) == 0 {
		f.add(ruleEmpty, "the playlist lists no segment")
	}
	if !p.EndList && (p.Type == "VOD" || f.rules.Expect == ExpectVOD) {
		f.add(ruleVODOpen, "a video on demand without EXT-X-ENDLIST")
	}
	if s, ok := tooLong(p); ok {
		f.add(ruleTooLong, "segment %d lasts %.3f s, which rounds to more than the target duration %s", s.Sequence, s.Duration.Seconds(), p.TargetDuration)
	}
	f.start(p)
}

// start checks EXT-X-START (4.4.2.2) of a live playlist.
func (f *findings) start(p *Playlist) {
	if !p.seen.hasStart || p.EndList {
		return
	}
	fromEnd := -p.seen.start
	if p.seen.start >= 0 {
		fromEnd = p.Duration().Seconds() - p.seen.start
	}
	if fromEnd < 3*p.TargetDuration.Seconds() {
		f.add(ruleStart, "TIME-OFFSET %g is %.3f s before the end, less than three target durations of %s", p.seen.start, max(fromEnd, 0), p.TargetDuration)
	}
}

// tooLong finds the newest segment whose rounded duration exceeds the target.
func tooLong(p *Playlist) (Segment, bool) {
	limit := p.TargetDuration + time.Second/2 // from here on it rounds up to more
	for i := len(p.Segments) - 1; i >= 0; i-- {
		if d := p.Segments[i].Duration; d >= limit && math.Round(d.Seconds()) > p.TargetDuration.Seconds() {
			return p.Segments[i], true
		}
	}
	return Segment{}, false
}

// window writes a playlist's sequence numbers for a person.
func window(p *Playlist) string {
	newest, ok := p.newest()
	if !ok {
		return fmt.Sprintf("%d (empty)", p.MediaSequence)
	}
	return fmt.Sprintf("%d..%d", p.Segments[0].Sequence, newest)
}

// pathOf is a URI without query and fragment, which may hold tokens.
func pathOf(uri string) string {
	if i := strings.IndexAny(uri, "?#"); i >= 0 {
		uri = uri[:i]
	}
	if _, rest, ok := strings.Cut(uri, "://"); ok {
		_, rest, _ = strings.Cut(rest, "/")
		return "/" + rest
	}
	return uri
}

// sameName says whether two URIs end in the same name. Nearly always they are
// equal, or but for the query: that is looked at first.
func sameName(a, b string) bool {
	if a == b {
		return true
	}
	if i := strings.IndexByte(a, '?'); i >= 0 && strings.HasPrefix(b, a[:i+1]) {
		return true
	}
	return nameOf(a) == nameOf(b)
}

// nameOf is the last part of a URI's path: what is left of it when a token is made
// part of the path.
func nameOf(uri string) string {
	p := pathOf(uri)
	return p[strings.LastIndexByte(p, '/')+1:]
}
