package hls

import (
	"fmt"
	"slices"
	"strings"

	"streamcanary/prober"
)

// maxFollowed bounds the renditions of one follower, and so its memory.
const maxFollowed = 16

// toFollow picks what is followed of what is listed, and keeps its order. Where that is
// too much, up to half is for what plays together with the variants, one of each of
// their groups before any other.
func toFollow(all []listing) []listing {
	if len(all) <= maxFollowed {
		return all
	}
	variants := 0
	for variants < len(all) && all[variants].kind == kindVariant {
		variants++
	}
	together := 0
	for _, l := range all[variants:] {
		if slices.ContainsFunc(all[:variants], l.playsWith) {
			together++
		}
	}
	kept := min(variants, max(maxFollowed/2, maxFollowed-together))
	turns := [3][]int{} // of those behind the variants: one of each group, the rest of it, and of others
	seen := map[listing]bool{}
	for i := variants; i < len(all); i++ {
		l := all[i]
		group := listing{kind: l.kind, group: l.group}
		switch used := slices.ContainsFunc(all[:kept], l.playsWith); {
		case used && !seen[group]:
			turns[0] = append(turns[0], i)
		case used:
			turns[1] = append(turns[1], i)
		default:
			turns[2] = append(turns[2], i)
		}
		seen[group] = true
	}
	others := slices.Concat(turns[0], turns[1], turns[2])
	others = others[:min(len(others), maxFollowed-kept)]
	slices.Sort(others)
	picked := slices.Clone(all[:kept])
	for _, i := range others {
		picked = append(picked, all[i])
	}
	return picked
}

// playsWith says whether a rendition is in a group that a variant names.
func (l listing) playsWith(variant listing) bool {
	named := ""
	switch l.kind {
	case kindAudio:
		named = variant.variant.Audio
	case kindVideo:
		named = variant.variant.Video
	case kindSubtitles:
		named = variant.variant.Subtitles
	case kindAlone, kindVariant:
	}
	return named != "" && named == l.group
}

// unfollowed tells what is listed and not followed: what is found is not of all.
func unfollowed(all []listing) []prober.Finding {
	picked := toFollow(all)
	if len(picked) == len(all) {
		return nil
	}
	var names []string
	for _, l := range all {
		if !slices.ContainsFunc(picked, func(p listing) bool { return p.name == l.name }) {
			names = append(names, l.name)
		}
	}
	f := ladderFinding(prober.SeverityNote, prober.ReasonNotFollowed, "",
		fmt.Sprintf("%d of %d renditions are not followed: %s", len(names), len(all), strings.Join(names, ", ")))
	f.Section = "" // the bound is ours
	return []prober.Finding{f}
}
