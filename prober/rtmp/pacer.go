package rtmp

import (
	"context"
	"math"
	"sync"
	"time"
)

// pacerTick is the grid on which a Pacer wakes: two pictures of thirty a second.
// What is due by then goes in one write, so that a process pays for 15 wake-ups a
// second, whatever it sends.
const pacerTick = 66 * time.Millisecond

// Pacer sends the tags of any number of broadcasts, each at its time, from one
// goroutine and one timer. It never waits for a server: a broadcast whose socket
// is full leaves it until the socket has taken everything. A process needs one;
// its goroutine runs while a broadcast does.
type Pacer struct {
	epoch time.Time
	wake  chan struct{}

	mu      sync.Mutex
	paces   []*pace
	scratch []byte // all broadcasts are framed here, one after the other
	running bool
}

// NewPacer makes a Pacer. Nothing has to be released.
func NewPacer() *Pacer {
	return &Pacer{epoch: time.Now(), wake: make(chan struct{}, 1)}
}

// drive sends p's tags until ctx is done, a write fails, or the socket takes no
// more at once (nil).
func (t *Pacer) drive(ctx context.Context, p *pace) error {
	t.join(p)
	select {
	case <-ctx.Done():
		t.leave(p)
		return ctx.Err()
	case err := <-p.left:
		return err
	}
}

func (t *Pacer) join(p *pace) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.paces = append(t.paces, p)
	if !t.running {
		t.running = true
		go t.run()
		return
	}
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// leave takes p out. When it returns p is in nobody's hands.
func (t *Pacer) leave(p *pace) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, other := range t.paces {
		if other == p {
			t.remove(i)
			break
		}
	}
	select {
	case t.wake <- struct{}{}: // it may have been the last
	default:
	}
}

func (t *Pacer) remove(i int) {
	last := len(t.paces) - 1
	t.paces[i], t.paces[last] = t.paces[last], nil
	t.paces = t.paces[:last]
}

func (t *Pacer) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-t.wake:
		}
		wait, more := t.round()
		if !more {
			return
		}
		timer.Reset(t.align(wait))
	}
}

// round steps every broadcast once, and says in how long the next tag is due;
// false when there is no broadcast any more.
func (t *Pacer) round() (wait time.Duration, more bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	wait = math.MaxInt64
	for i := 0; i < len(t.paces); {
		p := t.paces[i]
		frames, next, done, err := p.step(t.scratch)
		if t.scratch = frames; cap(frames) > keptQueue {
			t.scratch = nil
		}
		if !done || err != nil {
			t.remove(i)
			p.left <- err
			continue
		}
		wait = min(wait, next)
		i++
	}
	t.running = len(t.paces) > 0
	return wait, t.running
}

// align lengthens a wait up to the grid.
func (t *Pacer) align(wait time.Duration) time.Duration {
	if wait <= 0 {
		return 0
	}
	now := time.Since(t.epoch)
	if wait > math.MaxInt64-now-pacerTick {
		return wait
	}
	at := (now + wait + pacerTick - 1) / pacerTick * pacerTick
	return at - now
}
