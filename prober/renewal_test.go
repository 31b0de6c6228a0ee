package prober_test

import (
	"testing"
	"time"

	"streamcanary/prober"
)

// What is waited for is due by then, unless no stream is waited for that long.
func TestRenewal(t *testing.T) {
	t.Parallel()
	for target, want := range map[time.Duration][2]time.Duration{
		0:                {0, 10 * time.Second},
		2 * time.Second:  {6 * time.Second, 14 * time.Second},
		10 * time.Second: {30 * time.Second, 30 * time.Second},
		2 * time.Minute:  {250 * time.Second, 250 * time.Second},
		24 * time.Hour:   {48*time.Hour + 10*time.Second, 250 * time.Second},
	} {
		if due, wait := prober.RenewalDue(target), prober.RenewalWait(target); due != want[0] || wait != want[1] {
			t.Errorf("%s: due after %s, waited for for %s, want %s", target, due, wait, want)
		}
	}
}
