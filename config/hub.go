package config

import (
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
	"streamcanary/statuspage/incident"
)

// Hub is everything a hub is told: one page with its targets, what probes them,
// and how it is decided.
type Hub struct {
	HTTP     HTTP
	Data     string // folder of the database and the journal
	NATS     NATS
	Alerts   Alerts
	Targets  []prober.Target
	Probes   []prober.Probe // without offsets: those depend on the site
	Agents   []AgentAccess
	Sampling prober.Sampling // of other agents' broadcasts
	Controls prober.Controls // of every agent
	Topology incident.Topology
	Settings incident.Settings
	Work     []Work          // maintenances that are announced
	Policy   incident.Policy // of Settings and Topology

	wanted    float64 // false openings of a component in a year
	quorumSet bool    // by the file; else it follows

	// Warnings are for the operator: what is allowed, but hardly meant.
	Warnings []string
}

// HTTP is where the page is served.
type HTTP struct {
	Listen string // host:port
}

// NATS is the embedded server that agents report to.
type NATS struct {
	Listen      string // host:port
	TLSCertFile string // PEM; "" is no TLS
	TLSKeyFile  string
	MaxBytes    int64 // that the journal may hold; 0 is by the disk
	SyncAlways  bool  // every message is on disk before it is acknowledged
}

// Alerts is how on-call is reached.
type Alerts struct {
	Token    prober.Secret            // bearer token of /alerts and /v1; "" closes them
	People   map[string]prober.Secret // tokens as good, by the id of who has one
	Webhooks []Webhook
}

// Webhook is sent every alert until it acknowledges it.
type Webhook struct {
	ID     string
	URL    prober.Secret // http or https; many receivers have their token in it
	Secret prober.Secret // signs the body: whsec_ and base64 of 24 to 64 bytes; "" is no signature
}

// AgentAccess is an agent that may report, and the key by which it proves it.
type AgentAccess struct {
	ID     string
	Site   string
	Region string
	Key    prober.Secret
	Budget int64 // bytes an hour; 0 is no bound
}

// hubDefaults are the values of keys that are not in the file.
func hubDefaults() map[string]any {
	s := incident.DefaultSettings()
	limits := prober.DefaultControls()
	return map[string]any{
		"http.listen":      "127.0.0.1:8080",
		"data":             "/var/lib/streamcanary",
		"nats.listen":      ":4222",
		"nats.sync_always": true,

		"matrix.sample_every": 30 * time.Second,
		"matrix.sample_bound": 8 * time.Second,
		"controls.cpu":        limits.CPU,
		"controls.late":       limits.Late,
		"controls.clock":      limits.Clock,
		"controls.loss":       limits.Loss,

		"policy.false_openings":     incident.DefaultFalseOpenings,
		"policy.recovery_threshold": natsFloat(s.RecoveryThreshold),
		"policy.hold":               s.Hold,
		"policy.join_window":        s.JoinWindow,
		"policy.open_settle":        s.OpenSettle,
		"policy.update_settle":      s.UpdateSettle,
		"policy.recovery_settle":    s.RecoverySettle,
		"policy.confirm_rounds":     s.ConfirmRounds,
		"policy.confirm_spacing":    s.ConfirmSpacing,
		"policy.late_after":         s.LateAfter,
		"policy.silent_after":       s.SilentAfter,
		"policy.unknown_after":      s.UnknownAfter,
		"policy.contradicted_after": s.ContradictedAfter,
		"policy.change_window":      s.ChangeWindow,
		"policy.update_every":       s.UpdateEvery,
		"policy.update_gap":         s.UpdateGap,
		"policy.approve_within":     s.ApproveWithin,
		"policy.unapproved":         string(s.Unapproved),
	}
}

func (c *checker) hub(f hubFile) *Hub {
	h := &Hub{
		HTTP: HTTP{Listen: f.HTTP.Listen},
		Data: c.abs(f.Data),
		NATS: NATS{
			Listen: f.NATS.Listen, SyncAlways: f.NATS.SyncAlways, MaxBytes: int64(f.NATS.MaxBytes),
			TLSCertFile: c.abs(f.NATS.TLSCertFile), TLSKeyFile: c.abs(f.NATS.TLSKeyFile),
		},
	}
	c.id("installation", f.Installation, "a name that is never changed: every public id derives from it")
	c.need("data", f.Data, "the folder of the database")
	c.listen("http.listen", f.HTTP.Listen)
	c.natsServer(f.NATS)
	h.Alerts = c.alerts(f.Alerts)
	h.Topology.Installation = f.Installation
	h.Topology.Page = c.page(f.Page)
	for i, t := range c.targets(f.Targets, f.Probes) {
		h.Targets = append(h.Targets, t)
		h.Topology.Targets = append(h.Topology.Targets, public(f.Targets[i], t))
	}
	h.Probes = c.probes(f.Probes, f.Targets)
	for i := range h.Topology.Targets {
		t := &h.Topology.Targets[i]
		t.Kinds = kindsOf(h.Probes, t.ID)
		t.HasAPI = t.HasAPI || slices.Contains(t.Kinds, prober.KindAPI)
	}
	h.Agents, h.Topology.Sites = c.agents(f.Agents)
	h.Sampling, h.Controls = c.sampling(f.Matrix), c.controls(f.Controls)
	for i := range h.Agents {
		if h.Agents[i].Budget == 0 {
			h.Agents[i].Budget = int64(f.Budget)
		}
	}
	c.jitters(h)
	c.budgets(h)
	h.Topology.Groups = c.groups(f.Groups)
	h.Topology.Components = c.components(f, h)
	h.Settings = c.settings(f.Policy)
	h.Settings.Words = c.words(f.Words)
	h.Work = c.work(f.Maintenance, h.Topology)
	c.follows(f.Policy, h)
	c.timeouts(h)
	c.heard(h)
	c.seldom(h)
	c.quorum(h)
	c.policy(h)
	c.exposed()
	h.Warnings = c.warnings
	return h
}

