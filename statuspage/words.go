package statuspage

import (
	"fmt"

	"streamcanary/statuspage/incident"
)

// StatusText is a component status in words.
func StatusText(s incident.Status) string {
	switch s {
	case incident.Operational:
		return "Operational"
	case incident.UnderMaintenance:
		return "Under Maintenance"
	case incident.DegradedPerformance:
		return "Degraded Performance"
	case incident.PartialOutage:
		return "Partial Outage"
	case incident.MajorOutage:
		return "Major Outage"
	}
	return string(s)
}

// PhaseText is an incident status in words.
func PhaseText(p incident.Phase) string {
	switch p {
	case incident.Investigating:
		return "Investigating"
	case incident.Identified:
		return "Identified"
	case incident.Monitoring:
		return "Monitoring"
	case incident.Resolved:
		return "Resolved"
	case incident.Postmortem:
		return "Postmortem"
	case Scheduled:
		return "Scheduled"
	case InProgress:
		return "In progress"
	case Completed:
		return "Completed"
	}
	return string(p)
}

// Tone is how the headline is meant. It is wider than the indicator: clients of
// the JSON documents know no "unknown" and no "monitoring", people do.
type Tone string

// The tones that no indicator has, and the one of all being well.
const (
	ToneNone            = Tone(IndicatorNone)
	ToneUnknown    Tone = "unknown"
	ToneMonitoring Tone = "monitoring"
)

// ToneOf is how a component's status is meant.
func ToneOf(s incident.Status) Tone {
	switch s {
	case incident.MajorOutage:
		return Tone(IndicatorCritical)
	case incident.PartialOutage:
		return Tone(IndicatorMajor)
	case incident.DegradedPerformance:
		return Tone(IndicatorMinor)
	case incident.UnderMaintenance:
		return Tone(IndicatorMaintenance)
	case incident.Operational:
	}
	return ToneNone
}

// Tone is how an incident is meant: by its impact, until it has recovered and is
// only watched.
func (i Incident) Tone() Tone {
	switch {
	case i.FalseAlarm:
		return ToneNone
	case i.Phase == incident.Monitoring:
		return ToneMonitoring
	}
	return Tone(i.Impact) // impacts are named as indicators
}

// ImpactText is an incident's impact in words.
func ImpactText(i incident.Impact) string {
	switch i {
	case incident.ImpactCritical:
		return "Critical impact"
	case incident.ImpactMajor:
		return "Major impact"
	case incident.ImpactMinor:
		return "Minor impact"
	case incident.ImpactNone:
	}
	return "No impact"
}

// Headline is the page's state for people. It claims no more than is known:
// while nothing is measured it does not say that all is well.
func (p Page) Headline() (text string, tone Tone) {
	total, unknown := p.countUnknown()
	switch {
	case total > 0 && unknown == total && p.Status.Indicator == IndicatorNone:
		return "Current status unknown", ToneUnknown
	case p.Status.Indicator != IndicatorNone:
		return p.Status.Description, Tone(p.Status.Indicator)
	case len(p.Incidents) > 0:
		return "Recovered, still being watched", ToneMonitoring
	case unknown > 0:
		return fmt.Sprintf("No known problem; no data for %d of %d components", unknown, total), ToneUnknown
	}
	return p.Status.Description, Tone(p.Status.Indicator)
}

func (p Page) countUnknown() (total, unknown int) {
	for _, g := range p.Groups {
		for _, c := range g.Components {
			total++
			if !c.UnknownSince.IsZero() {
				unknown++
			}
		}
	}
	return total, unknown
}
