package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"streamcanary/statuspage/incident"

	"github.com/spf13/cobra"
)

const changeHelp = `Tell the hub of a deploy, a change of configuration or the like, as a step of the
pipeline that makes it. A change that was reported up to 30 min (policy.change_window)
before an incident's first failure is named in its alerts, with how likely that is by
coincidence alone. It is never on the page, and never said to be the cause.

With --component or --region it is named where one of those failed; with neither it
may concern anything. The same --id again within 30 min is the same change, so a step
may be repeated. It prints the id.

` + onCallHelp

func newChangeCommand() *cobra.Command {
	var hub onCall
	var c incident.Change
	var at string
	cmd := &cobra.Command{
		Use:     "change --summary TEXT",
		Short:   "Report a deploy to the hub",
		Long:    changeHelp,
		Example: "  streamcanary change --summary 'media server 4.2 rolled out' --region fra --source ci --link https://ci.example.com/1234",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if strings.TrimSpace(c.Summary) == "" {
				return usageErrorf("change needs --summary: say in a few words what was changed")
			}
			if at != "" {
				var err error
				if c.At, err = time.Parse(time.RFC3339Nano, at); err != nil {
					return usageErrorf("--at is no time such as 2026-04-08T12:00:00Z")
				}
			}
			if err := hub.check(); err != nil {
				return err
			}
			return reportChange(cmd.Context(), &hub, c, cmd.OutOrStdout())
		},
	}
	hub.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&c.Summary, "summary", "", "what was changed, in a few words (required)")
	f.StringSliceVar(&c.Components, "component", nil, "a component that it concerns, its id in the configuration; again for more")
	f.StringSliceVar(&c.Regions, "region", nil, "a region that it concerns, its id in the configuration; again for more")
	f.StringVar(&c.Source, "source", "", "who reports it, such as ci")
	f.StringVar(&c.Link, "link", "", "where more can be read, https://...")
	f.StringVar(&c.ID, "id", "", "names it, so that it may be sent again (default: of its content and time)")
	f.StringVar(&at, "at", "", "when it was made, as of RFC 3339 (default: now)")
	return cmd
}

func reportChange(ctx context.Context, hub *onCall, c incident.Change, w io.Writer) error {
	var taken struct {
		ID string `json:"id"`
	}
	if _, err := hub.tell(ctx, "/v1/changes", c, &taken); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, taken.ID)
	return err
}
