package incident

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"streamcanary/prober"
)

// sim is a platform and its fleet of agents, simulated from a seed: it turns what
// is broken, and the noise, into the results that agents would send, hands them to
// the real Step in the order of a journal, and runs the rounds that Step asks for.
type sim struct {
	t      *testing.T
	setup  simSetup
	policy Policy
	state  State
	rng    *rand.Rand
	now    time.Time
	start  time.Time
	seq    uint64 // of the journal
	queue  simQueue
	order  uint64 // keeps the order of what is due at one time
	agents []*simAgent
	rounds []*simRounds
	first  *simRounds // of the rounds, the next; nil is not known
	flying int        // results on their way
	skips  bool       // quiet stretches are skipped, and good rounds taken at once

	collect *[]prober.Result // where results go instead of on their way
	sums    []*sumState      // all of them
	sites   []*siteSum       // of all sums
	turn    turn             // of a good round

	events  []Event
	steps   int
	skipped uint64 // inputs
	check   func() // after every step; nil is nothing
	twin    *sim   // is given the same inputs, from its last snapshot on; nil is none
}

// simRounds are the rounds of one kind of probe at one agent.
type simRounds struct {
	agent   *simAgent
	kind    prober.Kind
	period  time.Duration
	results int // of a round
	next    time.Time
	noisy   time.Time // the first round from next on that is not all good
}

// simSetup says what is simulated.
type simSetup struct {
	seed      uint64
	sites     int
	regions   int // each has an ingest and a playback
	ins, outs int // ingests and playbacks, where they are fewer than regions
	canary    time.Duration
	pulls     time.Duration // of the playback probe
	golive    time.Duration
	api       bool // the platform has an API of its own

	noise   float64       // a row or a column of a round fails by chance
	drops   float64       // a canary of a round drops by chance
	bursts  *simBursts    // nil is none
	skew    time.Duration // agents' clocks are apart by up to so much
	latency time.Duration // from a result to the journal, up to
	foreign bool          // agents pull the next one's broadcasts as well
	twice   bool          // every result is delivered again, some time later
	mixed   bool          // three results at a time arrive the other way round

	work   time.Duration // from half a minute before a fault until so long after it began, its components are worked on
	works  []string      // the components, if not the third playback's
	humans bool          // from five seconds after a fault began, people do anything, and in the end they release

	settings func(*Settings)
	topology func(*Topology)
	fault    func(at time.Duration) simFault // since the start; nil is nothing, ever
}

// simBursts are a site's own trouble: for a while nearly all its probes fail.
type simBursts struct {
	mean  time.Duration
	share float64 // of the time
	seen  float64 // share of the bursts that the agent's control notices
	pairs float64 // share that strike a second site as well
	fails float64 // share of a site's probes that fail in a burst
}

// simFault is what is broken at a moment.
type simFault struct {
	api    bool
	share  float64      // of the probes that are concerned and do fail; 0 is all
	push   map[int]bool // ingests that drop and refuse everything
	fresh  map[int]bool // ingests that refuse new broadcasts only
	play   map[int]bool // playbacks, which show nothing
	dead   map[int]bool // playbacks, which cannot be reached
	core   bool         // nothing comes out anywhere
	thin   float64      // besides, this share of everything that is played fails
	mute   map[int]bool // ingests that take everything, and nothing of which comes out
	sick   map[int]bool // agents whose machine or network is broken, and which know it
	blind  map[int]bool // agents whose network is broken, and whose controls pass
	silent map[int]bool // agents that are not heard
	pusher map[int]bool // agents whose broadcasts nobody can play, though they are taken
	by     map[int]bool // agents that see what is broken; nil is all
	cut    map[int]bool // agents that reach neither the platform nor their reference
	refer  bool         // the reference itself, which nobody reaches
	away   bool         // the hub: results come late, all at once

	spreads time.Duration // only the first agent sees it until so long after it began
}

type simAgent struct {
	n          int
	id         string
	seq        uint64
	skew       time.Duration
	control    prober.Control
	known      *agentState
	quick      map[prober.Kind]*quickRound
	burstUntil time.Time           // fails until then
	struck     bool                // the round under way, by the fault
	goods      map[prober.Kind]int // rounds in a row that the fault did not strike
	held       []prober.Result
	mixed      []prober.Result
}

type simItem struct {
	at    time.Time
	order uint64
	do    func()
}

