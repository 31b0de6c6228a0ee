package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"streamcanary/prober"
	"streamcanary/statuspage/incident"

	"github.com/spf13/cobra"
)

const maintenanceHelp = `Announce work on the platform. While it runs, what it covers opens no incident and
the page shows it as under maintenance; what was open resolves as ever, and what
still fails at the end opens at once. What comes again and again belongs in the
hub's configuration (maintenance, with cron).

` + onCallHelp

// job is a maintenance to be announced; the hub knows it as JSON.
type job struct {
	ID         string    `json:"id,omitempty"`
	Who        string    `json:"who,omitempty"`
	Note       string    `json:"note,omitempty"`
	Name       string    `json:"name"`
	Message    string    `json:"message,omitempty"`
	Components []string  `json:"components,omitempty"`
	Regions    []string  `json:"regions,omitempty"`
	StartsAt   time.Time `json:"starts_at,omitzero"` // now: left to the hub, so that the same command is the same when it is sent again
	EndsAt     time.Time `json:"ends_at,omitzero"`
	Lasts      float64   `json:"lasts_s,omitempty"`
}

func newMaintenanceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:                        "maintenance",
		SuggestionsMinimumDistance: 2,
		Short:                      "Announce, list, cancel and end maintenances",
		Long:                       maintenanceHelp,
		Args:                       cobra.ArbitraryArgs,
		RunE:                       unknownOrHelp,
	}
	cmd.AddCommand(newMaintenanceAddCommand(), newMaintenanceListCommand(), newMaintenanceShowCommand(),
		newMaintenanceEdgeCommand("cancel", "Cancel one that has not begun"), newMaintenanceEdgeCommand("end", "End one that runs"))
	return cmd
}

func newMaintenanceAddCommand() *cobra.Command {
	var hub onCall
	var j job
	var from, until string
	var lasts time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:                   "add NAME",
		DisableFlagsInUseLine: true,
		Short:                 "Announce work, now or later",
		Long:                  maintenanceHelp,
		Example: "  streamcanary maintenance add \"New storage\" --region fra --at 2026-12-01T02:00:00Z --for 2h\n" +
			"  streamcanary maintenance add \"Restart\" --component api --for 15m",
		Args: oneArg("name"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			j.Name = args[0]
			if err = j.when(from, until, lasts, time.Now()); err != nil {
				return err
			}
			if len(j.Components)+len(j.Regions) == 0 {
				return usageErrorf("%s needs --component or --region: what the work is on", cmd.CommandPath())
			}
			return maintain(cmd.Context(), &hub, "/v1/maintenances", j, asJSON, cmd.OutOrStdout())
		},
	}
	hub.flags(cmd)
	f := cmd.Flags()
	f.StringVarP(&j.Message, "message", "m", "", "what the page says of it, plain text")
	f.StringArrayVar(&j.Components, "component", nil, "id of a component that is worked on; may be repeated")
	f.StringArrayVar(&j.Regions, "region", nil, "id of a region that is worked on; may be repeated")
	f.StringVar(&from, "at", "", "when it begins, as 2026-12-01T02:00:00Z (default: now)")
	f.StringVar(&until, "until", "", "when it ends, as --at")
	f.DurationVar(&lasts, "for", 0, "how long it lasts, such as 2h, in the place of --until")
	f.StringVar(&j.Note, "note", "", "why; for on-call alone")
	f.StringVar(&j.Who, "as", "", "your name, where the token is a shared one")
	f.StringVar(&j.ID, "id", "", idHelp)
	f.BoolVar(&asJSON, "json", false, "print the maintenance as JSON")
	return cmd
}

// when reads the flags that say when it is.
func (j *job) when(from, until string, lasts time.Duration, now time.Time) (err error) {
	start := now
	if from != "" {
		if start, err = time.Parse(time.RFC3339, from); err != nil {
			return usageErrorf("--at is no time such as 2026-12-01T02:00:00Z")
		}
		j.StartsAt = start.UTC()
	}
	end := start.Add(lasts)
	switch {
	case (until == "") == (lasts == 0):
		return usageErrorf("give one of --until and --for: when it ends")
	case lasts != 0:
		j.Lasts = lasts.Seconds()
	default:
		if end, err = time.Parse(time.RFC3339, until); err != nil {
			return usageErrorf("--until is no time such as 2026-12-01T04:00:00Z")
		}
		j.EndsAt = end.UTC()
	}
	if !end.After(start) {
		return usageErrorf("it has to end after it begins")
	}
	return nil
}

