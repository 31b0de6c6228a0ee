package alert

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/tmaxmax/go-sse"
)

// writeTimeout bounds one write to a reader of the stream, so that one who has
// gone without a word does not hold a goroutine for ever.
const writeTimeout = 10 * time.Second

// stream serves server-sent events until the reader leaves.
func (h *handler) stream(w http.ResponseWriter, r *http.Request) {
	after, err := h.start(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	s := &session{w: w, control: http.NewResponseController(w)}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	// An id without data is not an event, but sets Last-Event-ID: who loses the
	// connection before the first alert resumes here too.
	if s.send(&sse.Message{ID: eventID(after)}) != nil {
		return
	}
	heartbeat := time.NewTicker(h.Heartbeat)
	defer heartbeat.Stop()
	for {
		changed := h.Feed.Changed() // before reading: nothing falls in between
		if after, err = h.drain(r.Context(), s, after); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-changed:
		case <-heartbeat.C:
			beat := &sse.Message{}
			beat.AppendComment("still here")
			if s.send(beat) != nil {
				return
			}
		}
	}
}

// start says after which sequence a stream begins.
func (h *handler) start(r *http.Request) (int64, error) {
	for _, cursor := range []string{r.Header.Get("Last-Event-ID"), r.URL.Query().Get("after")} {
		if n, err := number(cursor, -1); err == nil && n >= 0 {
			return n, nil
		}
	}
	return h.Feed.LastEvent(r.Context())
}

// drain sends everything above after and returns where it came to. An error ends
// the stream; the reader resumes with what it has seen last.
func (h *handler) drain(ctx context.Context, s *session, after int64) (int64, error) {
	for {
		alerts, next, err := h.read(ctx, after, pageDefault)
		if err != nil {
			if ctx.Err() == nil {
				h.Logger.ErrorContext(ctx, "alerts: cannot read the feed", "err", err)
			}
			return after, err
		}
		after = next
		if len(alerts) == 0 {
			return after, nil
		}
		for _, a := range alerts {
			data, err := json.Marshal(a)
			if err != nil {
				return after, err
			}
			m := &sse.Message{ID: eventID(a.Seq), Type: sse.Type(string(a.Action))}
			m.AppendData(string(data))
			if err := s.send(m); err != nil {
				return after, err
			}
		}
	}
}

func eventID(seq int64) sse.EventID { return sse.ID(strconv.FormatInt(seq, 10)) }

// session is one reader.
type session struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (s *session) send(m *sse.Message) error {
	// A writer without deadlines (a test's recorder) is no reason not to write.
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := m.WriteTo(s.w); err != nil {
		return err
	}
	err := s.control.Flush()
	_ = s.control.SetWriteDeadline(time.Time{}) // HTTP/2 ends a stream whose deadline passes, even an idle one
	return err
}
