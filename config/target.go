package config

import (
	"strings"

	"streamcanary/prober"
	"streamcanary/statuspage/incident"
)

const (
	wantIngest   = "rtmp://HOST[:PORT]/APP/{stream}, or rtmps://"
	wantPlayback = "https://HOST/PATH/{stream}/index.m3u8"
)

func (c *checker) targets(files []targetFile, probes []probeFile) []prober.Target {
	if len(files) == 0 {
		c.addf("targets", "is missing or empty; want a list with at least one target: id, name, platform, regions, ingests, playbacks")
	}
	targets := make([]prober.Target, 0, len(files))
	seen := ids{}
	for i, f := range files {
		at := index("targets", i)
		c.uniqueID(at, f.ID, seen)
		c.need(at+".name", f.Name, "the name that people read")
		t := prober.Target{ID: f.ID, Platform: c.platform(at+".platform", f.Platform)}
		if len(f.Regions) == 0 {
			c.addf(at+".regions", "is missing or empty; want a list with at least one entry: id, name")
		}
		regions := c.named(at+".regions", f.Regions, "region")
		pushes, pulls := uses(probes, f.ID)
		if len(f.Ingests) > 0 || pushes {
			c.endpoints(at+".ingests", f.Ingests, regions, f.Platform, wantIngest, "rtmp", "rtmps")
		}
		if len(f.Playbacks) > 0 || pulls {
			c.endpoints(at+".playbacks", f.Playbacks, regions, f.Platform, wantPlayback, "https", "http")
		}
		names := map[string]string{}
		for _, r := range f.Regions {
			names[r.ID] = r.Name
		}
		how, what := c.rtmp(at+".rtmp", f), c.signal(at+".broadcast", f.Broadcast)
		for _, e := range f.Ingests {
			t.Ingests = append(t.Ingests, prober.Ingest{RTMP: how, Signal: what, ID: e.ID, Region: names[e.Region], URL: e.URL, Node: e.Node})
		}
		pulled := c.pulling(at+".pull", f.Platform.Type, f.Pull)
		for _, e := range f.Playbacks {
			t.Playbacks = append(t.Playbacks, prober.Playback{Pull: pulled, ID: e.ID, Region: names[e.Region], URL: e.URL, Node: e.Node})
		}
		targets = append(targets, t)
	}
	return targets
}

// named checks a list of ids with names, and gives the ids.
func (c *checker) named(at string, files []namedFile, what string) []string {
	seen := ids{}
	list := make([]string, 0, len(files))
	for i, f := range files {
		c.uniqueID(index(at, i), f.ID, seen)
		c.need(index(at, i)+".name", f.Name, "the name of the "+what+" that people read")
		list = append(list, f.ID)
	}
	return list
}

func (c *checker) endpoints(at string, files []endpointFile, regions []string, platform platformFile, want string, schemes ...string) {
	if len(files) == 0 {
		c.addf(at, "is missing or empty; want a list with at least one entry: id, region, url: %s", want)
	}
	seen, addresses := ids{}, map[string]string{}
	for i, f := range files {
		entry := index(at, i)
		c.uniqueID(entry, f.ID, seen)
		c.reference(entry+".region", f.Region, "region", regions)
		if variable := variableOf(schemes); f.URL == variable {
			c.located(entry, f, variable, platform)
		} else if u := c.endpointAddress(entry, f, want, schemes); u == nil {
			continue
		} else if strings.HasPrefix(u.Scheme, "rtmp") && !strings.Contains(strings.TrimPrefix(u.Path, "/"), "/") {
			c.addf(entry+".url", "has no application before {stream}; want %s", want)
		}
		where := f.URL + " " + f.Node
		if first, twice := addresses[where]; twice {
			c.addf(entry+".url", "is the same address as that of %q; two that are one cannot be told apart, remove one of them", first)
		}
		addresses[where] = f.ID
	}
}

// public is what the engine and the page know of a target.
func public(f targetFile, t prober.Target) incident.Target {
	p := incident.Target{ID: t.ID, Name: f.Name, HasAPI: t.Platform.API != ""}
	for _, r := range f.Regions {
		p.Regions = append(p.Regions, incident.Region{ID: r.ID, Name: r.Name})
	}
	for _, e := range f.Ingests {
		p.Ingests = append(p.Ingests, incident.Endpoint{ID: e.ID, Region: e.Region})
	}
	for _, e := range f.Playbacks {
		p.Playbacks = append(p.Playbacks, incident.Endpoint{ID: e.ID, Region: e.Region})
	}
	return p
}
