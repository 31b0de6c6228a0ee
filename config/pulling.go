package config

import (
	"fmt"
	"time"

	"streamcanary/prober"
)

type pullingFile struct {
	HTTP       string         `mapstructure:"http"`
	CAFile     string         `mapstructure:"ca_file"`
	Headers    []headerFile   `mapstructure:"headers"`
	Transcoded *bool          `mapstructure:"transcoded"`
	Ladder     []rungFile     `mapstructure:"ladder"`
	FailAlone  bool           `mapstructure:"fail_alone"`
	Sample     string         `mapstructure:"sample"`
	SampleBy   []sampleFile   `mapstructure:"sample_by"`
	Delta      bool           `mapstructure:"delta_updates"`
	RFC8216    bool           `mapstructure:"rfc8216"`
	Severity   []severityFile `mapstructure:"severity"`

	Expect       string   `mapstructure:"expect"`
	SegmentBytes byteSize `mapstructure:"segment_bytes"`
	Removed      string   `mapstructure:"removed"`

	LowLatency     bool          `mapstructure:"low_latency"`
	MaxLatency     time.Duration `mapstructure:"max_latency"`
	MaxRebuffering *float64      `mapstructure:"max_rebuffering"`
}

type rungFile struct {
	Rendition  string `mapstructure:"rendition"`
	Resolution string `mapstructure:"resolution"`
	Bandwidth  int64  `mapstructure:"bandwidth"`
	Codecs     string `mapstructure:"codecs"`
}

type sampleFile struct {
	Rendition string `mapstructure:"rendition"`
	Sample    string `mapstructure:"sample"`
}

type severityFile struct {
	Rule string `mapstructure:"rule"`
	Is   string `mapstructure:"is"`
}

// pulling is how a target's playbacks are pulled. Mux and Cloudflare make everything
// anew, so that no marker comes through, unless the file knows better.
func (c *checker) pulling(at, platform string, f *pullingFile) prober.Pulling {
	transcoded := platform == typeMux || platform == typeCloudflare
	if f == nil {
		return prober.Pulling{Transcoded: transcoded}
	}
	if f.Transcoded != nil {
		transcoded = *f.Transcoded
	}
	p := prober.Pulling{HTTP: f.HTTP, Headers: c.headers(at+".headers", f.Headers), Transcoded: transcoded,
		FailAlone: f.FailAlone, Delta: f.Delta || f.LowLatency, LowLatency: f.LowLatency, RFC8216: f.RFC8216, Sample: c.sample(at+".sample", f.Sample)}
	if f.HTTP != "" {
		c.reference(at+".http", f.HTTP, "version", []string{"1.1", "2", "3"})
	}
	if f.CAFile != "" {
		p.CA = c.authorities(at+".ca_file", f.CAFile)
	}
	for i, r := range f.Ladder {
		p.Ladder = append(p.Ladder, c.rung(index(at+".ladder", i), r))
	}
	for i, s := range f.SampleBy {
		entry := index(at+".sample_by", i)
		c.need(entry+".rendition", s.Rendition, `the name of a rendition: "720p", "audio en"`)
		if p.SampleBy == nil {
			p.SampleBy = map[string]int{}
		}
		if _, twice := p.SampleBy[s.Rendition]; twice {
			c.addf(entry+".rendition", "%q is there twice; leave one of them out", s.Rendition)
		}
		p.SampleBy[s.Rendition] = c.sample(entry+".sample", s.Sample)
	}
	if p.LowLatency && p.Sample != 0 && p.Sample != 1 {
		c.warnf("%s has low_latency and a sample: parts are looked into only where each segment is", at)
	}
	c.felt(at, f, &p)
	c.presentation(at, f, &p)
	for i, s := range f.Severity {
		c.severity(index(at+".severity", i), s, &p)
	}
	return p
}

// maxSegment bounds what an agent keeps of one segment, which is all of it.
const maxSegment = 256 << 20

