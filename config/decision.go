package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"streamcanary/prober"
	"streamcanary/statuspage/incident"
)

// decision says for a person how sure the policy is, what that takes for
// granted, and how long it lets a total outage go on unseen.
func (h *Hub) decision() []string {
	every := h.schedule()
	worst := 0.0
	for _, b := range h.Policy.Bounds(every) {
		worst = max(worst, b.PerYear)
	}
	lines := []string{
		fmt.Sprintf("%s nats of evidence open an element: no component opens falsely more than %s times a year (once in %s)",
			number(natsFloat(h.Settings.Threshold)), number(worst), years(1/worst)),
		"  provided that sites fail independently, and that of the rounds while all is well a site sees fail, whatever it saw before, at most: " +
			h.assumed(every),
	}
	for _, t := range h.Topology.Targets {
		var parts []string
		for _, kind := range prober.Kinds() {
			period, ok := every[t.ID][kind]
			if !ok {
				continue
			}
			parts = append(parts, h.delay(kind, period))
		}
		lines = append(lines, fmt.Sprintf("  what breaks wholly in %s is an incident after: %s", t.ID, strings.Join(parts, "; ")))
	}
	return lines
}

func (h *Hub) delay(kind prober.Kind, period time.Duration) string {
	n := h.Policy.RoundsToOpen(kind)
	if n == 0 {
		return string(kind) + " never: too few sites"
	}
	next := period
	if s := h.Settings; s.ConfirmRounds > 0 && slices.Contains(incident.ConfirmedKinds(), kind) {
		next = min(period, s.ConfirmSpacing)
	}
	most := period + time.Duration(n-1)*next + h.Settings.OpenSettle
	return fmt.Sprintf("%s %s, at most %s and what a run takes", kind, count(n, "round"), most)
}

// assumed lists p0 of the kinds that are probed, and of what they say besides.
func (h *Hub) assumed(every incident.Schedule) string {
	var parts []string
	for _, kind := range incident.Promises() {
		if h.weighs(every, kind) {
			parts = append(parts, fmt.Sprintf("%s %s%%", kind, number(100*h.Settings.Rates[kind].P0)))
		}
	}
	return strings.Join(parts, ", ")
}

// weighs says whether rounds of a kind count for a target: of quality, those of every
// kind that plays.
func (h *Hub) weighs(every incident.Schedule, kind prober.Kind) bool {
	return slices.ContainsFunc(h.Topology.Targets, func(t incident.Target) bool {
		for probed := range every[t.ID] {
			if probed == kind || kind == incident.KindQuality && probed != prober.KindCanary && probed != prober.KindAPI {
				return true
			}
		}
		return false
	})
}

// number writes a figure with two digits that count.
func number(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }

func years(x float64) string {
	if x > 1e6 {
		return "more than a million years"
	}
	return fmt.Sprintf("%.0f years", x)
}