// simQueue is a heap of what is due, the soonest first.
type simQueue []simItem

func (q simQueue) before(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].order < q[j].order
}

func (q *simQueue) push(x simItem) {
	*q = append(*q, x)
	for i := len(*q) - 1; i > 0 && q.before(i, (i-1)/2); i = (i - 1) / 2 {
		(*q)[i], (*q)[(i-1)/2] = (*q)[(i-1)/2], (*q)[i]
	}
}

func (q *simQueue) pop() simItem {
	old := *q
	x, last := old[0], len(old)-1
	old[0], old[last] = old[last], simItem{}
	*q = old[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if q.before(child, least) {
				least = child
			}
		}
		if least == i {
			return x
		}
		old[i], old[least] = old[least], old[i]
		i = least
	}
}

func simTopology(sites, regions int, api bool) Topology {
	t := Topology{Installation: "sim", Page: PageInfo{Name: "Sim", URL: "https://status.example.com"}}
	target := Target{ID: "live", Name: "Live", HasAPI: api, Kinds: []prober.Kind{prober.KindCanary, prober.KindPlayback, prober.KindGoLive}}
	for i := range regions {
		id := "r" + strconv.Itoa(i)
		target.Regions = append(target.Regions, Region{ID: id, Name: "Region " + strconv.Itoa(i)})
		target.Ingests = append(target.Ingests, Endpoint{ID: id, Region: id})
		target.Playbacks = append(target.Playbacks, Endpoint{ID: id, Region: id})
		t.Components = append(t.Components,
			Component{ID: "ingest-" + id, Name: "Ingest " + id, Publish: PublishAuto, Elements: []prober.Element{ingest("live", id)}},
			Component{ID: "playback-" + id, Name: "Playback " + id, Publish: PublishAuto, Elements: []prober.Element{playback("live", id)}})
	}
	t.Components = append(t.Components, Component{ID: "core", Name: "Delivery", Publish: PublishAuto, Elements: []prober.Element{core("live")}})
	if api {
		t.Components = append(t.Components, Component{ID: "api", Name: "API", Publish: PublishAuto, Elements: []prober.Element{{Target: "live", Type: prober.ElementAPI}}})
	}
	for i := range sites {
		id := "a" + strconv.Itoa(i)
		t.Sites = append(t.Sites, Site{ID: "s" + strconv.Itoa(i), Agents: []string{id}})
	}
	t.Targets = []Target{target}
	return t
}

