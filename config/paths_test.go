package config

import (
	"os"
	"path/filepath"
	"testing"
)

// Relative paths count from the file's own folder, not from wherever the
// command happens to be run.
func TestRelativePaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good, err := os.ReadFile("testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ data, want string }{
		{"", "/var/lib/streamcanary"},
		{"data: kept\n", filepath.Join(dir, "kept")},
		{"data: ../kept\n", filepath.Join(filepath.Dir(dir), "kept")},
		{"data: /srv/kept\n", "/srv/kept"},
	} {
		hub, err := parse(filepath.Join(dir, "hub.yaml"), append([]byte(tt.data), good...), around())
		if err != nil {
			t.Fatal(err)
		}
		if hub.Hub.Data != tt.want {
			t.Errorf("%q: the hub's data are in %q, want %q", tt.data, hub.Hub.Data, tt.want)
		}
		agent, err := parse(filepath.Join(dir, "agent.yaml"), []byte(tt.data+"hub: tls://h:1\nid: a\nkey: 0123456789abcdef-key\n"), around())
		if err != nil {
			t.Fatal(err)
		}
		if tt.data != "" && agent.Agent.Data != tt.want {
			t.Errorf("%q: the agent's data are in %q, want %q", tt.data, agent.Agent.Data, tt.want)
		}
	}
}
