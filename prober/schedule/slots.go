package schedule

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"
)

// Offset gives an agent its turn in a schedule that all agents share: the
// schedule's shortest interval is cut into as many slots as there are agents,
// and each has one. So no two of them ever start less than a slot apart, however
// their names hash. The order of the slots is hashed from probe and agent, so it
// differs from probe to probe, and is the same at every start and in whatever
// order the agents are listed; within the slots each probe begins at a point
// hashed from its name, so that probes of one interval do not start together.
// An agent that is not listed is as one that is alone.
//
// With jitter, what is drawn adds to the offset: up to Slot less that, starts
// stay apart.
func (s Schedule) Offset(probe, agent string, agents []string) time.Duration {
	order := slices.Clone(agents)
	slices.SortFunc(order, func(a, b string) int {
		return cmp.Or(cmp.Compare(hash(probe, a), hash(probe, b)), cmp.Compare(a, b))
	})
	slot := s.Slot(len(agents))
	if slot <= 0 {
		return 0
	}
	within := (time.Duration(hash(probe, "")>>1) % slot).Truncate(time.Millisecond)
	return time.Duration(max(slices.Index(order, agent), 0))*slot + within
}

// Slot is how far apart the starts of so many agents are, at least.
func (s Schedule) Slot(agents int) time.Duration {
	return s.shortest() / time.Duration(max(agents, 1))
}

// shortest is the least interval between two starts: for cron's fields among the
// next hundred.
func (s Schedule) shortest() time.Duration {
	if s.period > 0 || s.spec == nil {
		return s.period
	}
	const look = 100
	at := s.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	var least time.Duration
	for range look {
		next := s.Next(at)
		if next.IsZero() {
			break
		}
		if gap := next.Sub(at); least == 0 || gap < least {
			least = gap
		}
		at = next
	}
	return least
}

func hash(parts ...string) uint64 {
	h := sha256.New()
	for _, p := range parts {
		_, _ = h.Write([]byte(p + "\x00")) // never fails, as documented
	}
	return binary.BigEndian.Uint64(h.Sum(nil))
}