func newSim(t *testing.T, c simSetup) *sim {
	t.Helper()
	top := simTopology(c.sites, c.regions, c.api)
	top.Targets[0].Ingests, top.Targets[0].Playbacks = top.Targets[0].Ingests[:c.ingests()], top.Targets[0].Playbacks[:c.playbacks()]
	top.Components = slices.DeleteFunc(top.Components, func(x Component) bool {
		e := x.Elements[0]
		return e.Type == prober.ElementIngest && e.ID >= "r"+strconv.Itoa(c.ingests()) || e.Type == prober.ElementPlayback && e.ID >= "r"+strconv.Itoa(c.playbacks())
	})
	if c.topology != nil {
		c.topology(&top)
	}
	s := DefaultSettings()
	s.Threshold = DefaultThreshold(s, top, c.schedule(), DefaultFalseOpenings)
	if c.settings != nil {
		c.settings(&s)
	}
	p, err := NewPolicy(s, top)
	if err != nil {
		t.Fatal(err)
	}
	w := &sim{t: t, setup: c, policy: p, state: NewState(), rng: rand.New(rand.NewPCG(c.seed, 0x5eed)),
		now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	w.start = w.now
	for i := range c.sites {
		a := &simAgent{n: i, id: "a" + strconv.Itoa(i), control: prober.ControlPass, goods: map[prober.Kind]int{}, quick: map[prober.Kind]*quickRound{}}
		if c.skew > 0 {
			a.skew = time.Duration(w.rng.Int64N(int64(2*c.skew))) - c.skew
		}
		w.agents = append(w.agents, a)
		n := c.ingests()
		w.every(a, prober.KindCanary, c.canary, n)
		w.every(a, prober.KindPlayback, c.pulls, c.cells())
		w.every(a, prober.KindGoLive, c.golive, n+n*c.playbacks())
		if c.bursts != nil {
			w.after(w.quiet(), func() { w.burst(a) })
		}
	}
	return w
}

// cells is how many results a round of pulling has.
func (c simSetup) cells() int {
	if c.foreign {
		return 2 * c.ingests() * c.playbacks()
	}
	return c.ingests() * c.playbacks()
}

func (c simSetup) ingests() int {
	if c.ins > 0 {
		return c.ins
	}
	return c.regions
}

func (c simSetup) playbacks() int {
	if c.outs > 0 {
		return c.outs
	}
	return c.regions
}

func (c simSetup) schedule() Schedule {
	return Schedule{"live": {prober.KindCanary: c.canary, prober.KindPlayback: c.pulls, prober.KindGoLive: c.golive}}
}

// at puts something into the queue.
func (w *sim) at(when time.Time, do func()) {
	w.order++
	w.queue.push(simItem{at: when, order: w.order, do: do})
}

func (w *sim) after(d time.Duration, do func()) { w.at(w.now.Add(d), do) }

// every repeats a kind of round, the agents spread over the period.
func (w *sim) every(a *simAgent, kind prober.Kind, period time.Duration, results int) {
	if period == 0 {
		return
	}
	w.rounds = append(w.rounds, &simRounds{agent: a, kind: kind, period: period, results: results,
		next: w.start.Add(time.Duration(a.n) * period / time.Duration(w.setup.sites))})
}

// due is the round that comes next.
func (w *sim) due() *simRounds {
	if w.first != nil {
		return w.first
	}
	for _, r := range w.rounds {
		if w.first == nil || r.next.Before(w.first.next) {
			w.first = r
		}
	}
	return w.first
}

func (w *sim) round(a *simAgent, kind prober.Kind) {
	if w.good(a, kind) {
		w.quickly(a, kind)
		return
	}
	w.results(a, kind)
}

// results sends the results of a round.
func (w *sim) results(a *simAgent, kind prober.Kind) {
	a.struck = false
	struck := w.counts(a, kind)
	switch kind {
	case prober.KindCanary:
		w.canaries(a)
	case prober.KindPlayback:
		w.plays(a)
	default:
		w.goLive(a)
	}
	*struck = a.struck
}

// counts counts a round by whether the fault has struck it, when its results arrive:
// what is on its way is not yet known.
func (w *sim) counts(a *simAgent, kind prober.Kind) (struck *bool) {
	struck = new(bool)
	if w.setup.fault == nil {
		return struck
	}
	arrives := w.way(a, kind)
	if kind == prober.KindGoLive {
		arrives += goLiveLasts
	}
	w.after(arrives, func() {
		if a.goods[kind]++; *struck {
			a.goods[kind] = 0
		}
	})
	return struck
}

// run lets time pass until end, with the ticks that the engine asks for.
func (w *sim) run(d time.Duration) {
	end := w.now.Add(d)
	for {
		due := w.state.At.Add(10 * time.Second) // housekeeping
		if !w.idle(due) {
			if next := w.policy.Next(w.state); !next.IsZero() && next.Before(due) {
				due = next
			}
		}
		if due.Before(w.now) {
			due = w.now
		}
		round := w.due()
		if len(w.queue) > 0 && !w.queue[0].at.After(due) && !w.queue[0].at.After(end) && !w.queue[0].at.After(round.next) {
			item := w.queue.pop()
			w.now = item.at
			item.do()
			continue
		}
		if !round.next.After(due) && !round.next.After(end) {
			if w.skip(end) {
				continue
			}
			w.now = round.next
			round.next, w.first = round.next.Add(round.period), nil
			w.round(round.agent, round.kind)
			continue
		}
		if due.After(end) {
			w.now = end
			return
		}
		if due.Equal(w.now) && w.state.At.Equal(due) {
			due = due.Add(100 * time.Millisecond) // the hub's own resolution
		}
		w.now = due
		if !w.truth().away {
			w.step(Input{})
		} else {
			w.now = w.now.Add(time.Second)
		}
	}
}

func (w *sim) truth() simFault {
	if w.setup.fault == nil {
		return simFault{}
	}
	return w.setup.fault(w.now.Sub(w.start))
}

func (w *sim) step(in Input) {
	w.seq++
	w.steps++
	in.Seq, in.At = w.seq, w.now
	var events []Event
	w.state, events = w.policy.Step(w.state, in)
	w.compare(in, events)
	w.told(events)
	if w.check != nil {
		w.check()
	}
}

// compare holds that the same inputs give the same bytes, and the same events, also
// to a hub that starts again from its snapshot every so often.
func (w *sim) compare(in Input, events []Event) {
	if w.twin == nil {
		return
	}
	var same []Event
	w.twin.state, same = w.policy.Step(w.twin.state, in)
	if a, b := fmt.Sprintf("%+v", ids(events)), fmt.Sprintf("%+v", ids(same)); a != b {
		w.t.Errorf("the same inputs gave the events %s and %s", a, b)
	}
	if w.steps%500 != 0 {
		return
	}
	a, err := w.state.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := w.twin.state.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		w.t.Errorf("the same inputs gave the states\n%s\n%s", a, b)
	}
	if w.twin.state, err = DecodeState(b); err != nil {
		w.t.Fatal(err)
	}
}

