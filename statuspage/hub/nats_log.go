package hub

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"

	"streamcanary/prober/report"
)

// natsLogger passes on what an operator can act on; the server's own notices are
// details.
type natsLogger struct {
	log    *slog.Logger
	reason atomic.Pointer[string] // the first fatal message
	store  string                 // folder of the journal
	failed chan error             // of capacity 1
}

func (l *natsLogger) Noticef(format string, v ...any) { l.write(slog.LevelDebug, format, v) }
func (l *natsLogger) Debugf(format string, v ...any)  { l.write(slog.LevelDebug, format, v) }
func (l *natsLogger) Tracef(format string, v ...any)  { l.write(slog.LevelDebug, format, v) }

func (l *natsLogger) Errorf(format string, v ...any) {
	l.write(slog.LevelError, format, v)
	if strings.Contains(format, "critical write error") {
		l.fail(fmt.Errorf(format, v...))
	}
}

// fail says that a stream takes nothing more. The server has no other way to tell:
// it leaves every publisher without an answer.
func (l *natsLogger) fail(err error) {
	if d := disk(l.store); d != nil && strings.Contains(err.Error(), "no space left") {
		err = d.TooSmall(report.MinJournalBytes, err)
	}
	select {
	case l.failed <- fmt.Errorf("nats server: %w", err):
	default:
	}
}

func (l *natsLogger) Warnf(format string, v ...any) {
	level := slog.LevelWarn
	if strings.Contains(format, "Plaintext passwords") {
		level = slog.LevelDebug // of a list in memory, not of a file
	}
	l.write(level, format, v)
}

// Fatalf keeps the reason for StartNATS. The server's own loggers end the
// process here.
func (l *natsLogger) Fatalf(format string, v ...any) {
	reason := fmt.Sprintf(format, v...)
	l.reason.CompareAndSwap(nil, &reason)
	l.write(slog.LevelError, format, v)
}

func (l *natsLogger) write(level slog.Level, format string, v []any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, "nats: "+fmt.Sprintf(format, v...))
	}
}
