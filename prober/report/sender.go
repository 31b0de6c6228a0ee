package report

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// sender moves results from the outbox to the stream. It reads ahead of what is
// acknowledged (a place is sent once), so that a fresh result does not wait for
// the answer to older ones; after any failure it starts again from the oldest,
// and the stream's duplicate window takes care of what had arrived.
type sender struct {
	c       *Client
	nc      *nats.Conn
	js      jetstream.JetStream
	answers chan answer

	sent     int64            // highest place that was sent
	inFlight map[string]int64 // result id to place
	again    <-chan time.Time // set after a failure: when to start from the oldest
	failures int              // in a row
}

// answer is the end of one publish: exactly one comes for each.
type answer struct {
	id  string
	err error
}

func newSender(c *Client, nc *nats.Conn) (*sender, error) {
	s := &sender{
		c: c, nc: nc,
		answers:  make(chan answer, c.cfg.InFlight),
		inFlight: map[string]int64{},
	}
	js, err := jetstream.New(nc,
		jetstream.WithPublishAsyncTimeout(c.cfg.AckTimeout),
		jetstream.WithPublishAsyncAckHandler(func(_ jetstream.JetStream, m *nats.Msg, _ *jetstream.PubAck) {
			s.answers <- answer{id: m.Header.Get(nats.MsgIdHdr)}
		}),
		jetstream.WithPublishAsyncErrHandler(func(_ jetstream.JetStream, m *nats.Msg, err error) {
			s.answers <- answer{id: m.Header.Get(nats.MsgIdHdr), err: err}
		}),
	)
	s.js = js
	return s, err
}

func (s *sender) run(ctx context.Context) error {
	for {
		err := s.send(ctx)
		if err == nil {
			err = s.wait(ctx)
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // whatever err is, it only says that ctx ended
		}
		if err != nil {
			return err
		}
	}
}

// wait waits until there may be something to send. An error is the disk's.
func (s *sender) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-s.c.wake:
	case <-s.again:
		s.again, s.sent = nil, 0
	case a := <-s.answers:
		return s.settle(ctx, a)
	}
	return nil
}

// send publishes what was not sent yet, as far as InFlight allows. An error is
// the disk's.
func (s *sender) send(ctx context.Context) error {
	for s.again == nil && s.nc.IsConnected() && len(s.inFlight) < s.c.cfg.InFlight {
		batch, err := s.c.cfg.Outbox.Batch(ctx, s.sent, s.c.cfg.InFlight-len(s.inFlight))
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, p := range batch {
			if failed := s.publish(p); failed != nil {
				s.fail(failed) // ends the loop, too
				break
			}
			s.sent = p.N
		}
	}
	return nil
}

func (s *sender) publish(p Pending) error {
	if _, ok := s.inFlight[p.Result.ID]; ok {
		return nil // an answer to an earlier sending is still to come
	}
	body, err := Encode(p.Result)
	if err != nil {
		return err
	}
	m := nats.NewMsg(subjectResults + s.c.cfg.Agent)
	m.Header.Set(nats.MsgIdHdr, p.Result.ID)
	m.Data = body
	if _, err := s.js.PublishMsgAsync(m); err != nil {
		return err
	}
	s.inFlight[p.Result.ID] = p.N
	return nil
}

// settle takes a and whatever other answers are there, and deletes what has
// arrived in one transaction. An error is the disk's.
func (s *sender) settle(ctx context.Context, a answer) error {
	var arrived []int64
	for more := true; more; {
		n := s.inFlight[a.id]
		delete(s.inFlight, a.id)
		if a.err == nil {
			arrived = append(arrived, n)
		} else {
			s.fail(a.err)
		}
		select {
		case a = <-s.answers:
		default:
			more = false
		}
	}
	if len(arrived) == 0 {
		return nil
	}
	s.failures = 0
	s.c.accepted()
	return s.c.cfg.Outbox.Delete(ctx, arrived)
}

// fail has everything that is left sent again after a wait that grows.
func (s *sender) fail(err error) {
	lost := !s.nc.IsConnected() || errors.Is(err, nats.ErrDisconnected)
	if s.again == nil {
		if lost {
			s.failures = 0 // a reconnect has waits of its own
		}
		s.failures++
		s.again = time.After(s.c.reconnectDelay(s.failures))
	}
	var api *jetstream.APIError
	switch {
	case lost:
	case errors.Is(err, jetstream.ErrNoStreamResponse):
		s.c.refused("the hub has no journal yet, or does not take results of this agent")
	case errors.As(err, &api):
		s.c.refused("the hub does not take results: " + api.Description)
	case errors.Is(err, jetstream.ErrAsyncPublishTimeout) && s.c.State().Name == Connected:
		s.c.refused(fmt.Sprintf("the hub does not acknowledge results within %v", s.c.cfg.AckTimeout))
	}
}
