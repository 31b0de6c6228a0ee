package postmortem

import (
	"fmt"
	"slices"

	"streamcanary/statuspage/incident"
)

// What a draft may take, in bytes, so that what people make of it can be published.
const (
	mostPublic = incident.MaxPostmortem * 2 / 3 // all before the internal part
	mostPeople = 1000                           // of it, the headings that people write below
	mostList   = 3000                           // of it, each list of components or regions
)

// first gives the first lines that fit into so many bytes, and says how many do not.
func first(lines []string, most int, more func(n int) string) []string {
	for i, line := range lines {
		if most -= len(line) + 2; most < 0 {
			return append(slices.Clone(lines[:i]), more(len(lines)-i))
		}
	}
	return lines
}

// ends gives the first and the last lines that fit into so many bytes, and says
// between them how many do not: how it began and how it ended is what is told most.
func ends(lines []string, most int) []string {
	const gap = 100 // bytes of the line between
	head, tail := 0, len(lines)
	for room := most - gap; head < tail; {
		next := lines[head]
		front := head <= len(lines)-tail
		if !front {
			next = lines[tail-1]
		}
		if room -= len(next) + 1; room < 0 {
			break
		}
		if front {
			head++
		} else {
			tail--
		}
	}
	if head >= tail {
		return lines
	}
	return slices.Concat(lines[:head], []string{fmt.Sprintf("- _%d more messages, which stand among the incident's updates._", tail-head)}, lines[tail:])
}
