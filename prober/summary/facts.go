package summary

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"streamcanary/prober"
)

// fact is one line of a report.
type fact struct{ Name, Value string }

// head says what was probed, when, and with what.
func (s Summary) head() []fact {
	facts := []fact{{"verdict", s.Verdict()}}
	if s.Detail != "" && s.Outcome != prober.Pass {
		facts = append(facts, fact{"evidence", plain(s.Detail)})
	}
	if s.Ingest != "" {
		facts = append(facts, fact{"pushed to", plain(s.Ingest)})
	}
	facts = append(facts, fact{"pulled from", plain(s.Playback)}, fact{"mode", string(s.Mode)},
		fact{"from", At(s.Began)}, fact{"to", fmt.Sprintf("%s (%s)", At(s.Ended), Length(s.Ended.Sub(s.Began)))})
	if s.Run != "" {
		facts = append(facts, fact{"broadcast", plain(s.Run)})
	}
	return append(facts, fact{"program", plain(s.Version)})
}

// figures are those that were measured.
func (s Summary) figures() []fact {
	f := s.Figures
	var facts []fact
	add := func(has bool, name, value string) {
		if has {
			facts = append(facts, fact{name, value})
		}
	}
	add(f.TTFF > 0, "time to first frame", Seconds(f.TTFF)+" from the publish")
	add(f.LatencyBy != "", "latency, push to pull", fmt.Sprintf("%s for a segment's last frame, %s for its first, by %s", Took(f.LatencyLast), Took(f.LatencyFirst), f.LatencyBy))
	add(f.PartLatency != 0, "latency of parts", Seconds(f.PartLatency))
	add(s.Mode != ModePlayback, "proof", ProofWords(f.Proof))
	facts = append(facts, viewingFacts(f.Viewing)...)
	add(f.BytesSent > 0, "sent", Bytes(f.BytesSent))
	add(f.SendStall > 0, "longest stall of a write", Took(f.SendStall))
	add(f.SendQueue > 0, "deepest send queue", Bytes(f.SendQueue))
	add(f.Interruptions > 0, "interruptions", fmt.Sprintf("%d, %s away", f.Interruptions, Seconds(s.Away)))
	add(f.BytesReceived > 0, "received", Bytes(f.BytesReceived))
	add(f.Skipped > 0, "segments skipped", strconv.Itoa(f.Skipped))
	add(f.Missed > 0, "segments missed", strconv.Itoa(f.Missed))
	add(f.Recovered > 0, "failures that healed at once", strconv.Itoa(f.Recovered))
	add(f.HTTP != (prober.HTTPTimes{}), "latest download", httpWords(f.HTTP))
	return facts
}

func viewingFacts(v prober.Viewing) []fact {
	if v == (prober.Viewing{}) {
		return nil
	}
	facts := []fact{
		{"viewer: startup", Took(v.Startup)},
		{"viewer: watched", Length(v.Watched)},
		{"viewer: rebuffering", fmt.Sprintf("%s, %s, %s of the time", Counted(v.Rebuffers, "time"), Seconds(v.RebufferTime), Percent(v.RebufferRatio()))},
	}
	if v.Latency != 0 {
		facts = append(facts, fact{"viewer: live latency", fmt.Sprintf("%s, drifted by %s", Seconds(v.Latency), Seconds(v.Drift))})
	}
	return facts
}

// httpWords tell how a download's time was spent.
func httpWords(h prober.HTTPTimes) string {
	parts := []string{plain(h.Protocol)}
	if h.Connect > 0 {
		parts = append(parts, "DNS "+Took(h.Resolve), "connect "+Took(h.Connect))
	}
	if h.TLS > 0 {
		parts = append(parts, "TLS "+Took(h.TLS))
	}
	parts = append(parts, "first byte "+Took(h.FirstByte), "body "+Took(h.Body))
	if h.Redirects > 0 {
		parts = append(parts, Counted(h.Redirects, "redirect"))
	}
	if h.Cache != "" {
		parts = append(parts, "cache "+plain(h.Cache))
	}
	return strings.Join(parts, ", ")
}

