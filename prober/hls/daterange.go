package hls

import (
	"strconv"
	"time"
)

// DateRange is what all EXT-X-DATERANGE tags (4.4.5.1) of one ID say together.
type DateRange struct {
	ID, Class string
	Start     time.Time     // zero when not given
	End       time.Time     // zero when not known, also by way of Duration
	Duration  time.Duration // as given; -1 when not
	EndOnNext bool

	attributes attributes // all of them, as written
}

// add joins a further tag of the same ID. It says which attribute contradicts
// what was said before; "" is none.
func (d *DateRange) add(more attributes) (conflict string) {
	for _, a := range more {
		before, known := d.attributes.get(a.name)
		switch {
		case known && before != a.value:
			conflict = a.name
		case !known && len(d.attributes) < maxAttributes:
			d.attributes = append(d.attributes, a)
		}
	}
	d.Class, d.EndOnNext = d.attributes.text("CLASS"), d.attributes.yes("END-ON-NEXT")
	d.Start, _ = parseDate(d.attributes.text("START-DATE"))
	d.End, _ = parseDate(d.attributes.text("END-DATE"))
	d.Duration = -1
	if v, given := d.attributes.get("DURATION"); given {
		if length, ok := parseLength(v); ok {
			d.Duration = length
			if d.End.IsZero() && !d.Start.IsZero() {
				d.End = d.Start.Add(length)
			}
		}
	}
	return conflict
}

// fault says which rule of 4.4.5.1 a date range breaks by itself; "" is none.
func (d *DateRange) fault() string {
	_, hasEnd := d.attributes.get("END-DATE")
	duration, hasDuration := d.attributes.get("DURATION")
	_, validDuration := parseLength(duration)
	planned, hasPlanned := d.attributes.get("PLANNED-DURATION")
	_, validPlanned := parseLength(planned)
	switch {
	case d.Start.IsZero():
		return "START-DATE is missing or no date"
	case hasDuration && !validDuration, hasPlanned && !validPlanned:
		return "DURATION or PLANNED-DURATION is no duration"
	case hasEnd && d.End.Before(d.Start):
		return "END-DATE is before START-DATE, or no date"
	case hasEnd && hasDuration && d.End.Sub(d.Start.Add(d.Duration)).Abs() > time.Millisecond:
		return "END-DATE is not START-DATE plus DURATION"
	case d.EndOnNext && d.Class == "":
		return "END-ON-NEXT without CLASS"
	case d.EndOnNext && (hasEnd || hasDuration):
		return "END-ON-NEXT together with DURATION or END-DATE"
	}
	return ""
}

// parseLength reads the duration of a date range, which may be longer than any
// segment's.
func parseLength(s string) (time.Duration, bool) {
	const most = 100 * 365 * 24 * time.Hour
	if len(s) > maxNumber {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v >= 0 && v <= most.Seconds()) {
		return 0, false
	}
	return time.Duration(v * float64(time.Second)), true
}
