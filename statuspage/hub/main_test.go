package hub_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childHub makes the test binary the hub that is killed.
const childHub = "STREAMCANARY_TEST_HUB"

func TestMain(m *testing.M) {
	if child := os.Getenv(childHub); child != "" {
		if err := serveChild(child); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1) //nolint:forbidigo // the child has no testing.T to tell
		}
	}
	goleak.VerifyTestMain(waiting{m})
}

// waiting runs the tests of this package. Most of them wait, for agents and for
// holds, so that more of them run at once than there are processors, unless the
// command line says otherwise.
type waiting struct{ *testing.M }

func (w waiting) Run() int {
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	return w.M.Run()
}
