//go:build unix

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// TestServersHealthy goes live at every real server by the real program, then keeps a
// canary up at all of them at once, by one agent that is wired as the real one. Every
// result has to be good, proven as the table of servers says, and without a finding
// that the table does not explain. `make soak-servers` does it for 5 minutes.
func TestServersHealthy(t *testing.T) {
	t.Parallel()
	length := soak(t, 30*time.Second)
	all := realServers()
	seen := make([]measured, len(all))
	live := make([]liveServer, len(all))
	var as prober.Assignment
	for i, s := range all {
		live[i] = startServer(t, s.id)
		as.Targets = append(as.Targets, prober.Target{ID: s.id, Platform: prober.Platform{Type: "static"},
			Ingests:   []prober.Ingest{{ID: "in", Region: "here", URL: live[i].ingest("canary")}},
			Playbacks: []prober.Playback{{ID: "out", Region: "here", URL: live[i].playback("canary"), Pull: s.pull}}})
		for _, kind := range []prober.Kind{prober.KindCanary, prober.KindPlayback} {
			as.Probes = append(as.Probes, prober.Probe{Kind: kind, Target: s.id, Schedule: "@every 1s"})
		}
	}
	goLiveEverywhere(t, all, live, seen)
	results := &resultLog{t: t, more: make(chan struct{})}
	a := startAgent(t, agentParts{Agent: "agent-1", Sink: results})
	a.Assign(as)
	for _, s := range all {
		results.wait(s.name+" plays, proven", func(r prober.Result) bool {
			return pulled(r, s) && r.Outcome == prober.Pass && r.Figures.Proof != ""
		})
	}
	from := stalledFor(t)
	over := time.After(length)
	for i, s := range all {
		if length < time.Minute || s.proof == prober.MeansBarcode { // what is transcoded has no size of ours
			continue
		}
		t.Run("ffmpeg decodes "+s.id, func(t *testing.T) { acceptedByFFmpeg(t, live[i].playback("canary")) })
	}
	<-over
	starved := stalledFor(t)-from > length/4
	for i, s := range all {
		m := &seen[i]
		for _, r := range results.all() {
			if r.Target == s.id {
				m.hold(t, s, r, starved)
			}
		}
		m.enough(t, s, length)
		t.Log(m.row(s))
	}
	t.Logf("the machine kept up: %v", !starved)
	if *update && length >= time.Minute && !t.Failed() {
		writeServers(t, all, seen, length, starved)
	}
}

// soak is how long servers are watched.
func soak(t *testing.T, otherwise time.Duration) time.Duration {
	t.Helper()
	asked := os.Getenv("STREAMCANARY_SERVERS")
	if asked == "" {
		return otherwise
	}
	length, err := time.ParseDuration(asked)
	if err != nil {
		t.Fatal(err)
	}
	return length
}

// goLiveEverywhere probes all servers at once, each once.
func goLiveEverywhere(t *testing.T, all []realServer, live []liveServer, seen []measured) {
	t.Helper()
	probes := make([]*process, len(all))
	for i := range all {
		probes[i] = streamcanary(t, "probe", "--json", "--timeout", "40s", "--ingest", live[i].ingest("canary"), "--playback", live[i].playback("canary"))
	}
	for i, s := range all {
		code := probes[i].exit(t, 2*e2ePatience)
		told := probes[i].reports(t)
		if code != exitOK || len(told) != 2 || !passes("push")(told[0]) || !passes("pull")(told[1]) {
			t.Fatalf("%s: a go-live: exit code %d, %+v", s.name, code, told)
		}
		seen[i].connect, seen[i].ttff = told[0].Stages["connect"], told[1].TTFF/1000
		if f, ok := live[i].(*ffmpegServer); ok { // it takes one broadcast, and starts again
			f.listens(t)
		}
	}
}

func pulled(r prober.Result, s realServer) bool {
	return r.Target == s.id && r.Kind == prober.KindPlayback && r.Playback != ""
}

