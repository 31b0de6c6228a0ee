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

// quorumFrom says where the quorum comes from.
func (h *Hub) quorumFrom() string {
	if h.quorumSet {
		return "as set"
	}
	return "from the sites and false_openings"
}

// together says how often sites' own trouble, if their controls do not see it, is that
// of a quorum, and what would keep that to the wanted rate where it is more.
func (h *Hub) together() []string {
	sites, q := len(h.Topology.Sites), h.Settings.Quorum
	often := incident.UnseenTogether(sites, q)
	if often == 0 {
		return nil // fewer sites than have to agree
	}
	line := fmt.Sprintf("  %d of %s in trouble of their own at once, that their controls do not see, may open falsely about %s times a year, if each is in such for %s%% of the time, %s at a time",
		q, count(sites, "site"), number(often), number(100*incident.UnseenShare), incident.UnseenFor)
	if q == 1 {
		line = strings.Replace(line, "of their own at once, that their controls do", "of its own, that its controls do", 1)
	}
	lines := []string{line}
	if often > h.wanted {
		lines = append(lines, fmt.Sprintf("  that is more than the %s of false_openings: %s", number(h.wanted), h.moreSure(sites)))
	}
	return lines
}

// moreSure is the least that keeps unseen trouble to the wanted rate.
func (h *Hub) moreSure(sites int) string {
	if q := incident.QuorumFor(sites, h.wanted); incident.UnseenTogether(sites, q) <= h.wanted {
		return fmt.Sprintf("a quorum of %d keeps to it", q)
	}
	for n := sites + 1; n <= sites+mostSites; n++ {
		if q := incident.QuorumFor(n, h.wanted); incident.UnseenTogether(n, q) <= h.wanted {
			return fmt.Sprintf("%d sites and a quorum of %d keep to it", n, q)
		}
	}
	return "no fleet of a usual size keeps to it"
}

// mostSites bounds how many more sites are thought of.
const mostSites = 20

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
