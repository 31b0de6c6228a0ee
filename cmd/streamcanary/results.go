package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

const resultsExportHelp = `Write what the hub has recorded, every result with the time at which it came, to
standard output: a recording, which 'streamcanary replay' runs through another
policy. It is one JSON object a line; the first has the policy that is in force.
The hub keeps 14 days, or as many bytes as nats.max_bytes allows.

` + onCallHelp

func newResultsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:                        "results",
		SuggestionsMinimumDistance: 2,
		Short:                      "Export recorded results",
		Args:                       cobra.ArbitraryArgs,
		RunE:                       unknownOrHelp,
	}
	var hub onCall
	var since, until string
	export := &cobra.Command{
		Use:     "export",
		Short:   "Write a recording of what the agents reported, for replay",
		Long:    resultsExportHelp,
		Example: "  streamcanary results export --since 24h > results.jsonl\n  streamcanary results export --since 2026-04-08T10:00:00Z --until 2026-04-08T14:00:00Z > outage.jsonl",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := bounds(since, until, time.Now())
			if err != nil {
				return err
			}
			if err := hub.check(); err != nil {
				return err
			}
			return export(cmd.Context(), &hub, query, cmd.OutOrStdout())
		},
	}
	hub.flags(export)
	export.Flags().StringVar(&since, "since", "", "from when on: a time as of RFC 3339, or how long ago, such as 24h (default: all)")
	export.Flags().StringVar(&until, "until", "", "until when: as --since (default: now)")
	cmd.AddCommand(export)
	return cmd
}

// bounds makes a query of two flags.
func bounds(since, until string, now time.Time) (url.Values, error) {
	query, times := url.Values{}, map[string]time.Time{}
	for _, b := range []struct{ name, text string }{{"since", since}, {"until", until}} {
		if b.text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, b.text)
		if ago, wrong := time.ParseDuration(b.text); err != nil && wrong == nil && ago >= 0 {
			at, err = now.Add(-ago), nil
		}
		if err != nil {
			return nil, usageErrorf("--%s is neither a time such as 2026-04-08T12:00:00Z nor a length such as 24h", b.name)
		}
		times[b.name] = at
		query.Set(b.name, at.UTC().Format(time.RFC3339Nano))
	}
	if from, to := times["since"], times["until"]; !to.IsZero() && !from.Before(to) {
		return nil, usageErrorf("--since is not before --until")
	}
	return query, nil
}

func export(ctx context.Context, hub *onCall, query url.Values, w io.Writer) error {
	path := "/v1/results"
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	body, err := hub.get(ctx, path)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	if _, err := io.Copy(w, body); err != nil {
		if errors.Is(err, context.Canceled) {
			return errors.New("interrupted: the recording is not whole")
		}
		return fmt.Errorf("the recording is not whole: %w", err)
	}
	return nil
}
