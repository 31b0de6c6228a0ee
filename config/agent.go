package config

import "streamcanary/prober"

// Agent is everything an agent must know before it has met its hub.
type Agent struct {
	Hub    string // nats://HOST:PORT or tls://HOST:PORT
	ID     string
	Site   string // its own id unless the file says otherwise
	Region string // "" when the file does not say
	Key    prober.Secret
	Data   string // folder of the outbox
	CAFile string // PEM; "" is the system's authorities
	FFmpeg string // path of what looks at transcoded pictures; "" looks for it in PATH

	// Controls are its own reference and clock server, which stand before those
	// that the hub assigns.
	Controls prober.Controls

	// Warnings are for the operator: what is allowed, but hardly meant.
	Warnings []string
}

// defaultAgentData is where the package's unit keeps an agent's outbox.
const defaultAgentData = "/var/lib/streamcanary-agent"

func (c *checker) agent(f agentFile) *Agent {
	const want = "tls://HOST:PORT, or nats://HOST:PORT without TLS"
	a := &Agent{
		Hub: f.Hub, ID: f.ID, Site: orElse(f.Site, f.ID), Region: f.Region,
		Data: c.abs(orElse(f.Data, defaultAgentData)), CAFile: c.abs(f.CAFile), FFmpeg: c.abs(f.FFmpeg),
	}
	u := c.address("hub", f.Hub, want, "tls", "nats")
	switch {
	case u == nil:
	case u.Path != "" || u.RawQuery != "" || u.Fragment != "":
		c.addf("hub", "has something behind the port; want %s", want)
	case u.Port() == "":
		c.addf("hub", "has no port; want %s, usually with port 4222", want)
	case u.Scheme == "nats" && f.CAFile != "":
		c.addf("ca_file", "is set, but hub begins with nats://, which is without TLS; write tls://%s", u.Host)
	case u.Scheme == "nats" && !isLoopback(u.Host):
		c.warnf("hub is reached without TLS: the key crosses the network in clear; give the hub a certificate and write tls://%s", u.Host)
	}
	a.Controls.Reference = c.referenceURL("reference", f.Reference)
	a.Controls.ClockServer = c.clockServer("clock_server", f.ClockServer)
	c.id("id", f.ID, "the id that the hub's file has for this agent")
	c.optionalID("site", f.Site)
	c.optionalID("region", f.Region)
	a.Key = c.needSecret("key", f.Key, f.KeyFile)
	c.exposed()
	a.Warnings = c.warnings
	return a
}
