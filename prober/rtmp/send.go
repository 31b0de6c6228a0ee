package rtmp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"streamcanary/prober"
)

const (
	// onTime is how late a tag may be and still count as on time.
	onTime = 100 * time.Millisecond
	// batch is how many bytes of late tags are handed to the socket at once.
	batch = 64 << 10
	// queueLook is how often the kernel's send queue is looked at.
	queueLook = time.Second
)

// Send sends the source's broadcast in real time until ctx is done (nil), Close
// is called (nil), or the server fails it. A tag is sent when the one before it
// was due, at the next tick of the Pacer, so that its clock is the time of its
// sending. The pace is counted from the broadcast's start, so it drifts by nothing.
// After a stall of less than MaxLag what is late is sent at once. If it was this
// machine that was late (suspended, starved) the pace begins anew instead, which
// Stats counts.
func (b *Broadcast) Send(ctx context.Context, src Source) *prober.Failure {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(b.live, cancel)()

	p := &pace{b: b, source: src, left: make(chan error, 1)}
	p.watchdog = time.AfterFunc(math.MaxInt64, func() {
		if ctx.Err() == nil {
			p.inspect()
		}
	})
	defer p.watchdog.Stop()

	err := p.run(ctx)
	switch {
	case errors.Is(context.Cause(b.live), errClosedByUs):
		return nil
	case b.live.Err() == nil && ctx.Err() != nil:
		return nil
	}
	return b.verdict(err).failure(prober.StageIngest, b.at)
}

// pace is one Send. Its steps are made by the Pacer while that drives it.
type pace struct {
	b        *Broadcast
	source   Source
	left     chan error // the Pacer has let go of it
	watchdog *time.Timer

	begun   bool
	started time.Time     // when the tag with the timestamp zero was, or would have been, due
	zero    time.Duration // the first tag's DTS
	due     time.Time     // when the next tag is
	looked  time.Time     // when the kernel's queue was last looked at

	onTimeWait atomic.Int64 // sender.waited when a tag was last on time, ns

	mu     sync.Mutex
	lateAt time.Time // when the lag of the flush in progress reaches MaxLag
	behind behind
}

// run returns when ctx is done or a write fails.
func (p *pace) run(ctx context.Context) error {
	for {
		err := p.b.cfg.Pacer.drive(ctx, p)
		if err == nil {
			err = p.flush(ctx)
		}
		if err != nil {
			if ctx.Err() == nil {
				p.b.broke(err)
			}
			return err
		}
	}
}

// flush waits until the socket has taken what is queued.
func (p *pace) flush(ctx context.Context) error {
	p.b.write.Lock()
	defer p.b.write.Unlock()
	left := max(p.b.cfg.MaxLag-p.b.cfg.Now().Sub(p.due), 0)
	p.mu.Lock()
	p.lateAt = time.Now().Add(left)
	p.mu.Unlock()
	p.watchdog.Reset(left)
	defer p.watchdog.Stop()
	return p.b.out.flush(ctx)
}

// step sends what is due, framed in scratch, which is given back. It says in how
// long the next tag is due; without done the socket is full, or the broadcast over.
func (p *pace) step(scratch []byte) (frames []byte, wait time.Duration, done bool, err error) {
	b := p.b
	if b.live.Err() != nil || !b.write.TryLock() { // Close has it
		return scratch, 0, false, nil
	}
	defer b.write.Unlock()
	now := b.cfg.Now()
	frames, err = p.frames(scratch[:0], now)
	if err != nil {
		return frames, 0, true, err
	}
	frames = b.controls(frames)
	if now.Sub(p.looked) >= queueLook {
		p.looked = now
		b.out.measureQueue()
	}
	done = true
	switch {
	case len(frames) == 0:
	case b.secure != nil:
		if _, err = b.wire.Write(frames); err == nil { // it queues
			done, err = b.out.push()
		}
	default:
		done, err = b.out.offer(frames)
	}
	return frames, p.due.Sub(now), done, err
}

// frames adds the tags that are due.
func (p *pace) frames(frames []byte, now time.Time) ([]byte, error) {
	if !p.begun {
		return p.begin(frames, now)
	}
	p.judge(now)
	for !p.due.After(now) && len(frames) < batch {
		tag := p.source.Next(now)
		frames = p.tag(frames, tag)
		p.due = p.started.Add(tag.DTS - p.zero)
	}
	return frames, nil
}

