package main

import (
	"context"
	"encoding/json"
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

const incidentHelp = `Take incidents into your own hands: post updates, change what the page shows, stop
and release the automation, resolve, reopen, merge, open, or take back; and say whether
what waits for a person (publish: hold) goes public.

Most edits freeze the incident's automation: nothing is said or resolved by itself
until you release it. What it would have said or done is told to on-call once.
Each edit stands in an audit trail with who, when and --note, which is never public.

` + onCallHelp + `
With a token of your own (alerts.people) the trail has your name.

Exit codes: 0 done, 1 refused (the reason is told) or the hub cannot be reached, 2 usage.`

const incidentIDHelp = `ID is an incident's, as 'streamcanary incident list' has it, and its page's address.`

const idHelp = "an id of your own: the same command with it may be sent again, and does nothing more"

// edit is what the flags of one command say; the hub knows it as JSON.
type edit struct {
	ID         string            `json:"id,omitempty"`
	Who        string            `json:"who,omitempty"`
	Note       string            `json:"note,omitempty"`
	Name       string            `json:"name,omitempty"`
	Message    string            `json:"message,omitempty"`
	Status     string            `json:"status,omitempty"`
	Impact     string            `json:"impact,omitempty"`
	Components map[string]string `json:"components,omitempty"`
	Into       string            `json:"into,omitempty"`
	Postmortem string            `json:"postmortem,omitempty"`

	hub  onCall
	json bool
}

// action is one that people have, as a subcommand.
type action struct {
	name, use, short, long, example string
	message                         bool // takes --message
	says                            bool // wants it
	more                            func(e *edit, args []string) error
	args                            int // besides the incident's id
}

const (
	freezes     = "\nIt freezes the automation until 'streamcanary incident release ID'."
	statusWords = "operational, degraded_performance, partial_outage, major_outage or under_maintenance"
)

func actions() []action {
	return []action{
		{name: "update", short: "Post an update", message: true, says: true,
			long:    "It is on the page at once, with the status that the incident has." + freezes,
			example: `  streamcanary incident update n4inc0000001 --message "We have found a broken switch."`},
		{name: "status", use: "STATUS", short: "Set the status: investigating, identified or monitoring", message: true, args: 1, more: func(e *edit, args []string) error {
			e.Status = args[0]
			return nil
		}, long: "Without --message the page says what the status is now. To end it, resolve it." + freezes,
			example: `  streamcanary incident status n4inc0000001 identified --message "A switch is broken."`},
		{name: "impact", use: "IMPACT", short: "Set the impact: none, minor, major or critical", message: true, args: 1, more: func(e *edit, args []string) error {
			e.Impact = args[0]
			return nil
		}, long: "Without --message it changes, and nothing is said of it." + freezes,
			example: "  streamcanary incident impact n4inc0000001 critical"},
		{name: "components", use: "COMPONENT=STATUS...", short: "Set statuses of components", message: true, args: -1, more: func(e *edit, args []string) (err error) {
			e.Components, err = statuses(args)
			return err
		}, long: "COMPONENT is an id, as 'streamcanary components' has them, STATUS one of\n" + statusWords + "." + freezes,
			example: "  streamcanary incident components n4inc0000001 ingest-fra=partial_outage ingest-nyc=operational"},
		{name: "freeze", short: "Stop the automation: nothing is said or resolved by itself",
			long: "On-call is told once when it would have been resolved, and once when more fails than it\nsays. 'streamcanary incident release ID' lets it go on."},
		{name: "release", short: "Let the automation go on with what is true now",
			long: "It says at once what is true now, and resolves at once what is over and was watched for\nlong enough (policy.hold)."},
		{name: "resolve", short: "Resolve, whatever still fails", message: true,
			long: "What still fails of it opens nothing until it has been seen good again. What was wrong\nto resolve is reopened."},
		{name: "reopen", short: "Open a resolved one again", message: true,
			long: "Its postmortem, if it has one, is withdrawn from the page." + freezes},
		{name: "false-alarm", short: "Resolve, if it is open, and say that it was none", message: true,
			long: "It counts as no outage."},
		{name: "merge", use: "INTO", short: "Let it go on in another incident", message: true, args: 1, more: func(e *edit, args []string) error {
			e.Into = args[0]
			return nil
		}, long: "It ends; what fails of it, and what is said, goes on in the incident INTO, whose\nautomation is frozen until 'streamcanary incident release INTO'.",
			example: "  streamcanary incident merge n4inc0000001 n4inc0000002"},
		{name: "publish", short: "Let out what publish: hold withholds", message: true,
			long: "Without --message the page says what is true now, and the automation goes on."},
		{name: "keep", short: "Keep from the page what publish: hold withholds; its automation goes on",
			long: "Nobody is asked again, until more of it would have to wait. 'streamcanary incident\npublish ID' lets it out all the same."},
	}
}

func newIncidentCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:                        "incident",
		SuggestionsMinimumDistance: 2,
		Short:                      "List, edit, freeze, resolve and open incidents",
		Long:                       incidentHelp,
		Args:                       cobra.ArbitraryArgs,
		RunE:                       unknownOrHelp,
	}
	cmd.AddCommand(newIncidentListCommand(), newIncidentShowCommand(), newIncidentOpenCommand(), newPostmortemCommand())
	for _, a := range actions() {
		cmd.AddCommand(newActionCommand(a))
	}
	return cmd
}

