package agent_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
)

// fakeMeter reads what the test sets.
type fakeMeter struct {
	mu      sync.Mutex
	now     agent.Machine
	servers []string
	running int
}

func (m *fakeMeter) set(edit func(*agent.Machine)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = agent.Machine{Host: prober.Host{CPU: .2, Loss: -1}}
	edit(&m.now)
}

func (m *fakeMeter) Run(ctx context.Context) {
	m.mu.Lock()
	m.running++
	m.mu.Unlock()
	<-ctx.Done()
	m.mu.Lock()
	m.running--
	m.mu.Unlock()
}

func (m *fakeMeter) Read() agent.Machine {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *fakeMeter) into(c *agent.Config) {
	m.set(func(*agent.Machine) {})
	c.Meter = func(server string) agent.Meter {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.servers = append(m.servers, server)
		return m
	}
}

// A machine in trouble makes its agent sick, after three looks in a row; it is
// well after five well within the limits.
func TestAMachineInTroubleIsSick(t *testing.T) {
	t.Parallel()
	calm := func(*agent.Machine) {}
	for name, c := range map[string]struct {
		bad, edge func(*agent.Machine) // edge is within the limits, but not by a tenth
		limits    func(*prober.Controls)
		want      string
	}{
		"processors": {func(m *agent.Machine) { m.CPU, m.Late = .99, 700*time.Millisecond }, func(m *agent.Machine) { m.CPU, m.Late = .9, time.Second },
			nil, "own machine: its processors are 99 % busy, and own timers 700ms late on average"},
		"clock behind": {func(m *agent.Machine) { m.ClockOffset, m.ClockKnown = 7*time.Second, true }, func(m *agent.Machine) { m.ClockOffset, m.ClockKnown = 4600*time.Millisecond, true },
			nil, "own machine: its clock is off by -7s"},
		"jump": {func(m *agent.Machine) { m.Jump = -6 * time.Second }, func(m *agent.Machine) { m.Jump = 4900 * time.Millisecond },
			nil, "own machine: its clock has jumped by -6s"},
		"loss": {func(m *agent.Machine) { m.Loss = .25 }, func(m *agent.Machine) { m.Loss = .19 },
			func(c *prober.Controls) { c.Loss = .2 }, "own machine: 25 % of its TCP segments are sent again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var m fakeMeter
			as := assign(target("fra"), eachSecond)
			as.Controls = prober.DefaultControls()
			if c.limits != nil {
				c.limits(&as.Controls)
			}
			play(t, as, func(w *world, _ *agent.Agent) {
				w.until(11 * time.Second)
				m.set(c.bad) // one look, at 12 s
				w.until(13 * time.Second)
				m.set(calm)
				w.until(15 * time.Second)
				m.set(c.bad) // at 16, 18 and 20 s
				w.until(21 * time.Second)
				m.set(c.edge)
				w.until(31 * time.Second)
				m.set(calm) // 32, ..., 40 s
				w.until(45 * time.Second)
				states, details := controls(w)
				for i, s := range states {
					want := prober.ControlPass
					switch at := i + 1; {
					case at <= 2:
						want = prober.ControlUnknown
					case at > 20 && at <= 40:
						want = prober.ControlFail
					}
					if !strings.HasSuffix(s, " "+string(want)) {
						t.Errorf("%s, want %s", s, want)
					}
				}
				if len(details) != 20 || details[0] != c.want {
					t.Errorf("%d details %q, want %q", len(details), slices.Compact(details), c.want)
				}
			}, ownOrigin, m.into)
		})
	}
}

// What alone says nothing, or is not asked for, makes nobody sick; it is told.
func TestWhatIsNoTrouble(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*agent.Machine){
		"a busy machine that keeps time": func(m *agent.Machine) { m.CPU = 1 },
		"an idle one that is late":       func(m *agent.Machine) { m.Late = time.Minute },
		"loss, which is not judged":      func(m *agent.Machine) { m.Loss = .9 },
		"an offset that is not known":    func(m *agent.Machine) { m.ClockOffset = time.Hour },
		"nothing is measured":            func(m *agent.Machine) { m.CPU = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var m fakeMeter
			as := assign(target("fra"), eachSecond)
			as.Controls = prober.DefaultControls()
			play(t, as, func(w *world, _ *agent.Agent) {
				m.set(set)
				w.until(30 * time.Second)
				last := w.results[len(w.results)-1]
				if last.Control != prober.ControlPass || last.Host != m.Read().Host {
					t.Errorf("got %+v", last)
				}
			}, ownOrigin, m.into)
		})
	}
}

func TestWithoutAMeterNothingIsMeasured(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), eachSecond), func(w *world, _ *agent.Agent) {
		w.until(5 * time.Second)
		if h := w.results[0].Host; h != (prober.Host{CPU: -1, Loss: -1}) {
			t.Errorf("got %+v", h)
		}
	})
}

// The reference is told with each result, and decides nothing here. The agent's
// own file stands before what is assigned.
func TestReferenceIsToldAndTurnsAfterTwo(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var failure *prober.Failure
	var asked []string
	var m fakeMeter
	set := func(f *prober.Failure) {
		mu.Lock()
		defer mu.Unlock()
		failure = f
	}
	as := assign(target("fra"), eachSecond)
	as.Controls = prober.Controls{Reference: "https://assigned", ClockServer: "assigned"}
	play(t, as, func(w *world, a *agent.Agent) {
		w.until(20 * time.Second) // asked at 0 and 15 s
		set(fails(prober.Fail, prober.StageConnect, prober.ReasonUnreachable))
		w.until(50 * time.Second) // 30, 45
		set(nil)
		w.until(80 * time.Second) // 60, 75
		as.Revision++
		as.Controls.Clock = time.Second // another limit: the meter is made anew
		a.Assign(as)
		w.until(85 * time.Second)
		for i, r := range w.results {
			want, at := prober.ControlPass, i+1
			if at > 45 && at <= 75 {
				want = prober.ControlFail
			}
			if r.Host.Reference != want || (r.Host.ReferenceDetail != "") != (want == prober.ControlFail) || r.Control != prober.ControlPass && at > 2 {
				t.Errorf("at %d s: %s %q, control %s", at, r.Host.Reference, r.Host.ReferenceDetail, r.Control)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if got := slices.Compact(asked); fmt.Sprint(got) != "[https://own]" {
			t.Errorf("asked %v", got)
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if last := m.servers[len(m.servers)-1]; last != "assigned" || m.running != 1 {
			t.Errorf("clock servers %v, %d meters run", m.servers, m.running)
		}
	}, ownOrigin, m.into, func(c *agent.Config) {
		c.Controls.Reference = "https://own"
		c.Reference = func(_ context.Context, url string) *prober.Failure {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, url)
			return failure
		}
	})
}
