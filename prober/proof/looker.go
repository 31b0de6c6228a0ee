package proof

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"time"

	"streamcanary/prober"
)

// ErrNotInstalled says that there is no ffmpeg: nothing can be looked at, so nothing
// that is transcoded can be proven.
var ErrNotInstalled = errors.New("ffmpeg is not installed: install it, or name it in the configuration; until then what is transcoded is not proven")

// Config says how to look. The zero value is good.
type Config struct {
	FFmpeg   string        // path; "" looks for ffmpeg in PATH
	Bytes    int           // bound on a segment with its initialization section; 0 is 32 MiB
	Timeout  time.Duration // for one look; 0 is 10 s
	AtOnce   int           // looks at a time, the others wait; 0 is 1
	Pictures int           // that are looked at, of every fifth; 0 is 6
}

// Looker looks at segments. It is safe for concurrent use.
type Looker struct {
	cfg  Config
	path string
	turn chan struct{} // holds a token for each look at work
}

// New finds ffmpeg. Without it every Look says so.
func New(cfg Config) *Looker {
	if cfg.FFmpeg == "" {
		cfg.FFmpeg = "ffmpeg"
	}
	orDefault(&cfg.Bytes, 32<<20)
	orDefault(&cfg.Timeout, 10*time.Second)
	orDefault(&cfg.AtOnce, 1)
	orDefault(&cfg.Pictures, 6)
	l := &Looker{cfg: cfg, turn: make(chan struct{}, cfg.AtOnce)}
	if path, err := exec.LookPath(cfg.FFmpeg); err == nil {
		l.path = path
	}
	return l
}

func orDefault[T int | time.Duration](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

// Installed tells whether there is an ffmpeg.
func (l *Looker) Installed() error {
	if l.path == "" {
		return ErrNotInstalled
	}
	return nil
}

// Look decodes the beginning of a segment. init is its initialization section, or
// nil. The error says why nothing can be said: ffmpeg is missing, has no decoder
// for it, took too long or was ended. What is broken in the segment is in the
// Look, and no error.
func (l *Looker) Look(ctx context.Context, segment, init []byte) (prober.Look, error) {
	if err := l.Installed(); err != nil {
		return prober.Look{}, err
	}
	if n := len(segment) + len(init); n > l.cfg.Bytes {
		return prober.Look{}, fmt.Errorf("look at a segment: %d bytes are more than the bound of %d", n, l.cfg.Bytes)
	}
	format, err := formatOf(segment)
	if err != nil {
		return prober.Look{}, err
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return prober.Look{}, fmt.Errorf("look at a segment: waiting for its turn: %w", ctx.Err())
	}
	ctx, cancel := context.WithTimeout(ctx, l.cfg.Timeout)
	defer cancel()
	return l.look(ctx, format, append(bytes.Clone(init), segment...))
}

func (l *Looker) look(ctx context.Context, format string, input []byte) (look prober.Look, err error) {
	pictures, trouble, err := l.run(ctx, input, l.cfg.Pictures*(maxWidth*maxHeight+maxHeader), videoArgs(format, l.cfg.Pictures))
	if err != nil {
		return look, err
	}
	if err := sumPictures(&look, pictures); err != nil {
		return look, err
	}
	sound, more, err := l.run(ctx, input, 2*soundRate*soundSeconds, audioArgs(format))
	if err != nil {
		return look, err
	}
	sumSound(&look, sound)
	if trouble == "" {
		trouble = more
	}
	look.Trouble = prober.Clip(trouble, prober.MaxDetail)
	return look, nil
}

// formatOf is ffmpeg's name of a segment's format. It is told which, so that
// nothing from outside chooses among its hundreds.
func formatOf(segment []byte) (string, error) {
	switch {
	case len(segment) > 188 && segment[0] == 0x47 && segment[188] == 0x47:
		return "mpegts", nil
	case len(segment) >= 8 && slices.Contains([]string{"styp", "moof", "sidx", "ftyp", "emsg", "prft"}, string(segment[4:8])):
		return "mov", nil
	case bytes.HasPrefix(segment, []byte("ID3")), len(segment) >= 7 && segment[0] == 0xff && segment[1]&0xf6 == 0xf0:
		return "aac", nil
	}
	return "", errors.New("look at a segment: neither MPEG-TS, fMP4 nor ADTS")
}
