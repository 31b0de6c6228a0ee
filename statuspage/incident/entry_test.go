package incident

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// FuzzDecodeEntered: what stands in the journal as a command may be anything, and
// is refused, or carried out, and never more.
func FuzzDecodeEntered(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `{"command":{},"maintenance":{}}`,
		`{"command":{"id":"c1","who":"anna","action":"open","name":"x","message":"y","components":{"playback-fra":"major_outage"}}}`,
		`{"command":{"id":"c2","who":"anna","action":"reopen","incident":"n1","resolved":{"id":"n1","resolved_at":"2026-01-01T00:00:00Z","updates":[{"body":"x"}],"failures":[{"kind":"canary"}]}}}`,
		`{"command":{"id":"c3","who":"anna","action":"false_alarm","incident":"n1","resolved":{"id":"n1","resolved_at":"2026-01-01T00:00:00Z","updates":[{"body":"x"}]}}}`,
		`{"command":{"id":"c4","who":"anna","action":"maintenance_add","window":{"name":"x","regions":["fra"],"starts_at":"2026-01-01T00:00:00Z","ends_at":"2026-01-01T13:00:00Z"}}}`,
		`{"maintenance":{"edge":"announced","window":{"id":"m","name":"x","components":["api"],"starts_at":"2026-01-01T00:00:00Z","ends_at":"2026-01-01T13:00:00Z"}}}`,
		`{"maintenance":{"edge":"began","window":{"id":"m"}}}`,
	} {
		f.Add([]byte(seed))
	}
	p, err := NewPolicy(DefaultSettings(), topology())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		e, err := DecodeEntered(payload)
		if err != nil {
			return
		}
		s, at := NewState(), time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
		for i := range uint64(3) {
			var events []Event
			s, events = p.Step(s, Input{Seq: 2*i + 1, At: at.Add(time.Duration(i) * time.Minute), Command: e.Command, Maintenance: e.Maintenance})
			for _, event := range events {
				if _, err := json.Marshal(event); err != nil {
					t.Fatal(err)
				}
			}
			s, _ = p.Step(s, Input{Seq: 2*i + 2, At: at.Add(time.Duration(i)*time.Minute + time.Second)})
			_ = p.View(s)
		}
		b, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeState(b); err != nil {
			t.Fatal(err)
		}
	})
}

func TestDecodeEntered(t *testing.T) {
	t.Parallel()
	for payload, want := range map[string]string{
		`{}`:                               "neither",
		`{"command":{},"maintenance":{}}`:  "neither",
		`[`:                                "unexpected end",
		`{"command":{"action":"resolve"}}`: "",
		`{"maintenance":{"edge":"began"}}`: "",
	} {
		_, err := DecodeEntered([]byte(payload))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", payload, err, want)
		}
	}
}
