package rtmp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strings"
	"time"

	"github.com/yutopp/go-rtmp/message"

	"streamcanary/prober"
)

// Transactions of our three commands (RTMP 1.0, 7.2.1.1: connect's is 1).
const (
	connectTransaction int64 = iota + 1
	createTransaction
	publishTransaction
)

// Publish connects and starts a broadcast: it returns once the server has said
// NetStream.Publish.Start, which proves little: whether bytes are taken is seen
// by Send. A failure is the server's (or, as inconclusive, ours: cancelled, a bad
// URL); an error means that this machine could not even try. The context bounds
// the publishing only; the broadcast lives until Close.
func Publish(ctx context.Context, cfg Config) (*Broadcast, *prober.Failure, error) {
	cfg = cfg.withDefaults()
	at, err := parseEndpoint(cfg.URL)
	if err != nil {
		return nil, &prober.Failure{
			Outcome: prober.Inconclusive, Stage: prober.StageResolve,
			Reason: prober.ReasonConfiguration, Detail: prober.Clip(err.Error(), prober.MaxDetail),
		}, nil
	}
	var watch stopwatch
	watch.begin(prober.StageResolve)
	addrs, over := resolve(ctx, cfg, at)
	if over != nil {
		return nil, over.failure(prober.StageResolve, at), nil
	}
	watch.begin(prober.StageConnect)
	conn, over, err := dial(ctx, cfg, at, addrs)
	if over != nil || err != nil {
		return nil, over.failure(prober.StageConnect, at), err
	}
	b, over, err := establish(ctx, cfg, at, conn)
	if b == nil {
		err = errors.Join(err, ignoreClosed(conn.Close()))
		return nil, over.failure(prober.StageConnect, at), err
	}
	if over != nil || err != nil {
		b.abandon()
		return nil, over.failure(prober.StageConnect, at), err
	}
	watch.begin(prober.StagePublish)
	over, err = b.publish(ctx)
	if over != nil || err != nil {
		b.abandon()
		return nil, over.failure(prober.StagePublish, at), err
	}
	b.stages = watch.end()
	return b, nil, nil
}

// establish does what the connect stage needs on a fresh TCP connection.
func establish(ctx context.Context, cfg Config, at endpoint, conn *net.TCPConn) (*Broadcast, *ending, error) {
	if err := tune(conn, cfg.StallTimeout); err != nil {
		return nil, networkEnding(err), nil // only a connection that is gone refuses its options
	}
	r := bufio.NewReaderSize(conn, readBuffer)
	if over := shake(ctx, cfg, conn, r); over != nil {
		return nil, over, nil
	}
	b, err := newBroadcast(cfg, at, conn, r)
	if err != nil {
		return b, nil, err
	}
	over, err := b.connect(ctx)
	return b, over, err
}

// connect says the chunk size, then sends the connect command (RTMP 1.0, 7.2.1.1).
func (b *Broadcast) connect(ctx context.Context) (*ending, error) {
	return b.ask(ctx, prober.ReasonConnectNoAnswer, "connect", func(ctx context.Context) error {
		if err := b.send(ctx, controlChunks, 0, 0, &message.SetChunkSize{ChunkSize: outChunkSize}); err != nil {
			return err
		}
		return b.command(ctx, 0, "connect", connectTransaction, map[string]any{
			"app":      b.at.app,
			"type":     "nonprivate",
			"flashVer": "FMLE/3.0 (compatible; streamcanary)",
			"tcUrl":    b.at.tcURL,
		})
	}, func(r reply) (bool, *ending) {
		if r.transaction != connectTransaction {
			return false, nil
		}
		return r.command == "_result" && !r.refusal(), b.rejected(r)
	})
}

// publish creates a message stream and publishes on it (RTMP 1.0, 7.2.1.3, 7.2.2.6).
func (b *Broadcast) publish(ctx context.Context) (*ending, error) {
	over, err := b.ask(ctx, prober.ReasonPublishNoAnswer, "createStream", func(ctx context.Context) error {
		return b.command(ctx, 0, "createStream", createTransaction, nil)
	}, func(r reply) (bool, *ending) {
		if r.transaction != createTransaction {
			return false, nil
		}
		if over := b.rejected(r); over != nil || r.command != "_result" {
			return false, over
		}
		id, ok := r.number()
		if !ok || id < 0 || id > math.MaxUint32 || id != math.Trunc(id) {
			return false, &ending{prober.ReasonPublishRejected, "the server answered createStream without a stream id"}
		}
		b.streamID = uint32(id)
		return true, nil
	})
	if over != nil || err != nil {
		return over, err
	}
	return b.ask(ctx, prober.ReasonPublishNoAnswer, "publish", func(ctx context.Context) error {
		return b.command(ctx, b.streamID, "publish", publishTransaction, nil, b.at.key.Reveal(), "live")
	}, func(r reply) (bool, *ending) {
		if r.command == "_error" && r.transaction == publishTransaction {
			return false, b.rejected(r)
		}
		code, _, _ := r.info()
		return r.command == "onStatus" && strings.EqualFold(code, "NetStream.Publish.Start"), nil
	})
}

// rejected is the ending that a negative answer to a command means, nil if r is
// none.
func (b *Broadcast) rejected(r reply) *ending {
	if r.command != "_error" && !r.refusal() {
		return nil
	}
	return b.at.refused(r)
}

// ask sends a command and waits until a reply is accepted. An error is one of
// our own making (a command that cannot be encoded).
func (b *Broadcast) ask(ctx context.Context, silent prober.Reason, name string,
	send func(context.Context) error, accept func(reply) (bool, *ending),
) (*ending, error) {
	if ctx.Err() != nil {
		return runOver(ctx, silent, name+" was not sent"), nil
	}
	step, cancel := context.WithTimeout(ctx, b.cfg.CommandTimeout)
	defer cancel()
	if err := send(step); err != nil {
		select {
		case <-b.chunks.Done():
			return b.verdict(err), nil
		case <-step.Done():
		default:
			return nil, err
		}
	}
	for {
		select { // what was said before a connection ended counts
		case r := <-b.replies:
			if ok, over := accept(r); ok || over != nil {
				return over, nil
			}
			continue
		default:
		}
		select {
		case r := <-b.replies:
			if ok, over := accept(r); ok || over != nil {
				return over, nil
			}
		case <-b.live.Done():
			if len(b.replies) == 0 {
				return b.verdict(nil), nil
			}
		case <-b.chunks.Done():
			return b.verdict(b.writeError()), nil
		case <-step.Done():
			if ctx.Err() != nil {
				return runOver(ctx, silent, name+" was not answered"), nil
			}
			return &ending{silent, fmt.Sprintf("%s was not answered within %s", name, b.cfg.CommandTimeout)}, nil
		}
	}
}

// stopwatch times the stages.
type stopwatch struct {
	started time.Time
	stages  []prober.StageTime
}

func (w *stopwatch) begin(stage prober.Stage) {
	w.lap()
	w.stages = append(w.stages, prober.StageTime{Stage: stage})
}

func (w *stopwatch) end() []prober.StageTime {
	w.lap()
	return w.stages
}

func (w *stopwatch) lap() {
	now := time.Now()
	if n := len(w.stages); n > 0 {
		w.stages[n-1].Duration = now.Sub(w.started)
	}
	w.started = now
}
