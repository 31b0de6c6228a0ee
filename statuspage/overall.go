package statuspage

import "streamcanary/statuspage/incident"

// Indicator is the page's overall state, as Statuspage names it.
type Indicator string

// The indicators.
const (
	IndicatorNone        Indicator = "none"
	IndicatorMinor       Indicator = "minor"
	IndicatorMajor       Indicator = "major"
	IndicatorCritical    Indicator = "critical"
	IndicatorMaintenance Indicator = "maintenance"
)

// Overall is the page's state in one line.
type Overall struct {
	Indicator   Indicator
	Description string
}

func allOperational() Overall { return Overall{IndicatorNone, "All Systems Operational"} }

// overall is the worse of what the components say and what the open incidents
// say (Atlassian, "Top-level status and incident impact calculations"). An
// incident that is only being monitored no longer counts: its components do.
func overall(groups []Group, open []Incident) Overall {
	worst := overallOfComponents(groups)
	for _, i := range open {
		if i.Phase == incident.Monitoring {
			continue
		}
		if o := overallOfImpact(i.Impact); rankIndicator(o.Indicator) > rankIndicator(worst.Indicator) {
			worst = o
		}
	}
	return worst
}

// overallOfComponents: what a status means depends on whether all components
// share it or only some. One component alone is all of them.
func overallOfComponents(groups []Group) Overall {
	count := map[incident.Status]int{}
	total := 0
	for _, g := range groups {
		for _, c := range g.Components {
			count[c.Status]++
			total++
		}
	}
	switch {
	case total == 0:
		return allOperational()
	case count[incident.MajorOutage] == total:
		return Overall{IndicatorCritical, "Major System Outage"}
	case count[incident.MajorOutage] > 0, count[incident.PartialOutage] == total:
		return Overall{IndicatorMajor, "Partial System Outage"}
	case count[incident.PartialOutage] > 0:
		return Overall{IndicatorMinor, "Minor Service Outage"}
	case count[incident.DegradedPerformance] == total:
		return Overall{IndicatorMinor, "Degraded System Service"}
	case count[incident.DegradedPerformance] > 0:
		return Overall{IndicatorMinor, "Partially Degraded Service"}
	case count[incident.UnderMaintenance] > 0:
		return Overall{IndicatorMaintenance, "Service Under Maintenance"}
	}
	return allOperational()
}

func overallOfImpact(i incident.Impact) Overall {
	switch i {
	case incident.ImpactCritical:
		return Overall{IndicatorCritical, "Major System Outage"}
	case incident.ImpactMajor:
		return Overall{IndicatorMajor, "Partial System Outage"}
	case incident.ImpactMinor:
		return Overall{IndicatorMinor, "Minor Service Outage"}
	case incident.ImpactNone:
	}
	return allOperational()
}

func rankIndicator(i Indicator) int {
	switch i {
	case IndicatorMaintenance:
		return 1
	case IndicatorMinor:
		return 2
	case IndicatorMajor:
		return 3
	case IndicatorCritical:
		return 4
	case IndicatorNone:
	}
	return 0
}

// rankStatus orders component statuses, best first. What is not a status of the
// closed set ranks with operational.
func rankStatus(s incident.Status) int {
	switch s {
	case incident.UnderMaintenance:
		return 1
	case incident.DegradedPerformance:
		return 2
	case incident.PartialOutage:
		return 3
	case incident.MajorOutage:
		return 4
	case incident.Operational:
	}
	return 0
}
