package config

import (
	"strings"

	"streamcanary/prober"
	"streamcanary/statuspage/incident"
)

// The types of platform.
const (
	typeStatic   = "static"
	typeLivepeer = "livepeer"
)

const (
	wantIngest   = "rtmp://HOST[:PORT]/APP/{stream}, or rtmps://"
	wantPlayback = "https://HOST/PATH/{stream}/index.m3u8"
)

func (c *checker) targets(files []targetFile) []prober.Target {
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
		c.endpoints(at+".ingests", f.Ingests, regions, wantIngest, "rtmp", "rtmps")
		c.endpoints(at+".playbacks", f.Playbacks, regions, wantPlayback, "https", "http")
		names := map[string]string{}
		for _, r := range f.Regions {
			names[r.ID] = r.Name
		}
		how, what := c.rtmp(at+".rtmp", f), c.signal(at+".broadcast", f.Broadcast)
		for _, e := range f.Ingests {
			t.Ingests = append(t.Ingests, prober.Ingest{RTMP: how, Signal: what, ID: e.ID, Region: names[e.Region], URL: e.URL})
		}
		for _, e := range f.Playbacks {
			t.Playbacks = append(t.Playbacks, prober.Playback{ID: e.ID, Region: names[e.Region], URL: e.URL})
		}
		targets = append(targets, t)
	}
	return targets
}

func (c *checker) platform(at string, f platformFile) prober.Platform {
	p := prober.Platform{Type: f.Type, API: strings.TrimRight(f.API, "/")}
	if !c.reference(at+".type", f.Type, "platform type", []string{typeLivepeer, typeStatic}) {
		return p
	}
	if f.Type == typeLivepeer {
		c.address(at+".api", f.API, "the API's base address, such as https://livepeer.studio/api", "https", "http")
		if f.APIKey == "" && f.APIKeyFile == "" {
			c.addf(at+".api_key", "is missing; write ${NAME} to take it from the environment, or use api_key_file")
		}
		p.Key = c.secret(at+".api_key", f.APIKey, f.APIKeyFile)
		return p
	}
	if f.API != "" {
		c.addf(at+".api", "is not used by a static platform; remove it, or set type: livepeer")
	}
	if f.APIKey != "" || f.APIKeyFile != "" {
		c.addf(at+".api_key", "is not used by a static platform; remove it, or set type: livepeer")
	}
	return p
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

func (c *checker) endpoints(at string, files []endpointFile, regions []string, want string, schemes ...string) {
	if len(files) == 0 {
		c.addf(at, "is missing or empty; want a list with at least one entry: id, region, url: %s", want)
	}
	seen, addresses := ids{}, map[string]string{}
	for i, f := range files {
		entry := index(at, i)
		c.uniqueID(entry, f.ID, seen)
		c.reference(entry+".region", f.Region, "region", regions)
		u := c.streamAddress(entry+".url", f.URL, want, schemes...)
		if u == nil {
			continue
		}
		if strings.HasPrefix(u.Scheme, "rtmp") && !strings.Contains(strings.TrimPrefix(u.Path, "/"), "/") {
			c.addf(entry+".url", "has no application before {stream}; want %s", want)
		}
		if first, twice := addresses[f.URL]; twice {
			c.addf(entry+".url", "is the same address as that of %q; two that are one cannot be told apart, remove one of them", first)
		}
		addresses[f.URL] = f.ID
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