// measured is what was seen of one server.
type measured struct {
	connect     float64         // of the go-live, in milliseconds
	ttff        float64         // of the go-live, in seconds
	rounds      int             // of pulls, from the first that was proven
	first, last []time.Duration // latencies
	rebuffers   int
	findings    []string // explained, with how often
	counts      map[string]int
}

// hold holds a healthy server's result against what is known of it.
func (m *measured) hold(t *testing.T, s realServer, r prober.Result, starved bool) {
	t.Helper()
	for _, f := range r.Findings {
		name := strings.TrimSpace(f.Rule + " " + string(f.Reason))
		switch {
		case (f.Severity == prober.SeverityNote || m.rounds == 0) && explains(s.known, f): // before the first proof it only starts
			m.count(fmt.Sprintf("`%s` (%s)", f.Rule, f.Section))
		case starved && explains(starving(), f):
			m.count(fmt.Sprintf("`%s` (%s), starved", f.Rule, f.Section))
		default:
			t.Errorf("%s: %s: a finding that nothing explains: %+v", s.name, name, f)
		}
	}
	m.outcome(t, s, r, starved)
}

func (m *measured) outcome(t *testing.T, s realServer, r prober.Result, starved bool) {
	t.Helper()
	f := r.Figures
	if m.rounds == 0 && (!pulled(r, s) || f.Proof == "") && r.Outcome != prober.Fail { // it may take a while to come up
		return
	}
	late := starved && slices.ContainsFunc(starving(), func(e explained) bool { return e.reason == r.Reason })
	if r.Outcome != prober.Pass && !late && (m.rounds > 0 || r.Playback == "") {
		t.Errorf("%s: %s %s %s %s %s: %s", s.name, r.Ended.Format("05.000"), r.Kind, r.Outcome, r.Stage, r.Reason, r.Detail)
	}
	if !pulled(r, s) || r.Outcome == prober.Fail {
		return
	}
	m.rounds++
	m.rebuffers += f.Viewing.Rebuffers
	if f.Proof != s.proof || f.LatencyBy != "" && f.LatencyBy != s.latency {
		t.Errorf("%s: %s proven by %q, latency by %q; want %q and %q", s.name, r.Ended.Format("05.000"), f.Proof, f.LatencyBy, s.proof, s.latency)
	}
	if f.LatencyFirst != 0 {
		m.first, m.last = append(m.first, f.LatencyFirst), append(m.last, f.LatencyLast)
	}
}

func (m *measured) count(finding string) {
	if m.counts == nil {
		m.counts = map[string]int{}
	}
	m.counts[finding]++
	if m.counts[finding] == 1 {
		m.findings = append(m.findings, finding)
		slices.Sort(m.findings)
	}
}

// enough says whether a server was looked at all the time.
func (m *measured) enough(t *testing.T, s realServer, length time.Duration) {
	t.Helper()
	least := int(length / (2 * time.Second))
	if m.rounds < least || len(m.first) < least/2 || slices.Max(m.first) > time.Minute || slices.Min(m.last) < 0 {
		t.Errorf("%s: %d rounds of pulls and %d latencies in %v", s.name, m.rounds, len(m.first), length)
	}
}

// explains says whether a finding is one of those.
func explains(list []explained, f prober.Finding) bool {
	return slices.ContainsFunc(list, func(e explained) bool { return f.Rule == e.rule && f.Section == e.section && f.Reason == e.reason })
}

// stalledFor is for how long, ever, a program of this machine waited for a processor.
// Where the system does not tell, it is never.
func stalledFor(t *testing.T) time.Duration {
	t.Helper()
	pressure, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil {
		return 0
	}
	_, total, _ := strings.Cut(string(pressure), "total=")
	total, _, _ = strings.Cut(total, "\n")
	d, err := time.ParseDuration(total + "us")
	if err != nil {
		t.Fatalf("/proc/pressure/cpu: %v", err)
	}
	return d
}
