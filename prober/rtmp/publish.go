package rtmp

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

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
	at, err := cfg.endpoint()
	if err != nil {
		return nil, &prober.Failure{
			Outcome: prober.Inconclusive, Stage: prober.StageResolve,
			Reason: prober.ReasonConfiguration, Detail: prober.Clip(err.Error(), prober.MaxDetail),
		}, nil
	}
	r := route{cfg: cfg, at: at}
	for {
		b, miss, err := r.try(ctx)
		if err != nil {
			return nil, nil, err
		}
		if miss == nil {
			b.stages = r.watch.end()
			b.heard.begin()
			r.arrived(ctx, b)
			return b, nil, nil
		}
		if !r.another(ctx, miss) {
			failure, err := r.failure()
			return nil, failure, err
		}
	}
}

// connect says the chunk size, then sends the connect command (RTMP 1.0, 7.2.1.1).
func (b *Broadcast) connect(ctx context.Context, query string) (*ending, error) {
	m, err := commandOf(0, "connect", connectTransaction, b.cfg.connectObject(b.at, query))
	if err != nil {
		return nil, err
	}
	return b.ask(ctx, prober.ReasonConnectNoAnswer, "connect", func(r reply) (bool, *ending) {
		if r.transaction != connectTransaction {
			return false, nil
		}
		return r.command == "_result" && !r.refusal(), b.rejected(r)
	}, controlOf(kindSetChunkSize, outChunkSize), m), nil
}

// publish creates a message stream and publishes on it (RTMP 1.0, 7.2.1.3, 7.2.2.6).
func (b *Broadcast) publish(ctx context.Context) (*ending, error) {
	create, err := commandOf(0, "createStream", createTransaction, nil)
	if err != nil {
		return nil, err
	}
	over := b.ask(ctx, prober.ReasonPublishNoAnswer, "createStream", func(r reply) (bool, *ending) {
		if r.transaction != createTransaction {
			return false, nil
		}
		if over := b.rejected(r); over != nil || r.command != "_result" {
			return false, over
		}
		id, ok := r.number()
		if !ok || id < 0 || id > math.MaxUint32 || id != math.Trunc(id) {
			return false, &ending{reason: prober.ReasonPublishRejected, what: "the server answered createStream without a stream id"}
		}
		b.streamID = uint32(id)
		return true, nil
	}, create)
	if over != nil {
		return over, nil
	}
	m, err := commandOf(b.streamID, "publish", publishTransaction, nil, b.at.key.Reveal(), "live")
	if err != nil {
		return nil, err
	}
	return b.ask(ctx, prober.ReasonPublishNoAnswer, "publish", func(r reply) (bool, *ending) {
		if r.command == "_error" && r.transaction == publishTransaction {
			return false, b.rejected(r)
		}
		code, _, _ := r.info()
		return r.command == "onStatus" && strings.EqualFold(code, "NetStream.Publish.Start"), nil
	}, m), nil
}

// rejected is the ending that a negative answer to a command means, nil if r is
// none.
func (b *Broadcast) rejected(r reply) *ending {
	if r.command != "_error" && !r.refusal() {
		return nil
	}
	return b.at.refused(r)
}

// ask sends messages, the last of which is a command of that name, and waits until
// a reply is accepted.
func (b *Broadcast) ask(ctx context.Context, silent prober.Reason, name string,
	accept func(reply) (bool, *ending), messages ...outgoing,
) *ending {
	if ctx.Err() != nil {
		return runOver(ctx, silent, name+" was not sent")
	}
	step, cancel := context.WithTimeout(ctx, b.cfg.CommandTimeout)
	defer cancel()
	if err := b.say(step, messages...); err != nil && step.Err() == nil {
		b.broke(err)
		return b.verdict(err)
	}
	for {
		select { // what was said before a connection ended counts
		case r := <-b.replies:
			if ok, over := accept(r); ok || over != nil {
				return over
			}
			continue
		default:
		}
		select {
		case r := <-b.replies:
			if ok, over := accept(r); ok || over != nil {
				return over
			}
		case <-b.live.Done():
			if len(b.replies) == 0 {
				return b.verdict(nil)
			}
		case <-step.Done():
			if ctx.Err() != nil {
				return runOver(ctx, silent, name+" was not answered")
			}
			return &ending{reason: silent, what: fmt.Sprintf("%s was not answered within %s", name, b.cfg.CommandTimeout)}
		}
	}
}

// stopwatch times the stages.
type stopwatch struct {
	started time.Time
	stages  []prober.StageTime
	running bool // the last stage is
}

func (w *stopwatch) begin(stage prober.Stage) {
	w.lap()
	w.stages, w.running = append(w.stages, prober.StageTime{Stage: stage}), true
}

// again forgets the connecting and publishing that came to nothing at an address.
func (w *stopwatch) again() {
	w.lap()
	w.running = false
	i := slices.IndexFunc(w.stages, func(s prober.StageTime) bool { return s.Stage == prober.StageConnect })
	if i >= 0 {
		w.stages = w.stages[:i]
	}
}

func (w *stopwatch) end() []prober.StageTime {
	w.lap()
	return w.stages
}

func (w *stopwatch) lap() {
	now := time.Now()
	if n := len(w.stages); n > 0 && w.running {
		w.stages[n-1].Duration = now.Sub(w.started)
	}
	w.started = now
}
