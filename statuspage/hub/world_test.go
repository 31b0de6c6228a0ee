package hub_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/report"
	"streamcanary/statuspage/alert"
	"streamcanary/statuspage/hub"
	"streamcanary/statuspage/incident"
)

const (
	token    = "on-call-token"
	annas    = "token-of-anna"
	patience = 30 * time.Second
)

var regions = []string{"fra", "nyc", "sin"}

// settings are the default's, but for what a test would wait for.
func settings() incident.Settings {
	s := incident.DefaultSettings()
	s.Hold, s.RecoveryThreshold = time.Second, incident.NatsOf(4)
	s.SilentAfter = time.Hour // a test's machine may be slow
	return s
}

func topology() incident.Topology {
	t := incident.Topology{Installation: "test", Page: incident.PageInfo{Name: "Example Video", URL: "https://status.example.video"}}
	target := incident.Target{ID: "live", Name: "Live"}
	for _, r := range regions {
		target.Regions = append(target.Regions, incident.Region{ID: r, Name: strings.ToUpper(r)})
		target.Ingests = append(target.Ingests, incident.Endpoint{ID: r, Region: r})
		target.Playbacks = append(target.Playbacks, incident.Endpoint{ID: r, Region: r})
		t.Sites = append(t.Sites, incident.Site{ID: "site-" + r, Agents: []string{r}})
		t.Components = append(t.Components,
			incident.Component{ID: "ingest-" + r, Name: "Ingest " + r, Publish: incident.PublishAuto, Elements: []prober.Element{{Target: "live", Type: prober.ElementIngest, ID: r}}},
			incident.Component{ID: "playback-" + r, Name: "Playback " + r, Publish: incident.PublishAuto, Elements: []prober.Element{{Target: "live", Type: prober.ElementPlayback, ID: r}}})
	}
	t.Targets = []incident.Target{target}
	return t
}

// plan is what a hub is made of, in this process or in one of its own.
type plan struct {
	Data     string
	NATS     string // where agents connect
	HTTP     string // of a hub in a process of its own
	Webhook  string // "" is none
	Settings incident.Settings
	Work     []hub.Maintenance
	Hold     bool // every ingest waits for a person to publish what fails of it
}

func newPlan(t *testing.T) plan {
	t.Helper()
	return plan{Data: t.TempDir(), NATS: freeAddr(t), Settings: settings()}
}

func (p plan) config(log *slog.Logger) (hub.Config, error) {
	platform := topology()
	for i := range platform.Components {
		if p.Hold && strings.HasPrefix(platform.Components[i].ID, "ingest-") {
			platform.Components[i].Publish = incident.PublishHold
		}
	}
	policy, err := incident.NewPolicy(p.Settings, platform)
	if err != nil {
		return hub.Config{}, err
	}
	cfg := hub.Config{
		Data: p.Data, Policy: policy, Token: token, People: map[string]prober.Secret{"anna": annas}, Maintenances: p.Work, Logger: log,
		Assignments: map[string]prober.Assignment{}, Sinks: map[string]alert.Sink{},
		// The tests' processes are killed, never the machine: many hubs at once need
		// not wait for one disk.
		NATS: hub.NATSConfig{Addr: p.NATS, Logger: log, SyncInterval: time.Minute},
	}
	for _, r := range regions {
		cfg.NATS.Agents = append(cfg.NATS.Agents, hub.NATSAgent{ID: r, Key: prober.Secret("key-" + r)})
		cfg.Assignments[r] = prober.Assignment{Revision: 1, Targets: []prober.Target{{ID: "live"}}}
	}
	if p.Webhook != "" {
		cfg.Sinks["pager"], err = alert.NewWebhook(alert.WebhookConfig{URL: alert.Secret(p.Webhook), Secret: "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"})
	}
	return cfg, err
}

// running is a hub in this process, with its page on a listener of its own.
type running struct {
	*hub.Hub
	url  string
	log  *lockedBuffer
	stop func() // the hub, in order; more than once is once
}