func ids(events []Event) (all []string) {
	for _, e := range events {
		all = append(all, e.ID)
	}
	return all
}

// told does what the engine asks for.
func (w *sim) told(events []Event) {
	for _, e := range events {
		w.events = append(w.events, e)
		if e.ProbeNow != nil {
			w.confirm(*e.ProbeNow)
		}
	}
}

// confirm runs what the engine asks for, at every agent.
func (w *sim) confirm(req prober.ProbeNow) {
	for i := range req.Rounds {
		w.after(time.Duration(i)*req.Spacing+50*time.Millisecond, func() {
			for _, a := range w.agents {
				for _, kind := range []prober.Kind{prober.KindCanary, prober.KindPlayback, prober.KindGoLive} {
					w.round(a, kind)
				}
			}
		})
	}
}

// send brings a result into the journal, after its way there.
func (w *sim) send(a *simAgent, after time.Duration, r prober.Result) {
	if w.collect != nil {
		*w.collect = append(*w.collect, r)
		return
	}
	if w.truth().silent[a.n] {
		return
	}
	w.flying++
	w.after(after, func() {
		w.flying--
		w.receive(a, r)
	})
}

// receive completes a result with what is known of its agent when it arrives, and
// brings it to the hub, unless that is away.
func (w *sim) receive(a *simAgent, r prober.Result) {
	f := w.truth()
	r.Control = a.control
	if f.sick[a.n] {
		r.Control = prober.ControlFail
	}
	if r.Host.Reference = prober.ControlPass; f.refer || f.cut[a.n] {
		r.Host.Reference = prober.ControlFail
	}
	a.seq++
	r.Agent, r.Boot, r.Seq, r.Site, r.Target = a.id, "boot", a.seq, "s", "live"
	r.Ended = w.now.Add(a.skew)
	if f.away {
		a.held = append(a.held, r)
		return
	}
	for _, late := range a.held {
		late.Age = w.now.Sub(late.Ended.Add(-a.skew))
		w.step(Input{Result: &late})
	}
	a.held = nil
	w.deliver(a, r)
}

// deliver hands a result to the engine, as it comes or as a bad network brings it.
func (w *sim) deliver(a *simAgent, r prober.Result) {
	if !w.setup.mixed {
		w.step(Input{Result: &r})
	} else if a.mixed = append(a.mixed, r); len(a.mixed) == 3 {
		for _, late := range slices.Backward(a.mixed) {
			w.step(Input{Result: &late})
		}
		a.mixed = nil
	}
	if w.setup.twice {
		w.after(time.Duration(w.draw(a, r.Kind, w.now, drawAgain)*3e9), func() { w.step(Input{Result: &r}) })
	}
}

// draw is a number from 0 to 1 that depends on the seed, the agent, the round (its
// kind and time) and what is drawn, and on nothing else: so it can be known what
// a round will draw without running those before it.
func (w *sim) draw(a *simAgent, kind prober.Kind, at time.Time, what int) float64 {
	x := w.setup.seed ^ uint64(at.Sub(w.start))*0x9e3779b97f4a7c15 ^ uint64(a.n+1)*0xbf58476d1ce4e5b9 ^ uint64(what+1)*0x94d049bb133111eb ^ uint64(kind[0])<<56
	for range 2 {
		x += 0x9e3779b97f4a7c15
		x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
		x = (x ^ x>>27) * 0x94d049bb133111eb
		x ^= x >> 31
	}
	return float64(x>>11) / (1 << 53)
}