// flags adds what every edit has.
func (e *edit) flags(cmd *cobra.Command, message bool) {
	e.hub.flags(cmd)
	cmd.Flags().StringVar(&e.Note, "note", "", "why; for on-call alone")
	cmd.Flags().StringVar(&e.Who, "as", "", "your name, where the token is a shared one")
	cmd.Flags().StringVar(&e.ID, "id", "", idHelp)
	cmd.Flags().BoolVar(&e.json, "json", false, "print the incident as JSON")
	if message {
		cmd.Flags().StringVarP(&e.Message, "message", "m", "", "what the page says, plain text")
	}
}

func newActionCommand(a action) *cobra.Command {
	e := &edit{}
	cmd := &cobra.Command{
		Use:                   strings.TrimSpace(a.name + " ID " + a.use),
		DisableFlagsInUseLine: true,
		Short:                 a.short,
		Long:                  a.short + ".\n\n" + a.long + "\n\n" + incidentIDHelp + "\n\n" + onCallHelp,
		Example:               a.example,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != a.args+1 && (a.args >= 0 || len(args) < 2) || slices.Contains(args, "") {
				return usageErrorf("%s wants %s; see '%s --help'", cmd.CommandPath(), strings.TrimSpace("ID "+a.use), cmd.CommandPath())
			}
			if a.says && strings.TrimSpace(e.Message) == "" {
				return usageErrorf("%s wants --message: what the page says", cmd.CommandPath())
			}
			if a.more != nil {
				if err := a.more(e, args[1:]); err != nil {
					return err
				}
			}
			return e.send(cmd.Context(), "/v1/incidents/"+url.PathEscape(args[0])+"/"+a.name, cmd.OutOrStdout())
		},
	}
	e.flags(cmd, a.message)
	return cmd
}

