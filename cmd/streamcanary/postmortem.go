package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"

	"streamcanary/statuspage/incident"

	"github.com/spf13/cobra"
)

const postmortemHelp = `Print the draft of a resolved incident's postmortem, Markdown: summary, impact, what was
affected, detection and timeline, and room for what only people know. Its last part is
for on-call alone: evidence, edits, and changes that may be related.

With --publish FILE (- is standard input) the text stands on the incident's page. Write
the open parts and take the internal one out first: a text that still has its marks is
refused. Published again, it replaces the last one.

` + onCallHelp

func newPostmortemCommand() *cobra.Command {
	e := &edit{}
	var publish string
	cmd := &cobra.Command{
		Use:                   "postmortem ID",
		DisableFlagsInUseLine: true,
		Short:                 "Draft a postmortem, or publish one",
		Long:                  postmortemHelp,
		Example:               "  streamcanary incident postmortem n4inc0000001 > postmortem.md\n  streamcanary incident postmortem n4inc0000001 --publish postmortem.md",
		Args:                  oneArg("incident"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			path := "/v1/incidents/" + url.PathEscape(args[0]) + "/postmortem"
			if publish == "" {
				return e.hub.draft(cmd.Context(), path, cmd.OutOrStdout())
			}
			if e.Postmortem, err = readPostmortem(publish, cmd.InOrStdin()); err != nil {
				return err
			}
			return e.send(cmd.Context(), path, cmd.OutOrStdout())
		},
	}
	e.flags(cmd, false)
	cmd.Flags().StringVar(&publish, "publish", "", "publish the Markdown in this file")
	return cmd
}

func (o *onCall) draft(ctx context.Context, path string, w io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	body, err := o.get(ctx, path)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	if _, err := io.Copy(w, body); err != nil {
		return fmt.Errorf("the draft is not whole: %w", err)
	}
	return nil
}

func readPostmortem(path string, stdin io.Reader) (string, error) {
	r := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", usageErrorf("--publish: %v", err)
		}
		defer func() { _ = f.Close() }()
		r = f
	}
	const most = 1 << 20 // bytes of a file, to tell what is too long of it
	text, err := io.ReadAll(io.LimitReader(r, most))
	switch {
	case err != nil:
		return "", fmt.Errorf("--publish %s: %w", path, err)
	case bytes.Contains(text, []byte(incident.InternalBegin)):
		return "", usageErrorf("--publish %s: it still has the part for on-call alone: take out all from %s to %s, and these marks", path, incident.InternalBegin, incident.InternalEnd)
	case len(text) > incident.MaxPostmortem:
		return "", usageErrorf("--publish %s: it is longer than %d bytes; shorten it, or publish a summary with a link", path, incident.MaxPostmortem)
	}
	return string(text), nil
}
