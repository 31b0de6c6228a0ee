package agent

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"streamcanary/prober"
)

const (
	machineRound    = 2 * time.Second // how often the machine is looked at
	sickTurns       = 3               // looks in a row beyond a limit that make it sick
	wellTurns       = 5               // looks in a row within nine tenths of all limits that make it well
	referenceRound  = 15 * time.Second
	referenceTurns  = 2 // checks in a row that change the reference's state
	measuredNothing = -1
)

// machine watches the agent's own machine, and asks the reference: what is wrong
// there is not the platform's.
type machine struct {
	env     *env
	changed chan struct{} // the controls have

	mu        sync.Mutex
	controls  prober.Controls
	host      prober.Host
	trouble   string // why the machine is sick; "" is well
	row       int    // looks in a row against that
	reference prober.Control
	refDetail string
	refRow    int
}

func newMachine(e *env) *machine {
	m := &machine{env: e, changed: make(chan struct{}, 1), host: unmeasured()}
	m.set(prober.DefaultControls())
	drain(m.changed)
	return m
}

// unmeasured is a host of which nothing is known; the zero value would say idle.
func unmeasured() prober.Host {
	return prober.Host{CPU: measuredNothing, Loss: measuredNothing}
}

// set takes what the hub assigns, under what the agent's own file says.
func (m *machine) set(c prober.Controls) {
	c.Reference = cmp.Or(m.env.Controls.Reference, c.Reference)
	c.ClockServer = cmp.Or(m.env.Controls.ClockServer, c.ClockServer)
	m.mu.Lock()
	defer m.mu.Unlock()
	if c == m.controls {
		return
	}
	if c.Reference != m.controls.Reference {
		m.reference, m.refDetail, m.refRow = "", "", 0
		if c.Reference != "" && m.env.Reference != nil {
			m.reference = prober.ControlUnknown
		}
	}
	m.controls = c
	signal(m.changed)
}

// current is how the machine is, and why it is sick, if it is.
func (m *machine) current() (prober.Host, string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.host
	h.Reference, h.ReferenceDetail = m.reference, m.refDetail
	return h, m.trouble
}

// run watches until ctx is done, anew with each change of the controls.
func (m *machine) run(ctx context.Context) {
	for ctx.Err() == nil {
		m.mu.Lock()
		c := m.controls
		m.mu.Unlock()
		watching, stop := context.WithCancel(ctx)
		var wg sync.WaitGroup
		if m.env.Meter != nil {
			meter := m.env.Meter(c.ClockServer)
			wg.Go(func() { meter.Run(watching) })
			wg.Go(func() { m.watch(watching, meter, c) })
		}
		if m.env.Reference != nil && c.Reference != "" {
			wg.Go(func() { m.refer(watching, c.Reference) })
		}
		select {
		case <-ctx.Done():
		case <-m.changed:
		}
		stop()
		wg.Wait()
	}
}

func (m *machine) watch(ctx context.Context, meter Meter, c prober.Controls) {
	tick := time.NewTicker(machineRound)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.judge(meter.Read(), c)
		}
	}
}

// judge takes a reading into the state, which does not turn at one alone.
func (m *machine) judge(r Machine, c prober.Controls) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.host = r.Host
	wrong := beyond(r, c, 1)
	switch {
	case m.trouble == "" && wrong == "":
		m.row = 0
	case m.trouble == "":
		if m.row++; m.row >= sickTurns {
			m.trouble, m.row = wrong, 0
		}
	case wrong != "":
		m.trouble, m.row = wrong, 0 // the latest evidence
	case beyond(r, c, .9) != "":
		m.row = 0
	default:
		if m.row++; m.row >= wellTurns {
			m.trouble, m.row = "", 0
		}
	}
}

// beyond says what is beyond that share of its limit, for a person.
func beyond(r Machine, c prober.Controls, share float64) string {
	part := func(d time.Duration) time.Duration { return time.Duration(share * float64(d)) }
	var wrong []string
	if c.CPU > 0 && r.CPU >= share*c.CPU && r.Late >= part(c.Late) {
		wrong = append(wrong, fmt.Sprintf("its processors are %s busy, and own timers %s late on average", percent(r.CPU), r.Late.Round(time.Millisecond)))
	}
	if c.Clock > 0 && r.ClockKnown && r.ClockOffset.Abs() >= part(c.Clock) {
		wrong = append(wrong, fmt.Sprintf("its clock is off by %s", -r.ClockOffset.Round(time.Millisecond)))
	}
	if c.Clock > 0 && r.Jump.Abs() >= part(c.Clock) {
		wrong = append(wrong, fmt.Sprintf("its clock has jumped by %s", r.Jump.Round(time.Millisecond)))
	}
	if c.Loss > 0 && r.Loss >= share*c.Loss {
		wrong = append(wrong, percent(r.Loss)+" of its TCP segments are sent again")
	}
	if len(wrong) == 0 {
		return ""
	}
	return "own machine: " + strings.Join(wrong, ", ")
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", math.Floor(100*share)) }

// refer asks the reference again and again.
func (m *machine) refer(ctx context.Context, url string) {
	for {
		failure := m.env.Reference(ctx, url)
		if ctx.Err() != nil {
			return
		}
		m.judgeReference(failure)
		if !sleep(ctx, referenceRound) {
			return
		}
	}
}

func (m *machine) judgeReference(f *prober.Failure) {
	want, detail := prober.ControlPass, ""
	if f != nil {
		want, detail = prober.ControlFail, strings.TrimSpace(fmt.Sprintf("%s %s: %s", f.Stage, f.Reason, f.Detail))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.reference == want {
		m.refRow, m.refDetail = 0, detail
		return
	}
	if m.refRow++; m.refRow >= referenceTurns || m.reference == prober.ControlUnknown && want == prober.ControlPass {
		m.reference, m.refDetail, m.refRow = want, detail, 0
	}
}
