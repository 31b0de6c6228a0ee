package report

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"streamcanary/prober"
)

// BatchSize is the most entries that Read hands over at once.
const BatchSize = 256

const stopTimeout = 2 * time.Second

// Cursor is a place in a journal: of the last entry that was taken. The zero
// cursor is before the first entry of any stream.
type Cursor struct {
	Stream string // the stream's identity
	Seq    uint64
}

// Errors of Read that somebody has to decide about.
var (
	ErrOtherStream = errors.New("the cursor is of another stream")
	ErrAhead       = errors.New("the cursor is ahead of the stream")
)

// Entry is one entry of the journal. An entry that cannot be read has Err and is
// handed over all the same: the journal goes on behind it.
type Entry struct {
	Seq     uint64
	At      time.Time // the stream's clock when it took the entry, UTC
	Kind    Kind      // "" with Err: a subject that this version does not know
	Agent   string    // of a result, from its subject, which the agent cannot choose
	Result  *prober.Result
	Payload []byte // of a change, config or command
	Err     string
}

// Read hands over the entries behind a cursor in order, and then those that come,
// until ctx ends (nil), do fails (its error) or the connection is closed for
// good. A connection that is lost and comes back is no end. A batch is whatever
// is waiting, at least 1 and at most BatchSize: none is held back for another.
// It belongs to do.
//
// A result comes twice if its agent had no acknowledgement and sent it again
// after the duplicates window: then boot and sequence are the same.
func (j *Journal) Read(ctx context.Context, from Cursor, do func([]Entry) error) error {
	start, err := j.start(ctx, from)
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	consumer, err := j.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:   start,
	})
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	return j.deliver(ctx, messages, do)
}

func (j *Journal) start(ctx context.Context, from Cursor) (uint64, error) {
	if from == (Cursor{}) {
		return 1, nil
	}
	if from.Stream != j.identity {
		return 0, fmt.Errorf("%w: it has %q, the stream is %q; the journal was made anew, or the state is of another installation", ErrOtherStream, from.Stream, j.identity)
	}
	tail, err := j.Tail(ctx)
	if err != nil {
		return 0, err
	}
	if from.Seq > tail.Seq {
		return 0, fmt.Errorf("%w: it has %d, the stream ends at %d; the journal is older than the state", ErrAhead, from.Seq, tail.Seq)
	}
	return from.Seq + 1, nil
}

// deliver batches what one goroutine takes from messages. (Consume, with its
// callbacks, can have two goroutines deliver at once around a reset.)
func (j *Journal) deliver(ctx context.Context, messages jetstream.MessagesContext, do func([]Entry) error) error {
	ctx, cancel := context.WithCancel(ctx)
	entries := make(chan Entry, 2*BatchSize)
	stopped := make(chan error, 1)
	go func() {
		defer close(entries)
		stopped <- j.take(ctx, messages, entries)
	}()
	defer func() {
		cancel()
		go messages.Stop()
		// While the consumer is being made anew on a lost connection, Stop and
		// Next hang for some seconds: no reason to hold the caller.
		limit := time.NewTimer(stopTimeout)
		defer limit.Stop()
		for {
			select {
			case _, open := <-entries:
				if !open {
					return
				}
			case <-limit.C:
				return
			}
		}
	}()
	for {
		batch := waiting(ctx, entries)
		if ctx.Err() != nil {
			return nil
		}
		if len(batch) == 0 {
			return <-stopped
		}
		if err := do(batch); err != nil {
			return err
		}
	}
}

// take moves messages to entries until ctx ends (nil) or there will be no more.
func (j *Journal) take(ctx context.Context, messages jetstream.MessagesContext, entries chan<- Entry) error {
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if ctx.Err() != nil {
			return nil //nolint:nilerr // whatever err is, it only says that ctx ended
		}
		if err != nil {
			return fmt.Errorf("read journal: %w", err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("read journal: %w", err)
		}
		select {
		case entries <- j.entry(m, meta):
		case <-ctx.Done():
			return nil
		}
	}
}

// waiting waits for an entry and takes what has come meanwhile; it is empty when
// ctx or entries end first.
func waiting(ctx context.Context, entries <-chan Entry) []Entry {
	var batch []Entry
	select {
	case <-ctx.Done():
		return nil
	case e, open := <-entries:
		if !open {
			return nil
		}
		batch = append(batch, e)
	}
	for len(batch) < BatchSize {
		select {
		case e, open := <-entries:
			if !open {
				return batch
			}
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}

// entry reads m. Only the hub writes the kinds of its own: it has put into their
// message ids what no agent knows, see publish.
func (j *Journal) entry(m jetstream.Msg, meta *jetstream.MsgMetadata) Entry {
	e := Entry{Seq: meta.Sequence.Stream, At: meta.Timestamp.UTC()}
	e.Kind, e.Agent = parseSubject(m.Subject())
	if e.Kind != "" && e.Kind != KindResult && !strings.HasPrefix(m.Headers().Get(nats.MsgIdHdr), j.messageID(m.Subject(), "")) {
		e.Err = fmt.Sprintf("a %s that was not written by the hub: its message id does not name the stream's identity", e.Kind)
		return e
	}
	switch e.Kind {
	case KindResult:
		r, err := Decode(m.Data())
		switch {
		case err != nil:
			e.Err = err.Error()
		case r.Agent != e.Agent:
			e.Err = fmt.Sprintf("agent %s sent a result in the name of agent %q", e.Agent, r.Agent)
		default:
			e.Result = &r
		}
	case KindChange, KindConfig, KindCommand:
		e.Payload = m.Data()
	case KindTick:
	default:
		e.Err = fmt.Sprintf("subject %s is not known to this version", quote(m.Subject()))
	}
	return e
}