func newMaintenanceEdgeCommand(name, short string) *cobra.Command {
	var hub onCall
	var e edit
	cmd := &cobra.Command{
		Use: name + " ID", DisableFlagsInUseLine: true, Short: short, Long: short + ".\n\n" + onCallHelp, Args: oneArg("maintenance"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return maintain(cmd.Context(), &hub, "/v1/maintenances/"+url.PathEscape(args[0])+"/"+name, e, e.json, cmd.OutOrStdout())
		},
	}
	hub.flags(cmd)
	cmd.Flags().StringVar(&e.Note, "note", "", "why; for on-call alone")
	cmd.Flags().StringVar(&e.Who, "as", "", "your name, where the token is a shared one")
	cmd.Flags().StringVar(&e.ID, "id", "", idHelp)
	cmd.Flags().BoolVar(&e.json, "json", false, "print the answer as JSON")
	return cmd
}

func maintain(ctx context.Context, hub *onCall, path string, body any, asJSON bool, w io.Writer) error {
	if err := hub.check(); err != nil {
		return err
	}
	var done struct {
		ID          string                    `json:"id"`
		Maintenance *incident.MaintenanceView `json:"maintenance"`
	}
	raw, err := hub.tell(ctx, path, body, &done)
	switch {
	case err != nil:
		return err
	case asJSON:
		_, err = w.Write(raw)
	case done.Maintenance == nil:
		_, err = fmt.Fprintln(w, "done")
	default:
		err = printMaintenances(w, []incident.MaintenanceView{*done.Maintenance})
	}
	return err
}

func newMaintenanceListCommand() *cobra.Command {
	var hub onCall
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List maintenances", Long: "List maintenances: upcoming, running, and a few that are over.\n\n" + onCallHelp, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list struct {
				Maintenances []incident.MaintenanceView `json:"maintenances"`
			}
			return hub.show(cmd, asJSON, "/v1/maintenances", &list, func(w io.Writer) error { return printMaintenances(w, list.Maintenances) })
		},
	}
	hub.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the maintenances as JSON")
	return cmd
}

func newMaintenanceShowCommand() *cobra.Command {
	var hub onCall
	cmd := &cobra.Command{
		Use: "show ID", DisableFlagsInUseLine: true, Short: "Show a maintenance with its audit trail",
		Long: "Show a maintenance with its audit trail. One that was cancelled is gone; on-call's alerts\nhave who did it.\n\n" + onCallHelp, Args: oneArg("maintenance"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var list struct {
				Maintenances []incident.MaintenanceView `json:"maintenances"`
			}
			return hub.show(cmd, false, "/v1/maintenances", &list, func(w io.Writer) error {
				i := slices.IndexFunc(list.Maintenances, func(m incident.MaintenanceView) bool { return m.ID == args[0] })
				if i < 0 {
					return fmt.Errorf("there is no maintenance with the id %q%s", prober.Clip(args[0], 60), listed("/v1/maintenances/"))
				}
				return showMaintenance(w, list.Maintenances[i])
			})
		},
	}
	hub.flags(cmd)
	return cmd
}

func showMaintenance(w io.Writer, m incident.MaintenanceView) error {
	if err := printMaintenances(w, []incident.MaintenanceView{m}); err != nil {
		return err
	}
	if m.Body != "" {
		_, _ = fmt.Fprintln(w, prober.Clip(m.Body, incident.MaxMessage))
	}
	if m.Source != "" {
		_, _ = fmt.Fprintf(w, "of the hub's configuration: maintenance %s\n", m.Source)
	}
	return printAudit(w, m.Audit)
}

func printMaintenances(w io.Writer, list []incident.MaintenanceView) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "no maintenance")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range list {
		state := "scheduled"
		switch {
		case m.Cancelled:
			state = "cancelled"
		case !m.EndedAt.IsZero():
			state = "completed"
		case m.Running():
			state = "in progress"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", m.ID, state, m.StartsAt.Format(time.RFC3339), m.EndsAt.Format(time.RFC3339), prober.Clip(m.Name, 100), strings.Join(m.Affected, ", "))
	}
	return table.Flush()
}
