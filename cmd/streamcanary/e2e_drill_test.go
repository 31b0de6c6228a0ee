package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestDrills breaks a real demo through the real command, one fault after the
// other, and reads what the page says of each: where, what, and nothing else.
// `make drills` plays all of them; without it, the restart of one region stands
// for the rest.
func TestDrills(t *testing.T) {
	t.Parallel()
	drills := []struct {
		fault, region string
		name          string
		components    []string
	}{
		{"restart", "fra", "in Frankfurt", []string{"Live ingest - Frankfurt ingest", "Live playback - Frankfurt playback"}},
		{"refuse-publish", "nyc", "New broadcasts cannot start in New York", []string{"Live ingest - New York ingest"}},
		{"freeze-playlist", "sin", "Playback is failing in Singapore", []string{"Live playback - Singapore playback"}},
		{"playlist-404", "fra", "Playback is failing in Frankfurt", []string{"Live playback - Frankfurt playback"}},
		{"segment-404", "nyc", "Playback is failing in New York", []string{"Live playback - New York playback"}},
		{"garbage-segments", "sin", "Playback is failing in Singapore", []string{"Live playback - Singapore playback"}},
		{"api-500", "all", "New streams cannot be created", []string{"Streams API"}},
	}
	if os.Getenv("STREAMCANARY_DRILLS") != "all" {
		drills = drills[:1]
	}
	list := streamcanary(t, "drill", "--list")
	if code := list.exit(t, e2ePatience); code != exitOK {
		t.Fatalf("drill --list: exit code %d", code)
	}
	addr := freePort(t, "127.0.0.1")
	demo := startDemo(t, addr, "--drill", "none")
	demo.wait(t, 0, "all is green", 2*time.Minute, says(`"kind":"green"`))
	for i, d := range drills {
		if !strings.Contains(list.stdout.text(), d.fault) {
			t.Errorf("drill --list does not name %s", d.fault)
		}
		drill := streamcanary(t, "drill", d.fault, "--region", d.region, "--for", "25s", "--http", addr)
		if code := drill.exit(t, 2*time.Minute); code != exitOK || !strings.Contains(drill.stdout.text(), "over after") {
			t.Fatalf("%s: exit code %d, stdout %q, stderr %q", d.fault, code, drill.stdout.text(), drill.stderr.text())
		}
		var told publicIncident
		eventually(t, d.fault+" is told and resolved", 3*time.Minute, func() error {
			all, err := incidentsOf("http://" + addr)
			if err != nil {
				return err
			}
			if len(all) != i+1 {
				return fmt.Errorf("there are %d incidents, want %d", len(all), i+1)
			}
			if told = all[0]; told.Status != "resolved" {
				return fmt.Errorf("it is %s", told.Status)
			}
			return nil
		})
		named := map[string]bool{}
		for _, u := range told.Updates {
			for _, c := range u.Affected {
				named[c.Name] = true
			}
		}
		var names []string
		for name := range named {
			names = append(names, name)
		}
		slices.Sort(names)
		if !strings.HasSuffix(told.Name, d.name) || !slices.Equal(names, d.components) {
			t.Errorf("%s in %s: %q names %v, want %q and %v", d.fault, d.region, told.Name, names, d.name, d.components)
		}
		t.Logf("%s in %s: %s", d.fault, d.region, told.Name)
	}
}
