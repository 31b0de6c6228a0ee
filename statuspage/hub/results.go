package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"streamcanary/prober/report"
	"streamcanary/statuspage/backtest"
)

// exportBatch bounds how long a reader may take for a batch of a recording.
const exportBatch = 30 * time.Second

// getResults gives what the journal has as a recording: JSON lines, the first of
// which has the policy. since and until are RFC 3339; without them all is given.
// A recording that ends without its last line's end was cut short.
func (h *Hub) getResults(w http.ResponseWriter, r *http.Request) {
	since, err := timeParameter(r, "since")
	until, err2 := timeParameter(r, "until")
	if err := errors.Join(err, err2); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	header, err := json.Marshal(backtest.Header{Version: backtest.Version, Exported: time.Now().UTC(), Policy: h.policy.Content()})
	if err != nil {
		http.Error(w, "the policy cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	write := func(line []byte) error {
		_, err := w.Write(append(line, '\n'))
		return err
	}
	if err := write(header); err != nil {
		return // the client went away
	}
	passed := 0
	err = h.journal.Recorded(r.Context(), since, until, func(batch []report.Entry) error {
		if err := control.SetWriteDeadline(time.Now().Add(exportBatch)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		for _, e := range batch {
			line, err := report.EncodeEntry(e)
			if err != nil {
				passed++ // nobody could weigh it then, and nobody can now
				continue
			}
			if err := write(line); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && r.Context().Err() == nil {
		h.log.Error("a recording was cut short", "error", err)
		panic(http.ErrAbortHandler) // the client must see that it is not whole
	}
	if passed > 0 {
		h.log.Warn("entries of the journal that cannot be read are not in a recording", "entries", passed)
	}
}

func timeParameter(r *http.Request, name string) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s is no time as of RFC 3339, such as 2026-04-08T12:00:00Z", name)
	}
	return at, nil
}
