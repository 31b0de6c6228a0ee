package schedule_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober/schedule"
)

// Whatever agents are called and however they are listed, no two of them start
// within a slot of each other, in a period or across its edge.
func TestAgentsNeverStartTogether(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{"@every 1s", "@every 2s", "@every 1m", "*/5 * * * *", "0,30 12 * * *", "@hourly", "0 3 * * 1"} {
		s, err := schedule.Parse(spec)
		if err != nil {
			t.Fatal(err)
		}
		first := s.Next(noon)
		period := s.Next(first).Sub(first)
		for _, n := range []int{1, 2, 3, 7} {
			var agents []string
			for i := range n {
				agents = append(agents, fmt.Sprint("agent-", i))
			}
			for _, probe := range []string{"video golive", "video canary", "other golive"} {
				var offsets []time.Duration
				for _, a := range agents {
					offsets = append(offsets, s.Offset(probe, a, agents))
				}
				slices.Sort(offsets)
				for i, o := range offsets {
					next := offsets[(i+1)%n]
					if i == n-1 {
						next += period
					}
					if gap := next - o; gap < s.Slot(n) {
						t.Fatalf("%s of %d agents: %v after %v, want at least a slot of %v", spec, n, next, o, s.Slot(n))
					}
				}
			}
		}
	}
}

func TestOffsetsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	s, err := schedule.Parse("@every 60s")
	if err != nil {
		t.Fatal(err)
	}
	agents := []string{"fra1", "nyc1", "sin1"}
	turned := []string{"sin1", "fra1", "nyc1"}
	seen := map[time.Duration]bool{}
	for _, probe := range []string{"video golive", "other golive", "video canary"} {
		for _, a := range agents {
			o := s.Offset(probe, a, agents)
			if o != s.Offset(probe, a, turned) {
				t.Errorf("%s of %s depends on the order of the list", probe, a)
			}
			if o < 0 || o >= time.Minute || seen[o] {
				t.Errorf("%s of %s: %v", probe, a, o)
			}
			seen[o] = true
		}
	}
	if o := s.Offset("video golive", "stranger", nil); o < 0 || o >= time.Minute {
		t.Errorf("alone: %v", o)
	}
	if o := (schedule.Schedule{}).Offset("video golive", "fra1", agents); o != 0 {
		t.Errorf("a schedule that never starts: %v", o)
	}
}

func TestJitterStaysWithinItsBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := schedule.Parse("@every 10s")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var late []time.Duration
		var last time.Time
		schedule.Run(ctx, s, 3*time.Second, 4*time.Second, func(_ context.Context, at time.Time) {
			if !last.IsZero() && at.Sub(last) != 10*time.Second {
				t.Errorf("planned at %v after %v", at, last)
			}
			last = at
			if late = append(late, time.Since(at)); len(late) == 50 {
				cancel()
			}
		})
		slices.Sort(late)
		if late[0] < 0 || late[len(late)-1] >= 4*time.Second || late[len(late)-1]-late[0] < 2*time.Second {
			t.Errorf("started between %v and %v late", late[0], late[len(late)-1])
		}
	})
}
