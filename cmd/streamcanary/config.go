package main

import (
	"errors"
	"fmt"
	"io"

	"streamcanary/config"

	"github.com/spf13/cobra"
)

const configCheckHelp = `Read a hub's or an agent's configuration file and report every mistake in it at
once: the line, the key, what is wrong and what would be right. On success it
says what the file sets up and what its probes cost each agent.

Secrets written as ${NAME} are looked up in the environment, as serve and agent
do: run it with the same environment. Exit codes: 0 the file is good, 1 it is
not, 2 usage.`

func newConfigCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:                        "config",
		SuggestionsMinimumDistance: 2,
		Short:                      "Check configuration files",
		Args:                       cobra.ArbitraryArgs,
		RunE:                       unknownOrHelp,
	}
	cmd.AddCommand(&cobra.Command{
		Use:                   "check FILE",
		DisableFlagsInUseLine: true,
		Short:                 "Report every mistake in a hub's or an agent's file at once",
		Long:                  configCheckHelp,
		Example:               "  streamcanary config check /etc/streamcanary/hub.yaml",
		Args:                  oneArg("file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return checkConfig(cmd.OutOrStdout(), cmd.ErrOrStderr(), args[0])
		},
	})
	return cmd
}

func checkConfig(stdout, stderr io.Writer, path string) error {
	file, err := config.Load(path)
	if mistakes, ok := errors.AsType[*config.Error](err); ok {
		n := len(mistakes.Problems)
		_, _ = fmt.Fprintln(stderr, mistakes)
		return fmt.Errorf("%s has %d %s; mend what is listed above and check again", path, n, plural(n, "mistake"))
	}
	if err != nil {
		return err
	}
	if file.Hub != nil {
		if err := checkRules(file.Hub.Targets); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	for _, line := range file.Summary() {
		if _, err := fmt.Fprintln(stdout, line); err != nil {
			return err
		}
	}
	for _, warning := range file.Warnings() {
		_, _ = fmt.Fprintf(stderr, "%s: warning: %s\n", path, warning)
	}
	return nil
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
