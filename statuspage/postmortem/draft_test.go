package postmortem_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/statuspage/incident"
	"streamcanary/statuspage/postmortem"
)

var update = flag.Bool("update", false, "write the golden files anew")

func topology() incident.Topology {
	play := prober.Element{Target: "live", Type: prober.ElementPlayback, ID: "fra"}
	return incident.Topology{
		Targets: []incident.Target{{
			ID: "live", Name: "Live", Regions: []incident.Region{{ID: "fra", Name: "Frankfurt"}, {ID: "nyc", Name: "New York"}},
			Playbacks: []incident.Endpoint{{ID: "fra", Region: "fra"}, {ID: "nyc", Region: "nyc"}},
		}},
		Components: []incident.Component{
			{ID: "playback-fra", Name: "Playback - Frankfurt", Publish: incident.PublishAuto, Elements: []prober.Element{play}},
			{ID: "inner", Name: "Secret room", Publish: incident.PublishInternal, Elements: []prober.Element{play}},
		},
	}
}

func outage() incident.Incident {
	at := func(s int) time.Time {
		return time.Date(2026, 11, 22, 6, 40, 0, 0, time.UTC).Add(time.Duration(s) * time.Second)
	}
	moved := func(from, to incident.Status) []incident.AffectedComponent {
		return []incident.AffectedComponent{{Component: "playback-fra", Old: from, New: to}, {Component: "inner", Old: from, New: to}}
	}
	return incident.Incident{
		ID: "n4inc0000001", Name: "Playback is failing in Frankfurt", Target: "live", Phase: incident.Resolved, Impact: incident.ImpactMajor,
		StartedAt: at(0), CreatedAt: at(8), ResolvedAt: at(608), Public: true, Components: []string{"playback-fra", "inner"},
		Updates: []incident.Update{
			{Phase: incident.Investigating, At: at(8), Body: "Playback is failing in Frankfurt.\n<b>Not bold</b>.", Affected: moved(incident.Operational, incident.MajorOutage)},
			{Phase: incident.Monitoring, At: at(308), Body: "Working again.", Affected: moved(incident.MajorOutage, incident.Operational)},
			{Phase: incident.Resolved, At: at(608), Body: "This incident is resolved."},
		},
		Failures: []incident.Failure{{
			Element: prober.Element{Target: "live", Type: prober.ElementPlayback, ID: "fra"}, Kind: prober.KindPlayback,
			FirstFailed: at(0), OpenedAt: at(7), RecoveredAt: at(307), LastFailed: at(300),
			Evidence: []incident.Evidence{{Site: "site-nyc", Agent: "agent-nyc", Stage: prober.StageManifest, Reason: prober.ReasonConnectionRefused}},
		}},
		Changes: []incident.Related{{
			Change: incident.Change{ID: "deploy-42", At: at(-300), Summary: "media server 4.2"}, Scope: incident.ScopeRegion,
			Lead: 5 * time.Minute, Similar: 3, Over: 72 * time.Hour,
		}},
		Cause: incident.Cause{Place: incident.PlacePlayback, Words: "playback fra"},
		Audit: []incident.Audited{{At: at(100), Who: "ann", Action: incident.ActionImpact, Before: "minor", After: "major", Note: "tickets\ncome in"}},
	}
}

// TestLongDraft: of whatever an incident has, the draft without its internal part can
// be published, with as much again of people's: it has how it began and how it ended.
func TestLongDraft(t *testing.T) {
	t.Parallel()
	for name, long := range map[string]string{"short messages": "x", "long messages": strings.Repeat("*", incident.MaxMessage)} {
		in, top := outage(), topology()
		in.Name = strings.Repeat("_", incident.MaxName)
		last := in.Updates[len(in.Updates)-1]
		for n := range 500 {
			in.Updates = append(in.Updates, incident.Update{Phase: incident.Monitoring, At: last.At.Add(time.Duration(n-500) * time.Second), Body: long})
			c := incident.Component{ID: fmt.Sprintf("c%d", n), Name: strings.Repeat("n", 100), Publish: incident.PublishAuto, Elements: top.Components[0].Elements}
			top.Components = append(top.Components, c)
			in.Components = append(in.Components, c.ID)
		}
		got := postmortem.Draft(top, in)
		public, _, _ := strings.Cut(got, incident.InternalBegin)
		if room := incident.MaxPostmortem - len(public); room < incident.MaxPostmortem/3 {
			t.Errorf("%s: the public part has %d bytes", name, len(public))
		}
		for _, want := range []string{"The first test fails.", "**resolved**: This incident is resolved.", "more messages, which stand among", "and 4", "## What will be done"} {
			if !strings.Contains(public, want) {
				t.Errorf("%s: no %q in\n%s", name, want, public)
			}
		}
		if n := strings.Count(public, "\n"); name == "short messages" && n < 200 {
			t.Errorf("%s: %d lines are left", name, n)
		}
	}
}

func TestDraft(t *testing.T) {
	t.Parallel()
	byHand := outage()
	byHand.Failures, byHand.Changes, byHand.OpenedBy, byHand.Audit = nil, nil, "ann", nil
	byHand.Cause = incident.Cause{}
	none := outage()
	none.FalseAlarm = true
	reopened := outage()
	reopened.Withdrawn = "# It was ann's change\n\nSo it seemed."
	for name, in := range map[string]incident.Incident{"outage": outage(), "by_hand": byHand, "false_alarm": none, "reopened": reopened} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := postmortem.Draft(topology(), in)
			path := filepath.Join("testdata", name+".md")
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s differs (-update writes it anew):\n%s", path, got)
			}
			public, _, marked := strings.Cut(got, incident.InternalBegin)
			if !marked || !strings.HasSuffix(got, incident.InternalEnd+"\n") {
				t.Error("what is internal is not marked")
			}
			for _, secret := range []string{"media server", "site-nyc", "agent-nyc", "ann", "tickets", "Secret room", "live/playback"} {
				if strings.Contains(public, secret) {
					t.Errorf("the public part has %q", secret)
				}
			}
		})
	}
}
