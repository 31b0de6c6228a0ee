package incident

import (
	"slices"
	"testing"

	"streamcanary/prober"
)

// TestDim: what little is good while the core fails makes rows and columns look red;
// those that are red in every round do fail.
func TestDim(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		good func(k int, in, out string) bool
		want []string
	}{
		{"one cell, another each time", func(k int, in, out string) bool { return in == regions[k%3] && out == regions[k/3%3] }, []string{"core"}},
		{"none, and now and then one", func(k int, in, out string) bool { return k%2 == 1 && in == regions[k/2%3] && out == "nyc" }, []string{"core"}},
		{"the same cell", func(_ int, in, out string) bool { return in == "fra" && out == "nyc" },
			[]string{"ingest-nyc", "ingest-sin", "playback-fra", "playback-sin"}},
		{"one column", func(_ int, _, out string) bool { return out == "nyc" }, []string{"playback-fra", "playback-sin"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 3, apart, nil)
			r.warm()
			r.every(40, func(k, i int) {
				r.canaries(i, nil)
				r.cells(i, prober.KindPlayback, func(in, out string) prober.Stage {
					return map[bool]prober.Stage{false: prober.StageManifest}[tt.good(k, in, out)]
				})
			})
			if got := r.failing(); !slices.Equal(got, tt.want) {
				t.Errorf("%v fail, want %v", got, tt.want)
			}
		})
	}
}