// heading is what a finding is, in a line.
func heading(f prober.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s at %s", f.Reason, f.Stage)
	if f.Where != "" {
		fmt.Fprintf(&b, " in %s", plain(f.Where))
	}
	if f.Count > 1 {
		fmt.Fprintf(&b, ", %d times", f.Count)
	}
	return b.String()
}

// source is where the rule of a finding stands and how it is set.
func source(f prober.Finding) string {
	section := SectionOf(f)
	switch {
	case f.Rule == "":
		return section
	case section == "":
		return "rule " + f.Rule
	}
	return section + ", rule " + f.Rule
}

// detail is a finding's, without the section that source tells.
func detail(f prober.Finding) string {
	return strings.TrimSuffix(plain(f.Detail), " ("+f.Section+")")
}

// ladder is the table of renditions. What was announced and is not what was seen is
// in their remarks.
func (s Summary) ladder() (head []string, rows [][]string) {
	head = []string{"rendition", "kbit/s: said", "peak", "mean", "size", "fps", "segments", "keyframe", "EXTINF s", "latency", "proof", "codecs"}
	for _, r := range s.Renditions {
		rows = append(rows, []string{
			RenditionName(r), kilo(r.Announced.Bandwidth), kilo(r.PeakBitrate), kilo(r.AverageBitrate),
			either(size(r.Seen), size(r.Announced)), either(fps(r.Seen), fps(r.Announced)),
			fmt.Sprintf("%d/%d", r.Downloaded, r.Segments), fmt.Sprintf("%d/%d", r.Keyframes, r.Downloaded),
			extinf(r), latency(r), orDash(string(r.Proof)), either(plain(r.Seen.Codecs), plain(r.Announced.Codecs)),
		})
	}
	return head, rows
}

// either is what was seen, or else what was announced.
func either(seen, announced string) string {
	if seen == "" || seen == unmeasured {
		return orDash(announced)
	}
	return seen
}

// remark is what is to be said of a rendition besides its row.
type remark struct{ Name, Words, Evidence string }

func (s Summary) remarks() []remark {
	var list []remark
	for _, r := range s.Renditions {
		if d := differences(r); d != "" {
			list = append(list, remark{RenditionName(r), d, ""})
		}
		if f := r.Failure; f != nil {
			list = append(list, remark{RenditionName(r), fmt.Sprintf("%s at %s", f.Reason, f.Stage), plain(f.Detail)})
		}
	}
	return list
}

// differences say what was announced of a rendition and is something else.
func differences(r prober.Rendition) string {
	var parts []string
	said, seen := r.Announced, r.Seen
	if said.Width > 0 && seen.Width > 0 && size(said) != size(seen) {
		parts = append(parts, fmt.Sprintf("announced as %s, and %s was seen", size(said), size(seen)))
	}
	const near = 0.01 // 29.97 is written as 30
	if said.FrameRate > 0 && seen.FrameRate > 0 && math.Abs(said.FrameRate/seen.FrameRate-1) > near {
		parts = append(parts, fmt.Sprintf("FRAME-RATE is %s, and %s was seen", fps(said), fps(seen)))
	}
	if said.Codecs != "" && seen.Codecs != "" && codecs(said) != codecs(seen) {
		parts = append(parts, fmt.Sprintf("CODECS is %s, and %s was seen", plain(said.Codecs), plain(seen.Codecs)))
	}
	return strings.Join(parts, "; ")
}

// codecs are in any order.
func codecs(e prober.Encoding) string {
	list := strings.Split(strings.ReplaceAll(strings.ToLower(e.Codecs), " ", ""), ",")
	slices.Sort(list)
	return strings.Join(list, ",")
}

// extinf is the shortest and the longest segment, and the target duration.
func extinf(r prober.Rendition) string {
	if r.LongestEXTINF == 0 {
		return unmeasured
	}
	short, long := strconv.FormatFloat(r.ShortestEXTINF.Seconds(), 'f', 1, 64), strconv.FormatFloat(r.LongestEXTINF.Seconds(), 'f', 1, 64)
	if short != long {
		long = short + "-" + long
	}
	return fmt.Sprintf("%s of %s", long, strconv.FormatFloat(r.TargetDuration.Seconds(), 'f', -1, 64))
}

func latency(r prober.Rendition) string {
	if r.LatencyBy == "" {
		return unmeasured
	}
	return Took(r.LatencyLast)
}
