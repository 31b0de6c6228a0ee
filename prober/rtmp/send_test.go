package rtmp

import (
	"context"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// publishTo is a broadcast on a server that must accept it.
func publishTo(t *testing.T, cfg Config) *Broadcast {
	t.Helper()
	b, failure, err := Publish(t.Context(), cfg)
	if failure != nil || err != nil {
		t.Fatalf("Publish: %+v, %v", failure, err)
	}
	closeAfter(t, b)
	return b
}

func TestSendFailures(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		after  func(c *fakeConn) error // what the server does after Publish.Start
		size   int                     // bytes of a video tag, 50 a second
		reason prober.Reason
		within time.Duration
		detail string
	}{
		"closes right after Publish.Start": {
			after:  func(c *fakeConn) error { return c.hangUp() },
			reason: prober.ReasonConnectionClosed, within: 200 * time.Millisecond, detail: "FIN",
		},
		"resets right after Publish.Start": {
			after:  func(c *fakeConn) error { return c.reset() },
			reason: prober.ReasonConnectionReset, within: 200 * time.Millisecond, detail: "RST",
		},
		"closes in mid-broadcast": {
			after: func(c *fakeConn) error {
				if err := c.take(30); err != nil {
					return err
				}
				return c.hangUp()
			},
			reason: prober.ReasonConnectionClosed, within: 600 * time.Millisecond, detail: "FIN",
		},
		"resets in mid-broadcast": {
			after: func(c *fakeConn) error {
				if err := c.take(30); err != nil {
					return err
				}
				return c.reset()
			},
			reason: prober.ReasonConnectionReset, within: 600 * time.Millisecond, detail: "RST",
		},
		"says BadName on an open connection": {
			after: func(c *fakeConn) error {
				if err := c.status("error", "NetStream.Publish.BadName", "Already publishing"); err != nil {
					return err
				}
				return c.drain()
			},
			reason: prober.ReasonPublishNameInUse, within: 200 * time.Millisecond, detail: "Already publishing",
		},
		"says that the connection is closed": {
			after: func(c *fakeConn) error {
				if err := c.status("status", "NetConnection.Connect.Closed", "bye"); err != nil {
					return err
				}
				return c.drain()
			},
			reason: prober.ReasonConnectionClosed, within: 200 * time.Millisecond, detail: "bye",
		},
		"rejects the connection late": {
			after: func(c *fakeConn) error {
				if err := c.status("error", "NetConnection.Connect.Rejected", "quota of "+testKey); err != nil {
					return err
				}
				return c.drain()
			},
			reason: prober.ReasonPublishRejected, within: 200 * time.Millisecond, detail: "quota of [secret]",
		},
		"sends what is not RTMP": {
			after: func(c *fakeConn) error {
				if err := c.take(10); err != nil {
					return err
				}
				if _, err := c.Write([]byte{3, 0, 0, 0, 0xff, 0xff, 0xff, 20, 0, 0, 0, 0}); err != nil {
					return err
				}
				return c.drain()
			},
			reason: prober.ReasonConnectionClosed, within: 400 * time.Millisecond, detail: "not RTMP",
		},
		"says an error in a chunk of the size that it announced": {
			after: func(c *fakeConn) error {
				body, err := encodeAMF("onStatus", 0, nil, map[string]any{
					"level": "error", "code": "NetStream.Publish.Denied", "description": strings.Repeat("no ", 100),
				})
				if err != nil {
					return err
				}
				c.flush()
				said := append(chunk(2, 4, 1, 0, 0, 16, 0), chunk(5, len(body), 20, body...)...)
				if _, err := c.Write(said); err != nil {
					return err
				}
				return c.drain()
			},
			reason: prober.ReasonPublishDenied, within: 200 * time.Millisecond, detail: "no no no",
		},
		"says an error after what the library cannot decode": {
			after: func(c *fakeConn) error {
				body, err := encodeAMF("onStatus", 0, nil, map[string]any{"code": "NetStream.Publish.BadName"})
				if err != nil {
					return err
				}
				c.flush()
				said := chunk(3, 2, 17, 0, 0)                             // AMF3
				said = append(said, chunk(2, 6, 4, 0, 32, 0, 0, 0, 0)...) // user control of another type
				said = append(said, chunk(3, 5, 20, 3, 0, 0, 9, 0)...)    // a command without a name
				said = append(said, chunk(6, 1, 99, 0)...)                // no such message type
				said = append(said, chunk(5, len(body), 20, body...)...)
				if _, err := c.Write(said); err != nil {
					return err
				}
				return c.drain()
			},
			reason: prober.ReasonPublishNameInUse, within: 200 * time.Millisecond, detail: "BadName",
		},
		"stops reading": {
			after:  func(c *fakeConn) error { return c.hold() },
			size:   100_000, // the buffers of both sides are full within 1 s
			reason: prober.ReasonSendStalled, within: 3 * time.Second, detail: "took no bytes",
		},
		"reads too slowly": {
			after: func(c *fakeConn) error {
				buf := make([]byte, 32<<10)
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for {
					select {
					case <-tick.C:
						if _, err := c.r.Read(buf); err != nil {
							return err
						}
					case <-c.done:
						return nil
					}
				}
			},
			size:   100_000,
			reason: prober.ReasonSendThrottled, within: 3 * time.Second, detail: "slower than its rate",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(c *fakeConn) error {
				if err := c.SetReadBuffer(64 << 10); err != nil {
					return err
				}
				if err := c.acceptPublish(); err != nil {
					return err
				}
				return test.after(c)
			})
			b := publishTo(t, testConfig(s.url()))
			start := time.Now()
			failure := b.Send(t.Context(), &testSource{size: test.size})
			took := time.Since(start)
			wantFailure(t, failure, prober.StageIngest, test.reason)
			if failure != nil && !strings.Contains(failure.Detail, test.detail) {
				t.Errorf("detail %q, want %q in it", failure.Detail, test.detail)
			}
			if took > test.within+2*time.Second {
				t.Errorf("took %s, want %s at most", took, test.within)
			}
			if again := b.Send(t.Context(), &testSource{}); again == nil || again.Reason != test.reason {
				t.Errorf("a second Send on a dead broadcast gave %+v, want %s", again, test.reason)
			}
		})
	}
}

