package summary

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"streamcanary/prober"
)

// unmeasured is shown where there is no figure.
const unmeasured = "-"

// SeverityWords say what a finding asks for, in the words of stream validators.
func SeverityWords(s prober.Severity) string {
	switch s {
	case prober.SeverityFail:
		return "must fix"
	case prober.SeverityDegraded:
		return "should fix"
	case prober.SeverityNote:
	}
	return "note"
}

// Bitrate is in kbit/s or Mbit/s; "-" below 0.
func Bitrate(bits int64) string {
	switch {
	case bits < 0:
		return unmeasured
	case bits < 9_999_500:
		return strconv.FormatInt((bits+500)/1000, 10) + " kbit/s"
	}
	return strconv.FormatFloat(float64(bits)/1e6, 'f', 1, 64) + " Mbit/s"
}

// Bytes is in B, kB or MB (powers of ten); "-" below 0.
func Bytes(n int64) string {
	switch {
	case n < 0:
		return unmeasured
	case n < 1000:
		return strconv.FormatInt(n, 10) + " B"
	case n < 999_950:
		return strconv.FormatFloat(float64(n)/1e3, 'f', 1, 64) + " kB"
	}
	return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + " MB"
}

// Took is in ms below a second, and in s from there; "-" below 0.
func Took(d time.Duration) string {
	switch {
	case d < 0:
		return unmeasured
	case d < 10*time.Millisecond:
		return strconv.FormatFloat(d.Seconds()*1000, 'f', 1, 64) + " ms"
	case d < time.Second-time.Millisecond/2:
		return strconv.FormatFloat(d.Seconds()*1000, 'f', 0, 64) + " ms"
	}
	return Seconds(d)
}

// Seconds has two digits behind the point.
func Seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + " s" }

// Length has two digits behind the point up to a hundred seconds, and none above.
func Length(d time.Duration) string {
	if d < 100*time.Second {
		return Seconds(d)
	}
	return d.Round(time.Second).String()
}

// Percent is of a share from 0 to 1.
func Percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + " %" }

// Counted is a number and its noun: "1 drop", "2 drops".
func Counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// At is a moment in UTC.
func At(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// Clock is the time of day, in UTC.
func Clock(t time.Time) string { return t.UTC().Format("15:04:05") }

// ProofWords say what proved that playback shows what was just pushed.
func ProofWords(m prober.Means) string {
	switch m {
	case prober.MeansSEI:
		return "proven, by the marker in each picture (SEI)"
	case prober.MeansAAC:
		return "proven, by our sound's own frames (AAC)"
	case prober.MeansBarcode:
		return "proven, by the barcode in decoded pictures"
	case prober.MeansTimestamps:
	}
	return "not proven"
}

// RenditionName is what a rendition is called; a media playlist alone has no name.
func RenditionName(r prober.Rendition) string {
	if r.Name == "" {
		return "(media playlist)"
	}
	return plain(r.Name)
}

// SectionOf is where the rule that a finding breaks stands; "" where it has none.
func SectionOf(f prober.Finding) string {
	if f.Section != "" && f.Section[0] >= '0' && f.Section[0] <= '9' {
		return "RFC 8216bis " + f.Section
	}
	return plain(f.Section)
}

// Verdict is one sentence.
func (s Summary) Verdict() string {
	word := strings.ToUpper(string(s.Outcome))
	switch {
	case s.Outcome == "":
		return "NO RESULT: the prober came to none"
	case s.Outcome == prober.Pass && s.Mode == ModePlayback:
		return word + ": it plays"
	case s.Outcome == prober.Pass && s.Mode == ModeCanary:
		return word + ": what was pushed played all the time"
	case s.Outcome == prober.Pass:
		return word + ": what was pushed plays"
	case s.Stage == "":
		return word + ": " + string(s.Reason)
	}
	return fmt.Sprintf("%s at %s: %s", word, s.Stage, s.Reason)
}

// count is how many findings have a severity.
func (s Summary) count(severity prober.Severity) (n int) {
	for _, f := range s.Findings {
		if f.Severity == severity {
			n++
		}
	}
	return n
}

// FindingCounts says how many findings there are of each severity: "none", or
// "1 must fix, 2 should fix".
func (s Summary) FindingCounts() string {
	var parts []string
	for _, severity := range prober.Severities() {
		if n := s.count(severity); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, SeverityWords(severity)))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// plain makes what comes from outside fit for one line.
func plain(s string) string { return prober.Clip(s, prober.MaxDetail) }

// kilo is bits per second in kbit/s, without the unit; "-" for 0.
func kilo(bits int64) string {
	if bits <= 0 {
		return unmeasured
	}
	return strconv.FormatInt((bits+500)/1000, 10)
}

// size is a resolution; "-" where there is none.
func size(e prober.Encoding) string {
	if e.Width == 0 || e.Height == 0 {
		return unmeasured
	}
	return fmt.Sprintf("%dx%d", e.Width, e.Height)
}

// fps is a frame rate; "" where there is none.
func fps(e prober.Encoding) string {
	if e.FrameRate == 0 {
		return ""
	}
	return strconv.FormatFloat(e.FrameRate, 'f', -1, 64)
}

// orDash is s, or "-".
func orDash(s string) string {
	if s == "" {
		return unmeasured
	}
	return s
}
