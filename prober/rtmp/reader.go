package rtmp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"syscall"
	"time"

	"streamcanary/prober"
)

// read is the broadcast's one reader. It ends the broadcast when the connection
// does, or when the server says an error.
func (b *Broadcast) read(in *unchunker) {
	defer close(b.reader)
	var acks acker
	for {
		m, err := in.next()
		if err == nil {
			err = b.handle(in, m, &acks)
		}
		if err != nil {
			b.end(b.readEnding(err))
			return
		}
		if acks.due(in.total) {
			b.answer(controlOf(kindAck, uint32(in.total))) //nolint:gosec // wraps, as RTMP 1.0, 5.4.3 has it
		}
	}
}

// readEnding is what the end of reading means. When a connection is reset, or
// given up by TCP_USER_TIMEOUT, Linux tells that once, to whoever asks first, and
// shows the other an end of file: so the writer is heard before a FIN is believed.
// (After a true FIN, its error can only be EPIPE.)
func (b *Broadcast) readEnding(err error) *ending {
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return networkEnding(err)
	}
	moment := time.NewTimer(writerGrace)
	defer moment.Stop()
	select {
	case <-b.broken:
		written := b.brokenBy
		told := networkEnding(written)
		if told.reason == prober.ReasonSendStalled || told.reason == prober.ReasonConnectionReset && !errors.Is(written, syscall.EPIPE) {
			return told
		}
	case <-moment.C:
	}
	return networkEnding(err)
}

// handle does what a message asks for; what means nothing to a publisher is passed
// over. An error says that it breaks the protocol.
func (b *Broadcast) handle(in *unchunker, m incoming, acks *acker) error {
	switch m.kind {
	case kindCommand:
		b.handleCommand(m.body)
		return nil
	case kindCommandAMF3: // a byte, then AMF0, as servers have it
		b.handleCommand(m.body[1:])
		return nil
	case kindUserControl:
		if len(m.body) == 6 && binary.BigEndian.Uint16(m.body) == pingRequest {
			b.answer(outgoing{controlChunks, kindUserControl, 0,
				append([]byte{0, pingResponse}, m.body[2:]...)})
		}
		return nil
	}
	if len(m.body) < 4 {
		return nil
	}
	n := binary.BigEndian.Uint32(m.body)
	switch m.kind {
	case kindSetChunkSize: // RTMP 1.0, 5.4.1
		if n == 0 || n > math.MaxInt32 {
			return protocolError(fmt.Sprintf("a chunk size of %d", n))
		}
		in.size = int(n)
		b.heard.asked(&b.heard.server.ChunkSize, n, "5.4.1", prober.ReasonChunkSizeChanged, "a chunk size")
	case kindAbort: // 5.4.2
		in.abort(n)
	case kindAckWindow: // 5.4.4
		acks.window = int64(n)
		b.heard.asked(&b.heard.server.AckWindow, n, "5.4.4", prober.ReasonWindowChanged, "an acknowledgement window")
	case kindBandwidth: // 5.4.5: told back as our window
		if b.heard.asked(&b.heard.server.PeerBandwidth, n, "5.4.5", prober.ReasonWindowChanged, "a peer bandwidth") {
			b.answer(controlOf(kindAckWindow, n))
		}
	}
	return nil
}

// User control events (RTMP 1.0, 7.1.7).
const (
	pingRequest  = 6
	pingResponse = 7
)

func (b *Broadcast) handleCommand(body []byte) {
	values, _ := decodeAMF(body) // what was readable is enough
	if len(values) == 0 {
		return
	}
	var r reply
	r.command, _ = values[0].(string)
	if len(values) > 1 {
		n, _ := values[1].(float64)
		r.transaction, r.values = int64(n), values[2:]
	}
	if r.command == "onStatus" && r.refusal() {
		b.end(b.at.refused(r))
		return
	}
	if code, _, description := r.info(); strings.EqualFold(code, "NetConnection.Connect.ReconnectRequest") {
		b.heard.add(prober.Finding{Section: "enhanced RTMP v2, reconnect request", Severity: prober.SeverityNote, Stage: prober.StageIngest,
			Reason: prober.ReasonRedirected, Where: b.at.String(),
			Detail: "the server asks to connect again, which is left to the next connection: " + b.at.quoted(description)})
		return
	}
	select {
	case b.replies <- r:
	default: // nobody asked for that many
	}
}

// answer leaves a control message for Send. The reader never writes itself: it
// would be as blind as the writer while the server takes no bytes.
func (b *Broadcast) answer(m outgoing) {
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
