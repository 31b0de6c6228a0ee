package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by a release build: -ldflags "-X main.version=v1.2.3".
var version string

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, commit and Go version of this binary",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, _ := debug.ReadBuildInfo()
			_, err := fmt.Fprintln(cmd.OutOrStdout(), versionLine(version, info))
			return err
		},
	}
}

// versionLine describes a build. A release's version wins over the module's;
// info may be nil, as in a binary without module support.
func versionLine(release string, info *debug.BuildInfo) string {
	name, commit := release, "unknown"
	modified := ""
	if info != nil {
		if name == "" && info.Main.Version != "(devel)" {
			name = info.Main.Version
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				commit = s.Value[:min(len(s.Value), 12)]
			case s.Key == "vcs.modified" && s.Value == "true":
				modified = ", modified"
			}
		}
	}
	if name == "" {
		name = "development"
	}
	return fmt.Sprintf("streamcanary %s (commit %s%s, %s %s/%s)",
		name, commit, modified, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
