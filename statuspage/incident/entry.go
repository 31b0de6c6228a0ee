package incident

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Entered is what an entry of the journal that is a command holds: a person's, or
// what the schedule of maintenances brings.
type Entered struct {
	Command     *Command         `json:"command,omitempty"`
	Maintenance *MaintenanceEdge `json:"maintenance,omitempty"`
}

// DecodeEntered reads such an entry. Exactly one of the two is set.
func DecodeEntered(payload []byte) (Entered, error) {
	var e Entered
	if err := json.Unmarshal(payload, &e); err != nil {
		return Entered{}, fmt.Errorf("command: %w", err)
	}
	if (e.Command == nil) == (e.Maintenance == nil) {
		return Entered{}, errors.New("command: it is neither a person's nor a maintenance's")
	}
	return e, nil
}

// OfMaintenance says whether it is about work on the platform. Policies may differ in what they open, but not in what is being worked on: in a
// comparison, this is all that counts of an entry.
func (e Entered) OfMaintenance() bool {
	return e.Maintenance != nil || e.Command != nil &&
		(e.Command.Action == ActionMaintenanceAdd || e.Command.Action == ActionMaintenanceCancel || e.Command.Action == ActionMaintenanceEnd)
}
