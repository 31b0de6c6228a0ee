package agent

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"streamcanary/prober"
)

const (
	sampleBound  = 8 * time.Second // unless the assignment says otherwise
	samplesAgain = 3               // looks at once at what has failed: one alone says little, and its next turn may be far
	maxSamples   = 64              // results that wait for a round, or for their pusher's word
	maxPushers   = 256             // agents whose broadcasts are known
)

// sampler looks at the broadcasts that other agents have up at one target, one
// after the other, each at every playback. They tell a playback from the way to
// it, and a sick pusher from a sick ingest.
type sampler struct {
	unit  *unit
	began chan struct{} // the settings have changed

	mu       sync.Mutex
	settings prober.Sampling
	known    map[string]heardList // by pusher
	last     string               // key of the broadcast that was looked at last
	waiting  []prober.Result
	looksAt  foreign // at this moment
	giveUp   context.CancelCauseFunc
}

// errNotAnnounced is why a look ends at a broadcast that is up no more.
var errNotAnnounced = errors.New("not announced any more")

type heardList struct {
	at   time.Time
	list []prober.Broadcast
}

// foreign is a broadcast of another agent.
type foreign struct {
	prober.Broadcast
	pusher string
}

// key puts broadcasts into the order in which they have their turn.
func (f foreign) key() string { return f.Ingest + "\x00" + f.pusher }

func newSampler(u *unit) *sampler {
	return &sampler{unit: u, began: make(chan struct{}, 1), known: map[string]heardList{}}
}

// set changes how often is looked.
func (s *sampler) set(settings prober.Sampling) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settings != settings {
		s.settings = settings
		signal(s.began)
	}
}

// heard takes another agent's list.
func (s *sampler) heard(b prober.Broadcasts, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now)
	if _, known := s.known[b.Pusher]; !known && len(s.known) >= maxPushers {
		return
	}
	list := slices.DeleteFunc(slices.Clone(b.List), func(one prober.Broadcast) bool { return one.Target != s.unit.streams.target })
	s.known[b.Pusher] = heardList{at: now, list: list}
	s.checkLook()
}

// looking notes what is looked at, and how to give that up.
func (s *sampler) looking(f foreign, giveUp context.CancelCauseFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looksAt, s.giveUp = f, giveUp
	s.checkLook()
}

// checkLook gives up a look at a broadcast that is not announced any more: others
// wait for their turn. s.mu is held.
func (s *sampler) checkLook() {
	if s.giveUp != nil && !slices.Contains(s.known[s.looksAt.pusher].list, s.looksAt.Broadcast) {
		s.giveUp(errNotAnnounced)
	}
}

// expire forgets what was not repeated. s.mu is held.
func (s *sampler) expire(now time.Time) {
	for pusher, h := range s.known {
		if now.Sub(h.at) >= prober.AnnounceExpiry {
			delete(s.known, pusher)
		}
	}
}

// run looks at one broadcast each period until the unit ends.
func (s *sampler) run() {
	for {
		s.mu.Lock()
		every := s.settings.Every
		s.mu.Unlock()
		var due <-chan time.Time // nil waits for ever
		if every > 0 {
			due = time.After(untilTurn(time.Now(), every, s.unit.env.Agent+" "+s.unit.streams.target))
		}
		select {
		case <-s.unit.ctx.Done():
			return
		case <-s.began:
		case <-due:
			s.turn()
		}
	}
}

// untilTurn is how long it is until an agent's turn in each period, which is
// hashed from its name: agents do not all look at once.
func untilTurn(now time.Time, period time.Duration, name string) time.Duration {
	sum := sha256.Sum256([]byte(name))
	offset := time.Duration(binary.BigEndian.Uint64(sum[:8])>>1) % period
	at := now.Add(-offset).Truncate(period).Add(period + offset)
	return max(at.Sub(now), time.Millisecond)
}

// turn looks at the next broadcast, if playback is asked for, there is one, and
// the budget lets it; at what has failed, some times more.
func (s *sampler) turn() {
	u := s.unit
	u.mu.Lock()
	_, asked := u.kinds[prober.KindPlayback]
	playbacks, ingests := u.target.Playbacks, u.target.Ingests
	u.mu.Unlock()
	if !asked || len(playbacks) == 0 {
		return
	}
	f, bound, ok := s.next(time.Now(), ingests)
	for range 1 + samplesAgain {
		if !ok || !u.env.budget.allowSample() {
			return
		}
		results := s.look(f, playbacks, bound)
		s.keep(results)
		if !slices.ContainsFunc(results, func(r prober.Result) bool { return r.Outcome == prober.Fail }) {
			return
		}
		ok = s.stands(f)
	}
}