func newIncidentOpenCommand() *cobra.Command {
	e := &edit{}
	cmd := &cobra.Command{
		Use:                   "open NAME COMPONENT=STATUS...",
		DisableFlagsInUseLine: true,
		Short:                 "Open an incident that no probe has found",
		Long:                  "Open an incident that no probe has found. It is equal to those that probes find, and\nits automation is frozen: release it, or resolve it yourself. COMPONENT is an id, as\n'streamcanary components' has them, STATUS one of\n" + statusWords + ".\n\n" + onCallHelp,
		Example:               `  streamcanary incident open "Black pictures in Frankfurt" playback-fra=degraded_performance -m "Viewers tell us of black pictures."`,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if len(args) < 2 || e.Message == "" {
				return usageErrorf("%s wants a name, at least one COMPONENT=STATUS and --message; see '%s --help'", cmd.CommandPath(), cmd.CommandPath())
			}
			if e.Components, err = statuses(args[1:]); err != nil {
				return err
			}
			e.Name = args[0]
			return e.send(cmd.Context(), "/v1/incidents", cmd.OutOrStdout())
		},
	}
	e.flags(cmd, true)
	cmd.Flags().StringVar(&e.Impact, "impact", "", "none, minor, major or critical (default: by the components)")
	cmd.Flags().StringVar(&e.Status, "status", "", "investigating, identified or monitoring (default: investigating)")
	return cmd
}

func statuses(args []string) (map[string]string, error) {
	all := map[string]string{}
	for _, arg := range args {
		id, status, ok := strings.Cut(arg, "=")
		if !ok || id == "" || status == "" {
			return nil, usageErrorf("%q is not COMPONENT=STATUS, such as ingest-fra=partial_outage", arg)
		}
		all[id] = status
	}
	return all, nil
}

// send lets the hub carry an edit out, and prints the incident as it then is.
func (e *edit) send(ctx context.Context, path string, w io.Writer) error {
	if err := e.hub.check(); err != nil {
		return err
	}
	var done struct {
		ID       string             `json:"id"`
		Note     string             `json:"note"`
		Incident *incident.Incident `json:"incident"`
	}
	raw, err := e.hub.tell(ctx, path, e, &done)
	switch {
	case err != nil:
		return err
	case e.json:
		_, err = w.Write(raw)
	case done.Incident == nil:
		_, err = fmt.Fprintf(w, "%s: %s\n", done.ID, done.Note)
	default:
		_, err = fmt.Fprintln(w, incidentLine(*done.Incident))
	}
	return err
}

func incidentLine(in incident.Incident) string {
	line := fmt.Sprintf("%s  %s, %s impact: %s", in.ID, in.Phase, in.Impact, prober.Clip(in.Name, 200))
	for _, mark := range marks(in) {
		line += " (" + mark + ")"
	}
	return line
}

// marks are what a list must not hide of an incident.
func marks(in incident.Incident) []string {
	var all []string
	if in.Frozen {
		all = append(all, "automation is frozen")
	}
	if in.FalseAlarm {
		all = append(all, "false alarm")
	}
	if waits := in.Waiting(); len(waits) > 0 {
		all = append(all, "waits for publish or keep: "+strings.Join(waits, ", "))
	} else if !in.Public {
		all = append(all, "not public")
	}
	if in.Public && len(in.KeptBack) > 0 {
		all = append(all, "kept from the page: "+strings.Join(in.KeptBack, ", "))
	}
	if in.MergedInto != "" {
		all = append(all, "goes on in "+in.MergedInto)
	}
	return all
}

func newIncidentListCommand() *cobra.Command {
	var hub onCall
	var state string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List incidents", Long: "List incidents, newest first.\n\n" + onCallHelp, Args: noArgs,
		Example: "  streamcanary incident list --state all",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{"open", "resolved", "all"}, state) {
				return usageErrorf("--state is %q; want open, resolved or all", state)
			}
			var list struct {
				Incidents []incident.Incident `json:"incidents"`
			}
			return hub.show(cmd, asJSON, "/v1/incidents?state="+url.QueryEscape(state), &list, func(w io.Writer) error { return printList(w, state, list.Incidents) })
		},
	}
	hub.flags(cmd)
	cmd.Flags().StringVar(&state, "state", "open", "open, resolved or all")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the incidents as JSON")
	return cmd
}

