package config

import (
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
	"streamcanary/statuspage/incident"
)

func (c *checker) groups(files []namedFile) []incident.Group {
	c.named("groups", files, "group")
	groups := make([]incident.Group, 0, len(files))
	for _, f := range files {
		groups = append(groups, incident.Group{ID: f.ID, Name: f.Name})
	}
	return groups
}

func (c *checker) components(f hubFile, h *Hub) []incident.Component {
	if len(f.Components) == 0 {
		c.addf("components", "is missing or empty; want a list with at least one component: id, name, elements")
	}
	groups := make([]string, 0, len(f.Groups))
	for _, g := range f.Groups {
		groups = append(groups, g.ID)
	}
	elements := allElements(h.Topology.Targets)
	seen, shown := ids{}, map[prober.Element]bool{}
	list := make([]incident.Component, 0, len(f.Components))
	for i, file := range f.Components {
		at := index("components", i)
		c.uniqueID(at, file.ID, seen)
		c.need(at+".name", file.Name, "the name that the page shows")
		if file.Group != "" && len(groups) == 0 && !c.muted("groups") {
			c.addf(at+".group", "there is no group %q; define it in groups, with id and name", shorten(file.Group))
		} else if file.Group != "" {
			c.reference(at+".group", file.Group, "group", groups)
		}
		c.day(at+".start_date", string(file.StartDate))
		component := incident.Component{
			ID: file.ID, Name: file.Name, Description: file.Description, Group: file.Group,
			StartDate: string(file.StartDate), Publish: c.publish(at+".publish", file.Publish),
			Elements: c.elements(at+".elements", file.Elements, elements),
		}
		for _, e := range component.Elements {
			shown[e] = true
		}
		list = append(list, component)
	}
	for _, e := range elements {
		if !shown[e] && len(c.problems) == 0 {
			c.warnf("element %s is in no component: an incident of it would show on no component", e)
		}
	}
	return list
}

// allElements lists what can fail, in the topology's order.
func allElements(targets []incident.Target) []prober.Element {
	var list []prober.Element
	for _, t := range targets {
		if t.HasAPI {
			list = append(list, prober.Element{Target: t.ID, Type: prober.ElementAPI})
		}
		for _, e := range t.Ingests {
			list = append(list, prober.Element{Target: t.ID, Type: prober.ElementIngest, ID: e.ID})
		}
		list = append(list, prober.Element{Target: t.ID, Type: prober.ElementCore})
		for _, e := range t.Playbacks {
			list = append(list, prober.Element{Target: t.ID, Type: prober.ElementPlayback, ID: e.ID})
		}
	}
	return list
}

// elements reads a component's elements; those that do not exist are reported
// and left out.
func (c *checker) elements(at string, texts []string, all []prober.Element) []prober.Element {
	if len(texts) == 0 {
		c.addf(at, "is missing or empty; want at least one of TARGET/api, TARGET/ingest/ID, TARGET/core, TARGET/playback/ID")
	}
	known := make([]string, 0, len(all))
	for _, e := range all {
		known = append(known, e.String())
	}
	var list []prober.Element
	seen := ids{}
	for i, text := range texts {
		entry := index(at, i)
		if !c.element(entry, text, known) {
			continue
		}
		if _, twice := seen[text]; twice {
			c.addf(entry, "%q is in this list already; remove one of them", text)
			continue
		}
		seen[text] = entry
		for n := range known {
			if known[n] == text {
				list = append(list, all[n])
			}
		}
	}
	return list
}

// element wants text to be one of known, and says why it is not.
func (c *checker) element(at, text string, known []string) bool {
	if slices.Contains(known, text) {
		return true
	}
	e, err := prober.ParseElement(text)
	if err != nil {
		c.addf(at, "%q is not an element; want TARGET/api, TARGET/ingest/ID, TARGET/core or TARGET/playback/ID", shorten(text))
		return false
	}
	if !slices.Contains(known, prober.Element{Target: e.Target, Type: prober.ElementCore}.String()) {
		if len(known) > 0 {
			c.addf(at, "there is no target %q; %s", shorten(e.Target), suggest(text, known))
		}
		return false
	}
	siblings := slices.DeleteFunc(slices.Clone(known), func(k string) bool {
		return !strings.HasPrefix(k, e.Target+"/"+string(e.Type))
	})
	switch {
	case e.Type == prober.ElementAPI:
		c.addf(at, "target %q has no API, since its platform is static and no api probe asks one; remove the element, or add a probe of kind api", e.Target)
	case len(siblings) > 0: // none is a mistake of its own
		c.addf(at, "there is no element %q; %s", shorten(text), suggest(text, siblings))
	}
	return false
}

func (c *checker) publish(at, text string) incident.Publish {
	if text == "" {
		return incident.PublishAuto
	}
	c.reference(at, text, "way of publishing", []string{
		string(incident.PublishAuto), string(incident.PublishHold), string(incident.PublishInternal),
	})
	return incident.Publish(text)
}

func (c *checker) day(at, text string) {
	if text == "" {
		return
	}
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		c.addf(at, "%q is not a day; want it as 2026-01-31", shorten(text))
	}
}