// stands says whether a broadcast is still announced.
func (s *sampler) stands(f foreign) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(time.Now())
	return slices.Contains(s.known[f.pusher].list, f.Broadcast)
}

// next is the broadcast whose turn it is.
func (s *sampler) next(now time.Time, ingests []prober.Ingest) (f foreign, bound time.Duration, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now)
	var all []foreign
	for pusher, h := range s.known {
		for _, b := range h.list {
			if slices.ContainsFunc(ingests, func(in prober.Ingest) bool { return in.ID == b.Ingest }) {
				all = append(all, foreign{b, pusher})
			}
		}
	}
	if len(all) == 0 {
		return f, 0, false
	}
	slices.SortFunc(all, func(a, b foreign) int { return strings.Compare(a.key(), b.key()) })
	at := slices.IndexFunc(all, func(f foreign) bool { return f.key() > s.last })
	f = all[max(at, 0)]
	s.last = f.key()
	bound = s.settings.Bound
	if bound <= 0 {
		bound = sampleBound
	}
	return f, bound, true
}

// look follows a broadcast at every playback until its marker was seen at each,
// the bound is over, or it is announced no more. It says nothing when the agent stops meanwhile.
func (s *sampler) look(f foreign, playbacks []prober.Playback, bound time.Duration) []prober.Result {
	began := time.Now()
	announced, giveUp := context.WithCancelCause(s.unit.ctx)
	ctx, stop := context.WithTimeout(announced, bound)
	s.looking(f, giveUp)
	defer s.looking(foreign{}, nil)
	var wg sync.WaitGroup
	seen := make(chan struct{}, 1)
	cells := make([]*cell, len(playbacks))
	for i, p := range playbacks {
		cells[i] = watch(ctx, s.unit.streams, &wg, p, Stream{PlaybackID: f.Playback}, f.Run, s.unit.pushed(f.Ingest), func() { signal(seen) })
		cells[i].began = time.Time{} // its clock is another machine's; that the marker is fresh is the follower's to say
	}
	for ctx.Err() == nil && !allPlayed(cells) {
		select {
		case <-ctx.Done():
		case <-seen:
		}
	}
	var results []prober.Result
	if s.unit.ctx.Err() == nil {
		for _, c := range cells {
			// Where only the platform knows how to play a stream that somebody else
			// made, there may be nothing to be said, and nothing bad of one that has ended.
			r := s.judge(f, c, began)
			if r.Outcome == prober.Inconclusive || r.Outcome == prober.Fail && errors.Is(context.Cause(ctx), errNotAnnounced) {
				s.untold(r)
				continue
			}
			results = append(results, r)
		}
	}
	stop()
	giveUp(nil)
	wg.Wait()
	for _, c := range cells { // what came after the verdict
		s.untold(c.untold())
	}
	return results
}

// untold counts what a result has cost that nobody will be told of: it crossed
// the network all the same.
func (s *sampler) untold(r prober.Result) { s.unit.env.budget.spend(r.Figures.BytesReceived) }

func allPlayed(cells []*cell) bool {
	for _, c := range cells {
		if _, played := c.observe(); !played {
			return false
		}
	}
	return true
}

func (s *sampler) judge(f foreign, c *cell, began time.Time) prober.Result {
	obs, played := c.observe()
	r := prober.Result{Kind: prober.KindPlayback, Target: f.Target, Ingest: f.Ingest, Playback: c.playback.ID,
		Pusher: f.pusher, Run: f.Run, Started: began}
	r = c.measured(r, obs)
	if played {
		r.Figures.TTFF = max(obs.PlayingSince.Sub(began), 0)
		return judged(r, obs.Failure)
	}
	return judged(r, markerMissing(obs))
}

// keep has results wait for a round.
func (s *sampler) keep(results []prober.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, results...)
	for len(s.waiting) > maxSamples {
		s.untold(s.waiting[0])
		s.waiting = s.waiting[1:]
	}
}

// take gives the results that can be told. That a broadcast is not seen counts
// once its pusher has said again that it is up: a broadcast that has dropped, or
// whose agent has ended, is no failure of what lies between.
func (s *sampler) take(now time.Time) []prober.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now)
	var ready, later []prober.Result
	for _, r := range s.waiting {
		h, known := s.known[r.Pusher]
		stands := slices.ContainsFunc(h.list, func(b prober.Broadcast) bool { return b.Run == r.Run && b.Ingest == r.Ingest })
		switch {
		case r.Outcome != prober.Fail, known && stands && h.at.After(r.Ended):
			ready = append(ready, r)
		case known && stands:
			later = append(later, r)
		default:
			s.untold(r)
		}
	}
	s.waiting = later
	return ready
}
