package incident

import (
	"slices"
	"time"

	"streamcanary/prober"
)

// roundState collects the results of one round until it is whole or too old:
// only then does the matrix of ingests and playbacks say what a red cell means.
type roundState struct {
	Agent    string      `json:"agent"`
	Site     string      `json:"site"`
	Kind     prober.Kind `json:"kind"`
	Target   string      `json:"target"`
	Of       int         `json:"of"`
	Got      int         `json:"got"`
	Deadline time.Time   `json:"deadline"`
	Pushed   []string    `json:"pushed,omitempty"`  // ingests whose push side passed
	Created  bool        `json:"created,omitempty"` // the API made a stream
	Refused  *Evidence   `json:"refused,omitempty"` // the API made none
	Cells    []cell      `json:"cells,omitempty"`
	Counted  []string    `json:"counted,omitempty"` // sums that have their one piece of evidence
	Judged   bool        `json:"judged,omitempty"`  // too old to wait for; kept so that stragglers are known as such
}

// cell is one broadcast pulled at one playback.
type cell struct {
	Ingest   string   `json:"ingest"`
	Playback string   `json:"playback"`
	Good     bool     `json:"good"`
	Direct   bool     `json:"direct,omitempty"`   // the endpoint itself could not be reached
	Degraded bool     `json:"degraded,omitempty"` // it plays, but badly
	Evidence Evidence `json:"evidence"`
}

// add takes one result into its round.
func (t *turn) add(r *prober.Result, site string, at time.Time) {
	var room [keyRoom]byte
	name := appendRoundKey(room[:0], r)
	round := t.s.Rounds[string(name)]
	if round == nil {
		if t.openRounds(r.Agent) >= maxRounds {
			t.refuse("too many open rounds of one agent", r)
			return
		}
		round = &roundState{
			Agent: r.Agent, Site: site, Kind: r.Kind, Target: r.Target, Of: r.RoundOf,
			Deadline: t.s.At.Add(t.settings.RoundTimeout[r.Kind]),
		}
		t.s.Rounds[string(name)] = round
	}
	if round.Judged && r.Playback != "" {
		return // the matrix has spoken; a push side still stands for itself
	}
	round.Got++
	e := Evidence{Site: site, Agent: r.Agent, At: at, Stage: r.Stage, Reason: r.Reason, Detail: r.Detail}
	switch {
	case r.Outcome == prober.Inconclusive:
	case r.Playback == "":
		t.pushSide(round, r, e)
	default:
		t.pullSide(round, r, e)
	}
	if round.Of > 0 && round.Got >= round.Of && !round.Judged {
		t.judge(round)
		delete(t.s.Rounds, string(name))
	}
}

// pushSide judges what was seen of the API and of an ingest. Failures there are
// the pushing site's to report, and need no matrix.
func (t *turn) pushSide(round *roundState, r *prober.Result, e Evidence) {
	failed := r.Outcome == prober.Fail
	if r.Ingest != "" && r.Outcome == prober.Degraded {
		t.countAs(round, KindQuality, ingest(r.Target, r.Ingest), false, e)
	}
	switch {
	case r.Ingest == "":
		t.count(round, api(r.Target), !failed, e)
	case r.Kind == prober.KindCanary:
		t.canary(round, r, !failed, e)
	case r.Kind == prober.KindRecording:
		// What is left of a broadcast is made between its ingest and any playback.
		// A run that ended before says nothing of it: go-live and canary do.
		if !failed || r.Stage == prober.StageRecording {
			t.count(round, core(r.Target), !failed, e)
		}
	case failed && r.Stage == prober.StageProvision:
		refused := e // e itself would be on the heap for every result
		round.Refused = &refused
	case failed:
		round.Created = true
		t.count(round, ingest(r.Target, r.Ingest), false, e)
	default:
		round.Created = true
		// Taken is not yet healthy: the marker has to come back (judge).
		round.Pushed = append(round.Pushed, r.Ingest)
	}
}

// canary judges a broadcast that is to stay up. One that was never seen up at
// this site cannot drop: whether it can start is for go-live to say, which is
// also what asks the API both ways.
func (t *turn) canary(round *roundState, r *prober.Result, ok bool, e Evidence) {
	element := ingest(r.Target, r.Ingest)
	if sum := t.s.sum(element, r.Kind); !ok && (r.Stage == prober.StageProvision || sum == nil || sum.Sites[e.Site] == nil || !sum.Sites[e.Site].Ran) {
		return
	}
	t.count(round, element, ok, e)
}

