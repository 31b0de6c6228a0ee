package report_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// crashPath makes the test binary the agent that is killed.
const crashPath = "STREAMCANARY_TEST_CRASH_OUTBOX"

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) {
	if path := os.Getenv(crashPath); path != "" {
		if err := putForever(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1) //nolint:forbidigo // the child has no testing.T to tell
		}
	}
	goleak.VerifyTestMain(m)
}
