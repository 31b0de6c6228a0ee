package backtest

import (
	"testing"

	"streamcanary/statuspage/incident"
)

// What was merged is told with the incident in which it goes on, and counted with it.
func TestRunLeavesOutMerged(t *testing.T) {
	t.Parallel()
	r := newRunner(incident.Policy{})
	r.order = []string{"first", "second"}
	r.byID = map[string]Opened{
		"first":  {Incident: incident.Incident{ID: "first", MergedInto: "second"}},
		"second": {Incident: incident.Incident{ID: "second"}},
	}
	if got := r.run().Incidents; len(got) != 1 || got[0].ID != "second" {
		t.Errorf("%+v", got)
	}
}
