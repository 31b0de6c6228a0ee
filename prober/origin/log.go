package origin

import (
	"io"
	"log"
	"log/slog"
	"strings"

	"github.com/sirupsen/logrus"
)

const maxLogged = 300 // bytes of a library's message

// quietLogger takes what go-rtmp says of errors, without its stack traces, and
// nothing below: its other levels print stream names, which are keys.
func quietLogger(to *slog.Logger) *logrus.Logger {
	l := logrus.New()
	l.SetOutput(io.Discard)
	l.SetLevel(logrus.ErrorLevel)
	l.AddHook(hook{to})
	return l
}

type hook struct{ to *slog.Logger }

func (hook) Levels() []logrus.Level { return []logrus.Level{logrus.ErrorLevel} }

func (h hook) Fire(e *logrus.Entry) error {
	h.to.Debug("rtmp connection", "said", firstLine(e.Message))
	return nil
}

// httpLogger takes what net/http says of broken connections.
func httpLogger(to *slog.Logger) *log.Logger {
	return slog.NewLogLogger(to.Handler(), slog.LevelDebug)
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s[:min(len(s), maxLogged)]
}
