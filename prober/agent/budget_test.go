package agent_test

import (
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
)

// crossed is what all broadcasts have sent and all followers received so far.
func (w *world) crossed() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.sent + w.received
	for _, b := range w.live {
		all += b.bytes()
	}
	return all
}

// spending is what the last result says of the hour, and what all have told.
func (w *world) spending() (hour, told int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.results {
		hour = r.Spending.LastHour
		told += r.Figures.BytesSent + r.Figures.BytesReceived
	}
	return hour, told
}

// Nothing that crosses the network is forgotten, however often connections come and
// go between two rounds: what was sent and received before is told in the next
// round, and what nobody will be told of is spent all the same.
func TestEveryByteIsCounted(t *testing.T) {
	t.Parallel()
	slow, seen := every(prober.KindCanary, 10*time.Second), every(prober.KindPlayback, 10*time.Second)
	turned := slow
	turned.RotateAfter, turned.Rotate = 15*time.Second, prober.RotateConnection
	fresh := turned
	fresh.Rotate = prober.RotateStream
	for name, test := range map[string]struct {
		probe  prober.Probe
		told   int64 // percent of it at least, in results: the rest is nobody's who is still there
		script func(w *world, a *agent.Agent)
	}{
		"an ingest that resets": {slow, 99, func(w *world, _ *agent.Agent) {
			w.change(func() { w.resets["fra"] = 4 * time.Second })
		}},
		"a connection anew": {turned, 99, func(*world, *agent.Agent) {}},
		"a stream anew":     {fresh, 99, func(*world, *agent.Agent) {}},
		"playbacks that come and go": {slow, 90, func(w *world, a *agent.Agent) {
			other := target("fra")
			other.Playbacks[0].URL = "http://nyc/hls/{stream}/index.m3u8"
			none := target("fra")
			none.Playbacks = nil
			for i := range 60 {
				w.until(time.Duration(i)*7*time.Second + 3*time.Second)
				a.Assign(assign([]prober.Target{other, none, target("fra")}[i%3], slow, seen))
			}
		}},
		"ingests that come and go": {slow, 70, func(w *world, a *agent.Agent) {
			for i := range 60 {
				w.until(time.Duration(i)*7*time.Second + 3*time.Second)
				a.Assign(assign([]prober.Target{target("fra", "nyc"), target("fra")}[i%2], slow, seen))
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, assign(target("fra"), test.probe, seen), func(w *world, a *agent.Agent) {
				test.script(w, a)
				w.until(10*time.Minute + 100*time.Millisecond) // just after a round
				crossed := w.crossed()
				hour, told := w.spending()
				// What has crossed since that round is no more than one second's.
				if hour > crossed || hour < crossed-2500 || told < hour*test.told/100 {
					t.Errorf("%d bytes crossed the network, %d are spent, %d are told", crossed, hour, told)
				}
			})
		})
	}
}

// What an ingest asked for on a connection that has ended since is told in the
// next round.
func TestFindingsOfAnEndedConnectionAreTold(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), every(prober.KindCanary, 10*time.Second), every(prober.KindPlayback, 10*time.Second)), func(w *world, _ *agent.Agent) {
		w.change(func() {
			w.resets["fra"] = 3 * time.Second
			w.asked = []prober.Finding{finding(prober.SeverityNote, "connection", 1)}
			w.findings = []prober.Finding{finding(prober.SeverityNote, "720p", 1)}
		})
		w.until(61 * time.Second)
		count := map[prober.Kind]int{}
		for _, r := range w.results {
			for _, f := range r.Findings {
				count[r.Kind] += f.Count
			}
		}
		n := w.published["fra"]
		// Each plays for two of its three seconds and is looked at each 100 ms.
		if pulled := count[prober.KindPlayback]; count[prober.KindCanary] < n-1 || n < 12 || pulled < 18*(n-1) {
			t.Errorf("of %d connections %d findings are told, and %d of what was pulled", n, count[prober.KindCanary], pulled)
		}
	})
}
