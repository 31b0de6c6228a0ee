package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"streamcanary/prober/origin"
)

var update = flag.Bool("update", false, "write the golden files anew")

const faultsDocument = "deploy/faults.md"

const faultsHead = `# What the prober sees of each fault

The origin of the demo, the drills and the tests ([prober/origin](../prober/origin))
can be broken in these ways, and heals from each. One agent, wired as the real one,
saw every fault named as it stands here and within the time that stands here, and saw
all well when it had healed: [fault_table_test.go](../cmd/streamcanary/fault_table_test.go)
runs the whole table, with segments of 1 s, rounds of 1 s, small
broadcasts (as controls push), and the default settings, but for what "With" says. This file is made from that test's table.
Times are bounds, which a busy machine keeps; most faults were seen in half of them.

"As" is a result's outcome; a finding stands beside a result that may well pass. The
kinds of probe that are not up all the time (golive, recording) were started with the
fault; how often they are is their schedule's to say. Black, frozen and silent take
ffmpeg to be seen. What an incident is made of, and what each reason means, is in the [README](../README.md).
`

// TestFaultsAreDocumented holds the document against the table, and the table
// against the faults there are.
func TestFaultsAreDocumented(t *testing.T) {
	t.Parallel()
	rows := faultTable()
	for _, r := range rows {
		at := slices.IndexFunc(origin.Faults(), func(f origin.FaultInfo) bool { return f.Name == r.fault })
		if at < 0 {
			t.Errorf("the table has a fault %s that there is not", r.fault)
			continue
		}
		if needs := origin.Faults()[at].Needs; (needs != "") != (r.setup != nil) {
			t.Errorf("the fault %s needs %q of an origin, and the table gives it one of its own: %v", r.fault, needs, r.setup != nil)
		}
	}
	var b strings.Builder
	b.WriteString(faultsHead)
	var at origin.Where
	for _, f := range origin.Faults() {
		if f.At != at {
			at = f.At
			fmt.Fprintf(&b, "\n## At the %s\n\n| Fault | What it does | With | Seen by | Stage | Reason | As | Within |\n|---|---|---|---|---|---|---|---|\n", whereWords[at])
		}
		mine := slices.DeleteFunc(slices.Clone(rows), func(r faultRow) bool { return r.fault != f.Name })
		if len(mine) == 0 {
			t.Errorf("nobody is expected to see the fault %s", f.Name)
		}
		for _, r := range mine {
			reason := "`" + string(r.reason) + "`"
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s | %s |\n", f.Name, f.Help, r.settings(string(f.Needs)), r.kind, r.stage, reason, r.as(), r.within)
		}
	}
	path := filepath.Join(repository, faultsDocument)
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Errorf("%s is not what the table says; write it anew with go test ./cmd/streamcanary -run %s -update", faultsDocument, t.Name())
	}
}

var whereWords = map[origin.Where]string{
	origin.AtIngest: "ingest", origin.AtPlaylist: "playlists", origin.AtSegment: "segments",
	origin.AtMedia: "media", origin.AtRecording: "recordings", origin.AtAPI: "streams API",
}

// as is how the row's result or finding counts.
func (r faultRow) as() string {
	if r.outcome != "" {
		return string(r.outcome)
	}
	return "finding: " + string(r.finding)
}

// settings are what the origin, the broadcast or the target of a row has that others
// have not.
func (r faultRow) settings(needs string) string {
	var all []string
	if needs != "" {
		all = append(all, needs)
	}
	if r.full {
		all = append(all, "a broadcast of 4 Mbit/s")
	}
	if r.pushes > 1 {
		all = append(all, fmt.Sprintf("%d broadcasts", r.pushes))
	}
	if r.latency > 0 {
		all = append(all, fmt.Sprintf("`max_latency: %s`", r.latency))
	}
	if r.parts {
		all = append(all, "`low_latency: true`")
	}
	if r.decodes {
		all = append(all, "ffmpeg")
	}
	return strings.Join(all, ", ")
}
