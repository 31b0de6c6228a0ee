package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/statuspage/alert"
)

const (
	detectLength   = 20 * time.Second      // of a drill; it ends once it was detected
	detectGrace    = 5 * time.Second       // after a drill's end in which its incident still counts
	detectPoll     = 50 * time.Millisecond // of summary.json
	detectExpected = 15 * time.Second      // at the 95th percentile
	detectRounds   = 9 * time.Second       // the demo's longest period, that of its go-live runs
	detectPatience = 3 * time.Minute       // until all is well again
)

// detection is what came of one drill. Its times are since the moment before the
// request that begins the fault was sent, a little before the fault.
type detection struct {
	fault  string
	onPage time.Duration // until summary.json held a new incident; the drill's length when it was missed
	missed bool

	// From the on-call feed, to see where the time went; 0 when it has nothing.
	firstFailed time.Duration // until a probe failed
	opened      time.Duration // until the engine opened the incident
	resolved    time.Duration // from the fault's end
}

func (r detection) String() string {
	if r.missed {
		return fmt.Sprintf("%-14s missed: nothing on the page until %v after it was over", r.fault, detectGrace)
	}
	return fmt.Sprintf("%-14s first failure %6.2f s, opened %5.2f s, on the page %5.2f s; resolved %4.1f s after its end",
		r.fault, r.firstFailed.Seconds(), r.opened.Seconds(), r.onPage.Seconds(), r.resolved.Seconds())
}

// BenchmarkDetect measures the time from a fault to its incident on the public
// page: in the demo as it is, with nothing in hub or agents that knows of it. Half
// of the drills refuse new broadcasts in all regions, then the other half restart
// every media server. (In turn, they would help each other: go-live runs that a
// restart breaks are evidence that is left over for the refusal that follows.)
// DETECT_DRILLS sets how many drills (20).
func BenchmarkDetect(b *testing.B) {
	count := 20
	if set := os.Getenv("DETECT_DRILLS"); set != "" {
		var err error
		if count, err = strconv.Atoi(set); err != nil || count < 1 {
			b.Fatalf("DETECT_DRILLS=%q: want a number of drills, from 1", set)
		}
	}
	d := startDetect(b)
	var all []detection
	for b.Loop() {
		for range count {
			fault := "refuse-publish"
			if len(all)%count >= count/2 {
				fault = "restart"
			}
			d.healthy(b, len(all))
			all = append(all, d.drill(b, fault))
			// A benchmark's own log comes at its end and holds ten lines.
			fmt.Fprintf(os.Stderr, "detect %2d of %d: %s\n", len(all), count, all[len(all)-1])
		}
	}
	b.ReportMetric(0, "ns/op") // says nothing here
	b.Log(detectTable(all))
	for _, fault := range []string{"restart", "refuse-publish", ""} {
		s := summarize(all, fault)
		prefix := ""
		if fault != "" {
			prefix = fault + "-"
		}
		b.ReportMetric(s.median.Seconds(), prefix+"median-s")
		b.ReportMetric(s.p95.Seconds(), prefix+"p95-s")
		b.ReportMetric(s.max.Seconds(), prefix+"max-s")
		b.ReportMetric(float64(s.missed), prefix+"missed")
	}
	if s := summarize(all, ""); s.p95 > detectExpected {
		b.Errorf("the 95th percentile is %.1f s, expected are %v", s.p95.Seconds(), detectExpected)
	}
}

// detect is a demo under measurement.
type detect struct {
	page   string
	token  prober.Secret
	client *http.Client
	known  map[string]bool // incidents of earlier drills
}

func startDetect(b *testing.B) *detect {
	b.Helper()
	addr, dir := freePort(b, "127.0.0.1"), b.TempDir()
	demo := streamcanary(b, "demo", "--drill", "none", "--json", "--http", addr, "--data", dir)
	demo.wait(b, 0, "all is green", detectPatience, says(`"kind":"green"`))
	token, err := os.ReadFile(filepath.Join(dir, "oncall-token"))
	if err != nil {
		b.Fatal(err)
	}
	return &detect{
		page: "http://" + addr, token: prober.Secret(strings.TrimSpace(string(token))),
		client: &http.Client{Timeout: 5 * time.Second}, known: map[string]bool{},
	}
}

// healthy waits until all is well, and then for a part of the longest period
// that is another for every drill: what resolves an incident runs on the same
// schedules as what finds the next one.
func (d *detect) healthy(b *testing.B, drill int) {
	b.Helper()
	_, part := math.Modf(float64(drill) * math.Phi)
	var since time.Time
	ok := d.poll(b, detectPatience, func(s detectSummary) bool {
		if len(s.Incidents) > 0 || s.Status.Indicator != "none" {
			since = time.Time{}
			return false
		}
		if since.IsZero() {
			since = time.Now()
		}
		return time.Since(since) >= time.Duration(part*float64(detectRounds))
	})
	if !ok {
		b.Fatalf("not all was well again within %v", detectPatience)
	}
}