func printList(w io.Writer, state string, list []incident.Incident) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, map[string]string{"open": "no incident is open", "resolved": "no incident is resolved", "all": "there was no incident yet"}[state])
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, in := range list {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", in.ID, in.StartedAt.Format(time.RFC3339), in.Phase, in.Impact, prober.Clip(in.Name, 100), strings.Join(marks(in), "; "))
	}
	return table.Flush()
}

func newIncidentShowCommand() *cobra.Command {
	var hub onCall
	var asJSON bool
	cmd := &cobra.Command{
		Use: "show ID", DisableFlagsInUseLine: true, Short: "Show an incident with its evidence and its audit trail",
		Long: "Show an incident with its evidence and its audit trail.\n\n" + incidentIDHelp + "\n\n" + onCallHelp, Args: oneArg("incident"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var one struct {
				Incident incident.Incident `json:"incident"`
			}
			return hub.show(cmd, asJSON, "/v1/incidents/"+url.PathEscape(args[0]), &one, func(w io.Writer) error { return showIncident(w, one.Incident) })
		},
	}
	hub.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the incident as JSON")
	return cmd
}

func showIncident(w io.Writer, in incident.Incident) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nbegan %s, opened %s", incidentLine(in), in.StartedAt.Format(time.RFC3339), in.CreatedAt.Format(time.RFC3339))
	if !in.ResolvedAt.IsZero() {
		fmt.Fprintf(&b, ", resolved %s", in.ResolvedAt.Format(time.RFC3339))
	}
	switch {
	case in.Postmortem != "":
		fmt.Fprintf(&b, "\npostmortem of %s", in.PostmortemAt.Format(time.RFC3339))
	case in.Withdrawn != "":
		b.WriteString("\nits postmortem was withdrawn when it was reopened; the draft of the next one has its text")
	}
	fmt.Fprintf(&b, "\ncomponents: %s\n", strings.Join(append(append([]string{}, in.Components...), in.Withheld...), ", "))
	if in.Cause.Place != "" {
		fmt.Fprintf(&b, "where: %s\n", in.Cause.Words)
	}
	for _, f := range in.Failures {
		state := "fails since " + f.FirstFailed.Format(time.RFC3339)
		if !f.RecoveredAt.IsZero() {
			state = "recovered " + f.RecoveredAt.Format(time.RFC3339)
		}
		fmt.Fprintf(&b, "%s %s: %s\n", f.Element, f.Kind, state)
		for _, e := range f.Evidence {
			fmt.Fprintf(&b, "  %s at %s: %s %s %s\n", e.Site, e.At.Format(time.RFC3339), e.Stage, e.Reason, prober.Clip(e.Detail, 200))
		}
	}
	for _, c := range in.Changes {
		c.Summary = prober.Clip(c.Summary, 200)
		fmt.Fprintf(&b, "change %s: %s\n", c.At.Format(time.RFC3339), c.Words())
	}
	for _, u := range in.Updates {
		fmt.Fprintf(&b, "%s %s: %s\n", u.At.Format(time.RFC3339), u.Phase, strings.ReplaceAll(u.Body, "\n", " "))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	return printAudit(w, in.Audit)
}

// printAudit writes a line for each thing that a person did.
func printAudit(w io.Writer, trail []incident.Audited) error {
	for _, a := range trail {
		if _, err := fmt.Fprintf(w, "%s %s by %s%s%s\n", a.At.Format(time.RFC3339), a.Action, a.Who, arrow(a.Before, a.After), withNote(a.Note)); err != nil {
			return err
		}
	}
	return nil
}

func arrow(before, after string) string {
	switch {
	case after == "":
		return ""
	case before == "":
		return ": " + after
	default:
		return ": " + before + " -> " + after
	}
}

func withNote(note string) string {
	if note == "" {
		return ""
	}
	return " (" + strings.ReplaceAll(note, "\n", " ") + ")"
}

// decode reads an answer of the hub.
func decode(raw []byte, into any) error {
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("the hub's answer cannot be read: %w; is it of this version?", err)
	}
	return nil
}
