package rtmp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yutopp/go-rtmp/message"

	"streamcanary/prober"
)

// onTime is how late a tag may be and still count as on time.
const onTime = 100 * time.Millisecond

// Send sends the source's broadcast in real time until ctx is done (nil), Close
// is called (nil), or the server fails it. A tag is sent when the one before it
// was due, so that its clock is the time of its sending. After a stall of less
// than MaxLag what is late is sent at once. If it was this machine that was late
// (suspended, starved) the pace begins anew instead, which Stats counts.
func (b *Broadcast) Send(ctx context.Context, src Source) *prober.Failure {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(b.live, cancel)()

	p := newPace(b, src)
	p.watchdog = time.AfterFunc(math.MaxInt64, func() {
		if ctx.Err() == nil {
			p.inspect()
		}
	})
	defer p.watchdog.Stop()
	p.timer = time.NewTimer(0)
	defer p.timer.Stop()

	err := p.run(ctx)
	switch {
	case errors.Is(context.Cause(b.live), errClosedByUs):
		return nil
	case b.live.Err() == nil && ctx.Err() != nil:
		return nil
	}
	return b.verdict(err).failure(prober.StageIngest, b.at)
}

// pace is one Send.
type pace struct {
	b        *Broadcast
	source   Source
	started  time.Time
	timer    *time.Timer
	watchdog *time.Timer

	audio, video message.Message
	payload      bytes.Reader

	onTimeWait atomic.Int64 // sender.waited when a tag was last on time, ns

	mu        sync.Mutex
	lateSince time.Time // when inspect last looked at the lag that is; zero: there is none
	lateBytes int64     // taken by then
	moving    int       // looks in a row that saw bytes move
}

func newPace(b *Broadcast, src Source) *pace {
	p := &pace{b: b, source: src, started: b.cfg.Now()}
	p.audio = &message.AudioMessage{Payload: &p.payload}
	p.video = &message.VideoMessage{Payload: &p.payload}
	return p
}

// run returns when ctx is done or a write fails.
func (p *pace) run(ctx context.Context) error {
	if err := p.begin(ctx); err != nil {
		return err
	}
	due := p.started
	for {
		if err := p.wait(ctx, due); err != nil {
			return err
		}
		now := p.b.cfg.Now()
		if lag := now.Sub(due); lag > p.b.cfg.MaxLag && !p.blocked(lag) {
			p.started = p.started.Add(lag)
			p.b.resyncs.Add(1)
		}
		tag := p.source.Next(now)
		if err := p.tag(ctx, tag); err != nil {
			return err
		}
		due = p.started.Add(tag.DTS)
	}
}

// begin sends onMetaData and the sequence headers.
func (p *pace) begin(ctx context.Context) error {
	body, err := encodeAMF("onMetaData", p.source.Metadata().object())
	if err != nil {
		return fmt.Errorf("encode onMetaData: %w", err)
	}
	data := &message.DataMessage{Name: "@setDataFrame", Encoding: message.EncodingTypeAMF0, Body: body}
	if err := p.b.send(ctx, commandChunks, 0, p.b.streamID, data); err != nil {
		return err
	}
	for _, tag := range p.source.Headers() {
		if err := p.tag(ctx, tag); err != nil {
			return err
		}
	}
	return nil
}

func (p *pace) tag(ctx context.Context, tag Tag) error {
	p.payload.Reset(tag.Body)
	chunks, m := videoChunks, p.video
	if tag.Audio {
		chunks, m = audioChunks, p.audio
	}
	timestamp := uint32(tag.DTS.Milliseconds()) //nolint:gosec // wraps after 49 days, as RTMP 1.0, 5.3.1.1 has it
	return p.b.send(ctx, chunks, timestamp, p.b.streamID, m)
}

// wait sleeps until a time is due. In between it sends what the server asked for.
func (p *pace) wait(ctx context.Context, due time.Time) error {
	lag := p.b.cfg.Now().Sub(due)
	p.b.lag.Store(int64(max(lag, 0)))
	if lag < onTime {
		p.onTimeWait.Store(int64(p.b.out.waited()))
	}
	if lag < p.b.cfg.MaxLag {
		p.mu.Lock()
		p.lateSince = time.Time{}
		p.mu.Unlock()
	}
	p.watchdog.Reset(max(p.b.cfg.MaxLag-lag, 0))
	p.timer.Reset(max(-lag, 0))
	for {
		select {
		case <-p.timer.C:
			return ctx.Err()
		case m := <-p.b.control:
			if err := p.b.send(ctx, controlChunks, 0, 0, m); err != nil {
				return err
			}
		case <-p.b.chunks.Done():
			return p.b.writeError()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// inspect runs while the broadcast is MaxLag behind, and ends it as throttled if
// the server is why and bytes still move, which takes two looks after the first.
// If none does any more, the stall timeout will say so: a stop is no clean cut,
// the buffers on the way take their last bytes late.
func (p *pace) inspect() {
	again := p.b.cfg.StallTimeout / 8
	defer func() { p.watchdog.Reset(again) }()
	out, lag := p.b.out, p.b.cfg.MaxLag
	if !p.blocked(lag) {
		return
	}
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.lateSince.IsZero() && now.Sub(p.lateSince) < again {
		return
	}
	taken := out.bytes.Load()
	if p.lateSince.IsZero() || taken == p.lateBytes {
		p.moving = 0
	} else {
		p.moving++
	}
	p.lateSince, p.lateBytes = now, taken
	if p.moving < 2 {
		return
	}
	p.b.end(&ending{prober.ReasonSendThrottled, fmt.Sprintf(
		"the server takes the broadcast slower than its rate: more than %s behind real time", lag)})
}

// blocked reports whether at least half of a lag was spent in blocked writes: then
// it is the server's doing.
func (p *pace) blocked(lag time.Duration) bool {
	return p.b.out.waited()-time.Duration(p.onTimeWait.Load()) >= lag/2
}
