package backtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/report"
	"streamcanary/statuspage/incident"
)

// Version is the version of a recording's first line.
const Version = 1

// Header is the first line of a recording.
type Header struct {
	Version  int             `json:"streamcanary_recording"`
	Exported time.Time       `json:"exported_at"`
	Policy   json.RawMessage `json:"policy"` // the hub's, as incident.Policy.Content gives it
}

// Recording says what was run.
type Recording struct {
	From    time.Time // of the first entry
	To      time.Time // of the last
	Entries int
	Results int
	Agents  int
}

// Report is what two policies made of one recording.
type Report struct {
	Recording Recording
	Present   Run // of the hub's own policy, as it was when the recording was exported
	Other     Run
	Pairs     []Pair
}

// Run is what one policy made of it.
type Run struct {
	Hash      string
	Settings  incident.Settings
	Incidents []Opened // as they were at the end, in the order in which they opened; without those that were merged into another
}

// Opened is an incident that a policy opened.
type Opened struct {
	incident.Incident

	// Began is the first failing result that had a part in it. Where both policies open
	// an incident for one cause it is the same in both: the earlier of what each had,
	// since a policy that wants more sites to agree takes the failure to begin later.
	Began time.Time
}

// Pair is what both policies opened for one cause, or one of them alone. An incident
// that holds several of the other policy's stands in a pair with each of them, and
// opened for the first.
type Pair struct {
	Present *Opened
	Other   *Opened
	Before  *Opened // the one of both that stands in a pair before, if one does
}

