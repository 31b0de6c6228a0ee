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

const componentsHelp = `List how every component is, as on-call sees it: its status since when, whether
nothing is known of it, and what it is suspect of: evidence that stands against one of
its elements and has opened nothing, with the sites and how much of the threshold it
adds up to. Of suspicions the page shows nothing.

` + onCallHelp

func newComponentsCommand() *cobra.Command {
	type listed struct {
		Components []incident.ComponentState `json:"components"`
	}
	return newListCommand("components", "List components, with what is unknown or suspect", componentsHelp,
		func(w io.Writer, list listed) error { return printComponents(w, list.Components) })
}

// printComponents writes a line for each.
func printComponents(w io.Writer, list []incident.ComponentState) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range list {
		cells := []string{c.ID, string(c.Status), "since " + c.UpdatedAt.Format(time.RFC3339)}
		if all := doubts(c); len(all) > 0 {
			cells = append(cells, strings.Join(all, "; "))
		}
		_, _ = fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	return table.Flush()
}

// doubts is what a component's status does not say of it.
func doubts(c incident.ComponentState) []string {
	var all []string
	if !c.UnknownSince.IsZero() {
		all = append(all, "unknown since "+c.UnknownSince.Format(time.RFC3339))
	}
	for _, x := range c.Suspicions {
		var saw []string
		for _, e := range x.Evidence {
			saw = append(saw, fmt.Sprintf("%s (%s %s)", prober.Clip(e.Site, 100), e.Stage, e.Reason))
		}
		all = append(all, fmt.Sprintf("suspect since %s: %s %s, %.0f %% of the threshold, by %s",
			x.Since.Format(time.RFC3339), x.Element, x.Kind, 100*x.Share, strings.Join(saw, ", ")))
	}
	return all
}
