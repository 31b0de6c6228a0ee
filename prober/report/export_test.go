package report

import (
	"fmt"
	"streamcanary/prober"
	"testing"
)

// LimitPages lets the outbox's file grow no more, as a full disk does, until the
// returned function lifts that.
func (o *Outbox) LimitPages(tb testing.TB) (set func(limited bool)) {
	tb.Helper()
	var pages int
	if err := o.db.QueryRowContext(tb.Context(), "PRAGMA page_count").Scan(&pages); err != nil {
		tb.Fatal(err)
	}
	set = func(limited bool) {
		most := 1 << 30
		if limited {
			most = pages + 1
		}
		if _, err := o.db.ExecContext(tb.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", most)); err != nil {
			tb.Fatal(err)
		}
	}
	set(true)
	return set
}

// DecodeBroadcasts and EncodeBroadcasts are of what agents tell each other.
func DecodeBroadcasts(b []byte) (prober.Broadcasts, error) { return decodeBroadcasts(b) }
func EncodeBroadcasts(b prober.Broadcasts) ([]byte, error) { return encodeBroadcasts(b) }
