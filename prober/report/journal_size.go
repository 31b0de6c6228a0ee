package report

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// storageResources is the server's code for a stream whose MaxBytes is more than
// the storage that it may use (10047 in its list of errors).
const storageResources jetstream.ErrorCode = 10047

// Disk is what the NATS server stores on, when it is this machine's.
type Disk struct {
	Path string                // for people
	Free func() (int64, error) // bytes that may still be written
}

// size is how many bytes the journal may hold: what is configured, otherwise
// DefaultJournalBytes or half of the room when that is less. old is nil when there
// is no journal yet: then a disk that is too small is an error. A journal that is
// there shrinks, for a hub that does not start is worth less than a history that
// is shorter.
func (j *Journal) size(cfg JournalConfig, old *jetstream.StreamInfo) (int64, error) {
	if j.disk == nil {
		return cmp.Or(cfg.MaxBytes, DefaultJournalBytes), nil
	}
	free, err := j.disk.Free()
	if err != nil {
		return 0, fmt.Errorf("free space of %s: %w", j.disk.Path, err)
	}
	room, held := free, int64(0)
	if old != nil {
		held = int64(old.State.Bytes) //nolint:gosec // the size of files
		room += held
	}
	half := max(min(DefaultJournalBytes, room/2), MinJournalBytes)
	size, needed := half, int64(2*MinJournalBytes)
	if cfg.MaxBytes > 0 {
		size, needed = cfg.MaxBytes, cfg.MaxBytes
	}
	if needed > room {
		if old == nil {
			return 0, j.disk.TooSmall(needed, nil)
		}
		size = half
	}
	if size < max(held, cfg.MaxBytes) {
		j.log.Warn("the disk has little room left, so the journal keeps less", "path", j.disk.Path,
			"free", megabytes(free), "held", megabytes(held), "keeps", megabytes(size))
	}
	return size, nil
}

// explain says what to do when err is about the server's storage.
func (j *Journal) explain(err error, needed int64) error {
	if err == nil || !isOutOfSpace(err) {
		return err
	}
	if j.disk == nil {
		return fmt.Errorf("the NATS server has no storage left for the journal; give it more, or set nats.max_bytes lower: %w", err)
	}
	return j.disk.TooSmall(needed, err)
}

func isOutOfSpace(err error) bool {
	api, ok := errors.AsType[*jetstream.APIError](err)
	return ok && api.ErrorCode == storageResources || strings.Contains(err.Error(), "no space left")
}

// TooSmall is an error that tells a person what to do about a disk that cannot
// hold a journal of that many bytes; the cause may be nil.
func (d *Disk) TooSmall(needed int64, cause error) error {
	free, err := d.Free()
	if err != nil {
		return errors.Join(cause, fmt.Errorf("free space of %s: %w", d.Path, err))
	}
	text := fmt.Sprintf("not enough disk at %s: the journal needs %s, free are %s; make room, set nats.max_bytes lower, or move the data folder to a larger disk", d.Path, megabytes(needed), megabytes(free))
	if cause != nil {
		return fmt.Errorf("%s: %w", text, cause)
	}
	return errors.New(text)
}

// megabytes shows n bytes for people, too.
func megabytes(n int64) string {
	return fmt.Sprintf("%d MB (%d bytes)", n/1e6, n)
}
