package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// Exit codes. The last two are those of probe alone.
const (
	exitOK           = 0
	exitFailure      = 1 // the command could not do it, or a probe failed
	exitUsage        = 2 // wrong flags or arguments
	exitInconclusive = 3 // a result, but it says nothing about the platform
	exitBroken       = 4 // the prober itself broke
)

// exitError makes the process end with a code of its own. With a nil err the
// command has already said everything, and nothing more is printed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usageErrorf is a wrong command line. It should say what to write instead.
func usageErrorf(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageErrorf("%s takes no arguments, but got %q; see '%s --help'", cmd.CommandPath(), args[0], cmd.CommandPath())
	}
	return nil
}

// oneArg wants exactly one argument; what names it in the error.
func oneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 && args[0] != "" {
			return nil
		}
		if len(args) == 1 {
			return usageErrorf("%s wants one %s, but it is empty; usage: %s", cmd.CommandPath(), what, cmd.UseLine())
		}
		return usageErrorf("%s wants exactly one %s, but got %d; usage: %s", cmd.CommandPath(), what, len(args), cmd.UseLine())
	}
}

// tell prints err, if it has anything to say, and returns its exit code.
func tell(err error, stderr io.Writer) int {
	if err == nil {
		return exitOK
	}
	code, silent := exitFailure, false
	if own, ok := errors.AsType[*exitError](err); ok {
		code, silent = own.code, own.err == nil
	}
	if !silent {
		fmt.Fprintf(stderr, "streamcanary: %s\n", strings.TrimSpace(err.Error()))
	}
	return code
}

// requireFlag makes a command refuse to run without a flag, in our own words.
func requireFlag(cmd *cobra.Command, name string) {
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if f := cmd.Flags().Lookup(name); f == nil || f.Value.String() == "" {
			return usageErrorf("%s needs --%s; see '%s --help'", cmd.CommandPath(), name, cmd.CommandPath())
		}
		return run(cmd, args)
	}
}
