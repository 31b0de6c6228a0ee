package report

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"streamcanary/prober"
)

// ordersTimeout bounds a look through the bucket of assignments.
const ordersTimeout = 20 * time.Second

// Assign stores an agent's assignment and tells the agent, who reads it now or
// when it connects.
func (j *Journal) Assign(ctx context.Context, agent string, a prober.Assignment) error {
	if err := CheckAgent(agent); err != nil {
		return err
	}
	b, err := encodeAssignment(a)
	if err != nil {
		return err
	}
	revision, err := j.assignments.Put(ctx, agent, b)
	if err != nil {
		return fmt.Errorf("assignment of %s: %w", agent, j.explain(err, MinJournalBytes))
	}
	if err := j.nc.Publish(subjectAssignment+agent, strconv.AppendUint(nil, revision, 10)); err != nil {
		return fmt.Errorf("assignment of %s: %w", agent, err)
	}
	return nil
}

// KeepAssignments purges the assignments of all agents but these: they hold the
// platform's API key, which nobody needs any more who is no longer configured.
func (j *Journal) KeepAssignments(ctx context.Context, agents []string) error {
	ctx, cancel := context.WithTimeout(ctx, ordersTimeout)
	defer cancel()
	found, err := j.assignments.ListKeys(ctx)
	if err != nil {
		return fmt.Errorf("assignments: %w", err)
	}
	var old []string
	for agent := range found.Keys() {
		if !slices.Contains(agents, agent) {
			old = append(old, agent)
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("assignments: %w", err)
	}
	for _, agent := range old {
		if err := j.assignments.Purge(ctx, agent); err != nil {
			return fmt.Errorf("assignment of %s: %w", agent, err)
		}
	}
	return nil
}

// ProbeNow asks every agent that is connected now for extra rounds.
func (j *Journal) ProbeNow(p prober.ProbeNow) error {
	b, err := encodeProbeNow(p)
	if err != nil {
		return err
	}
	if err := j.nc.Publish(subjectProbeNow, b); err != nil {
		return fmt.Errorf("probe now: %w", err)
	}
	return nil
}
