package hub

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"streamcanary/prober/report"
)

// Bounds of what connections may make the server log.
const (
	limitPeriod = time.Minute // each thing about an address once in that time
	maxLimited  = 256         // different ones; all others count as one
	maxLogText  = 400         // bytes
)

// natsLogger passes on what an operator can act on; the server's own notices are
// details. What the server says of a connection, it says once a minute for each
// address: an agent with a wrong key comes again and again.
type natsLogger struct {
	log    *slog.Logger
	reason atomic.Pointer[string] // the first fatal message
	store  string                 // folder of the journal
	failed chan error             // of capacity 1
	now    func() time.Time
	client *regexp.Regexp // a message about a connection
	port   *regexp.Regexp // what differs between messages that are alike

	mu      sync.Mutex
	limited map[string]*limit // by what they are about
}

// limit is of messages that are alike.
type limit struct {
	since  time.Time // of the one that was logged
	missed int       // that were not, since
}

func newNATSLogger(log *slog.Logger, store string) *natsLogger {
	return &natsLogger{
		log: log, store: store, failed: make(chan error, 1), now: time.Now, limited: map[string]*limit{},
		client: regexp.MustCompile(`^\S+:\d+ - cid:\d+ - `),
		port:   regexp.MustCompile(`:\d+`),
	}
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
	if !l.log.Enabled(context.Background(), level) {
		return
	}
	text := fmt.Sprintf(format, v...)
	if level >= slog.LevelWarn && l.client.MatchString(text) {
		missed, held := l.hold(l.port.ReplaceAllString(text, ""))
		if held {
			return
		}
		if len(text) > maxLogText {
			text = strings.ToValidUTF8(text[:maxLogText], "") + "..."
		}
		if missed > 0 {
			text += fmt.Sprintf(" (%d more like it since)", missed)
		}
	}
	l.log.Log(context.Background(), level, "nats: "+text)
}

// hold says whether a message about a connection is held back, and how many like
// it were since the last that was not.
func (l *natsLogger) hold(about string) (missed int, held bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if len(l.limited) >= maxLimited && l.limited[about] == nil {
		for key, old := range l.limited {
			if now.Sub(old.since) >= limitPeriod {
				delete(l.limited, key)
			}
		}
		if len(l.limited) >= maxLimited {
			about = "" // one for all that are too many
		}
	}
	last := l.limited[about]
	if last == nil {
		l.limited[about] = &limit{since: now}
		return 0, false
	}
	if now.Sub(last.since) < limitPeriod {
		last.missed++
		return 0, true
	}
	missed = last.missed
	*last = limit{since: now}
	return missed, false
}