// drill breaks the platform until the page says so.
func (d *detect) drill(b *testing.B, fault string) detection {
	b.Helper()
	ctx, heal := context.WithCancel(b.Context())
	defer heal()
	over := make(chan error, 1)
	begun := time.Now()
	go func() { over <- d.inject(ctx, fault) }()
	var id string
	found := d.poll(b, detectLength+detectGrace, func(s detectSummary) bool {
		for _, in := range s.Incidents {
			if !d.known[in.ID] {
				id = in.ID
			}
		}
		return id != ""
	})
	r := detection{fault: fault, onPage: time.Since(begun), missed: !found}
	if !found {
		r.onPage = detectLength
	}
	heal()
	if err := <-over; err != nil {
		b.Fatal(err)
	}
	healed := time.Now()
	if !d.poll(b, detectPatience, func(s detectSummary) bool { return len(s.Incidents) == 0 }) {
		b.Fatalf("the incident of %s is not resolved %v after the fault", fault, detectPatience)
	}
	if found {
		r.resolved = time.Since(healed)
		d.known[id] = true
		d.explain(b, id, begun, &r)
	}
	return r
}

// inject runs a drill through the demo's own endpoint, and returns when it is
// over, or healed because ctx has ended.
func (d *detect) inject(ctx context.Context, fault string) error {
	body, err := json.Marshal(drillRequest{Fault: fault, For: detectLength.String()})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.page+drillPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set(drillHeader, "1")
	resp, err := http.DefaultClient.Do(req)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("drill %s: %s", fault, resp.Status)
	}
	return nil
}

// explain takes the times that the feed has.
func (d *detect) explain(b *testing.B, id string, begun time.Time, r *detection) {
	b.Helper()
	var feed struct{ Alerts []alert.Alert }
	if err := fetchJSON(d.page+"/alerts?limit=1000", d.token, &feed); err != nil {
		b.Fatal(err)
	}
	for _, a := range feed.Alerts {
		if a.Incident != nil && a.Incident.ID == id && a.Action == alert.ActionTrigger {
			r.firstFailed, r.opened = a.Incident.StartedAt.Sub(begun), a.Incident.CreatedAt.Sub(begun)
		}
	}
}

// detectSummary is what summary.json says of interest.
type detectSummary struct {
	Status    struct{ Indicator string }
	Incidents []struct{ ID string }
}

// poll reads summary.json until a condition holds, or the limit is over.
func (d *detect) poll(b *testing.B, limit time.Duration, holds func(detectSummary) bool) bool {
	b.Helper()
	ticker := time.NewTicker(detectPoll)
	defer ticker.Stop()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); <-ticker.C {
		body, err := get(b.Context(), d.client, d.page+"/api/v2/summary.json", "")
		var s detectSummary
		if err == nil {
			err = json.Unmarshal(body, &s)
		}
		switch {
		case err != nil: // as much a miss as a page that says nothing
			b.Log(err)
		case holds(s):
			return true
		}
	}
	return false
}

// detectStats sums drills up.
type detectStats struct {
	drills, missed   int
	median, p95, max time.Duration
}

// summarize takes the drills of one fault, or with "" all. The percentiles are
// by nearest rank: each is a time that was measured.
func summarize(all []detection, fault string) (s detectStats) {
	var times []time.Duration
	for _, r := range all {
		if fault != "" && r.fault != fault {
			continue
		}
		times = append(times, r.onPage)
		if r.missed {
			s.missed++
		}
	}
	if s.drills = len(times); s.drills == 0 {
		return s
	}
	slices.Sort(times)
	rank := func(p float64) time.Duration { return times[int(math.Ceil(p*float64(len(times))))-1] }
	s.median, s.p95, s.max = rank(.5), rank(.95), rank(1)
	return s
}

func detectTable(all []detection) string {
	var t strings.Builder
	fmt.Fprintf(&t, "seconds from the fault to its incident in summary.json, polled every %v\n", detectPoll)
	fmt.Fprintf(&t, "%-14s %6s %6s %6s %6s %6s\n", "fault", "drills", "median", "p95", "max", "missed")
	for _, fault := range []string{"restart", "refuse-publish", ""} {
		s := summarize(all, fault)
		fmt.Fprintf(&t, "%-14s %6d %6.2f %6.2f %6.2f %6d\n", cmp.Or(fault, "both"), s.drills, s.median.Seconds(), s.p95.Seconds(), s.max.Seconds(), s.missed)
	}
	return t.String()
}

func TestDetectStats(t *testing.T) {
	t.Parallel()
	var all []detection
	for i := range 20 {
		all = append(all, detection{fault: []string{"restart", "refuse-publish"}[i%2], onPage: time.Duration(20-i) * time.Second, missed: i == 0})
	}
	for fault, want := range map[string]detectStats{
		"":               {drills: 20, missed: 1, median: 10 * time.Second, p95: 19 * time.Second, max: 20 * time.Second},
		"restart":        {drills: 10, missed: 1, median: 10 * time.Second, p95: 20 * time.Second, max: 20 * time.Second},
		"refuse-publish": {drills: 10, median: 9 * time.Second, p95: 19 * time.Second, max: 19 * time.Second},
		"none":           {},
	} {
		if got := summarize(all, fault); got != want {
			t.Errorf("%q: %+v, want %+v", fault, got, want)
		}
	}
}