// hangUp closes with a FIN: a server that closes with bytes unread resets.
func (c *fakeConn) hangUp() error {
	c.flush()
	if err := c.CloseWrite(); err != nil {
		return err
	}
	return c.drain()
}

// take reads n messages.
func (c *fakeConn) take(n int) error {
	for range n {
		if _, err := c.next(); err != nil {
			return err
		}
	}
	return nil
}

func healthy(c *fakeConn) error {
	if err := c.acceptPublish(); err != nil {
		return err
	}
	return c.drain()
}

func TestSendEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, context.CancelFunc, *Broadcast){
		"cancelled": func(_ *testing.T, cancel context.CancelFunc, _ *Broadcast) { cancel() },
		"closed": func(t *testing.T, _ context.CancelFunc, b *Broadcast) {
			t.Helper()
			if err := b.Close(t.Context()); err != nil {
				t.Errorf("Close: %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := publishTo(t, testConfig(serve(t, healthy).url()))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			reached := make(chan struct{})
			src := &testSource{onNext: func(n int) {
				if n == 10 {
					close(reached)
				}
			}}
			done := make(chan *prober.Failure, 1)
			go func() { done <- b.Send(ctx, src) }()
			<-reached
			end(t, cancel, b)
			select {
			case failure := <-done:
				if failure != nil {
					t.Errorf("Send gave %+v, want nil", failure)
				}
			case <-time.After(2 * time.Second):
				t.Error("Send still runs")
			}
		})
	}
}

// A stopped server must not keep Close from returning in time, and the error
// says that it could not be told.
func TestCloseOfAStoppedServer(t *testing.T) {
	t.Parallel()
	s := serve(t, func(c *fakeConn) error {
		if err := c.SetReadBuffer(16 << 10); err != nil {
			return err
		}
		if err := c.acceptPublish(); err != nil {
			return err
		}
		return c.hold()
	})
	cfg := testConfig(s.url())
	cfg.StallTimeout, cfg.MaxLag, cfg.CloseTimeout = time.Minute, time.Minute, 300*time.Millisecond
	b, failure, err := Publish(t.Context(), cfg)
	if failure != nil || err != nil {
		t.Fatalf("Publish: %+v, %v", failure, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan *prober.Failure, 1)
	go func() { done <- b.Send(ctx, &testSource{size: 200_000}) }()
	for b.out.still() < 600*time.Millisecond {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal("the send buffer never filled")
		}
	}
	if stall := b.Stats().SendStall; stall < 200*time.Millisecond {
		t.Errorf("SendStall is %s in a write that is blocked for 200ms", stall)
	}
	cancel()
	if failure := <-done; failure != nil {
		t.Errorf("Send gave %+v, want nil", failure)
	}
	start := time.Now()
	err = b.Close(t.Context())
	if err == nil || !strings.Contains(err.Error(), "deleteStream not sent") || strings.Contains(err.Error(), testKey) {
		t.Errorf("Close gave %v", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("Close took %s", took)
	}
}

// After a stall of less than MaxLag everything is sent at once; a machine that
// was itself away for longer begins its pace anew.
func TestPaceAfterAStall(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		away    time.Duration // how far the clock jumps at the 20th tag, of 100 a second
		tags    int
		least   time.Duration // for that many tags: no faster than real time
		most    time.Duration
		resyncs int
	}{
		"short": {3 * time.Second, 340, 370 * time.Millisecond, 3 * time.Second, 0},
		"long":  {time.Hour, 40, 370 * time.Millisecond, time.Minute, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(serve(t, healthy).url())
			cfg.MaxLag = 10 * time.Second
			var skew time.Duration // only Send's goroutine looks at the clock
			cfg.Now = func() time.Time { return time.Now().Add(skew) }
			b := publishTo(t, cfg)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			src := &testSource{onNext: func(n int) {
				switch n {
				case 20:
					skew = test.away
				case test.tags:
					cancel()
				}
			}}
			start := time.Now()
			if failure := b.Send(ctx, src); failure != nil {
				t.Fatalf("Send: %+v", failure)
			}
			if took := time.Since(start); took < test.least || took > test.most {
				t.Errorf("%d tags took %s, want %s to %s", src.n, took, test.least, test.most)
			}
			if got := b.Stats().Resyncs; got != test.resyncs {
				t.Errorf("%d resyncs, want %d", got, test.resyncs)
			}
			for i := 1; i < len(src.clocks); i++ {
				if src.clocks[i].Before(src.clocks[i-1]) {
					t.Fatalf("the clock of tag %d is before its predecessor's", i)
				}
			}
		})
	}
}
