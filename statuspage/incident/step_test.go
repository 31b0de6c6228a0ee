package incident

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// FuzzStep feeds arbitrary journals: eight bytes an input.
func FuzzStep(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte(strings.Repeat("\x01\x05\x00\x01\x02\x03\x04\x05", 40)))
	f.Add([]byte(strings.Repeat("\x02\x15\x03\x00\x00\x02\x05\x00\x02\x66\x03\x00\x00\x02\x05\x00\x02\xb7\x03\x00\x00\x02\x05\x00", 60))) // again, late, restarted
	f.Add([]byte(strings.Repeat("\x02\xff\x01\x00\x00\x01\x01\x00\x00\x01\x02\x00\x01\x01\x01\x09", 60)))
	f.Add([]byte(strings.Repeat("\x02\x03\x01\x00\x00\x01\x01\x00\x01\x04\x02\x00\x05\x01\x01\x09\x00\x03\x07\x09\x11\x02\x00\x00", 60)))
	p, err := NewPolicy(DefaultSettings(), topology())
	if err != nil {
		f.Fatal(err)
	}
	kinds := append(prober.Kinds(), "unheard")
	stages := append(prober.Stages(), "")
	outcomes := []prober.Outcome{prober.Pass, prober.Degraded, prober.Fail, prober.Inconclusive}
	controls := []prober.Control{prober.ControlPass, prober.ControlPass, prober.ControlFail, prober.ControlUnknown}
	names := []string{"fra", "nyc", "sin", "", "mars"}
	f.Fuzz(func(t *testing.T, journal []byte) {
		s, now := NewState(), time.Unix(1_700_000_000, 0)
		opened, resolved := map[string]int{}, map[string]Incident{}
		for i := 0; len(journal) >= 8 && i < 4000; i++ {
			b := journal[:8]
			journal = journal[8:]
			now = now.Add(time.Duration(int8(b[0])) * 100 * time.Millisecond)
			in := Input{Seq: uint64(i + 1), At: now}
			switch b[1] % 16 {
			case 0:
			case 1:
				in.Change = &Change{ID: fmt.Sprint(b[2]), Summary: "x"}
			case 2:
				in.Config = &ConfigChange{}
			case 3:
				var past []Incident
				for _, id := range sortedKeys(resolved) {
					past = append(past, resolved[id])
				}
				c := person(rand.New(rand.NewPCG(uint64(b[2]), uint64(b[3]))), s, past, int(b[4]), "playback-fra", "ingest-nyc")
				in.Command = &c
			case 4:
				m := Window{ID: names[int(b[2])%len(names)], Name: "x", Regions: []string{names[int(b[3])%len(names)]}, StartsAt: now, EndsAt: now.Add(time.Duration(int8(b[4])) * time.Minute)}
				in.Maintenance = &MaintenanceEdge{Edge: []Edge{EdgeAnnounced, EdgeBegan, EdgeEnded, EdgeCancelled, "odd"}[int(b[5])%5], Window: m}
			default:
				in.Result = &prober.Result{
					Agent: "agent-" + names[int(b[1])%len(names)], Boot: fmt.Sprint(b[1] >> 6), Seq: uint64(max(0, i-[]int{0, 0, 1, 70}[b[1]>>4&3])), // new, again or late
					Kind: kinds[int(b[2])%len(kinds)], Target: "live", Pusher: "agent-" + names[int(b[7])%len(names)],
					Ingest: names[int(b[3])%len(names)], Playback: names[int(b[4])%len(names)],
					Outcome: outcomes[int(b[5])%4], Stage: stages[int(b[6])%len(stages)], Control: controls[b[7]%4],
					Round: fmt.Sprint(b[7]), RoundOf: int(b[6]), Run: fmt.Sprint(b[3]),
					Age: time.Duration(int16(binary.LittleEndian.Uint16(b[5:]))) * time.Millisecond,
				}
			}
			var events []Event
			s, events = p.Step(s, in)
			for _, e := range events {
				if e.Type == IncidentOpened {
					opened[e.Key]++
					delete(resolved, e.Incident.ID)
					for _, failure := range e.Incident.Failures {
						sites := map[string]bool{}
						for _, x := range failure.Evidence {
							sites[x.Site] = true
						}
						if len(sites) < p.settings.Quorum {
							t.Fatalf("%s opened on the word of %d sites", failure.Element, len(sites))
						}
					}
				}
				if e.Type == IncidentResolved {
					opened[e.Key]--
					resolved[e.Incident.ID] = *e.Incident
				}
				if opened[e.Key] < 0 || opened[e.Key] > 1 {
					t.Fatalf("%s: opened and resolved out of order", e.Key)
				}
			}
			if next := p.Next(s); !next.IsZero() && next.Before(s.At.Add(-time.Second)) {
				t.Fatalf("a tick was due %v ago and did not help", s.At.Sub(next))
			}
		}
		for _, c := range p.View(s).Components {
			if c.SuspectSince.IsZero() != (len(c.Suspicions) == 0) {
				t.Fatalf("%s is suspect since %v of %v", c.ID, c.SuspectSince, c.Suspicions)
			}
			for _, x := range c.Suspicions {
				if len(x.Evidence) == 0 || x.Share <= 0 {
					t.Fatalf("%s is suspect of nothing: %+v", c.ID, x)
				}
			}
		}
		b, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeState(b); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNewPolicyNamesEverySetting(t *testing.T) {
	t.Parallel()
	s := DefaultSettings()
	s.Quorum, s.Threshold, s.ConfirmSpacing = 0, 0, 0
	s.Rates[prober.KindCanary] = Rates{P0: .5, P1: .4, AgainP0: .5}
	delete(s.Rates, prober.KindAPI)
	_, err := NewPolicy(s, topology())
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"quorum is 0", "threshold", "rates of canary", "rates of api are missing", "confirm_spacing"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %q", want, err)
		}
	}
}

