package rtmp

import (
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	gortmp "github.com/yutopp/go-rtmp"
	"github.com/yutopp/go-rtmp/message"

	"streamcanary/prober"
)

// read is the broadcast's one reader. It ends the broadcast when the connection
// does, or when the server says an error.
func (b *Broadcast) read(in *guard) {
	defer close(b.reader)
	var acks acker
	for {
		m, err := b.next(in)
		if err != nil {
			b.end(b.readEnding(err))
			return
		}
		if m != nil {
			b.handle(m, &acks)
		}
		if acks.due(in.total) {
			b.answer(&message.Ack{SequenceNumber: uint32(in.total)}) //nolint:gosec // wraps, as RTMP 1.0, 5.4.3 has it
		}
	}
}

// readEnding is what the end of reading means. When a connection is reset, or
// given up by TCP_USER_TIMEOUT, Linux tells that once, to whoever asks first, and
// shows the other an end of file: so the writer is heard before a FIN is believed.
// (After a true FIN, its error can only be EPIPE.)
func (b *Broadcast) readEnding(err error) *ending {
	if !errors.Is(err, io.EOF) {
		return networkEnding(err)
	}
	moment := time.NewTimer(writerGrace)
	defer moment.Stop()
	select {
	case <-b.chunks.Done():
		written := b.writeError()
		told := networkEnding(written)
		if told.reason == prober.ReasonSendStalled || told.reason == prober.ReasonConnectionReset && !errors.Is(written, syscall.EPIPE) {
			return told
		}
	case <-moment.C:
	}
	return networkEnding(err)
}

// next reads one message; nil is one that the library cannot decode, and that
// means nothing to a publisher.
func (b *Broadcast) next(in *guard) (m message.Message, err error) {
	defer func() {
		if r := recover(); r != nil {
			m, err = nil, protocolError(prober.Clip(fmt.Sprint(r), 80))
		}
	}()
	var read gortmp.ChunkMessage
	if _, _, err := b.chunks.Read(&read); err != nil {
		if in.err != nil {
			return nil, in.err
		}
		return nil, nil
	}
	return read.Message, nil
}

func (b *Broadcast) handle(m message.Message, acks *acker) {
	switch m := m.(type) {
	case *message.SetChunkSize:
		if err := b.chunks.PeerState().SetChunkSize(m.ChunkSize); err != nil {
			b.end(networkEnding(protocolError(err.Error())))
		}
	case *message.WinAckSize:
		acks.window = int64(m.Size)
	case *message.UserCtrl:
		if ping, ok := m.Event.(*message.UserCtrlEventPingRequest); ok {
			b.answer(&message.UserCtrl{Event: &message.UserCtrlEventPingResponse{Timestamp: ping.Timestamp}})
		}
	case *message.CommandMessage:
		b.handleCommand(m)
	}
}

func (b *Broadcast) handleCommand(m *message.CommandMessage) {
	body, err := io.ReadAll(io.LimitReader(m.Body, maxMessage))
	if err != nil {
		return
	}
	values, _ := decodeAMF(body) // what was readable is enough
	r := reply{command: m.CommandName, transaction: m.TransactionID, values: values}
	if r.command == "onStatus" && r.refusal() {
		b.end(b.at.refused(r))
		return
	}
	select {
	case b.replies <- r:
	default: // nobody asked for that many
	}
}

// answer leaves a control message for Send. The reader never writes itself: it
// would be as blind as the writer while the server takes no bytes.
func (b *Broadcast) answer(m message.Message) {
	select {
	case b.control <- m:
	default: // a server that asks for more than it takes
	}
}

// acker says when an acknowledgement is due (RTMP 1.0, 5.4.3).
type acker struct{ window, last int64 }

func (a *acker) due(total int64) bool {
	if a.window <= 0 || total-a.last < max(a.window/2, minAckWindow) {
		return false
	}
	a.last = total
	return true
}

// minAckWindow keeps a tiny window from asking for an answer to every byte.
const minAckWindow = 1 << 10

// reply is a command from the server.
type reply struct {
	command     string
	transaction int64
	values      []any
}

// info is the first object with a code or a level (RTMP 1.0, 7.2.2).
func (r reply) info() (code, level, description string) {
	for _, v := range r.values {
		o, ok := v.(map[string]any)
		if !ok {
			continue
		}
		code, _ = o["code"].(string)
		level, _ = o["level"].(string)
		description, _ = o["description"].(string)
		if code != "" || level != "" {
			return code, level, description
		}
	}
	return "", "", ""
}

// number is the first number among the values.
func (r reply) number() (float64, bool) {
	for _, v := range r.values {
		if n, ok := v.(float64); ok {
			return n, true
		}
	}
	return 0, false
}