// Replay reads a recording and runs it through the policy that stands in it and the
// other. Memory does not grow with the recording, but with what opens. The error
// names the line.
func Replay(r io.Reader, other incident.Policy) (Report, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), report.MaxRecordedLine)
	present, err := readHeader(lines)
	if err != nil {
		return Report{}, fmt.Errorf("line 1: %w", err)
	}
	runs := []*runner{newRunner(present), newRunner(other)}
	var seen Recording
	agents := map[string]bool{}
	for n := 2; lines.Scan(); n++ {
		e, err := report.DecodeEntry(lines.Bytes())
		if err == nil && e.At.Before(seen.To) && seen.To.Sub(e.At) > maxBack {
			err = fmt.Errorf("entry %d is of %s, and the one before it of %s: a recording is in the order of its journal", e.Seq, e.At.Format(time.RFC3339), seen.To.Format(time.RFC3339))
		}
		if err != nil {
			return Report{}, fmt.Errorf("line %d: %w", n, err)
		}
		if seen.Entries++; seen.From.IsZero() {
			seen.From = e.At
		}
		seen.To = e.At
		if e.Result != nil {
			seen.Results++
			agents[e.Agent] = true
		}
		for _, run := range runs {
			if err := run.take(e); err != nil {
				return Report{}, fmt.Errorf("line %d: %w", n, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("a line is longer than %d bytes", report.MaxRecordedLine)
		}
		return Report{}, fmt.Errorf("line %d: %w", seen.Entries+2, err)
	}
	seen.Agents = len(agents)
	out := Report{Recording: seen, Present: runs[0].run(), Other: runs[1].run()}
	out.Pairs = pair(out.Present.Incidents, out.Other.Incidents, seen.To)
	return out, nil
}

// maxBack is how far a journal's clock may have been set back.
const maxBack = 24 * time.Hour

func readHeader(lines *bufio.Scanner) (incident.Policy, error) {
	if !lines.Scan() {
		if err := lines.Err(); err != nil {
			return incident.Policy{}, err
		}
		return incident.Policy{}, errors.New("the recording is empty; write one with 'streamcanary results export'")
	}
	var h Header
	if err := json.Unmarshal(bytes.TrimSpace(lines.Bytes()), &h); err != nil || h.Version == 0 {
		return incident.Policy{}, errors.New("not a recording; write one with 'streamcanary results export'")
	}
	if h.Version != Version {
		return incident.Policy{}, fmt.Errorf("version %d of a recording is not known, only %d; use the version of streamcanary that wrote it", h.Version, Version)
	}
	p, err := incident.PolicyOf(h.Policy)
	if err != nil {
		return incident.Policy{}, fmt.Errorf("the hub's policy: %w", err)
	}
	return p, nil
}

// runner is a policy at work.
type runner struct {
	policy incident.Policy
	state  incident.State
	seq    uint64
	last   time.Time
	order  []string
	byID   map[string]Opened
}

func newRunner(p incident.Policy) *runner {
	return &runner{policy: p, state: incident.NewState(), byID: map[string]Opened{}}
}

func (r *runner) run() Run {
	out := Run{Hash: r.policy.Hash(), Settings: r.policy.Settings()}
	for _, id := range r.order {
		if in := r.byID[id]; in.MergedInto == "" { // the one in which it goes on has all of it
			out.Incidents = append(out.Incidents, in)
		}
	}
	return out
}

// take runs an entry, after the ticks that the policy wanted before it: a recording
// has those of the policy that was in force.
func (r *runner) take(e report.Entry) error {
	for range mostTicks {
		due := r.policy.Next(r.state)
		if due.IsZero() || !due.Before(e.At) {
			break
		}
		r.step(incident.Input{At: latest(due, r.last.Add(time.Millisecond))})
	}
	in := incident.Input{At: e.At, Result: e.Result}
	if err := decode(e, &in); err != nil {
		return fmt.Errorf("entry %d: %w", e.Seq, err)
	}
	r.step(in)
	return nil
}

// mostTicks bounds the ticks between two entries. A hub that was up wrote one every
// ten seconds; over a longer gap it was away, which the engine sees for itself.
const mostTicks = 1000

func (r *runner) step(in incident.Input) {
	r.seq++
	in.Seq, r.last = r.seq, in.At
	var events []incident.Event
	r.state, events = r.policy.Step(r.state, in)
	for _, e := range events {
		if e.Incident == nil {
			continue
		}
		known, again := r.byID[e.Incident.ID]
		if !again {
			r.order = append(r.order, e.Incident.ID)
		}
		r.byID[e.Incident.ID] = Opened{*e.Incident, began(known.Began, *e.Incident)}
	}
}

// began is the first failing result of an incident, as far as it is known before and
// now: a failure that relapses begins anew.
func began(before time.Time, in incident.Incident) time.Time {
	first := earliest(before, in.StartedAt)
	for _, f := range in.Failures {
		first = earliest(first, f.FirstSeen)
	}
	return first
}

// earliest of two times, of which one that is zero is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func decode(e report.Entry, in *incident.Input) error {
	var target any
	switch e.Kind {
	case report.KindChange:
		in.Change = &incident.Change{}
		target = in.Change
	case report.KindConfig:
		in.Config = &incident.ConfigChange{}
		target = in.Config
	case report.KindCommand:
		entered, err := incident.DecodeEntered(e.Payload)
		if err == nil && entered.OfMaintenance() { // the rest was about the incidents that the hub had
			in.Command, in.Maintenance = entered.Command, entered.Maintenance
		}
		return err
	case report.KindResult, report.KindTick:
		return nil
	}
	return json.Unmarshal(e.Payload, target)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// pair puts incidents together that were open at the same time for the same element,
// or, of the same target, began within a minute of each other. What one policy tells as
// one incident and the other as several is a pair for each of the several. What is
// paired for the first time began when the earlier of both did; pairs are in the order in
// which they began.
func pair(present, other []Opened, end time.Time) []Pair {
	taken := make([]bool, len(other))
	var pairs []Pair
	for i := range present {
		p := Pair{Present: &present[i]}
		if j := match(present[i], other, taken, end); j >= 0 {
			p.Other, taken[j] = &other[j], true
			first := earliest(present[i].Began, other[j].Began)
			present[i].Began, other[j].Began = first, first
		} else if j := match(present[i], other, nil, end); j >= 0 {
			p.Other, p.Before = &other[j], &other[j] // which holds more than one of the present
		}
		pairs = append(pairs, p)
	}
	for j := range other {
		if taken[j] {
			continue
		}
		p := Pair{Other: &other[j]}
		if i := match(other[j], present, nil, end); i >= 0 {
			p.Present, p.Before = &present[i], &present[i]
		}
		pairs = append(pairs, p)
	}
	slices.SortStableFunc(pairs, func(a, b Pair) int { return a.began().Compare(b.began()) })
	return pairs
}

// began is that of what stands in no pair before: if one does, the other began later.
func (p Pair) began() time.Time {
	var at time.Time
	for _, o := range []*Opened{p.Present, p.Other} {
		if o != nil {
			at = latest(at, o.Began)
		}
	}
	return at
}

// match finds the incident that has the cause of another, leaving out those taken;
// -1 is none.
func match(in Opened, among []Opened, taken []bool, end time.Time) int {
	for _, same := range []func(a, b Opened) bool{shareElement, beganTogether} {
		for j := range among {
			if (taken == nil || !taken[j]) && in.Target == among[j].Target && overlap(in, among[j], end) && same(in, among[j]) {
				return j
			}
		}
	}
	return -1
}

func overlap(a, b Opened, end time.Time) bool {
	until := func(in Opened) time.Time {
		if in.ResolvedAt.IsZero() {
			return end
		}
		return in.ResolvedAt
	}
	return !a.StartedAt.After(until(b)) && !b.StartedAt.After(until(a))
}

func shareElement(a, b Opened) bool {
	elements := map[prober.Element]bool{}
	for _, f := range a.Failures {
		elements[f.Element] = true
	}
	for _, f := range b.Failures {
		if elements[f.Element] {
			return true
		}
	}
	return false
}

func beganTogether(a, b Opened) bool {
	return a.StartedAt.Sub(b.StartedAt).Abs() <= time.Minute
}