// pullSide keeps a cell for the matrix.
func (t *turn) pullSide(round *roundState, r *prober.Result, e Evidence) {
	c := cell{Ingest: r.Ingest, Playback: r.Playback, Good: r.Outcome != prober.Fail, Degraded: r.Outcome == prober.Degraded, Evidence: e}
	if r.Ingest == "" {
		t.othersStream(round, r, e)
		return
	}
	c.Direct = !c.Good && (r.Stage == prober.StageResolve || r.Stage == prober.StageConnect)
	if r.Kind == prober.KindPlayback && t.foreign(r, c, round, e) {
		return
	}
	if round.Cells == nil {
		round.Cells = make([]cell, 0, min(max(round.Of, 1), maxRoom))
	}
	round.Cells = append(round.Cells, c)
}

// maxRoom bounds what a round's announced size is believed.
const maxRoom = 64

// othersStream judges a stream that none of us pushes: that the playback named with
// it gives it is what the configuration claims, so there is nothing to separate.
func (t *turn) othersStream(round *roundState, r *prober.Result, e Evidence) {
	at := playback(r.Target, r.Playback)
	t.count(round, at, r.Outcome != prober.Fail, e)
	if r.Outcome != prober.Fail {
		t.countAs(round, KindQuality, at, r.Outcome == prober.Pass, e)
	}
}

// judge reads the matrix. With a good cell anywhere, the failed ingests are
// exactly the fully red rows and the failed playbacks exactly the fully red
// columns. What is red besides those is a failing of some only: of columns or of
// rows where all of it stands in those, else of what lies between them. What work
// explains is left out.
func (t *turn) judge(round *roundState) {
	m := newMatrix(round.Cells)
	round.Counted = slices.Grow(round.Counted, 2*(len(m.rows)+len(m.columns)+1))
	t.judgeAPI(round)
	t.unpulled(round)
	t.judgeQuality(round, &m)
	left := t.unexplained(round.Target, &m)
	if left != &m {
		t.judgeWorked(round, &m, left)
	}
	if left.good == 0 {
		t.judgeDark(round, left)
		if site, reached := t.coreAt(round), left.reached(); site != nil && len(reached.cells) > 0 {
			site.dim(reached)
		}
		return
	}
	if t.judgeDim(round, left) {
		return
	}
	rows, columns, between := t.inPart(round, left)
	t.countLines(round, left, left.rows, rows, ingest)
	t.countLines(round, left, left.columns, columns, playback)
	if between == nil {
		if site := t.coreAt(round); site != nil && site.Dim != nil && !site.Dim.mostly() {
			return // beside what is red always, the rest may be good by chance
		}
		t.count(round, core(round.Target), true, left.firstOf(true).Evidence)
		return
	}
	t.count(round, core(round.Target), false, inPart(between.Evidence))
}

// inPart explains what is red of one path only. Where one round has too few such cells
// to be of a column or a row, those of the round before are added: of two ingests, half
// of what a playback shows is one cell a round.
func (t *turn) inPart(round *roundState, m *matrix) (rows, columns []string, between *cell) {
	rows, columns, between = m.inPart()
	site := t.coreAt(round)
	if site == nil {
		return rows, columns, between
	}
	before, now := site.Strays, m.strays()
	site.Strays = now
	if len(rows)+len(columns) > 0 || between != nil || len(before) == 0 || len(now) == 0 {
		return rows, columns, between
	}
	rows, columns = m.withStrays(before).inLines()
	lit := func(all lines) func(string) bool {
		return func(id string) bool { l := all.of(id); return l.good == l.of } // it was red before only
	}
	return slices.DeleteFunc(rows, lit(m.rows)), slices.DeleteFunc(columns, lit(m.columns)), nil
}

// countLines counts every row, or every column: failed where it is all red, or one
// of those that fail in part.
func (t *turn) countLines(round *roundState, m *matrix, all lines, some []string, element func(target, id string) prober.Element) {
	for i := range all {
		switch l := &all[i]; {
		case !m.separates(l), !l.column && l.good == 0 && m.direct(l): // a playback that cannot be reached says nothing of ingests
		case slices.Contains(some, l.id):
			t.count(round, element(round.Target, l.id), false, inPart(m.firstRed(l)))
		default:
			t.count(round, element(round.Target, l.id), l.good > 0, m.evidence(l))
		}
	}
}

