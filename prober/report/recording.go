package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// RecordingVersion is the version of a recording's lines.
const RecordingVersion = 1

// MaxRecordedLine bounds a line of a recording, in bytes.
const MaxRecordedLine = 2 * maxEntrySize

// recorded is an entry of the journal as a line of a recording.
type recorded struct {
	Version int             `json:"version"`
	Seq     uint64          `json:"seq"`
	At      time.Time       `json:"at"` // RFC 3339, UTC, the journal's clock
	Kind    Kind            `json:"kind"`
	Result  json.RawMessage `json:"result,omitempty"` // in the wire form
	Payload json.RawMessage `json:"payload,omitempty"`
}

// EncodeEntry writes an entry as a line of a recording, without the line's end. An
// entry that could not be read is none.
func EncodeEntry(e Entry) ([]byte, error) {
	line := recorded{Version: RecordingVersion, Seq: e.Seq, At: e.At.UTC(), Kind: e.Kind, Payload: e.Payload}
	var err error
	switch {
	case e.Err != "":
		return nil, fmt.Errorf("entry %d of the journal: %s", e.Seq, e.Err)
	case e.Result != nil:
		line.Result, err = Encode(*e.Result)
	case len(e.Payload) > 0 && !json.Valid(e.Payload):
		err = errors.New("its payload is not JSON")
	}
	if err != nil {
		return nil, fmt.Errorf("entry %d of the journal: %w", e.Seq, err)
	}
	return json.Marshal(line)
}

// DecodeEntry reads what EncodeEntry writes.
func DecodeEntry(b []byte) (Entry, error) {
	var line recorded
	if err := json.Unmarshal(b, &line); err != nil {
		return Entry{}, fmt.Errorf("not an entry of a journal: %w", err)
	}
	if line.Version != RecordingVersion {
		return Entry{}, fmt.Errorf("version %d of a recorded entry is not known, only %d; use the version of streamcanary that wrote it", line.Version, RecordingVersion)
	}
	if line.At.IsZero() || line.At.Year() < 2000 || line.At.Year() > 9999 {
		return Entry{}, fmt.Errorf("entry %d: at: missing, or in no year that a journal was written in", line.Seq)
	}
	e := Entry{Seq: line.Seq, At: line.At.UTC(), Kind: line.Kind, Payload: line.Payload}
	switch line.Kind {
	case KindResult:
		r, err := Decode(line.Result)
		if err != nil {
			return Entry{}, fmt.Errorf("entry %d: %w", line.Seq, err)
		}
		e.Result, e.Agent = &r, r.Agent
	case KindTick, KindChange, KindConfig, KindCommand:
	default:
		return Entry{}, fmt.Errorf("entry %d: kind %s is not known", line.Seq, quote(line.Kind))
	}
	return e, nil
}

// Recorded hands over the entries from a time on that the journal has now, in
// order, until one is not before until, and then ends. The zero time is no bound.
func (j *Journal) Recorded(ctx context.Context, since, until time.Time, do func([]Entry) error) error {
	tail, err := j.Tail(ctx)
	if err != nil {
		return err
	}
	from := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverAllPolicy}
	if !since.IsZero() {
		from.DeliverPolicy, from.OptStartTime = jetstream.DeliverByStartTimePolicy, &since
	}
	consumer, err := j.stream.OrderedConsumer(ctx, from)
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	if info, err := consumer.Info(ctx); err != nil || info.NumPending == 0 {
		return err
	}
	messages, err := consumer.Messages()
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	err = j.deliver(ctx, messages, func(batch []Entry) error {
		last := false
		for i, e := range batch {
			if e.Seq > tail.Seq || !until.IsZero() && !e.At.Before(until) {
				batch, last = batch[:i], true
				break
			}
		}
		last = last || batch[len(batch)-1].Seq >= tail.Seq
		if len(batch) > 0 {
			if err := do(batch); err != nil {
				return err
			}
		}
		if last {
			return errRecorded
		}
		return nil
	})
	if errors.Is(err, errRecorded) {
		return nil
	}
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// errRecorded ends a reading at its bound.
var errRecorded = errors.New("all was read")
