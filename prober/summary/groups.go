package summary

import (
	"strings"

	"streamcanary/prober"
)

// group is a part of the rules, named by the section that they stand in.
type group struct {
	name     string
	sections []string // prefixes of SectionOf, up to a point or the end
	push     bool     // of a server that takes broadcasts
}

// The group of what has no section, or one that is in none of the others.
const otherRules = "other rules"

// ruleGroups lists them in the order of their sections. The names of RFC 8216bis are
// its headings.
func ruleGroups() []group {
	hls := func(numbers ...string) []string {
		for i, n := range numbers {
			numbers[i] = "RFC 8216bis " + n
		}
		return numbers
	}
	return []group{
		{name: "RTMP", sections: []string{"RTMP 1.0", "NetConnection", "enhanced RTMP", "every_address"}, push: true},
		{name: "Media Segments (RFC 8216bis 3)", sections: hls("3")},
		{name: "Playlist structure (RFC 8216bis 4.1 to 4.4.2)", sections: hls("4.1", "4.2", "4.3", "4.4", "4.4.1", "4.4.2", "8")},
		{name: "Media Playlist Tags (RFC 8216bis 4.4.3)", sections: hls("4.4.3")},
		{name: "Media Segment Tags (RFC 8216bis 4.4.4)", sections: hls("4.4.4")},
		{name: "Media Metadata Tags (RFC 8216bis 4.4.5)", sections: hls("4.4.5")},
		{name: "Multivariant Playlist Tags (RFC 8216bis 4.4.6)", sections: hls("4.4.6")},
		{name: "General Server Responsibilities (RFC 8216bis 6.2.1)", sections: hls("6.2.1")},
		{name: "Live Playlists (RFC 8216bis 6.2.2)", sections: hls("6.2.2")},
		{name: "Encrypting Media Segments (RFC 8216bis 6.2.3)", sections: hls("6.2.3")},
		{name: "Providing Variant Streams (RFC 8216bis 6.2.4)", sections: hls("6.2.4")},
		{name: "Low latency (RFC 8216bis 6.2.5, 6.2.6)", sections: hls("6.2.5", "6.2.6")},
		{name: "MPEG-TS (ISO/IEC 13818-1)", sections: []string{"ISO/IEC 13818-1"}},
		{name: "fMP4 (ISO/IEC 14496-12)", sections: []string{"ISO/IEC 14496-12"}},
		{name: otherRules},
	}
}

// groupOf is the group with the longest prefix of a finding's section.
func groupOf(f prober.Finding) string {
	section := SectionOf(f)
	name, longest := otherRules, 0
	for _, g := range ruleGroups() {
		for _, s := range g.sections {
			if rest, found := strings.CutPrefix(section, s); found && len(s) > longest && (rest == "" || strings.ContainsAny(rest[:1], ". ,")) {
				name, longest = g.name, len(s)
			}
		}
	}
	return name
}
