package summary

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// The chart's own units. It is stretched to the page: nothing in it is text.
const (
	chartWidth  = 1000
	chartHeight = 100
)

// chart is figures over time.
type chart struct {
	Title  string
	Unit   string
	Series []series
	Ticks  []tick // of the values, the highest first
	Times  []string
	Down   []band
}

// series is one line of it.
type series struct {
	Name  string
	Class string // of its colour
	Path  string // SVG path data
	Dots  string // of what stands alone: path data, to be drawn with round ends
	Range string // least, most, mean
}

type tick struct {
	Label  string
	Y      float64
	Bottom float64 // percent
}

// band is a time in which a failure was there.
type band struct{ X, Width float64 }

// line is what a series is made of.
type line struct {
	name string
	of   func(Sample) float64 // negative is not measured
}

// charts are those that have something to show.
func (s Summary) charts() []chart {
	bits := func(of func(Sample) int64) func(Sample) float64 {
		return func(s Sample) float64 { return float64(of(s)) / 1000 }
	}
	times := func(of func(Sample) time.Duration, unit time.Duration) func(Sample) float64 {
		return func(s Sample) float64 { return float64(of(s)) / float64(unit) }
	}
	var all []chart
	for _, c := range []struct {
		title, unit string
		lines       []line
	}{
		{"Bitrate", "kbit/s", []line{
			{"sent", bits(func(s Sample) int64 { return s.Sent })},
			{"received, all renditions", bits(func(s Sample) int64 { return s.Received })},
		}},
		{"Latency", "s", []line{
			{"push to pull, last frame of a segment", times(func(s Sample) time.Duration { return s.Latency }, time.Second)},
			{"live latency of the viewer", times(func(s Sample) time.Duration { return s.Behind }, time.Second)},
		}},
		{"Buffer of the viewer", "s", []line{{"media ahead", times(func(s Sample) time.Duration { return s.Buffer }, time.Second)}}},
		{"Download of a segment", "ms", []line{{"time", times(func(s Sample) time.Duration { return s.Download }, time.Millisecond)}}},
		{"Send queue in the kernel", "kB", []line{{"deepest so far", bits(func(s Sample) int64 { return s.Queue })}}},
	} {
		if made, ok := s.chart(c.title, c.unit, c.lines); ok {
			all = append(all, made)
		}
	}
	return all
}

func (s Summary) chart(title, unit string, lines []line) (chart, bool) {
	c := chart{Title: title, Unit: unit}
	from, to := s.span()
	top, measured := 0.0, false
	for _, l := range lines {
		for _, sample := range s.Samples {
			if v := l.of(sample); v >= 0 {
				top, measured = max(top, v), true
			}
		}
	}
	if !measured || unit == "kB" && top == 0 { // a queue that was always empty is no news
		return chart{}, false
	}
	step := niceStep(top)
	top = max(math.Ceil(top/step-1e-9), 1) * step
	for v := top; v > -step/2; v -= step {
		c.Ticks = append(c.Ticks, tick{figure(max(v, 0)), chartHeight * (1 - v/top), 100 * max(v, 0) / top})
	}
	at := func(t time.Time) float64 { return chartWidth * float64(t.Sub(from)) / float64(to.Sub(from)) }
	for i, l := range lines {
		if made, ok := s.series(l, at, top); ok {
			made.Class = fmt.Sprintf("s%d", i+1)
			c.Series = append(c.Series, made)
		}
	}
	c.Times = []string{Clock(from), Clock(from.Add(to.Sub(from) / 2)), Clock(to)}
	c.Down = s.bands(at)
	return c, true
}

// span is the time that charts show.
func (s Summary) span() (from, to time.Time) {
	from, to = s.Began, s.Ended
	if n := len(s.Samples); n > 0 {
		if s.Samples[0].At.Before(from) {
			from = s.Samples[0].At
		}
		if last := s.Samples[n-1].At; last.After(to) {
			to = last
		}
	}
	if to.Sub(from) < time.Second {
		to = from.Add(time.Second)
	}
	return from, to
}

// series draws one line. It is broken where nothing was measured; what stands alone
// is a dot.
func (s Summary) series(l line, at func(time.Time) float64, top float64) (series, bool) {
	var path, dots strings.Builder
	var all []float64
	gap := s.gap()
	joined, begun := false, "" // begun is a place that nothing was drawn from yet
	var last time.Time
	end := func() {
		if begun != "" {
			dots.WriteString(begun + "h.01") // a line of hardly any length
		}
	}
	for _, sample := range s.Samples {
		v := l.of(sample)
		if v < 0 {
			joined = false
			continue
		}
		x, y := at(sample.At), chartHeight*(1-v/top)
		if joined && sample.At.Sub(last) <= gap {
			fmt.Fprintf(&path, "%sL%.1f %.1f", begun, x, y)
			begun = ""
		} else {
			end()
			begun = fmt.Sprintf("M%.1f %.1f", x, y)
		}
		joined, last = true, sample.At
		all = append(all, v)
	}
	end()
	if len(all) == 0 {
		return series{}, false
	}
	return series{Name: l.name, Path: path.String(), Dots: dots.String(), Range: extent(all)}, true
}

// extent says from where to where values go, and their mean.
func extent(all []float64) string {
	least, most, sum := slices.Min(all), slices.Max(all), 0.0
	for _, v := range all {
		sum += v
	}
	if figure(least) == figure(most) {
		return figure(most)
	}
	return fmt.Sprintf("%s to %s, mean %s", figure(least), figure(most), figure(sum/float64(len(all))))
}

// gap is how far two samples may be apart and still be joined.
func (s Summary) gap() time.Duration {
	var apart []time.Duration
	for i := 1; i < len(s.Samples); i++ {
		apart = append(apart, s.Samples[i].At.Sub(s.Samples[i-1].At))
	}
	if len(apart) == 0 {
		return 0
	}
	slices.Sort(apart)
	return 3 * apart[len(apart)/2]
}

// bands are where samples say that it is down.
func (s Summary) bands(at func(time.Time) float64) []band {
	var all []band
	begun := -1.0
	for i, sample := range s.Samples {
		last := i == len(s.Samples)-1
		switch x := at(sample.At); {
		case sample.Down && begun < 0:
			begun = x
		case !sample.Down && begun >= 0:
			all = append(all, band{begun, x - begun})
			begun = -1
		}
		if last && begun >= 0 {
			all = append(all, band{begun, max(at(sample.At)-begun, 2)})
		}
	}
	return all
}

// niceStep divides 0 to top into two to five steps of 1, 2 or 5 times a power of ten.
func niceStep(top float64) float64 {
	if top <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(top/4)))
	for _, n := range []float64{1, 2, 5} {
		if top/(n*power) <= 4+1e-9 {
			return n * power
		}
	}
	return 10 * power
}

// figure has three digits, more or less.
func figure(v float64) string {
	digits := 0
	switch {
	case v == math.Trunc(v) || v >= 100:
	case v >= 10:
		digits = 1
	default:
		digits = 2
	}
	return fmt.Sprintf("%.*f", digits, v)
}
