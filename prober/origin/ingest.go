package origin

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/yutopp/go-rtmp"
	"github.com/yutopp/go-rtmp/message"
)

const (
	app = "live"

	maxMessageStreams = 8
)

// ingest is an origin's RTMP side.
type ingest struct {
	origin     *Origin
	stall      gate // closed: nothing is read
	behaviours stack[behaviour]
}

// server makes the RTMP server for one life of the origin.
func (i *ingest) server() *rtmp.Server {
	return rtmp.NewServer(&rtmp.ServerConfig{OnConnect: i.accept})
}

func (i *ingest) accept(c net.Conn) (io.ReadWriteCloser, *rtmp.ConnConfig) {
	p := &publisher{ingest: i, setupBy: time.Now().Add(setupTimeout)}
	p.conn, p.wire = wires(c)
	p.chunks = newChunkReader(deadlined{p})
	return p, &rtmp.ConnConfig{
		Handler:                                 &handler{publisher: p},
		SkipHandshakeVerification:               true, // not every encoder echoes as 5.2.4 wants
		IgnoreMessagesOnNotExistStream:          true,
		IgnoreMessagesOnNotExistStreamThreshold: 100,
		ReaderBufferSize:                        16 << 10,
		ControlState: rtmp.StreamControlStateConfig{
			MaxChunkStreams:   maxChunkStreams + 4, // as renumbered
			MaxMessageStreams: maxMessageStreams,
			MaxMessageSize:    maxMessageSize,
		},
		Logger: quietLogger(i.origin.log),
	}
}

// wires takes apart what our listeners give: a counted connection, or TLS over one.
func wires(c net.Conn) (*conn, wire) {
	if over, ok := c.(*tls.Conn); ok {
		counted, _ := over.NetConn().(*conn)
		return counted, over
	}
	counted, _ := c.(*conn)
	return counted, counted
}

// handler is what go-rtmp tells of a connection, all in one goroutine. What
// panics here or in go-rtmp's message loop ends this connection alone: the
// loop recovers.
type handler struct {
	rtmp.DefaultHandler
	publisher *publisher
	streamID  uint32 // of the broadcast
}

func (h *handler) OnConnect(_ uint32, c *message.NetConnectionConnect) error {
	if strings.Trim(c.Command.App, "/") != app {
		return errors.New("no such application")
	}
	p := h.publisher
	now := p.ingest.behaviour()
	if now.silentFrom == phaseConnect {
		p.silence()
	}
	if now.connect == nil {
		return nil
	}
	if err := p.rejectConnect(now.connect); err != nil {
		return err
	}
	return errRejected
}

// OnPublish starts the broadcast, or says why not and ends the connection.
func (h *handler) OnPublish(s *rtmp.StreamContext, _ uint32, c *message.NetStreamPublish) error {
	now := h.publisher.ingest.behaviour()
	if now.silentFrom == phasePublish {
		h.publisher.silence()
		return nil
	}
	if now.publish != nil && now.publish.swallow {
		return h.publisher.refuseWith(s.StreamID, now.publish) // and goes on reading
	}
	b, err := h.publish(c)
	if err != nil {
		if sent := h.publisher.refuse(s.StreamID, err); sent != nil {
			return sent
		}
		return err
	}
	h.publisher.broadcast, h.streamID = b, s.StreamID
	b.ingest.log.Info("broadcast begins", "broadcast", b.label)
	if now.started != nil {
		go now.started(h.publisher)
	}
	return nil
}

func (h *handler) publish(c *message.NetStreamPublish) (*broadcast, error) {
	if h.publisher.broadcast != nil {
		return nil, errSecondPublish
	}
	i := h.publisher.ingest
	if now := i.behaviour(); now.publish != nil {
		return nil, now.publish
	}
	key, _, _ := strings.Cut(c.PublishingName, "?")
	return i.origin.platform.publish(i.origin, key, h.publisher)
}

func (h *handler) OnPlay(*rtmp.StreamContext, uint32, *message.NetStreamPlay) error {
	return errors.New("nothing is played over RTMP here; watch over HLS")
}

func (h *handler) OnVideo(timestamp uint32, payload io.Reader) error {
	return h.take(timestamp, payload, (*broadcast).takeVideo)
}

func (h *handler) OnAudio(timestamp uint32, payload io.Reader) error {
	return h.take(timestamp, payload, (*broadcast).takeAudio)
}

// take reads a tag. One that cannot be used is passed over.
func (h *handler) take(timestamp uint32, payload io.Reader, to func(*broadcast, uint32, []byte) error) error {
	body, err := io.ReadAll(payload) // bounded: chunkReader bounds the message
	if err != nil {
		return err
	}
	b := h.publisher.broadcast
	if b == nil || len(body) == 0 {
		return nil
	}
	if err := to(b, timestamp, body); err != nil {
		b.ingest.log.Debug("a tag was passed over", "broadcast", b.label, "error", err)
	}
	return nil
}

func (h *handler) OnDeleteStream(_ uint32, c *message.NetStreamDeleteStream) error {
	if c.StreamID == h.streamID {
		h.end()
	}
	return nil
}

func (h *handler) OnFCUnpublish(uint32, *message.NetStreamFCUnpublish) error {
	h.end()
	return nil
}

func (h *handler) OnUnknownCommandMessage(_ uint32, c *message.CommandMessage) error {
	if c.CommandName == "closeStream" {
		h.end()
	}
	return nil
}

func (h *handler) OnClose() { h.end() }

func (h *handler) end() {
	b := h.publisher.broadcast
	if b == nil {
		return
	}
	b.end()
	b.ingest.log.Info("broadcast ends", "broadcast", b.label)
	h.publisher.broadcast = nil
	h.publisher.setupBy = time.Now().Add(setupTimeout) // the connection may publish again
}
