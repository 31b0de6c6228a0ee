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
	Pushed   []string    `json:"pushed,omitempty"` // ingests whose push side passed
	Cells    []cell      `json:"cells,omitempty"`
	Counted  []string    `json:"counted,omitempty"` // sums that have their one piece of evidence
	Judged   bool        `json:"judged,omitempty"`  // too old to wait for; kept so that stragglers are known as such
}

// cell is one broadcast pulled at one playback.
type cell struct {
	Ingest   string   `json:"ingest"`
	Playback string   `json:"playback"`
	Good     bool     `json:"good"`
	Direct   bool     `json:"direct,omitempty"` // the endpoint itself could not be reached
	Evidence Evidence `json:"evidence"`
}

// add takes one result into its round.
func (t *turn) add(r prober.Result, site string, at time.Time) {
	key := r.Agent + "|" + string(r.Kind) + "|" + r.Target + "|" + r.Round
	round := t.s.Rounds[key]
	if round == nil {
		round = &roundState{
			Agent: r.Agent, Site: site, Kind: r.Kind, Target: r.Target, Of: r.RoundOf,
			Deadline: t.s.At.Add(t.settings.RoundTimeout[r.Kind]),
		}
		t.s.Rounds[key] = round
	}
	if round.Judged {
		return
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
	if round.Of > 0 && round.Got >= round.Of {
		t.judge(round)
		delete(t.s.Rounds, key)
	}
}

// pushSide judges what was seen of the API and of an ingest. Failures there are
// the pushing site's to report, and need no matrix.
func (t *turn) pushSide(round *roundState, r prober.Result, e Evidence) {
	api := prober.Element{Target: r.Target, Type: prober.ElementAPI}
	ingest := prober.Element{Target: r.Target, Type: prober.ElementIngest, ID: r.Ingest}
	failed := r.Outcome == prober.Fail
	if failed && r.Stage == prober.StageProvision || r.Ingest == "" {
		t.count(round, api, !failed, e)
		return
	}
	if r.Kind == prober.KindGoLive {
		t.count(round, api, true, e)
	}
	switch {
	case failed:
		t.count(round, ingest, false, e)
	case r.Kind == prober.KindCanary:
		t.count(round, ingest, true, e)
	default:
		// Taken is not yet healthy: the marker has to come back (judge).
		round.Pushed = append(round.Pushed, r.Ingest)
	}
}

// pullSide keeps a cell for the matrix. A playback that cannot even be reached
// is blamed at once, whatever was pushed.
func (t *turn) pullSide(round *roundState, r prober.Result, e Evidence) {
	c := cell{Ingest: r.Ingest, Playback: r.Playback, Good: r.Outcome != prober.Fail, Evidence: e}
	c.Direct = !c.Good && (r.Stage == prober.StageResolve || r.Stage == prober.StageConnect)
	if c.Direct {
		t.count(round, playback(r.Target, r.Playback), false, e)
	}
	if r.Kind == prober.KindPlayback && t.foreign(r, c, round, e) {
		return
	}
	round.Cells = append(round.Cells, c)
}

// foreign deals with a broadcast that another agent pushes, and says whether
// the cell is thereby dealt with. If nobody sees the broadcast good, the site
// that alone could explain it is its pusher's, not this one's.
func (t *turn) foreign(r prober.Result, c cell, round *roundState, e Evidence) bool {
	b := t.s.Broadcasts[r.Run]
	if c.Good && r.Run != "" {
		if b == nil {
			b = &broadcastState{Ingest: r.Ingest, Seen: map[string]time.Time{}}
			t.s.Broadcasts[r.Run] = b
		}
		b.Seen[round.Site+"|"+r.Playback] = t.s.At
	}
	if c.Good || c.Direct || r.Pusher == "" || r.Pusher == r.Agent {
		return false
	}
	const fresh = 10 * time.Second
	if b != nil {
		for where, at := range b.Seen {
			if where != round.Site+"|"+r.Playback && t.s.At.Sub(at) <= fresh {
				return false
			}
		}
	}
	pusher, ok := t.index.site[r.Pusher]
	if !ok {
		return true
	}
	e.Site = pusher
	blamed := prober.Element{Target: r.Target, Type: prober.ElementCore}
	for run, other := range t.s.Broadcasts {
		if run != r.Run && other.Ingest != r.Ingest && len(other.Seen) > 0 {
			blamed = prober.Element{Target: r.Target, Type: prober.ElementIngest, ID: r.Ingest}
			break
		}
	}
	t.count(round, blamed, false, e)
	return true
}

// judge reads the matrix. With a good cell anywhere, the failed ingests are
// exactly the fully red rows and the failed playbacks exactly the fully red
// columns; much red besides those lies between them. Without one, whatever could
// not be reached is blamed already, and the rest is the core's.
func (t *turn) judge(round *roundState) {
	m := newMatrix(round.Cells)
	core := prober.Element{Target: round.Target, Type: prober.ElementCore}
	if m.good == 0 {
		for _, c := range round.Cells {
			if !c.Direct {
				t.count(round, core, false, c.Evidence)
			}
		}
		t.unpulled(round)
		return
	}
	for _, id := range sortedKeys(m.rows) {
		if l := m.rows[id]; m.separates(l) {
			t.count(round, ingest(round.Target, id), l.good > 0, l.evidence())
		}
	}
	for _, id := range sortedKeys(m.columns) {
		if l := m.columns[id]; m.separates(l) {
			t.count(round, playback(round.Target, id), l.good > 0, l.evidence())
		}
	}
	// A stray red cell is noise of one path; a third of them is a pattern.
	switch between := m.between(); {
	case len(between) == 0:
		t.count(round, core, true, round.Cells[0].Evidence)
	case 3*len(between) >= len(round.Cells):
		t.count(round, core, false, between[0].Evidence)
	}
	t.unpulled(round)
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
	if !t.index.elements[e] {
		return
	}
	key := sumKey(e, round.Kind)
	counted := key + "|" + evidence.Site
	if slices.Contains(round.Counted, counted) {
		return
	}
	round.Counted = append(round.Counted, counted)
	t.weigh(e, round.Kind, ok, evidence)
}

func sumKey(e prober.Element, k prober.Kind) string { return e.String() + "|" + string(k) }

func ingest(target, id string) prober.Element {
	return prober.Element{Target: target, Type: prober.ElementIngest, ID: id}
}

func playback(target, id string) prober.Element {
	return prober.Element{Target: target, Type: prober.ElementPlayback, ID: id}
}