// open opens a hub without running it, and serves it.
func (p plan) open(t *testing.T) (r *running, run func() error) {
	t.Helper()
	log := &lockedBuffer{}
	cfg, err := p.config(slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	h, err := hub.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := h.Handler()
	if err != nil {
		t.Fatal(err)
	}
	page := httptest.NewServer(handler)
	r = &running{Hub: h, url: page.URL, log: log}
	r.stop = sync.OnceFunc(func() {
		page.CloseClientConnections()
		page.Close()
		h.Close()
	})
	t.Cleanup(func() {
		r.stop()
		if t.Failed() {
			t.Logf("the hub's log:\n%s", log)
		}
	})
	return r, func() error { return h.Run(context.Background()) }
}

// start opens a hub and runs it until the test ends, or stop is called.
func (p plan) start(t *testing.T) *running {
	t.Helper()
	r, run := p.open(t)
	ended := make(chan error, 1)
	go func() { ended <- run() }()
	stop := r.stop
	r.stop = sync.OnceFunc(func() {
		stop() // ends Run, too
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(func() { r.stop() })
	return r
}

// fleet is an agent in each region, each with a real outbox and a real client.
type fleet struct {
	t     *testing.T
	down  atomic.Bool // every ingest drops every broadcast
	ill   sync.Map    // agents for which alone they do
	muted sync.Map    // agents that make no results
	good  sync.Map    // agents that have seen every broadcast up
}

// warm waits until every agent has seen its broadcasts up: only those can drop.
func (f *fleet) warm() *fleet {
	f.t.Helper()
	eventually(f.t, "every broadcast was up", func() error {
		for _, r := range regions {
			if _, ok := f.good.Load(r); !ok {
				return fmt.Errorf("not those of %s", r)
			}
		}
		return nil
	})
	return f
}

func startFleet(t *testing.T, natsAddr string) *fleet {
	t.Helper()
	f := &fleet{t: t}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, r := range regions {
		outbox, err := report.OpenOutbox(t.Context(), report.OutboxConfig{Path: t.TempDir() + "/outbox.db"})
		if err != nil {
			t.Fatal(err)
		}
		client, err := report.NewClient(report.ClientConfig{
			URL: "nats://" + natsAddr, Agent: r, Key: prober.Secret("key-" + r), Outbox: outbox,
			ReconnectMin: 20 * time.Millisecond, ReconnectMax: 200 * time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			if err := client.Run(ctx); err != nil {
				t.Errorf("client of %s: %v", r, err)
			}
		})
		all.Go(func() { f.probe(ctx, r, client) })
		t.Cleanup(func() {
			all.Wait()
			if err := outbox.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(cancel) // the first to run
	return f
}

// probe makes an agent's results, a turn every 200 ms.
func (f *fleet) probe(ctx context.Context, agent string, client *report.Client) {
	seq := uint64(0)
	turns := time.NewTicker(200 * time.Millisecond)
	defer turns.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-turns.C:
		}
		if _, muted := f.muted.Load(agent); muted {
			continue
		}
		var together sync.WaitGroup // one sync of the disk for all
		down := f.down.Load()
		if _, ill := f.ill.Load(agent); ill {
			down = true
		}
		for _, r := range turn(agent, &seq, down) {
			together.Go(func() {
				if err := client.Queue(context.WithoutCancel(ctx), r); err != nil {
					f.t.Errorf("queue: %v", err)
				}
			})
		}
		together.Wait()
		if !down {
			f.good.Store(agent, true)
		}
	}
}

// turn is what an agent sees in one turn: its own broadcasts at every ingest, and
// the one in its own region as its viewers see it.
func turn(agent string, seq *uint64, down bool) []prober.Result {
	now := time.Now()
	result := func(kind prober.Kind, ingest string, of int) prober.Result {
		*seq++
		return prober.Result{
			ID: fmt.Sprintf("boot-%s-%d", agent, *seq), Agent: agent, Site: "site-" + agent, Boot: "boot-" + agent, Seq: *seq,
			Kind: kind, Target: "live", Ingest: ingest, Pusher: agent, Run: "run-" + agent + "-" + ingest,
			Round: string(kind) + strconv.FormatInt(now.UnixNano(), 36), RoundOf: of, Outcome: prober.Pass,
			Started: now, Ended: now, Control: prober.ControlPass,
		}
	}
	var all []prober.Result
	for _, ingest := range regions {
		r := result(prober.KindCanary, ingest, len(regions))
		if down {
			r.Outcome, r.Stage, r.Reason, r.Detail = prober.Fail, prober.StageIngest, prober.ReasonConnectionReset, "secret evidence"
		}
		all = append(all, r)
	}
	r := result(prober.KindPlayback, agent, 1)
	if r.Playback = agent; down {
		r.Outcome, r.Reason = prober.Inconclusive, prober.ReasonNothingPushed
	}
	return append(all, r)
}

// hook receives a webhook's alerts, each id once.
type hook struct {
	addr string
	mu   sync.Mutex
	got  []alert.Alert
	seen map[string]int
}

// startHook listens at addr from now on until the test ends.
func startHook(t *testing.T, addr string) *hook {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	k := &hook{addr: addr, seen: map[string]int{}}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: k}}
	server.Start()
	t.Cleanup(server.Close)
	return k
}

func (k *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct{ Data alert.Alert }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.seen[r.Header.Get("Webhook-Id")]++; k.seen[r.Header.Get("Webhook-Id")] == 1 {
		k.got = append(k.got, body.Data)
	}
}

// of gives the actions that a key had, in the order in which they came, without
// updates: how many of those there are is the engine's business.
func (k *hook) of(key string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []string
	for _, a := range k.got {
		if a.Key == key && a.Action != alert.ActionUpdate {
			all = append(all, string(a.Action))
		}
	}
	return strings.Join(all, " ")
}

// summary is what summary.json says.
type summary struct {
	Status     struct{ Indicator string }
	Components []struct{ Name, Status string }
	Incidents  []struct {
		ID, Status, Impact string
		CreatedAt          time.Time `json:"created_at"`
	}
}

func readSummary(t *testing.T, base string) (s summary, ok bool) {
	t.Helper()
	body, code := get(t, base+"/api/v2/summary.json")
	if code != http.StatusOK {
		return s, false
	}
	if err := json.Unmarshal(body, &s); err != nil {
		t.Fatalf("summary.json: %v: %s", err, body)
	}
	return s, true
}

// waitIncident waits until exactly one incident is unresolved, and gives its id.
func waitIncident(t *testing.T, base string) (id string) {
	t.Helper()
	eventually(t, "an incident is open", func() error {
		s, ok := readSummary(t, base)
		if !ok || len(s.Incidents) != 1 || s.Status.Indicator == "none" {
			return fmt.Errorf("summary.json: %+v", s)
		}
		id = s.Incidents[0].ID
		return nil
	})
	return id
}

func waitResolved(t *testing.T, base string) {
	t.Helper()
	eventually(t, "no incident is open", func() error {
		s, ok := readSummary(t, base)
		if !ok || len(s.Incidents) != 0 || s.Status.Indicator != "none" {
			return fmt.Errorf("summary.json: %+v", s)
		}
		return nil
	})
}

// alerts reads the whole on-call feed.
func alerts(t *testing.T, base string) []alert.Alert {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/alerts?limit=1000", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	body, code := do(t, req)
	if code != http.StatusOK {
		t.Fatalf("/alerts: %d: %s", code, body)
	}
	var feed struct{ Alerts []alert.Alert }
	if err := json.Unmarshal(body, &feed); err != nil {
		t.Fatal(err)
	}
	return feed.Alerts
}

// waitAlert waits for an alert of some type, and gives the first.
func waitAlert(t *testing.T, base, kind string) alert.Alert {
	t.Helper()
	return waitAlertOf(t, base, kind, "")
}

// waitAlertOf waits for one of some agent.
func waitAlertOf(t *testing.T, base, kind, agent string) (found alert.Alert) {
	t.Helper()
	eventually(t, "an alert "+kind+" "+agent, func() error {
		var others []string
		for _, a := range alerts(t, base) {
			if a.Type == kind && (agent == "" || agent == a.Agent) {
				found = a
				return nil
			}
			others = append(others, a.Key+" "+a.Type)
		}
		return fmt.Errorf("the feed has %v", others)
	})
	return found
}

func get(t *testing.T, url string) (body []byte, code int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, req)
}

// do gives code 0 when nobody answers.
func do(t *testing.T, req *http.Request) (body []byte, code int) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return []byte(err.Error()), 0
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		return []byte(err.Error()), 0
	}
	return body, resp.StatusCode
}

// eventually polls until a condition holds; its error says why it does not yet.
func eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		err := holds()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s: %v", patience, what, err)
		}
	}
}

var nextPort atomic.Int64

// freeAddr is an address that is free now and, since it lies below what systems
// hand out for outgoing connections, most likely later.
func freeAddr(t *testing.T) string {
	t.Helper()
	const lowest, ports = 14_000, 4_000
	for range ports {
		port := lowest + (int64(os.Getpid())*31+nextPort.Add(1))%ports
		addr := net.JoinHostPort("127.0.0.1", strconv.FormatInt(port, 10))
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close()
			return addr
		}
	}
	t.Fatalf("no port from %d to %d is free", lowest, lowest+ports)
	return ""
}

// lockedBuffer is a log that can be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