func TestSiteCap(t *testing.T) {
	t.Parallel()
	for q := 1; q <= 7; q++ {
		p := Policy{settings: Settings{Quorum: q}}
		h := NatsOf(27)
		limit := p.siteCap(h)
		if Nats(q)*limit < h || Nats(q-1)*limit >= h {
			t.Errorf("q=%d: %d sites at the cap of %d must reach %d, and one less must not", q, q, limit, h)
		}
	}
}

// stepper feeds rounds of playback of three agents, 10 ms from result to result.
type stepper struct {
	policy Policy
	state  State
	now    time.Time
	seq    uint64
	ended  int // incidents that were resolved
}

func (x *stepper) result(outcome prober.Outcome) {
	x.seq++
	x.now = x.now.Add(10 * time.Millisecond)
	agent := regions[x.seq%3]
	r := &prober.Result{
		Agent: "agent-" + agent, Pusher: "agent-" + agent, Boot: "b", Seq: x.seq, Kind: prober.KindPlayback, Target: "live",
		Ingest: regions[x.seq/3%3], Playback: regions[x.seq/9%3], Round: fmt.Sprint(x.seq / 27), RoundOf: 9, Run: agent + regions[x.seq/3%3],
		Outcome: prober.Pass, Control: prober.ControlPass,
	}
	if outcome == prober.Fail && r.Playback == regions[1] {
		r.Outcome, r.Stage, r.Reason = prober.Fail, prober.StageManifest, prober.ReasonHTTPStatus
	}
	var events []Event
	x.state, events = x.policy.Step(x.state, Input{Seq: x.seq, At: x.now, Result: r})
	for _, e := range events {
		if e.Type == IncidentResolved {
			x.ended++
		}
	}
}

// BenchmarkStep is flat in the number of past incidents, and bears an open one.
func BenchmarkStep(b *testing.B) {
	settings := DefaultSettings()
	settings.Hold = time.Second
	p, err := NewPolicy(settings, topology())
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		past    int
		outcome prober.Outcome
	}{{"well", 0, prober.Pass}, {"failing", 0, prober.Fail}, {"after300incidents", 300, prober.Pass}} {
		b.Run(c.name, func(b *testing.B) {
			x := &stepper{policy: p, state: NewState(), now: time.Unix(1_700_000_000, 0)}
			for x.ended < c.past {
				before := x.ended
				for range 27 * 10 {
					x.result(prober.Fail)
				}
				for range 27 * 200 {
					if x.ended > before {
						break
					}
					x.result(prober.Pass)
				}
				if x.ended == before {
					b.Fatal("the incident was not resolved")
				}
			}
			for range 27 * 10 {
				x.result(c.outcome)
			}
			if open := len(x.state.Incidents); (open > 0) != (c.outcome == prober.Fail) {
				b.Fatalf("%d incidents are open", open)
			}
			b.ReportAllocs()
			for b.Loop() {
				x.result(c.outcome)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "results/s")
		})
	}
}

// TestStepAllocatesLittle: a turn and the state lie on the stack. One call through a
// table of functions would move them to the heap, for every result.
func TestStepAllocatesLittle(t *testing.T) { //nolint:paralleltest // it counts what the whole process allocates
	p, err := NewPolicy(DefaultSettings(), topology())
	if err != nil {
		t.Fatal(err)
	}
	for outcome, most := range map[prober.Outcome]float64{prober.Pass: 12, prober.Fail: 14} { // four are the test's own
		x := &stepper{policy: p, state: NewState(), now: time.Unix(1_700_000_000, 0)}
		for range 27 * 20 {
			x.result(outcome)
		}
		if got := testing.AllocsPerRun(27*40, func() { x.result(outcome) }); got > most {
			t.Errorf("%s: %.0f allocations for a result, want at most %.0f", outcome, got, most)
		}
	}
}
