package incident

import (
	"time"

	"streamcanary/prober"
)

// Input is one entry of the journal. Exactly one of the pointers is set; none
// is a tick. Seq and At come from the journal, so that a replay sees the same.
type Input struct {
	Seq    uint64    // rises by at least one from input to input
	At     time.Time // the journal's clock when the entry was taken
	Result *prober.Result
	Change *Change
	Config *ConfigChange
	// A person's command, and what the schedule of maintenances brings.
	Command     *Command
	Maintenance *MaintenanceEdge
}

// ConfigChange says that the inputs that follow are judged by another policy.
type ConfigChange struct {
	PolicyHash string `json:"policy_hash"`
}

// EventType says what happened.
type EventType string

// The event types. Those of an incident carry it whole, as it is afterwards.
const (
	IncidentOpened   EventType = "incident_opened"
	IncidentUpdated  EventType = "incident_updated"
	IncidentResolved EventType = "incident_resolved"

	// for on-call only
	IncidentNoted   EventType = "incident_noted"   // a person did something to it that is no public word
	AutomationWaits EventType = "automation_waits" // a frozen incident would have been resolved, or said worse
	ApprovalNeeded  EventType = "approval_needed"  // publish: hold; told how to publish
	ApprovalOverdue EventType = "approval_overdue"
	ApprovalOver    EventType = "approval_over"   // resolves approval_needed
	CommandRefused  EventType = "command_refused" // of which its person is told

	MaintenanceScheduled EventType = "maintenance_scheduled" // or changed
	MaintenanceBegan     EventType = "maintenance_began"
	MaintenanceEnded     EventType = "maintenance_ended"
	MaintenanceCancelled EventType = "maintenance_cancelled"
	MaintenanceRefused   EventType = "maintenance_refused" // one of the configuration is not announced, or does not begin; told once a day of each window

	AgentSick         EventType = "agent_sick"         // its own control fails
	AgentSilent       EventType = "agent_silent"       // nothing heard for too long
	AgentContradicted EventType = "agent_contradicted" // it alone sees failures that the others do not
	AgentRecovered    EventType = "agent_recovered"    // resolves all of the three
	ResultsDropped    EventType = "results_dropped"    // an agent's outbox was full; told once a boot and growth
	NoAgents          EventType = "no_agents"          // nothing is known of anything
	AgentsBack        EventType = "agents_back"        // resolves no_agents
	ReferenceFailed   EventType = "reference_failed"   // the independent reference fails at so many sites that it is out itself
	ReferenceBack     EventType = "reference_back"     // resolves reference_failed
	QuorumLost        EventType = "quorum_lost"        // an incident is open and too few sites are left to resolve it
	QuorumBack        EventType = "quorum_back"
	ResultRefused     EventType = "result_refused" // a result of an unknown agent, element or time; told once a day and cause
	ChangeReported    EventType = "change_reported"
	BaselineExceeded  EventType = "baseline_exceeded" // more fails while all is well than p0 grants
	BaselineHolds     EventType = "baseline_holds"    // resolves baseline_exceeded

	PlatformRefused     EventType = "platform_refused"     // a target's API turns our calls away: no key, no quota
	PlatformAccepted    EventType = "platform_accepted"    // resolves platform_refused
	CertificateExpiring EventType = "certificate_expiring" // of an API; told once a day

	// for the agents
	ProbeRequested EventType = "probe_requested"
)

// Event is what one Step decided. Its id derives from what caused it, so that
// the same journal gives the same ids.
type Event struct {
	ID          string           `json:"id"`
	Seq         uint64           `json:"seq"` // of the causing input
	At          time.Time        `json:"at"`
	PolicyHash  string           `json:"policy_hash"`
	Type        EventType        `json:"type"`
	Key         string           `json:"key"` // what it is about; an opening and its resolve share it
	Summary     string           `json:"summary"`
	Incident    *Incident        `json:"incident,omitempty"`
	Agent       string           `json:"agent,omitempty"`
	Change      *Change          `json:"change,omitempty"`
	Command     *Command         `json:"command,omitempty"` // that was refused
	Maintenance *Maintenance     `json:"maintenance,omitempty"`
	ProbeNow    *prober.ProbeNow `json:"probe_now,omitempty"`
}
