package config

import (
	"fmt"
	"strings"
	"time"

	"streamcanary/prober/schedule"
	"streamcanary/statuspage/incident"
)

// Work is a maintenance that is announced: once, from StartsAt to EndsAt, or for
// Duration from each time of a Schedule on.
type Work struct {
	ID         string
	Name       string
	Message    string
	Components []string
	Regions    []string
	StartsAt   time.Time
	EndsAt     time.Time
	Schedule   *schedule.Schedule // nil: once
	Duration   time.Duration
	Announce   time.Duration // before each start

	cron string // as written
}

const (
	defaultAnnounce = 24 * time.Hour
	maxAnnounce     = 31 * 24 * time.Hour
	minWork         = time.Minute // shorter ones cannot be told from a late clock
)

func (w Work) summary() string {
	if w.Schedule == nil {
		return fmt.Sprintf("maintenance %s, %s to %s", w.ID, w.StartsAt.Format(time.RFC3339), w.EndsAt.Format(time.RFC3339))
	}
	return fmt.Sprintf("maintenance %s, %s for %s", w.ID, w.cron, w.Duration)
}

// work reads the maintenances. One whose time is over is no mistake: it may stay
// in the file.
func (c *checker) work(files []workFile, t incident.Topology) []Work {
	components, regions := make([]string, 0, len(t.Components)), []string{}
	for _, component := range t.Components {
		components = append(components, component.ID)
	}
	for _, target := range t.Targets {
		for _, r := range target.Regions {
			regions = append(regions, r.ID)
		}
	}
	seen := ids{}
	all := make([]Work, 0, len(files))
	for i, f := range files {
		at := index("maintenance", i)
		c.uniqueID(at, f.ID, seen)
		c.need(at+".name", f.Name, "the name that the page shows")
		c.atMost(at+".name", f.Name, incident.MaxName)
		c.atMost(at+".message", f.Message, incident.MaxMessage)
		if len(f.Components)+len(f.Regions) == 0 {
			c.addf(at+".components", "is missing; want components, regions, or both: what the work is on")
		}
		for n, id := range f.Components {
			c.reference(index(at+".components", n), id, "component", components)
		}
		for n, id := range f.Regions {
			c.reference(index(at+".regions", n), id, "region", regions)
		}
		w := Work{ID: f.ID, Name: f.Name, Message: f.Message, Components: f.Components, Regions: f.Regions}
		if f.Cron != "" {
			c.again(at, f, &w)
		} else {
			c.once(at, f, &w)
		}
		all = append(all, w)
	}
	return all
}

func (c *checker) atMost(at, text string, most int) {
	if len(text) > most {
		c.addf(at, "is %d bytes long; want at most %d", len(text), most)
	}
}

func (c *checker) once(at string, f workFile, w *Work) {
	for _, key := range []string{"duration", "announce"} {
		if c.present(at + "." + key) {
			c.addf(at+"."+key, "is for cron; remove it, or give cron in the place of starts_at and ends_at")
		}
	}
	if f.StartsAt == "" && f.EndsAt == "" {
		c.addf(at+".starts_at", "is missing; want starts_at and ends_at, such as 2026-12-01T02:00:00Z, or cron and duration")
		return
	}
	w.StartsAt, w.EndsAt = c.moment(at+".starts_at", f.StartsAt), c.moment(at+".ends_at", f.EndsAt)
	if lasts := w.EndsAt.Sub(w.StartsAt); c.clean(at+".starts_at") && c.clean(at+".ends_at") && (lasts < minWork || lasts > incident.MaxWindow) {
		c.addf(at+".ends_at", "is %s after starts_at; want from %s to %d days", lasts, minWork, int(incident.MaxWindow.Hours())/24)
	}
}

func (c *checker) moment(at string, text timeText) time.Time {
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		c.addf(at, "%q is no time; want it as 2026-12-01T02:00:00Z", shorten(string(text)))
	}
	return t.UTC()
}

func (c *checker) again(at string, f workFile, w *Work) {
	for _, key := range []string{"starts_at", "ends_at"} {
		if c.present(at + "." + key) {
			c.addf(at+"."+key, "is set beside cron; remove one of them")
		}
	}
	s, err := schedule.Parse(f.Cron)
	if err != nil {
		text := strings.TrimPrefix(err.Error(), "schedule ")
		c.addf(at+".cron", "%s; want minute, hour, day of month, month and day of week, in UTC, such as \"0 2 * * 0\"", strings.ReplaceAll(text, ";", ","))
		return
	}
	w.Schedule, w.cron, w.Duration, w.Announce = &s, f.Cron, f.Duration, f.Announce
	if f.Duration < minWork || f.Duration > incident.MaxWindow {
		c.addf(at+".duration", "is %s; want how long the work lasts, from %s to %d days", f.Duration, minWork, int(incident.MaxWindow.Hours())/24)
	}
	if !c.present(at + ".announce") {
		w.Announce = defaultAnnounce
	}
	if w.Announce < 0 || w.Announce > maxAnnounce {
		c.addf(at+".announce", "is %s; want how long before its start it is shown, from 0s to %d days", f.Announce, int(maxAnnounce.Hours())/24)
	}
	const busy = 10 // starts within one duration: then it is no window any more
	n, next := 0, s.Next(time.Unix(0, 0))
	for end := next.Add(f.Duration); n <= busy && next.Before(end) && !next.IsZero(); n++ {
		next = s.Next(next)
	}
	if n > 1 && c.clean(at) {
		c.addf(at+".cron", "starts again before it has ended; want starts that are further apart than duration")
	}
}
