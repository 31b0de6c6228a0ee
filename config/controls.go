package config

import (
	"net"
	"strings"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/schedule"
)

// Bounds of what agents do with each other's broadcasts and with themselves.
const (
	minSampleEvery = 5 * time.Second
	minSampleBound = 3 * time.Second
	maxSampleBound = time.Minute
	minRotateAfter = 10 * time.Minute
	minClock       = 500 * time.Millisecond
)

// sampling is how agents look at the broadcasts of others.
func (c *checker) sampling(f matrixFile) prober.Sampling {
	if f.SampleEvery != 0 && f.SampleEvery < minSampleEvery {
		c.addf("matrix.sample_every", "is %s; want at least %s, or 0s for never", f.SampleEvery, minSampleEvery)
	}
	if f.SampleBound < minSampleBound || f.SampleBound > maxSampleBound {
		c.addf("matrix.sample_bound", "is %s; want from %s to %s", f.SampleBound, minSampleBound, maxSampleBound)
	}
	return prober.Sampling{Every: f.SampleEvery, Bound: f.SampleBound}
}

// controls is how agents watch themselves.
func (c *checker) controls(f controlsFile) prober.Controls {
	c.share("controls.cpu", f.CPU)
	c.share("controls.loss", f.Loss)
	c.notNegative("controls.late", f.Late)
	if f.Clock != 0 && f.Clock < minClock {
		c.addf("controls.clock", "is %s; want at least %s, or 0s to judge no clock", f.Clock, minClock)
	}
	return prober.Controls{
		Reference: c.referenceURL("controls.reference", f.Reference), ClockServer: c.clockServer("controls.clock_server", f.ClockServer),
		CPU: f.CPU, Late: f.Late, Clock: f.Clock, Loss: f.Loss,
	}
}

func (c *checker) share(path string, share float64) {
	if !(share >= 0 && share <= 1) {
		c.addf(path, "is %v; want a share from 0 (not judged) to 1", share)
	}
}

// referenceURL wants the address of something independent, or nothing.
func (c *checker) referenceURL(path, text string) string {
	if text != "" {
		c.address(path, text, "an address that is independent of the platform, such as https://www.example.com/robots.txt", "https", "http")
	}
	return text
}

// clockServer wants HOST or HOST:PORT, or nothing.
func (c *checker) clockServer(path, text string) string {
	const want = "an SNTP server as HOST or HOST:PORT, such as time.example.com"
	if text == "" {
		return ""
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port = text, "123"
	}
	if strings.ContainsAny(text, "/ @?#") || host == "" || strings.Contains(host, ":") && net.ParseIP(host) == nil {
		c.addf(path, "%q is no server; want %s", shorten(text), want)
		return text
	}
	c.port(path, port, 1)
	return text
}

// rotation checks when a canary is replaced.
func (c *checker) rotation(at string, f probeFile, p *prober.Probe) {
	isCanary := f.Kind == string(prober.KindCanary)
	for _, key := range []string{"rotate_after", "rotate"} {
		if c.present(at+"."+key) && !isCanary {
			c.addf(at+"."+key, "is for a canary: nothing else stays up; remove it")
			return
		}
	}
	if f.RotateAfter != 0 && f.RotateAfter < minRotateAfter {
		c.addf(at+".rotate_after", "is %s; want at least %s, or 0s for never", f.RotateAfter, minRotateAfter)
	}
	p.RotateAfter = f.RotateAfter
	if !c.present(at + ".rotate") {
		return
	}
	known := []string{string(prober.RotateStream), string(prober.RotateConnection)}
	if c.reference(at+".rotate", f.Rotate, "rotation", known) {
		p.Rotate = prober.Rotation(f.Rotate)
		if f.RotateAfter == 0 {
			c.addf(at+".rotate", "is set without rotate_after; say at which age, such as rotate_after: 24h")
		}
	}
}

// jitters refuses a jitter that would have two agents start together.
func (c *checker) jitters(h *Hub) {
	for i, p := range h.Probes {
		at := index("probes", i) + ".jitter"
		s, err := schedule.Parse(p.Schedule)
		if err != nil || !c.present(at) {
			continue
		}
		if slot := s.Slot(len(h.Agents)); p.Jitter < 0 || p.Jitter > slot {
			c.addf(at, "is %s, but each of %s has %s of the interval for itself: beyond that two would start together; want at most that",
				p.Jitter, count(len(h.Agents), "agent"), slot.Truncate(time.Millisecond))
		}
	}
}