// What is drawn for a round, besides its rows (from drawRow) and columns.
const (
	drawWay = iota
	drawRow
	drawColumn = 100
	drawAgain  = 200
	drawPush   = 300
)

func (w *sim) way(a *simAgent, kind prober.Kind) time.Duration {
	return time.Duration(w.draw(a, kind, w.now, drawWay) * float64(w.setup.latency))
}

func (w *sim) chance(p float64) bool { return p > 0 && w.rng.Float64() < p }

// noisyAt says whether chance spoils a round: a row or a column of it.
func (w *sim) noisyAt(a *simAgent, kind prober.Kind, at time.Time, what int) bool {
	if w.collect != nil {
		return false
	}
	p := w.setup.noise
	if kind == prober.KindCanary {
		p = w.setup.drops
	}
	return p > 0 && w.draw(a, kind, at, what) < p
}

// lost says whether a probe of an agent fails for the agent's own sake.
func (w *sim) lost(a *simAgent, f simFault) bool {
	if w.collect != nil {
		return false // of a round that is known to be good: a burst has begun since
	}
	if f.sick[a.n] || f.blind[a.n] || f.cut[a.n] {
		return true
	}
	return w.now.Before(a.burstUntil) && w.chance(w.setup.bursts.fails)
}

// hit says whether a probe that a fault concerns does fail.
func (w *sim) hit(a *simAgent, concerned bool, f simFault) bool {
	hit := concerned && (f.by == nil || f.by[a.n]) && (f.share == 0 || w.chance(f.share))
	a.struck = a.struck || hit
	return hit
}

func (w *sim) region(i int) string { return "r" + strconv.Itoa(i) }

func (w *sim) newRound(kind prober.Kind) string {
	return string(kind[:1]) + strconv.FormatInt(int64(w.now.Sub(w.start)), 36)
}

func bad(r prober.Result, s prober.Stage) prober.Result {
	r.Outcome, r.Stage, r.Reason = prober.Fail, s, prober.ReasonConnectionRefused
	return r
}

func inconclusive(r prober.Result) prober.Result {
	r.Outcome, r.Reason = prober.Inconclusive, prober.ReasonNothingPushed
	return r
}

// canaries is a round of an agent's running broadcasts.
func (w *sim) canaries(a *simAgent) {
	f, round, way := w.truth(), w.newRound(prober.KindCanary), w.way(a, prober.KindCanary)
	for i := range w.setup.ingests() {
		r := prober.Result{Kind: prober.KindCanary, Pusher: a.id, Ingest: w.region(i), Round: round, RoundOf: w.setup.ingests(), Outcome: prober.Pass}
		if w.lost(a, f) || w.hit(a, f.push[i], f) || w.noisyAt(a, prober.KindCanary, w.now, drawRow+i) {
			r = bad(r, prober.StageIngest)
		}
		w.send(a, way, r)
	}
}

// plays is a round of pulling an agent's own broadcasts, and the next agent's.
func (w *sim) plays(a *simAgent) {
	f, round, way := w.truth(), w.newRound(prober.KindPlayback), w.way(a, prober.KindPlayback)
	m := w.matrix(a, prober.KindPlayback, f)
	pushers := []*simAgent{a}
	if w.setup.foreign {
		pushers = append(pushers, w.agents[(a.n+1)%len(w.agents)])
	}
	for _, pusher := range pushers {
		for i := range w.setup.ingests() {
			for j := range w.setup.playbacks() {
				r := prober.Result{Kind: prober.KindPlayback, Pusher: pusher.id, Ingest: w.region(i), Playback: w.region(j), Run: pusher.id + w.region(i),
					Round: round, RoundOf: w.setup.cells(), Outcome: prober.Pass}
				stage := m.cells[i][j]
				if stage == "" && f.pusher[pusher.n] {
					stage = prober.StageMedia
				}
				switch {
				case f.push[i] && stage != prober.StageConnect:
					r = inconclusive(r)
				case stage != "":
					r = bad(r, stage)
				}
				w.send(a, way, r)
			}
		}
	}
}

// simMatrix is what a round of pulling sees.
type simMatrix struct{ cells [][]prober.Stage }