// begin adds onMetaData, the sequence headers and the first tag, whose timestamp
// all of them have.
func (p *pace) begin(frames []byte, now time.Time) ([]byte, error) {
	body, err := encodeAMF("@setDataFrame", "onMetaData", p.source.Metadata().object())
	if err != nil {
		return frames, fmt.Errorf("encode onMetaData: %w", err)
	}
	first := p.source.Next(now)
	p.begun, p.started, p.due, p.zero = true, now, now, first.DTS
	frames = p.b.frames.append(frames, commandChunks, kindData, p.b.streamID, timestamp(first.DTS), body)
	for _, tag := range p.source.Headers() {
		tag.DTS = first.DTS
		frames = p.tag(frames, tag)
	}
	return p.tag(frames, first), nil
}

func (p *pace) tag(frames []byte, tag Tag) []byte {
	chunks, kind := videoChunks, kindVideo
	if tag.Audio {
		chunks, kind = audioChunks, kindAudio
	}
	return p.b.frames.append(frames, chunks, kind, p.b.streamID, timestamp(tag.DTS), tag.Body)
}

// timestamp is a DTS as RTMP has it: milliseconds, which wrap after 49.7 days
// (RTMP 1.0, 3).
func timestamp(dts time.Duration) uint32 {
	return uint32(dts.Milliseconds()) //nolint:gosec // wraps
}

// judge sees how late the next tag is, and begins the pace anew if this machine
// is why it is very late.
func (p *pace) judge(now time.Time) {
	lag := now.Sub(p.due)
	p.b.lag.Store(int64(max(lag, 0)))
	if lag < onTime {
		p.onTimeWait.Store(int64(p.b.out.waited()))
	}
	if lag < p.b.cfg.MaxLag {
		p.mu.Lock()
		p.behind = behind{}
		p.mu.Unlock()
		return
	}
	if p.blocked(lag) {
		p.look()
		return
	}
	p.started, p.due = p.started.Add(lag), p.due.Add(lag)
	p.b.resyncs.Add(1)
}

// inspect is the watchdog: it looks while a flush goes on, since nobody else does.
func (p *pace) inspect() {
	again := p.b.cfg.StallTimeout / 8
	p.mu.Lock()
	early := time.Until(p.lateAt)
	p.mu.Unlock()
	switch {
	case p.b.out.since.Load() == 0: // the flush is over
	case early > 0: // another one has begun
		p.watchdog.Reset(early)
	default:
		if p.blocked(p.b.cfg.MaxLag) {
			p.look()
		}
		p.watchdog.Reset(again)
	}
}

// look is at a broadcast that is MaxLag behind because of its server, and ends it
// as throttled if that still takes bytes.
func (p *pace) look() {
	p.mu.Lock()
	throttled := p.behind.look(time.Now(), p.b.out.movedAt(), p.b.cfg.StallTimeout/4)
	p.mu.Unlock()
	if throttled {
		p.b.end(&ending{reason: prober.ReasonSendThrottled, what: fmt.Sprintf(
			"the server takes the broadcast slower than its rate: more than %s behind real time", p.b.cfg.MaxLag)})
	}
}

// behind tells a server that takes a broadcast too slowly from one that has
// stopped. Both fall behind; only the slow one takes bytes after that. A stop is
// no clean cut, the buffers on the way take their last bytes late, so a while is
// left to them. A server that takes none after that is seen by the stall timeout.
type behind struct {
	since time.Time // the first look; zero: there was none
}

// look says whether the server is slow. moved is when it last took bytes. It needs
// no second look at bytes that move, so that one which takes them in bursts is slow
// too, however long it waits between them.
func (l *behind) look(now, moved time.Time, settle time.Duration) bool {
	if l.since.IsZero() {
		l.since = now
	}
	return moved.Sub(l.since) >= settle
}

// blocked reports whether at least half of a lag was spent in waits for the
// socket: then it is the server's doing.
func (p *pace) blocked(lag time.Duration) bool {
	return p.b.out.waited()-time.Duration(p.onTimeWait.Load()) >= lag/2
}
