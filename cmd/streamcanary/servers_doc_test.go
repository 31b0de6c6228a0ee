//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const serversDocument = "deploy/servers.md"

const serversHead = `# What was measured of real servers

Servers that we did not write, each with a canary of 640x360, 30 pictures and 500 kbit/s
on loopback, pushed over RTMP and pulled back over HLS by one agent, wired as the real
one, a round a second. Segments are of 1 s (parts of 200 ms). "nginx-rtmp, two renditions
by ffmpeg" transcodes pictures and sound to 426x240 and 320x180, so that no marker comes
through. [servers_test.go](../cmd/streamcanary/servers_test.go) does this for 30 s in
` + "`make test`" + ` and for 5 minutes in ` + "`make soak-servers`" + `, which writes this file;
[servers_faults_test.go](../cmd/streamcanary/servers_faults_test.go) breaks the servers.
A finding that is not in this file fails the test.

Connect (TCP, handshake and RTMP's connect) and TTFF (from the publish to the first
frame that came back) are of one ` + "`streamcanary probe`" + ` each, all at once. Latencies
are medians, of a segment's first and last frame. Rebuffers are those of the virtual player.

`

// serverRow is what the table says of a server that is not measured anew each time.
func serverRow(s realServer) string {
	return fmt.Sprintf("| %s | `%s` | `%s` |", s.name, s.proof, s.latency)
}

func (m measured) row(s realServer) string {
	findings := "none"
	if len(m.findings) > 0 {
		findings = strings.Join(m.findings, ", ")
	}
	return fmt.Sprintf("%s %d | %.1f ms | %.2f s | %.2f s | %.2f s | %d | %s |", serverRow(s), m.rounds, m.connect, m.ttff,
		median(m.first).Seconds(), median(m.last).Seconds(), m.rebuffers, findings)
}

func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(all))[len(all)/2]
}

// writeServers writes what was measured.
func writeServers(t *testing.T, all []realServer, seen []measured, length time.Duration, starved bool) {
	t.Helper()
	var b strings.Builder
	b.WriteString(serversHead)
	fmt.Fprintf(&b, "Measured on %s for %v with `make soak-servers`. ", time.Now().UTC().Format(time.DateOnly), length)
	if starved {
		b.WriteString("The machine was busy with other work: its programs waited for a\nprocessor more than a quarter of the time, which latencies and rebuffers show.\n")
	} else {
		b.WriteString("The machine kept up.\n")
	}
	b.WriteString("\n| Server | Proof | Latency by | Pulls | Connect | TTFF | Latency, first | Latency, last | Rebuffers | Findings |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for i, s := range all {
		b.WriteString(seen[i].row(s) + "\n")
	}
	b.WriteString(serversNotes(all))
	if err := os.WriteFile(filepath.Join(repository, serversDocument), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// serversNotes explains the findings.
func serversNotes(all []realServer) string {
	var b strings.Builder
	b.WriteString("\n## Findings\n\nWhat these servers do break, by rfc8216bis: as notes, and in more than that only\nuntil a broadcast is proven for the first time:\n\n")
	for _, s := range all {
		for _, e := range s.known {
			fmt.Fprintf(&b, "- %s: `%s` (%s): %s\n", s.name, e.rule, e.section, e.why)
		}
	}
	b.WriteString("\nWhat any of them has where the machine has too few processors (\"starved\"), and\nwhat is counted against it elsewhere:\n\n")
	for _, e := range starving() {
		fmt.Fprintf(&b, "- `%s` (%s): %s\n", e.rule, e.section, e.why)
	}
	return b.String()
}

// TestServersAreDocumented holds the document against the table, but for the figures.
func TestServersAreDocumented(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join(repository, serversDocument))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	all := realServers()
	for _, part := range []string{serversHead, serversNotes(all)} {
		if !strings.Contains(text, part) {
			t.Errorf("%s does not hold what make soak-servers writes:\n%s", serversDocument, part)
		}
	}
	for _, s := range all {
		if !strings.Contains(text, "\n"+serverRow(s)) {
			t.Errorf("%s has no row %s", serversDocument, serverRow(s))
		}
	}
}
