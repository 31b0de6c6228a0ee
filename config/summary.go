package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"streamcanary/prober"
)

// Summary says in a few lines for a person what the file sets up.
func (f File) Summary() []string {
	if f.Agent != nil {
		return f.Agent.summary()
	}
	return f.Hub.summary()
}

// Warnings are what is allowed in the file, but hardly meant.
func (f File) Warnings() []string {
	if f.Agent != nil {
		return f.Agent.Warnings
	}
	return f.Hub.Warnings
}

func (a *Agent) summary() []string {
	line := fmt.Sprintf("agent %s at site %s", a.ID, a.Site)
	if a.Region != "" {
		line += " in region " + a.Region
	}
	return []string{
		"This is an agent's configuration, and it is good.",
		line,
		"reports to " + a.Hub + ", outbox in " + a.Data,
	}
}

func (h *Hub) summary() []string {
	topology := h.Topology
	lines := []string{
		"This is a hub's configuration, and it is good.",
		fmt.Sprintf("page %q, served on %s, public at %s", topology.Page.Name, h.HTTP.Listen, topology.Page.URL),
	}
	for _, t := range h.Targets {
		lines = append(lines, fmt.Sprintf("target %s (%s): %s, %s", t.ID, t.Platform.Type,
			count(len(t.Ingests), "ingest"), count(len(t.Playbacks), "playback")))
	}
	for _, p := range h.Probes {
		lines = append(lines, fmt.Sprintf("probe %s of %s, %s", p.Kind, p.Target, strings.TrimPrefix(p.Schedule, "@"))+whatOf(p))
	}
	for _, w := range h.Work {
		lines = append(lines, w.summary())
	}
	budget := h.Budget()
	lines = append(lines, fmt.Sprintf("%s at %s; %s must agree (quorum, %s)", count(len(h.Agents), "agent"),
		count(len(topology.Sites), "site"), count(h.Settings.Quorum, "site"), h.quorumFrom()))
	lines = append(lines, h.together()...)
	lines = append(lines, h.decision()...)
	return append(lines,
		fmt.Sprintf("%s in %s", count(len(topology.Components), "component"), count(len(topology.Groups), "group")),
		fmt.Sprintf("each agent sends about %s an hour and receives about %s an hour (broadcasts of %s kbit/s%s)",
			byteCount(budget.Sent), byteCount(budget.Received), h.bitrates(), h.goLiveNote()+h.pullNote()+h.sampleNote(budget)+h.ladderNote()),
		h.budgetLine())
}

// ladderNote says what is taken for granted where no ladder is expected.
func (h *Hub) ladderNote() string {
	for _, t := range h.Targets {
		for _, p := range t.Playbacks {
			if len(p.Pull.Ladder) == 0 {
				return "; where pull.ladder is not set, one rendition of the bitrate that is pushed"
			}
		}
	}
	return ""
}

// pullNote says what is taken for granted of streams that others push.
func (h *Hub) pullNote() string {
	for _, p := range h.Probes {
		if len(p.Pulls) > 0 {
			return fmt.Sprintf(", streams that others push for %s or the probe's timeout, of VOD %s of one rendition", PullRun, VODRun)
		}
	}
	return ""
}

func (h *Hub) sampleNote(b Budget) string {
	if b.Samples == 0 {
		return ""
	}
	return fmt.Sprintf(", %s of it samples of other agents' broadcasts", byteCount(b.Samples))
}

// budgetLine says what agents may send and receive.
func (h *Hub) budgetLine() string {
	var own []string
	least, most := int64(0), int64(0)
	for i, a := range h.Agents {
		if i == 0 || a.Budget < least {
			least = a.Budget
		}
		most = max(most, a.Budget)
		own = append(own, fmt.Sprintf("%s %s", a.ID, byteCount(a.Budget)))
	}
	switch {
	case most == 0:
		return "no budget of bytes bounds the agents"
	case least == most:
		return fmt.Sprintf("each agent's budget is %s an hour, sent and received", byteCount(most))
	}
	return "budgets an hour, sent and received (0 is no bound): " + strings.Join(own, ", ")
}

// bitrates lists those of the broadcasts, in kbit/s.
func (h *Hub) bitrates() string {
	var rates []string
	for _, t := range h.Targets {
		if rate := strconv.Itoa(bitrateOf(t) / 1000); !slices.Contains(rates, rate) {
			rates = append(rates, rate)
		}
	}
	return strings.Join(rates, " and ")
}

func (h *Hub) goLiveNote() string {
	for _, p := range h.Probes {
		if p.Kind == prober.KindGoLive {
			return fmt.Sprintf(", a go-live up for %s", GoLiveRun)
		}
	}
	return ""
}

func count(n int, what string) string { return fmt.Sprintf("%d %s", n, plural(n, what, what+"s")) }

// byteCount writes a number of bytes in decimal units, as networks are billed.
func byteCount(n int64) string {
	units := []string{"kB", "MB", "GB", "TB"}
	value, unit := float64(n)/1000, 0
	for value >= 1000 && unit < len(units)-1 {
		value, unit = value/1000, unit+1
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}
