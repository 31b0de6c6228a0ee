package hub

import (
	"context"
	"testing"

	"streamcanary/prober/report"
)

// Journal is for tests that read it, or write what no agent could.
func (h *Hub) Journal() *report.Journal { return h.journal }

// Folded is the journal's newest entry that was taken in.
func (h *Hub) Folded() uint64 { return h.folded.Load() }

// Take takes in a batch that never was in the journal.
func (h *Hub) Take(ctx context.Context, batch []report.Entry) error { return h.take(ctx, batch) }

// StateSize is the size of the engine's state in the store.
func (h *Hub) StateSize(tb testing.TB) int {
	tb.Helper()
	b, err := h.state.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return len(b)
}
