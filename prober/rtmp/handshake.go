package rtmp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/yutopp/go-rtmp/handshake"

	"streamcanary/prober"
)

// rtmpVersion is what S0 must say (RTMP 1.0, 5.2.2).
const rtmpVersion = 3

// shake does the RTMP handshake (RTMP 1.0, 5.2). The reader is used for all that
// follows.
func shake(ctx context.Context, cfg Config, conn net.Conn, r *bufio.Reader) *ending {
	if err := conn.SetDeadline(time.Now().Add(cfg.HandshakeTimeout)); err != nil {
		return networkEnding(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	w := bufio.NewWriterSize(conn, 4<<10)
	// The echo is not verified: servers that answer as Flash Media Server did
	// send a digest instead.
	err := handshake.HandshakeWithServer(&turn{r: r, w: w}, w, &handshake.Config{SkipHandshakeVerification: true})
	if err == nil {
		err = w.Flush()
	}
	switch {
	case ctx.Err() != nil:
		return runOver(ctx, prober.ReasonHandshakeTimeout, "the RTMP handshake was not answered")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &ending{reason: prober.ReasonHandshakeTimeout, what: fmt.Sprintf("TCP was accepted, the RTMP handshake not answered within %s", cfg.HandshakeTimeout)}
	case err != nil:
		e := networkEnding(err)
		e.what += ", in the RTMP handshake"
		return e
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return networkEnding(err)
	}
	return nil
}

// turn flushes what was written before it reads the answer, and refuses an
// answer that is not RTMP's at its first byte.
type turn struct {
	r       *bufio.Reader
	w       *bufio.Writer
	checked bool
}

func (t *turn) Read(p []byte) (int, error) {
	if err := t.w.Flush(); err != nil {
		return 0, err
	}
	if !t.checked {
		first, err := t.r.Peek(1)
		if err != nil {
			return 0, err
		}
		if first[0] != rtmpVersion {
			return 0, protocolError(fmt.Sprintf("the handshake's answer begins with %q", t.sample()))
		}
		t.checked = true
	}
	n, err := t.r.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// sample is the beginning of what has already come.
func (t *turn) sample() []byte {
	p, _ := t.r.Peek(min(t.r.Buffered(), 40))
	return p
}
