package main

import (
	"github.com/spf13/cobra"
)

const rootHelp = `streamcanary tells within seconds that live streaming is broken, where, and
since when. Agents in every region keep synthetic broadcasts running, start
fresh ones and pull them back as viewers would. The hub decides, publishes the
status page and pages on-call, and takes everything back when it is over.

Start with 'streamcanary demo': a whole platform, its agents, the hub and the
page in one process, with an incident that plays by itself.`

const rootExample = `  streamcanary demo
  streamcanary drill restart --for 20s
  streamcanary probe --ingest rtmp://HOST/APP/{stream} --playback http://HOST/hls/{stream}/index.m3u8
  streamcanary config check hub.yaml
  streamcanary serve --config hub.yaml
  streamcanary agent --config agent.yaml`

const (
	groupTry     = "try"
	groupOperate = "operate"
)

// newRootCommand wires every subcommand. Each has a constructor of its own in a
// file of its own, and one line here.
func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:                        "streamcanary",
		SuggestionsMinimumDistance: 2,
		Short:                      "Watch a live video platform with synthetic broadcasts",
		Long:                       rootHelp,
		Example:                    rootExample,
		SilenceErrors:              true, // tell prints them
		SilenceUsage:               true,
		Args:                       cobra.ArbitraryArgs,
		RunE:                       unknownOrHelp,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.DisableFlagsInUseLine = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageErrorf("%w; see '%s --help'", err, cmd.CommandPath())
	})
	root.AddGroup(
		&cobra.Group{ID: groupTry, Title: "Try and probe:"},
		&cobra.Group{ID: groupOperate, Title: "Operate:"},
	)
	addTo(root, groupTry,
		newDemoCommand(),
		newDrillCommand(),
		newProbeCommand(),
	)
	addTo(root, groupOperate,
		newServeCommand(),
		newAgentCommand(),
		newAgentsCommand(),
		newComponentsCommand(),
		newIncidentCommand(),
		newMaintenanceCommand(),
		newConfigCommand(),
		newChangeCommand(),
		newResultsCommand(),
		newReplayCommand(),
		newVersionCommand(),
	)
	return root
}

func addTo(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = group
		root.AddCommand(c)
	}
}

// unknownOrHelp is what a command that only groups others does by itself.
func unknownOrHelp(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	hint := "see '" + cmd.CommandPath() + " --help'"
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean '" + cmd.CommandPath() + " " + near[0] + "'?"
	}
	return usageErrorf("unknown command %q; %s", args[0], hint)
}
