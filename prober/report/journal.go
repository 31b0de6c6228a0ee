package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Bounds of a journal, unless configured.
const (
	DefaultJournalAge   = 14 * 24 * time.Hour
	DefaultJournalBytes = 4 << 30 // or half of the room on the disk, when that is less
	MinJournalBytes     = 16 << 20
	DefaultDuplicates   = 30 * time.Minute
	maxEntrySize        = 512 << 10
)

const identityKey = "streamcanary_identity" // in the stream's metadata

// JournalConfig bounds a journal. Zero values have the stated defaults.
type JournalConfig struct {
	MaxAge     time.Duration // entries older than that go; default DefaultJournalAge
	MaxBytes   int64         // the oldest entries go; default DefaultJournalBytes, with Disk at most half of its room
	Disk       *Disk         // that the server stores on; nil is unknown, as on other machines
	Duplicates time.Duration // how long a message id is known; default DefaultDuplicates
	Replicas   int           // default 1; 3 on a cluster
	Logger     *slog.Logger  // default: nowhere
}

// Journal is the hub's end: the one ordered stream of results, ticks, changes,
// commands and configuration, and the orders to the agents.
type Journal struct {
	nc          *nats.Conn
	js          jetstream.JetStream
	stream      jetstream.Stream
	assignments jetstream.KeyValue
	identity    string
	disk        *Disk
	log         *slog.Logger
}

// OpenJournal makes the stream and the bucket of assignments, or takes those
// that are there and gives them cfg's bounds. The error names the disk when that
// is too small.
func OpenJournal(ctx context.Context, nc *nats.Conn, cfg JournalConfig) (*Journal, error) {
	j := &Journal{nc: nc, log: cfg.Logger, disk: cfg.Disk}
	if j.log == nil {
		j.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if j.js, err = jetstream.New(nc); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := j.openStream(ctx, cfg); err != nil {
		return nil, fmt.Errorf("journal: stream %s: %w", StreamName, err)
	}
	j.assignments, err = j.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket:       AssignmentBucket,
		Description:  "streamcanary: what each agent has to do",
		History:      1,
		MaxValueSize: maxAssignmentSize,
		Storage:      jetstream.FileStorage,
		Replicas:     cmp.Or(cfg.Replicas, 1),
	})
	if err != nil {
		return nil, fmt.Errorf("journal: bucket %s: %w", AssignmentBucket, j.explain(err, MinJournalBytes))
	}
	return j, nil
}

// openStream keeps the identity of a stream that is there. Retention is by
// limits: an interest or work-queue stream forgets acknowledged message ids at
// a restart.
func (j *Journal) openStream(ctx context.Context, cfg JournalConfig) error {
	identity := newID()
	var info *jetstream.StreamInfo
	old, err := j.js.Stream(ctx, StreamName)
	switch {
	case err == nil:
		info = old.CachedInfo()
		if identity = info.Config.Metadata[identityKey]; identity == "" {
			return errors.New("it exists, but streamcanary did not make it; remove or rename it")
		}
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return err
	}
	size, err := j.size(cfg, info)
	if err != nil {
		return err
	}
	j.stream, err = j.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:        StreamName,
		Description: "streamcanary: the journal",
		Subjects:    []string{subjectResults + "*", subjectTick, subjectChange, subjectConfig, subjectCommand},
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardOld,
		Storage:     jetstream.FileStorage,
		MaxAge:      cmp.Or(cfg.MaxAge, DefaultJournalAge),
		MaxBytes:    size,
		MaxMsgSize:  maxEntrySize,
		Duplicates:  cmp.Or(cfg.Duplicates, DefaultDuplicates),
		Replicas:    cmp.Or(cfg.Replicas, 1),
		DenyDelete:  true, // history is not edited
		Metadata:    map[string]string{identityKey: identity},
	})
	if err != nil {
		return j.explain(err, size)
	}
	j.identity = j.stream.CachedInfo().Config.Metadata[identityKey]
	return nil
}

// Identity is the stream's: random, made with it. A stream that is made anew has
// another, and starts its sequences again.
func (j *Journal) Identity() string { return j.identity }

// Tail is the cursor of the newest entry.
func (j *Journal) Tail(ctx context.Context) (Cursor, error) {
	info, err := j.stream.Info(ctx)
	if err != nil {
		return Cursor{}, fmt.Errorf("journal: %w", err)
	}
	return Cursor{Stream: j.identity, Seq: info.State.LastSeq}, nil
}

// Tick writes a tick that is due at the given time. Two hubs that write the same
// tick make one entry.
func (j *Journal) Tick(ctx context.Context, due time.Time) (seq uint64, err error) {
	return j.publish(ctx, subjectTick, strconv.FormatInt(due.UnixNano(), 10), nil)
}

// Change writes a change. An id that was written within the duplicates window
// is not written again; the sequence is then that of the first.
func (j *Journal) Change(ctx context.Context, id string, payload []byte) (seq uint64, err error) {
	return j.publish(ctx, subjectChange, id, payload)
}

// Config writes a change of the configuration; the id works as in Change.
func (j *Journal) Config(ctx context.Context, id string, payload []byte) (seq uint64, err error) {
	return j.publish(ctx, subjectConfig, id, payload)
}

// Command writes what a person told the hub; the id works as in Change.
func (j *Journal) Command(ctx context.Context, id string, payload []byte) (seq uint64, err error) {
	return j.publish(ctx, subjectCommand, id, payload)
}

// messageID begins with the identity: no agent knows it, so none can use up an id
// of the hub's beforehand, or pass its own writing off as the hub's.
func (j *Journal) messageID(subject, id string) string {
	return j.identity + " " + subject + " " + id
}

func (j *Journal) publish(ctx context.Context, subject, id string, payload []byte) (uint64, error) {
	if len(payload) > maxEntrySize {
		return 0, fmt.Errorf("journal: %s: %d bytes, at most %d", subject, len(payload), maxEntrySize)
	}
	ack, err := j.js.Publish(ctx, subject, payload, jetstream.WithMsgID(j.messageID(subject, id)), jetstream.WithExpectStream(StreamName))
	if err != nil {
		return 0, fmt.Errorf("journal: %s: %w", subject, j.explain(err, MinJournalBytes))
	}
	return ack.Sequence, nil
}
