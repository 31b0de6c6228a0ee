package incident

import (
	"slices"
	"testing"
	"time"

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

// Beside what is red always, half of the rest is the core's, not that of rows and columns.
func TestHalfBesideAPlayback(t *testing.T) {
	t.Parallel()
	for i, fault := range []simFault{{play: some(2), thin: .5}, {dead: some(2), thin: .6}} {
		var f faultFigures
		row := faultRow{name: "half beside a playback", setup: standard(3), lasts: 4 * time.Minute, fault: fault, want: []string{"core", "playback-r2"}, at: 30}
		row.run(t, uint64(i+1), &f)
		row.hold(t, f)
	}
}

// What a site that is not heard has seen of the core explains nothing by chance.
func TestForgetForgetsRounds(t *testing.T) {
	t.Parallel()
	site := siteSum{W: 1, V: 1, Failing: true, Dim: &dim{Cells: map[string]uint8{"fra nyc": 1}}, Strays: []string{"fra nyc"}}
	site.forget()
	if site.Dim != nil || site.Strays != nil || site.Failing || site.Goods < goodsAgain {
		t.Errorf("left is %+v", site)
	}
}
