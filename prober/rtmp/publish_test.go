package rtmp

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/yutopp/go-rtmp/message"

	"streamcanary/prober"
)

func TestPublishFailures(t *testing.T) {
	t.Parallel()
	const silence = 400 * time.Millisecond
	tests := map[string]struct {
		script func(*fakeConn) error
		stage  prober.Stage
		reason prober.Reason
		silent bool // the server leaves us waiting for a timeout
		detail string
	}{
		"never answers the handshake": {
			func(c *fakeConn) error { return c.hold() },
			prober.StageConnect, prober.ReasonHandshakeTimeout, true, "within 400ms",
		},
		"answers half a handshake": {
			func(c *fakeConn) error {
				if _, err := c.Write(append([]byte{3}, make([]byte, 1000)...)); err != nil {
					return err
				}
				return c.hold()
			},
			prober.StageConnect, prober.ReasonHandshakeTimeout, true, "within 400ms",
		},
		"answers HTTP": {
			func(c *fakeConn) error {
				if _, err := c.Write([]byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")); err != nil {
					return err
				}
				return c.hold()
			},
			prober.StageConnect, prober.ReasonHandshakeFailed, false, `"HTTP/1.1 400 Bad Request`,
		},
		"closes at once": {
			func(c *fakeConn) error { _, err := c.r.Discard(1537); return err },
			prober.StageConnect, prober.ReasonConnectionClosed, false, "in the RTMP handshake",
		},
		"resets in the handshake": {
			func(c *fakeConn) error { _, _ = c.r.Discard(1537); return c.reset() },
			prober.StageConnect, prober.ReasonConnectionReset, false, "in the RTMP handshake",
		},
		"closes after the handshake": {
			func(c *fakeConn) error {
				if err := c.handshake(); err != nil {
					return err
				}
				_, err := c.expect("connect")
				return err
			},
			prober.StageConnect, prober.ReasonConnectionClosed, false, "FIN",
		},
		"never answers connect": {
			func(c *fakeConn) error {
				if err := c.handshake(); err != nil {
					return err
				}
				return c.drain()
			},
			prober.StageConnect, prober.ReasonConnectNoAnswer, true, "connect was not answered within 400ms",
		},
		"rejects connect with _error": {
			func(c *fakeConn) error {
				if err := c.handshake(); err != nil {
					return err
				}
				id, err := c.expect("connect")
				if err != nil {
					return err
				}
				if err := c.reply("_error", id, nil, map[string]any{
					"level": "error", "code": "NetConnection.Connect.Rejected", "description": "no app for " + testKey,
				}); err != nil {
					return err
				}
				return c.hold()
			},
			prober.StageConnect, prober.ReasonConnectRejected, false, `"NetConnection.Connect.Rejected", "no app for [secret]"`,
		},
		"rejects connect with onStatus": {
			func(c *fakeConn) error {
				if err := c.handshake(); err != nil {
					return err
				}
				if err := c.status("error", "NetConnection.Connect.InvalidApp", ""); err != nil {
					return err
				}
				return c.hold()
			},
			prober.StageConnect, prober.ReasonConnectRejected, false, "InvalidApp",
		},
		"never answers createStream": {
			func(c *fakeConn) error {
				if err := c.acceptConnect(); err != nil {
					return err
				}
				return c.drain()
			},
			prober.StagePublish, prober.ReasonPublishNoAnswer, true, "createStream was not answered",
		},
		"createStream without an id": {
			func(c *fakeConn) error {
				if err := c.acceptConnect(); err != nil {
					return err
				}
				id, err := c.expect("createStream")
				if err != nil {
					return err
				}
				if err := c.reply("_result", id, nil, -1.5); err != nil {
					return err
				}
				return c.hold()
			},
			prober.StagePublish, prober.ReasonPublishRejected, false, "without a stream id",
		},
		"never answers publish": {
			func(c *fakeConn) error {
				if err := c.acceptStream(); err != nil {
					return err
				}
				return c.drain()
			},
			prober.StagePublish, prober.ReasonPublishNoAnswer, true, "publish was not answered",
		},
		"name in use":         refuses("NetStream.Publish.BadName", prober.ReasonPublishNameInUse),
		"denied":              refuses("NetStream.Publish.Denied", prober.ReasonPublishDenied),
		"unauthorized":        refuses("NetStream.Publish.Unauthorized", prober.ReasonPublishDenied),
		"another error":       refuses("NetStream.Publish.Failed", prober.ReasonPublishRejected),
		"an error of no code": refuses("", prober.ReasonPublishRejected),
		"closes instead of publish": {
			func(c *fakeConn) error { return c.acceptStream() },
			prober.StagePublish, prober.ReasonConnectionClosed, false, "FIN",
		},
		"resets instead of publish": {
			func(c *fakeConn) error {
				if err := c.acceptStream(); err != nil {
					return err
				}
				return c.reset()
			},
			prober.StagePublish, prober.ReasonConnectionReset, false, "RST",
		},
		"a message of 16 MB": {
			func(c *fakeConn) error {
				if err := c.handshake(); err != nil {
					return err
				}
				if _, err := c.Write([]byte{3, 0, 0, 0, 0xff, 0xff, 0xff, 20, 0, 0, 0, 0}); err != nil {
					return err
				}
				return c.hold()
			},
			prober.StageConnect, prober.ReasonHandshakeFailed, false, "a message of 16777215 bytes",
		},
		"an empty message, on which the library panics": {
			func(c *fakeConn) error {
				if err := c.handshake(); err != nil {
					return err
				}
				if _, err := c.Write([]byte{3, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 0}); err != nil {
					return err
				}
				return c.hold()
			},
			prober.StageConnect, prober.ReasonHandshakeFailed, false, "a message of no length",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, test.script)
			start := time.Now()
			cfg := testConfig(s.url())
			if test.silent {
				cfg.HandshakeTimeout, cfg.CommandTimeout = silence, silence
			}
			b, failure, err := Publish(t.Context(), cfg)
			if b != nil || err != nil {
				t.Fatalf("Publish gave %v, %v", b, err)
			}
			wantFailure(t, failure, test.stage, test.reason)
			if !strings.Contains(failure.Detail, test.detail) {
				t.Errorf("detail %q, want %q in it", failure.Detail, test.detail)
			}
			// Without silence all is at once; a shared machine needs room.
			if took := time.Since(start); took > silence+2*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

type publishTest = struct {
	script func(*fakeConn) error
	stage  prober.Stage
	reason prober.Reason
	silent bool
	detail string
}

// refuses is a server that answers publish with an error and, as nginx does,
// keeps the connection open.
func refuses(code string, reason prober.Reason) publishTest {
	return publishTest{func(c *fakeConn) error {
		if err := c.acceptStream(); err != nil {
			return err
		}
		if err := c.status("error", code, "cannot take "+strings.ToUpper(testKey)); err != nil {
			return err
		}
		return c.drain()
	}, prober.StagePublish, reason, false, "cannot take [secret]"}
}

func TestBroadcast(t *testing.T) {
	t.Parallel()
	type seen struct {
		name string
		m    message.Message
	}
	messages := make(chan seen, 200)
	deleted := make(chan struct{})
	s := serve(t, func(c *fakeConn) error {
		if err := c.acceptPublish(); err != nil {
			return err
		}
		if err := c.say(&message.WinAckSize{Size: 2048}); err != nil {
			return err
		}
		for i := range 3 {
			if err := c.say(&message.UserCtrl{Event: &message.UserCtrlEventPingRequest{Timestamp: uint32(i)}}); err != nil {
				return err
			}
		}
		for {
			m, err := c.next()
			if err != nil {
				return err
			}
			switch m := m.(type) {
			case *message.CommandMessage:
				if m.CommandName == "deleteStream" {
					close(deleted)
				}
			case *message.DataMessage:
				messages <- seen{m.Name, m}
			default:
				messages <- seen{"", m}
			}
		}
	})
	b, failure, err := Publish(t.Context(), testConfig(s.url()))
	if failure != nil || err != nil {
		t.Fatalf("Publish: %+v, %v", failure, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	src := &testSource{size: 1000, onNext: func(n int) {
		if n == 50 {
			cancel()
		}
	}}
	start := time.Now()
	if failure := b.Send(ctx, src); failure != nil {
		t.Fatalf("Send: %+v", failure)
	}
	sent := time.Now()
	if err := b.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
	<-deleted
	if first := <-messages; first.name != "@setDataFrame" {
		t.Errorf("the first message is %T %q, want @setDataFrame", first.m, first.name)
	}
	if took := sent.Sub(start); took < 480*time.Millisecond {
		t.Errorf("%d tags of 100 a second took %s", src.n, took)
	}
	var pongs, tags int
	for len(messages) > 0 {
		switch (<-messages).m.(type) {
		case *message.UserCtrl:
			pongs++
		case *message.VideoMessage, *message.AudioMessage:
			tags++
		}
	}
	if pongs != 3 {
		t.Errorf("%d answers to 3 pings", pongs)
	}
	if want := src.n + 2; tags < want-2 || tags > want {
		t.Errorf("%d tags came, %d were made with the headers", tags, want)
	}
	stats := b.Stats()
	if len(stats.Stages) != 3 || stats.BytesSent < 20_000 || stats.Resyncs != 0 {
		t.Errorf("stats %+v", stats)
	}
}
