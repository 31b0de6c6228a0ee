package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/summary"
)

// playbackView tells of a validation, for a person or as JSON.
type playbackView struct {
	w    io.Writer
	o    probeOptions
	told time.Time
}

func (v *playbackView) printf(format string, a ...any) {
	if !v.o.json {
		_, _ = fmt.Fprintf(v.w, format+"\n", a...)
	}
}

func (v *playbackView) begin(of *validation) {
	v.told = of.began
	v.printf("pull from %s", shownPlaylist(v.o.playback))
}

// turn says now and then that it goes on.
func (v *playbackView) turn(now time.Time, of *validation) {
	const every = 10 * time.Second
	if now.Sub(v.told) < every {
		return
	}
	v.told = now
	v.printf("  after %s: %d segments looked into", now.Sub(of.began).Round(time.Second), of.segments)
}

// end tells what was found, and gives the exit code that the verdict stands for.
func (v *playbackView) end(of *validation, s summary.Summary) error {
	if v.o.json {
		if b, err := json.Marshal(playbackOf(of, s)); err == nil {
			_, _ = fmt.Fprintln(v.w, string(b))
		}
		return exitOf(&prober.Result{Outcome: s.Outcome})
	}
	if v.o.report == standardOutput {
		if err := s.Text(v.w); err != nil {
			return &exitError{code: exitBroken, err: err}
		}
		return exitOf(&prober.Result{Outcome: s.Outcome})
	}
	v.renditions(s.Renditions)
	v.findings(s.Findings)
	v.printf("%s", v.verdict(of, s))
	return exitOf(&prober.Result{Outcome: s.Outcome})
}

func (v *playbackView) verdict(of *validation, s summary.Summary) string {
	kind := "a stream with an end"
	if of.live {
		kind = "live"
	}
	took := fmt.Sprintf("%.1f s, %s, %d segments looked into", s.Ended.Sub(s.Began).Seconds(), kind, of.segments)
	switch {
	case !of.played:
		text := fmt.Sprintf("%s in %.1f s: nothing plays", strings.ToUpper(string(s.Outcome)), s.Ended.Sub(s.Began).Seconds())
		if s.Reason != "" && len(s.Findings) == 0 {
			text += fmt.Sprintf(": %s: %s", s.Reason, s.Detail)
		}
		return paint(s.Outcome)("%s", text)
	case !of.live && of.ended.IsZero():
		took += ", and not all of it: it went on for longer"
	}
	what := "nothing has to be fixed"
	switch s.Outcome {
	case prober.Fail:
		what = "something must be fixed"
	case prober.Degraded:
		what = "something should be fixed"
	case prober.Inconclusive:
		what = s.Detail
	case prober.Pass:
	}
	return paint(s.Outcome)("%s: %s (%s)", strings.ToUpper(string(s.Outcome)), what, took)
}

// renditions tells what is announced against what was measured.
func (v *playbackView) renditions(all []prober.Rendition) {
	if len(all) == 0 {
		return
	}
	t := tabwriter.NewWriter(v.w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "\nrendition\tBANDWIDTH\tpeak, mean\tpicture\tframe rate\tcodecs\tsegments\tEXTINF\tkeyframes")
	for _, r := range all {
		_, _ = fmt.Fprintln(t, strings.Join([]string{
			cmp.Or(r.Name, "(alone)"), kilobits(r.Announced.Bandwidth), peakAndMean(r),
			differing(sizeText(r.Announced), sizeText(r.Seen)), differing(rateText(r.Announced), rateText(r.Seen)), codecsText(r),
			segmentsText(r), extinfText(r), keyframesText(r),
		}, "\t"))
	}
	_ = t.Flush()
}

func kilobits(bps int64) string {
	if bps == 0 {
		return "-"
	}
	return fmt.Sprintf("%d k", (bps+500)/1000)
}

func peakAndMean(r prober.Rendition) string {
	if r.PeakBitrate == 0 {
		return "-"
	}
	return kilobits(r.PeakBitrate) + ", " + kilobits(r.AverageBitrate)
}

func sizeText(e prober.Encoding) string {
	if e.Width == 0 {
		return ""
	}
	return fmt.Sprintf("%dx%d", e.Width, e.Height)
}

func rateText(e prober.Encoding) string {
	if e.FrameRate == 0 {
		return ""
	}
	return strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%.2f", e.FrameRate), "0"), ".0")
}

// differing gives what is seen, and what is announced where that is something else.
func differing(announced, seen string) string {
	switch {
	case announced == "" || announced == seen:
		return cmp.Or(seen, "-")
	case seen == "":
		return announced + " announced"
	}
	return seen + " (announced " + announced + ")"
}

// codecsText is what the segments have: the rule variant-codecs compares it with what
// is announced.
func codecsText(r prober.Rendition) string {
	text := cmp.Or(r.Seen.Codecs, "-")
	if r.Seen.Codecs == "" && r.Announced.Codecs != "" {
		text = r.Announced.Codecs + " announced"
	}
	if r.Encryption != "" {
		text += ", " + r.Encryption
	}
	return text
}

func segmentsText(r prober.Rendition) string {
	text := fmt.Sprintf("%d of %d", r.Downloaded, r.Segments)
	if r.Missed > 0 {
		text += fmt.Sprintf(", %d missed", r.Missed)
	}
	return text
}

func extinfText(r prober.Rendition) string {
	if r.TargetDuration == 0 {
		return "-"
	}
	text := fmt.Sprintf("%.2f to %.2f s of %.0f", r.ShortestEXTINF.Seconds(), r.LongestEXTINF.Seconds(), r.TargetDuration.Seconds())
	if r.PartTarget > 0 {
		text += fmt.Sprintf(", parts of %.2f", r.PartTarget.Seconds())
	}
	return text
}

func keyframesText(r prober.Rendition) string {
	if r.Seen.Width == 0 || r.Downloaded == 0 {
		return "-"
	}
	return fmt.Sprintf("%d of %d", r.Keyframes, r.Downloaded)
}

func (v *playbackView) findings(found []prober.Finding) {
	heading := ""
	for _, f := range found {
		if words := summary.SeverityWords(f.Severity); words != heading {
			heading = words
			v.printf("\n%s", heading)
		}
		v.printf("  %s", findingText(f))
	}
	v.printf("")
}

// findingText is one finding in a line: reason, place, evidence, where it stands.
func findingText(f prober.Finding) string {
	text := string(f.Reason)
	if f.Where != "" {
		text += " in " + f.Where
	}
	text += ": " + f.Detail
	var source []string
	if f.Section != "" && !strings.HasSuffix(f.Detail, "("+f.Section+")") {
		source = append(source, f.Section)
	}
	if f.Rule != "" {
		source = append(source, f.Rule)
	}
	if f.Count > 1 {
		source = append(source, fmt.Sprintf("%d times", f.Count))
	}
	if len(source) > 0 {
		text += " (" + strings.Join(source, ", ") + ")"
	}
	return text
}
