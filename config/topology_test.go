package config

import "testing"

// Agents show a region's name; the engine knows a region by its id.
func TestRegions(t *testing.T) {
	t.Parallel()
	f, err := parseTest(t, "testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	probed, decided := f.Hub.Targets[0], f.Hub.Topology.Targets[0]
	for _, tt := range []struct{ what, got, want string }{
		{"ingest to agents", probed.Ingests[0].Region, "Frankfurt"},
		{"playback to agents", probed.Playbacks[0].Region, "Frankfurt"},
		{"ingest to the engine", decided.Ingests[0].Region, "fra"},
		{"playback to the engine", decided.Playbacks[0].Region, "fra"},
		{"region's id", decided.Regions[0].ID, "fra"},
		{"region's name", decided.Regions[0].Name, "Frankfurt"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.what, tt.got, tt.want)
		}
	}
}
