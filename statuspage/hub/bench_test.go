package hub_test

import (
	"testing"
	"time"

	"streamcanary/prober/report"
	"streamcanary/statuspage/hub"
)

// BenchmarkTake takes in full batches of results of three agents: engine, state,
// a synced commit and the view for the page. Real batches are small; a full one
// means that the hub catches up.
func BenchmarkTake(b *testing.B) {
	for name, size := range map[string]int{"256results": report.BatchSize, "4results": 4} {
		b.Run(name, func(b *testing.B) {
			h, batches := benchHub(b, size)
			b.ReportAllocs()
			for b.Loop() {
				if err := h.Take(b.Context(), batches()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "results/s")
			b.ReportMetric(float64(h.StateSize(b)), "bytes/state")
		})
	}
}

func benchHub(b *testing.B, size int) (*hub.Hub, func() []report.Entry) {
	b.Helper()
	cfg, err := plan{Data: b.TempDir(), NATS: "127.0.0.1:0", Settings: settings()}.config(nil)
	if err != nil {
		b.Fatal(err)
	}
	h, err := hub.Open(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(h.Close)
	seqs := make([]uint64, len(regions))
	at, entry, agent := time.Now(), uint64(0), 0
	var left []report.Entry
	return h, func() []report.Entry {
		for len(left) < size {
			for _, r := range turn(regions[agent], &seqs[agent], false) {
				entry++
				at = at.Add(20 * time.Millisecond)
				left = append(left, report.Entry{Seq: entry, At: at, Kind: report.KindResult, Agent: r.Agent, Result: &r})
			}
			agent = (agent + 1) % len(regions)
		}
		batch := left[:size:size]
		left = append([]report.Entry(nil), left[size:]...)
		return batch
	}
}
