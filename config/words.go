package config

import "streamcanary/statuspage/incident"

// words checks the templates over samples of what they will be given.
func (c *checker) words(f wordsFile) incident.Words {
	w := incident.Words{Opened: f.Opened, Updated: f.Updated, Unchanged: f.Unchanged, Monitoring: f.Monitoring, Resolved: f.Resolved}
	for _, e := range w.Check() {
		at := "words." + e.Key
		if e.Line > 0 {
			c.addf(at, "line %d of the template: %s; want a template as the example of a hub's file explains", e.Line, e.Text)
			continue
		}
		c.addf(at, "%s; want a template as the example of a hub's file explains", e.Text)
	}
	return w
}