// policy weighs the settings and the topology, if nothing else is wrong.
func (c *checker) policy(h *Hub) {
	if len(c.problems) > 0 {
		return
	}
	p, err := incident.NewPolicy(h.Settings, h.Topology)
	if err != nil {
		c.addf("policy", "%s", strings.ReplaceAll(err.Error(), "\n", ", "))
		return
	}
	h.Policy = p
	for i, w := range h.Work {
		if len(p.Touches(incident.Window{Components: w.Components, Regions: w.Regions})) == 0 {
			c.addf(index("maintenance", i)+".regions", "none of the components has an element in these regions; leave one of the two out")
		}
	}
}

func (c *checker) page(f pageFile) incident.PageInfo {
	c.need("page.name", f.Name, "the name in the page's headline")
	url := c.pageURL("page.url", f.URL)
	return incident.PageInfo{Name: f.Name, URL: url}
}

func (c *checker) natsServer(f natsFile) {
	c.listen("nats.listen", f.Listen)
	switch {
	case f.TLSCertFile != "" && f.TLSKeyFile == "":
		c.addf("nats.tls_key_file", "is missing beside tls_cert_file; name the PEM file of the certificate's key")
	case f.TLSCertFile == "" && f.TLSKeyFile != "":
		c.addf("nats.tls_cert_file", "is missing beside tls_key_file; name the PEM file of the certificate chain")
	case f.TLSCertFile == "" && !isLoopback(f.Listen):
		c.warnf("nats.listen is %s without TLS: agents' keys cross the network in clear; give tls_cert_file and tls_key_file, or listen on 127.0.0.1", f.Listen)
	}
}

func (c *checker) alerts(f *alertsFile) Alerts {
	if f == nil {
		c.warnf("alerts is missing: nobody is paged, and /alerts is closed")
		return Alerts{}
	}
	a := Alerts{Token: c.needSecret("alerts.token", f.Token, f.TokenFile)}
	a.People = c.people(f.People, a.Token)
	seen := ids{}
	for i, w := range f.Webhooks {
		at := index("alerts.webhooks", i)
		c.uniqueID(at, w.ID, seen)
		hook := Webhook{ID: w.ID}
		if w.URL == "" && w.URLFile == "" {
			c.addf(at+".url", "is missing; want https://HOST/PATH, ${NAME}, or url_file")
		} else {
			hook.URL = c.secret(at+".url", w.URL, w.URLFile)
			c.secretURL(at+".url", hook.URL)
		}
		if w.Secret != "" || w.SecretFile != "" {
			hook.Secret = c.signingSecret(at+".secret", w.Secret, w.SecretFile)
		}
		a.Webhooks = append(a.Webhooks, hook)
	}
	return a
}

// people gives everybody on call a token of their own, so that an audit trail
// knows whose hand it was.
func (c *checker) people(files []personFile, shared prober.Secret) map[string]prober.Secret {
	people, holders, seen := map[string]prober.Secret{}, map[prober.Secret]string{shared: "everybody"}, ids{}
	for i, f := range files {
		at := index("alerts.people", i)
		c.uniqueID(at, f.ID, seen)
		token := c.needSecret(at+".token", f.Token, f.TokenFile)
		if first, twice := holders[token]; twice && token != "" {
			c.addf(at+".token", "is the same as that of %s; give every person a token of their own", first)
		}
		holders[token] = f.ID
		people[f.ID] = token
	}
	return people
}

func (c *checker) agents(files []vantageFile) ([]AgentAccess, []incident.Site) {
	if len(files) == 0 {
		c.addf("agents", "is missing or empty; want a list with at least one agent: id, key")
	}
	var agents []AgentAccess
	var sites []incident.Site
	seen, keys, bySite := ids{}, map[prober.Secret]string{}, map[string]int{}
	for i, f := range files {
		at := index("agents", i)
		c.uniqueID(at, f.ID, seen)
		c.optionalID(at+".site", f.Site)
		c.optionalID(at+".region", f.Region)
		a := AgentAccess{ID: f.ID, Site: orElse(f.Site, f.ID), Region: f.Region, Budget: int64(f.Budget)}
		a.Key = c.needSecret(at+".key", f.Key, f.KeyFile)
		if first, twice := keys[a.Key]; twice && a.Key != "" {
			c.addf(at+".key", "is the same as that of agent %s; give every agent a key of its own, so that one can be withdrawn", first)
		}
		keys[a.Key] = f.ID
		agents = append(agents, a)
		n, ok := bySite[a.Site]
		if !ok {
			n = len(sites)
			bySite[a.Site] = n
			sites = append(sites, incident.Site{ID: a.Site})
		}
		sites[n].Agents = append(sites[n].Agents, a.ID)
	}
	return agents, sites
}

func natsFloat(n incident.Nats) float64 { return float64(n) / 1e6 }

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
