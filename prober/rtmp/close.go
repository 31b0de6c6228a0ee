package rtmp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
)

// Close ends the broadcast: deleteStream and FIN if the server still listens,
// within CloseTimeout and ctx, then everything is released. No goroutine is left
// when it returns. It may be called in any state, from any goroutine, more than
// once; a Send that runs returns nil. The error says that the server could not be
// told; nil when it was gone already.
func (b *Broadcast) Close(ctx context.Context) error {
	b.closing.Do(func() {
		alive := b.live.Err() == nil
		b.end(errClosedByUs)
		if alive {
			b.closeErr = b.leave(ctx)
		}
		b.release()
	})
	return b.closeErr
}

// abandon releases a broadcast that never was one.
func (b *Broadcast) abandon() {
	b.closing.Do(func() {
		b.end(errClosedByUs)
		b.release()
	})
}

// leave tells the server, and waits for it to hang up.
func (b *Broadcast) leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.CloseTimeout)
	defer cancel()
	if err := b.sayGoodbye(ctx); err != nil {
		return fmt.Errorf("close the broadcast at %s: deleteStream not sent: %w", b.at, err)
	}
	// Without this the server's unread bytes would turn our FIN into an RST,
	// and the goodbye be lost.
	if err := b.conn.CloseWrite(); err != nil {
		return nil // the server was faster
	}
	select {
	case <-b.reader:
	case <-ctx.Done(): // it has been told; how soon it hangs up is its own business
	}
	return nil
}

func (b *Broadcast) sayGoodbye(ctx context.Context) error {
	m, err := commandOf(0, "deleteStream", publishTransaction+1, nil, float64(b.streamID))
	if err != nil {
		return err
	}
	if err := b.say(ctx, m); err != nil || b.secure == nil {
		return gone(err)
	}
	if err := b.secure.CloseWrite(); err != nil { // queues TLS's own goodbye
		return gone(err)
	}
	return gone(b.out.flush(ctx))
}

// gone is err, unless it says that the server had already hung up.
func gone(err error) error {
	for _, known := range []error{net.ErrClosed, io.EOF, syscall.EPIPE, syscall.ECONNRESET} {
		if errors.Is(err, known) {
			return nil
		}
	}
	return err
}

// release frees the connection and waits for every goroutine.
func (b *Broadcast) release() {
	_ = b.conn.Close() // nothing is lost by an error here
	<-b.reader
	b.aside.Wait()
}

// ignoreClosed drops the error of closing what is closed.
func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
