package rtmp

import (
	"context"
	"io"
	"math"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober"
)

// What a server takes, and when, decides between stalled, throttled and neither.
// There is no buffer between the two ends here: a byte is taken as it is read.
func TestBehind(t *testing.T) {
	t.Parallel()
	const (
		rate = 64_000 // bytes a second that the broadcast has, nearly
		all  = math.MaxInt64
	)
	tests := map[string]struct {
		server func(r reading)
		reason prober.Reason // "": it lasts a minute
		from   time.Duration // when that is said
		to     time.Duration
	}{
		"reads it all": {server: func(r reading) { r.forLong(all) }},
		"stops": {
			server: func(r reading) { r.until(20*time.Second, all, 10*time.Millisecond) },
			reason: prober.ReasonSendStalled, from: 26 * time.Second, to: 27 * time.Second,
		},
		"stops, and its buffers take their last bytes late": {
			server: func(r reading) {
				r.until(20*time.Second, all, 10*time.Millisecond)
				r.until(26*time.Second, 100, 200*time.Millisecond)
			},
			reason: prober.ReasonSendStalled, from: 31 * time.Second, to: 33 * time.Second,
		},
		"is slow, and stops before that is told": {
			server: func(r reading) { r.until(9*time.Second, rate/20, 100*time.Millisecond) },
			reason: prober.ReasonSendStalled, from: 14900 * time.Millisecond, to: 16 * time.Second,
		},
		"takes half": {
			server: func(r reading) { r.forLong(rate/20, 100*time.Millisecond) },
			reason: prober.ReasonSendThrottled, from: 11 * time.Second, to: 14 * time.Second,
		},
		"takes half, in bursts": {
			server: func(r reading) { r.forLong(rate, 2*time.Second) },
			reason: prober.ReasonSendThrottled, from: 9 * time.Second, to: 15 * time.Second,
		},
		"takes a little in each stall timeout": {
			server: func(r reading) { r.forLong(1000, 5*time.Second) },
			reason: prober.ReasonSendThrottled, from: 6 * time.Second, to: 15 * time.Second,
		},
		"pauses for longer than the lag that may be, and takes all": {
			server: func(r reading) {
				r.until(20*time.Second, all, 10*time.Millisecond)
				r.wait(5500 * time.Millisecond)
				r.forLong(all, 10*time.Millisecond)
			},
		},
		"pauses again and again": {
			server: func(r reading) { r.forLong(4*rate, 4*time.Second) },
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				ctx, stop := context.WithTimeout(t.Context(), time.Minute)
				defer stop()
				over := make(chan struct{})
				go func() {
					defer close(over)
					test.server(reading{theirs, ctx, time.Now()})
					<-ctx.Done()
				}()
				start := time.Now()
				failure := pipedTo(t, ours).Send(ctx, &testSource{size: 1250})
				took := time.Since(start)
				if test.reason != "" {
					wantFailure(t, failure, prober.StageIngest, test.reason)
					if took < test.from || took > test.to {
						t.Errorf("said after %s, want %s to %s", took, test.from, test.to)
					}
				} else if failure != nil || took < time.Minute {
					t.Errorf("after %s: %+v, want nothing for a minute", took, failure)
				}
				stop()
				_ = theirs.Close()
				<-over
			})
		})
	}
}

// pipedTo is a broadcast as Publish leaves it, on any connection and the clock of
// its bubble, with the time-outs that are the default.
func pipedTo(t *testing.T, conn net.Conn) *Broadcast {
	t.Helper()
	cfg := Config{URL: "rtmp://ingest.test/live/" + testKey}.withDefaults()
	at, err := cfg.endpoint()
	if err != nil {
		t.Fatal(err)
	}
	b := &Broadcast{cfg: cfg, at: at, out: newSender(conn, cfg.StallTimeout), frames: framer{size: outChunkSize}, broken: make(chan struct{})}
	b.out.queues.Store(true)
	b.live, b.end = context.WithCancelCause(t.Context())
	return b
}

// reading is the server's end.
type reading struct {
	conn  net.Conn
	ctx   context.Context //nolint:containedctx // of one test
	start time.Time
}

// until reads up to n bytes each time, until so long after the start.
func (r reading) until(end time.Duration, n int64, every ...time.Duration) {
	for time.Since(r.start) < end && r.ctx.Err() == nil {
		_ = r.conn.SetReadDeadline(r.start.Add(min(time.Since(r.start)+time.Millisecond, end)))
		_, _ = io.CopyN(io.Discard, r.conn, n)
		for _, d := range every {
			r.wait(d)
		}
	}
}

func (r reading) forLong(n int64, every ...time.Duration) { r.until(time.Hour, n, every...) }

func (r reading) wait(d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.ctx.Done():
	}
}

// A machine that was away while it waited for its server, suspended or starved,
// finds a socket that takes all: nobody stalled, and the pace begins anew.
func TestAwayInAWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := pipedTo(t, &awayConn{at: time.Now().Add(10 * time.Second), length: time.Hour})
		ctx, stop := context.WithTimeout(t.Context(), 2*time.Hour)
		defer stop()
		if failure := b.Send(ctx, &testSource{size: 1250}); failure != nil {
			t.Fatalf("Send: %+v", failure)
		}
		stats := b.Stats()
		if stats.Resyncs != 1 || stats.SendStall > time.Second {
			t.Errorf("%d resyncs, a stall of %s; want 1, and of less than a second", stats.Resyncs, stats.SendStall)
		}
	})
}

// awayConn takes everything at once, but for one write, which comes back as a
// machine does that was suspended in it: long after its deadline.
type awayConn struct {
	net.Conn
	at     time.Time
	length time.Duration
	was    bool
}

func (c *awayConn) Write(p []byte) (int, error) {
	if c.was || time.Now().Before(c.at) {
		return len(p), nil
	}
	c.was = true
	<-time.After(c.length)
	return 0, os.ErrDeadlineExceeded
}

func (*awayConn) SetWriteDeadline(time.Time) error { return nil }
