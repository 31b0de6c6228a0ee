package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/statuspage/backtest"
	"streamcanary/statuspage/incident"
)

func replayStart() time.Time { return time.Date(2026, 4, 8, 12, 0, 0, 0, time.UTC) }

// replayOpened is an incident that began, opened and, unless that is 0, was resolved so long
// after the recording's first result.
func replayOpened(name string, began, created, resolved time.Duration) backtest.Opened {
	in := incident.Incident{
		ID: name, Name: name, Impact: incident.ImpactMajor, Components: []string{"ingest-fra"},
		StartedAt: replayStart().Add(began), CreatedAt: replayStart().Add(created), Updates: make([]incident.Update, 3),
	}
	if resolved > 0 {
		in.ResolvedAt = replayStart().Add(resolved)
	}
	return backtest.Opened{Incident: in, Began: replayStart().Add(began)}
}

// replayReports have everything that a table may show: what both open, the other one
// later; what relapses within the hold of one of them; what one of them alone opens; and
// what is open at the end.
func replayReports() map[string]backtest.Report {
	const second = time.Second
	settings := incident.DefaultSettings()
	stricter := incident.DefaultSettings()
	stricter.Quorum, stricter.Threshold, stricter.Hold = 3, incident.NatsOf(59), 20*time.Minute
	stricter.Words.Resolved = "All is well again, and we are sorry for what it was: {{.Began}}."
	stricter.Rates[prober.KindCanary] = incident.Rates{P0: .001, P1: .4, AgainP0: .05}
	present := backtest.Run{Hash: strings.Repeat("1a2b3c4d", 8), Settings: settings, Incidents: []backtest.Opened{
		replayOpened("Running broadcasts dropped in Frankfurt", 60*second, 61500*time.Millisecond, 400*second),
		replayOpened("Playback is failing in Frankfurt", 600*second, 608*second, 900*second),
		replayOpened("Playback is failing in Frankfurt", 1000*second, 1007*second, 1300*second),
		replayOpened("New broadcasts cannot start in New York", 2000*second, 2020*second, 2400*second),
		replayOpened("Playback is failing in all regions", 86000*second, 86010*second, 0),
	}}
	other := backtest.Run{Hash: strings.Repeat("5e6f7a8b", 8), Settings: stricter, Incidents: []backtest.Opened{
		replayOpened("Running broadcasts dropped in Frankfurt", 60*second, 74100*time.Millisecond, 1500*second),
		replayOpened("Playback is failing in Frankfurt", 600*second, 612*second, 2500*second),
		replayOpened("The API fails", 3000*second, 3090*second, 4300*second),
		replayOpened("Playback is failing in all regions", 86000*second, 86020*second, 0),
	}}
	a, o := present.Incidents, other.Incidents
	recording := backtest.Recording{From: replayStart(), To: replayStart().Add(24 * time.Hour), Entries: 130_000, Results: 129_600, Agents: 3}
	return map[string]backtest.Report{
		"several": {Recording: recording, Present: present, Other: other, Pairs: []backtest.Pair{
			{Present: &a[0], Other: &o[0]}, {Present: &a[1], Other: &o[1]}, {Present: &a[2], Other: &o[1], Before: &o[1]},
			{Present: &a[3]}, {Other: &o[2]}, {Present: &a[4], Other: &o[3]},
		}},
		"the_other_has_more": {Recording: recording, Present: backtest.Run{Hash: other.Hash, Settings: stricter, Incidents: o[1:2]},
			Other: backtest.Run{Hash: present.Hash, Settings: settings, Incidents: a[1:3]},
			Pairs: []backtest.Pair{{Present: &o[1], Other: &a[1]}, {Present: &o[1], Other: &a[2], Before: &o[1]}}},
		"nothing": {Recording: backtest.Recording{From: replayStart(), To: replayStart().Add(time.Minute), Results: 30, Agents: 1},
			Present: backtest.Run{Hash: present.Hash, Settings: settings}, Other: backtest.Run{Hash: present.Hash, Settings: settings}},
	}
}

// -update writes them anew.
func TestWriteReplay(t *testing.T) {
	t.Parallel()
	for name, report := range replayReports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var text, document bytes.Buffer
			if err := writeReplay(&text, "hub.new.yaml", report); err != nil {
				t.Fatal(err)
			}
			if err := writeReplayJSON(&document, report); err != nil {
				t.Fatal(err)
			}
			for file, got := range map[string]string{name + ".txt": text.String(), name + ".json": document.String()} {
				sameAsFile(t, filepath.Join("testdata", "replay", file), got)
			}
		})
	}
}

func TestBacktestWords(t *testing.T) {
	t.Parallel()
	all := replayReports()
	several := all["several"]
	unopened := several
	unopened.Other.Incidents, unopened.Pairs = nil, []backtest.Pair{{Present: &several.Present.Incidents[0]}}
	one := several
	one.Present.Incidents, one.Other.Incidents, one.Pairs = several.Present.Incidents[:1], several.Other.Incidents[:1], several.Pairs[:1]
	alone := several
	alone.Present.Incidents, alone.Other.Incidents, alone.Pairs = several.Present.Incidents[3:4], several.Other.Incidents[2:3], several.Pairs[3:5]
	for _, tt := range []struct {
		name   string
		report backtest.Report
		want   string
	}{
		{"several", several, "opened after 15.4s (not 6.5s), 4 incidents (not 5), 1 missed, 1 false"},
		{"none by both", alone, "1 incident (not 1), 1 missed, 1 false"},
		{"one each", one, "opened after 14.1s (not 1.5s), 1 incident (not 1), 0 missed, 0 false"},
		{"nothing by the other", unopened, "it would have opened nothing (not 5)"},
		{"nothing by either", all["nothing"], "it would have opened nothing (not 0)"},
	} {
		if got := backtestWords(tt.report); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