func inPart(e Evidence) Evidence {
	e.Partial = true
	return e
}

// judgeDark reads a matrix without a good cell: what cannot be reached is the
// playbacks', and what is reached and shows nothing is the core's, if broadcasts
// of more than one ingest were looked for everywhere. Less does not separate, unless
// the others are known to take none.
func (t *turn) judgeDark(round *roundState, m *matrix) {
	t.countDirect(round, m)
	if !t.looksEverywhere(round, m) {
		return
	}
	for _, c := range round.Cells {
		if !c.Direct {
			t.count(round, core(round.Target), false, c.Evidence)
		}
	}
}

// countDirect counts the columns that could not even be reached.
func (t *turn) countDirect(round *roundState, m *matrix) {
	for i := range m.columns {
		if l := &m.columns[i]; m.direct(l) {
			t.count(round, playback(round.Target, l.id), false, m.evidence(l))
		}
	}
}

// looksEverywhere says whether a round had broadcasts of more than one ingest, where
// there are more, at every playback: less does not separate the core from those.
func (t *turn) looksEverywhere(round *roundState, m *matrix) bool {
	target := t.index.target[round.Target]
	return len(m.columns) >= t.lookedAt(target) && len(m.rows) >= min(2, t.pushing(target, round.Site))
}

// lookedAt is how many playbacks have to be red before it is not theirs: those that
// are not worked on.
func (t *turn) lookedAt(target Target) int {
	n := 0
	for _, p := range target.Playbacks {
		if !t.muted(playback(target.ID, p.ID)) {
			n++
		}
	}
	return n
}

// pushing is how many ingests a site does not see fail, and are not worked on, at
// least 1.
func (t *turn) pushing(target Target, site string) int {
	n := 0
	for _, in := range target.Ingests {
		fails := t.muted(ingest(target.ID, in.ID))
		for _, kind := range []prober.Kind{prober.KindCanary, prober.KindGoLive} {
			sum := t.s.sum(ingest(target.ID, in.ID), kind)
			fails = fails || sum != nil && sum.Sites[site] != nil && sum.Sites[site].Failing
		}
		if !fails {
			n++
		}
	}
	return max(n, 1)
}

// judgeAPI blames the API when none of a round's streams could be made.
func (t *turn) judgeAPI(round *roundState) {
	switch {
	case round.Created:
		t.count(round, api(round.Target), true, Evidence{Site: round.Site, Agent: round.Agent, At: t.s.At})
	case round.Refused != nil:
		t.count(round, api(round.Target), false, *round.Refused)
	}
}

// maxRounds bounds the rounds of one agent that wait for their results.
const maxRounds = 64

func (t *turn) openRounds(agent string) int {
	n := 0
	for _, r := range t.s.Rounds {
		if r.Agent == agent {
			n++
		}
	}
	return n
}

// unpulled counts ingests that took a stream which no playback was asked for:
// a target without playbacks.
func (t *turn) unpulled(round *roundState) {
	if len(t.index.target[round.Target].Playbacks) > 0 {
		return
	}
	for _, id := range round.Pushed {
		t.count(round, ingest(round.Target, id), true, Evidence{Site: round.Site, Agent: round.Agent, At: t.s.At})
	}
}

// count adds a round's one piece of evidence to a sum.
func (t *turn) count(round *roundState, e prober.Element, ok bool, evidence Evidence) {
	t.countAs(round, round.Kind, e, ok, evidence)
}

// countAs adds a round's one piece of evidence to a sum of a kind that need not be
// the round's own.
func (t *turn) countAs(round *roundState, kind prober.Kind, e prober.Element, ok bool, evidence Evidence) {
	if !t.index.elements[e] {
		return
	}
	if key, countable := round.countable(e, kind, evidence.Site); countable {
		t.weigh(key, e, kind, ok, evidence)
		t.s.Sums[key].Sites[evidence.Site].saw(evidence.Agent, ok)
	}
}

func api(target string) prober.Element {
	return prober.Element{Target: target, Type: prober.ElementAPI}
}

func core(target string) prober.Element {
	return prober.Element{Target: target, Type: prober.ElementCore}
}

func ingest(target, id string) prober.Element {
	return prober.Element{Target: target, Type: prober.ElementIngest, ID: id}
}

func playback(target, id string) prober.Element {
	return prober.Element{Target: target, Type: prober.ElementPlayback, ID: id}
}