func (w *sim) matrix(a *simAgent, kind prober.Kind, f simFault) simMatrix {
	n := w.setup.regions
	rows, columns := make([]bool, n), make([]bool, n)
	for i := range n {
		rows[i], columns[i] = w.noisyAt(a, kind, w.now, drawRow+i), w.noisyAt(a, kind, w.now, drawColumn+i)
	}
	lost := w.lost(a, f)
	m := simMatrix{cells: make([][]prober.Stage, n)}
	for i := range n {
		m.cells[i] = make([]prober.Stage, n)
		for j := range n {
			switch {
			case lost:
				m.cells[i][j] = prober.StageConnect
			case w.hit(a, f.dead[j], f):
				m.cells[i][j] = prober.StageConnect
			case f.thin > 0 && w.chance(f.thin):
				m.cells[i][j] = prober.StageManifest
			case rows[i] || columns[j]:
				m.cells[i][j] = prober.StageManifest
			case w.hit(a, f.play[j] || f.core || f.mute[i], f):
				m.cells[i][j] = prober.StageManifest
			}
		}
	}
	return m
}

// noisyPush says whether the noise of a row stands where a fresh broadcast is pushed,
// as half of it does, and not where it is played.
func (w *sim) noisyPush(a *simAgent, ingest int) bool {
	return w.noisyAt(a, prober.KindGoLive, w.now, drawRow+ingest) && w.draw(a, prober.KindGoLive, w.now, drawPush+ingest) < .5
}

// goLiveLasts is how long it takes until a fresh broadcast is known to play.
const goLiveLasts = 6 * time.Second

// goLive is a round of fresh broadcasts: what is refused is known at once, what
// plays later.
func (w *sim) goLive(a *simAgent) {
	f, round, way := w.truth(), w.newRound(prober.KindGoLive), w.way(a, prober.KindGoLive)
	n := w.setup.ingests()
	m := w.matrix(a, prober.KindGoLive, f)
	refused := w.setup.api && w.hit(a, f.api, f)
	for i := range n {
		r := prober.Result{Kind: prober.KindGoLive, Pusher: a.id, Ingest: w.region(i), Run: fmt.Sprint(a.id, round, i), Round: round, RoundOf: n + n*w.setup.playbacks(), Outcome: prober.Pass}
		pushed, known := r, way+goLiveLasts
		switch {
		case refused:
			pushed = bad(r, prober.StageProvision)
		case w.lost(a, f):
			pushed = bad(r, prober.StageConnect)
		case w.hit(a, f.push[i] || f.fresh[i], f), w.noisyPush(a, i):
			pushed = bad(r, prober.StagePublish)
		}
		if pushed.Outcome == prober.Fail {
			known = way + 200*time.Millisecond
		}
		w.send(a, known, pushed)
		for j := range w.setup.playbacks() {
			cell := r
			cell.Playback = w.region(j)
			switch {
			case pushed.Outcome == prober.Fail:
				cell = inconclusive(cell)
			case m.cells[i][j] != "":
				cell = bad(cell, m.cells[i][j])
			case f.pusher[a.n]:
				cell = bad(cell, prober.StageMedia)
			}
			w.send(a, known, cell)
		}
	}
}

// quiet is the time until a site's next burst.
func (w *sim) quiet() time.Duration {
	b := w.setup.bursts
	mean := float64(b.mean) * (1 - b.share) / b.share
	return time.Duration(w.rng.ExpFloat64() * mean)
}

// burst begins a site's trouble. Its control, if it notices, needs two rounds of
// its own for that, and as many to see that it is over.
func (w *sim) burst(a *simAgent) {
	b := w.setup.bursts
	length := time.Duration((.5 + w.rng.Float64()) * float64(b.mean))
	struck := []*simAgent{a}
	if w.chance(b.pairs) && len(w.agents) > 1 {
		struck = append(struck, w.agents[(a.n+1+w.rng.IntN(len(w.agents)-1))%len(w.agents)])
	}
	seen := w.chance(b.seen)
	for _, s := range struck {
		s.burstUntil = w.now.Add(length)
		if !seen {
			continue
		}
		notice := 2*time.Second + time.Duration(w.rng.Int64N(int64(2*time.Second)))
		w.after(notice, func() { s.control = prober.ControlFail })
		w.after(max(length, notice)+4*time.Second, func() { s.control = prober.ControlPass })
	}
	w.after(length+w.quiet(), func() { w.burst(a) })
}

// of lists the events of a type since some event on.
func (w *sim) of(kind EventType) []Event {
	return slices.DeleteFunc(slices.Clone(w.events), func(e Event) bool { return e.Type != kind })
}
