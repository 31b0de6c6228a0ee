// Package schedule says when probes run: it parses a schedule and calls a
// function at its times. It must not know what is run.
package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

const maxSpec = 256 // bytes; a longer one is a mistake

// everyPrefix opens a fixed interval.
const everyPrefix = "@every "

// Schedule is when rounds start. Its zero value never does; Parse makes others.
type Schedule struct {
	period time.Duration      // of @every; 0 for the cron syntax
	spec   *cron.SpecSchedule // of the cron syntax
}

// Parse reads the five fields of cron (minute, hour, day of month, month, day of
// week), a descriptor such as @hourly, or "@every 2s". Every schedule is in UTC:
// TZ= and CRON_TZ= are refused, since jobs are skipped or repeated where clocks
// change. An interval is whole seconds, since cron would silently round it.
func Parse(spec string) (Schedule, error) {
	s := strings.TrimSpace(spec)
	switch {
	case s == "":
		return Schedule{}, errors.New(`schedule is empty: want "@every 2s" or the five fields of cron`)
	case len(s) > maxSpec:
		return Schedule{}, fmt.Errorf("schedule is %d bytes long: want at most %d", len(s), maxSpec)
	case strings.Contains(s, "TZ="):
		return Schedule{}, fmt.Errorf("schedule %q: schedules are in UTC, leave TZ= out", s)
	case strings.HasPrefix(s, everyPrefix):
		return parseEvery(s)
	}
	return parseCron(s)
}

func parseEvery(s string) (Schedule, error) {
	d, err := time.ParseDuration(strings.TrimSpace(strings.TrimPrefix(s, everyPrefix)))
	if err != nil {
		return Schedule{}, fmt.Errorf(`schedule %q: want a duration with its unit, such as "@every 2s"`, s)
	}
	if d < time.Second || d%time.Second != 0 {
		return Schedule{}, fmt.Errorf("schedule %q: want whole seconds, at least 1s", s)
	}
	return Schedule{period: d}, nil
}

func parseCron(s string) (Schedule, error) {
	parsed, err := cron.ParseStandard(s)
	if err != nil {
		return Schedule{}, fmt.Errorf("schedule %q: %w", s, err)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return Schedule{}, fmt.Errorf("schedule %q: not one of cron's five fields, a descriptor or @every", s)
	}
	spec.Location = time.UTC
	leapYear := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	if spec.Next(leapYear).IsZero() {
		return Schedule{}, fmt.Errorf("schedule %q: that day does not exist, so it would never run", s)
	}
	return Schedule{spec: spec}, nil
}

// Period is the interval of an @every schedule, and 0 for any other.
func (s Schedule) Period() time.Duration { return s.period }

// Next is the first start after t, in UTC. Intervals are aligned to the clock,
// not to the start of the process, so that a restarted agent keeps its turn
// and offsets keep sites apart. It is zero when there is none within five years.
func (s Schedule) Next(t time.Time) time.Time {
	switch {
	case s.period > 0:
		return t.UTC().Truncate(s.period).Add(s.period)
	case s.spec != nil:
		return s.spec.Next(t.UTC())
	}
	return time.Time{}
}