// presentation is what a playback has to be, and what is looked at of its segments.
func (c *checker) presentation(at string, f *pullingFile, p *prober.Pulling) {
	kinds := map[string]prober.Expect{"": prober.ExpectLive, "live": prober.ExpectLive, "event": prober.ExpectEvent, "vod": prober.ExpectVOD, "any": prober.ExpectAny}
	if f.Expect != "" {
		c.reference(at+".expect", f.Expect, "kind of presentation", []string{"live", "event", "vod", "any"})
	}
	if f.Removed != "" {
		c.reference(at+".removed", f.Removed, "way with removed segments", []string{"ask", "skip"})
	}
	p.Expect, p.SkipRemoved = kinds[f.Expect], f.Removed == "skip"
	if p.SegmentBytes = int64(f.SegmentBytes); p.SegmentBytes > maxSegment {
		c.addf(at+".segment_bytes", "is %d bytes; want 256MiB or less: it is held in memory", p.SegmentBytes)
	}
}

// felt is what a viewer may feel.
func (c *checker) felt(at string, f *pullingFile, p *prober.Pulling) {
	if p.MaxLatency = f.MaxLatency; p.MaxLatency < 0 || p.MaxLatency == 0 && c.present(at+".max_latency") {
		c.addf(at+".max_latency", "is %s; want a duration above 0, as in 20s, and leave it out for the default", f.MaxLatency)
	}
	if f.MaxRebuffering == nil {
		return
	}
	if p.MaxRebuffering = *f.MaxRebuffering; !(p.MaxRebuffering > 0 && p.MaxRebuffering <= 1) {
		c.addf(at+".max_rebuffering", "is %v; want a share above 0 and up to 1, as in 0.2", *f.MaxRebuffering)
	}
}

// severity is how much a rule's findings count.
func (c *checker) severity(at string, f severityFile, p *prober.Pulling) {
	c.need(at+".rule", f.Rule, "the id of a rule, its section or its reason")
	c.reference(at+".is", f.Is, "severity", []string{"fail", "degraded", "note", "off"})
	if _, twice := p.Severity[f.Rule]; twice {
		c.addf(at+".rule", "%q has a severity already; remove one of them", f.Rule)
	}
	if p.Severity == nil {
		p.Severity = map[string]prober.Severity{}
	}
	p.Severity[f.Rule] = prober.Severity(f.Is)
}

// sample reads which segments are downloaded.
func (c *checker) sample(at, text string) int {
	words := map[string]int{"": 0, "all": 0, "playlist": prober.SampleNone}
	if n, ok := words[text]; ok {
		return n
	}
	var n int
	if _, err := fmt.Sscanf(text, "1/%d", &n); err != nil || n < 2 || n > 1000 || fmt.Sprintf("1/%d", n) != text {
		c.addf(at, "is %q; want all, playlist (no segments), or a share of them as in 1/5", text)
	}
	return n
}

// rung reads one rendition of the ladder that is expected.
func (c *checker) rung(at string, f rungFile) prober.Rung {
	r := prober.Rung{Rendition: f.Rendition, Bandwidth: f.Bandwidth, Codecs: f.Codecs}
	if f == (rungFile{}) {
		c.addf(at, "says nothing; want a resolution, a bandwidth, or a rendition as in \"audio en\"")
	}
	if f.Bandwidth < 0 {
		c.addf(at+".bandwidth", "is %d; want bits per second", f.Bandwidth)
	}
	if f.Resolution == "" {
		return r
	}
	if _, err := fmt.Sscanf(f.Resolution, "%dx%d", &r.Width, &r.Height); err != nil || fmt.Sprintf("%dx%d", r.Width, r.Height) != f.Resolution || r.Width <= 0 || r.Height <= 0 {
		c.addf(at+".resolution", "is %q; want WIDTHxHEIGHT as in 1280x720", f.Resolution)
	}
	return r
}
