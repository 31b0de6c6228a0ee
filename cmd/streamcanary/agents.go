package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"streamcanary/prober"
	"streamcanary/statuspage/incident"

	"github.com/spf13/cobra"
)

const agentsHelp = `List the agents that a hub knows, as it sees them: their sites, when each was heard
last, whether what it says counts and why not, and how many of its results came too late
to be weighed. Below stands what the hub did not take or found odd, by cause, and how often,
since its data directory was new: results that it cannot place, clocks that are ahead,
commands, maintenances.

` + onCallHelp

func newAgentsCommand() *cobra.Command {
	type listed struct {
		Agents  []incident.AgentView    `json:"agents"`
		Refused []incident.RefusedCount `json:"refused"`
	}
	return newListCommand("agents", "List agents, and what of their results is not counted", agentsHelp,
		func(w io.Writer, list listed) error { return printAgents(w, list.Agents, list.Refused) })
}

// printAgents writes a line for each, and one for each cause of refusal.
func printAgents(w io.Writer, agents []incident.AgentView, refused []incident.RefusedCount) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, a := range agents {
		heard := "never heard"
		if !a.SeenAt.IsZero() {
			heard = "heard " + a.SeenAt.UTC().Format(time.RFC3339)
		}
		_, _ = fmt.Fprintln(table, strings.Join([]string{prober.Clip(a.ID, 100), "at " + prober.Clip(a.Site, 100), heard, fmt.Sprintf("%d late", a.Late), agentCounts(a)}, "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, r := range refused {
		if _, err := fmt.Fprintf(w, "refused or odd: %s, %d so far\n", prober.Clip(r.Cause, 200), r.Count); err != nil {
			return err
		}
	}
	return nil
}

// agentCounts says whether what an agent says counts, and why not.
func agentCounts(a incident.AgentView) string {
	var not []string
	if a.Silent {
		not = append(not, "silent")
	}
	if a.Sick {
		not = append(not, strings.TrimSuffix("sick: "+prober.Clip(a.ControlDetail, 200), ": "))
	}
	if !a.Counts && len(not) == 0 && a.Reference == prober.ControlFail {
		not = append(not, strings.TrimSuffix("cannot reach the reference: "+prober.Clip(a.RefDetail, 200), ": "))
	}
	if a.Alone {
		not = append(not, "alone sees failures")
	}
	switch {
	case len(not) > 0:
		return strings.Join(not, "; ")
	case !a.Counts:
		return "its controls say nothing yet"
	}
	return "well"
}
