package hls

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
)

// names are those that are given to what is listed, each once.
type names struct {
	taken map[string]bool
	last  map[string]int // the number that was last added to a name
}

func newNames() names { return names{map[string]bool{}, map[string]int{}} }

// own gives a name, with a number where it is taken.
func (n names) own(name string) string {
	own := name
	for number := max(n.last[name], 1) + 1; n.taken[own]; number++ {
		own, n.last[name] = name+" #"+strconv.Itoa(number), number
	}
	n.taken[own] = true
	return own
}

// keep gives what was listed before the name that it had, and says which those are. A
// bitrate that is measured is another at each load, and a number is by the order: neither
// says which rendition it is, and a path does, unless several share it.
func (n names) keep(all, before []listing) []bool {
	now, then := byPlace(all), byPlace(before)
	kept := make([]bool, len(all))
	for i := range all {
		for _, p := range all[i].places() {
			if at, known := then[p]; known && at != several && now[p] == i {
				all[i].name, kept[i] = n.own(before[at].name), true
				break
			}
		}
	}
	n.keepMoved(all, before, kept)
	return kept
}

// keepMoved takes the variants of one stem for those that were listed, in their order,
// if none of them is where one was and there are as many, of about the same bitrates and
// in the same order by those: a token may stand in the path, or in a path that they
// share.
func (n names) keepMoved(all, before []listing, kept []bool) {
	const about = 2 // times as much, or as little
	stems, were := byStem(all), byStem(before)
	for _, stem := range slices.Sorted(maps.Keys(stems)) {
		now, then := stems[stem], were[stem]
		if len(now) != len(then) || slices.ContainsFunc(now, func(i int) bool { return kept[i] }) {
			continue
		}
		same := true
		for k, i := range now {
			a, b := all[i].variant.Bandwidth, before[then[k]].variant.Bandwidth
			same = same && a <= about*b && b <= about*a
			for l := range k {
				same = same && cmp.Compare(a, all[now[l]].variant.Bandwidth) == cmp.Compare(b, before[then[l]].variant.Bandwidth)
			}
		}
		if !same {
			continue
		}
		for k, i := range now {
			all[i].name, kept[i] = n.own(before[then[k]].name), true
		}
	}
}

// byStem lists variants by their stem, in their order.
func byStem(all []listing) map[string][]int {
	found := map[string][]int{}
	for i, l := range all {
		if l.kind == kindVariant {
			found[l.stem] = append(found[l.stem], i)
		}
	}
	return found
}

// listedPlace is where a rendition is listed, with what its name has of it that lasts.
type listedPlace struct {
	kind  listedKind
	stem  string
	uri   string
	whole bool // otherwise the path of it: its query may hold a token
}

// places are those of a listing, what tells most first.
func (l *listing) places() [2]listedPlace {
	return [2]listedPlace{{l.kind, l.stem, l.uri, true}, {l.kind, l.stem, pathOf(l.uri), false}}
}

const several = -1

// byPlace finds what is listed at a place, or that it is several.
func byPlace(all []listing) map[listedPlace]int {
	found := make(map[listedPlace]int, 2*len(all))
	for i := range all {
		for _, p := range all[i].places() {
			if _, twice := found[p]; twice {
				found[p] = several
			} else {
				found[p] = i
			}
		}
	}
	return found
}
