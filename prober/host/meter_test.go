package host

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// measure runs a meter in fake time until script ends.
func measure(t *testing.T, m *Meter, script func()) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			m.Run(ctx)
		}()
		script()
		cancel()
		<-done
	})
}

func pass(d time.Duration) {
	<-time.After(d + beat/2) // between two beats
	synctest.Wait()
}

func TestSharesAreOfTheirWindows(t *testing.T) {
	t.Parallel()
	var c counters
	var busy, again atomic.Uint64
	m := &Meter{readCounters: func() (counters, bool) {
		c.all += 200 // two processors, a second apart
		c.busy += busy.Load()
		c.sent += 100
		c.again += again.Load()
		return c, true
	}}
	measure(t, m, func() {
		synctest.Wait()
		if r := m.Read(); r.CPU != -1 || r.Loss != -1 || r.ClockKnown {
			t.Errorf("at once: %+v", r)
		}
		pass(15 * time.Second)
		if r := m.Read(); r.CPU != 0 || r.Loss != 0 || r.Late != 0 || r.Jump != 0 {
			t.Errorf("idle: %+v", r)
		}
		busy.Store(200)
		again.Store(30)
		pass(5 * time.Second)
		if r := m.Read(); r.CPU != .5 || r.Loss < .07 || r.Loss > .08 {
			t.Errorf("after 5 s of trouble: %+v", r)
		}
		pass(30 * time.Second)
		if r := m.Read(); r.CPU != 1 || r.Loss != .3 {
			t.Errorf("after 35 s of trouble: %+v", r)
		}
		busy.Store(0)
		again.Store(0)
		pass(11 * time.Second)
		if r := m.Read(); r.CPU != 0 || r.Loss < .18 || r.Loss > .21 {
			t.Errorf("11 s later: %+v", r)
		}
		if n := len(m.samples); n > 40 {
			t.Errorf("%d samples are kept", n)
		}
	})
}

func TestWhatCannotBeReadIsNotMeasured(t *testing.T) {
	t.Parallel()
	c := counters{all: 1 << 40, busy: 1 << 30, sent: 1 << 20}
	m := &Meter{readCounters: func() (counters, bool) {
		c.all -= 10 // another machine's, each time
		c.busy++
		return c, true
	}}
	measure(t, m, func() {
		pass(20 * time.Second)
		if r := m.Read(); r.CPU != -1 || r.Loss != -1 {
			t.Errorf("counters that fall: %+v", r)
		}
	})
	m = &Meter{readCounters: func() (counters, bool) { return counters{}, false }}
	measure(t, m, func() {
		pass(20 * time.Second)
		if r := m.Read(); r.CPU != -1 || r.Loss != -1 {
			t.Errorf("no counters: %+v", r)
		}
	})
}

// A machine that cannot run us in time is told by our own timers.
func TestLateness(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &Meter{}
		now := time.Now()
		for _, after := range []time.Duration{beat, beat + beat/10, beat + 700*time.Millisecond, beat + 300*time.Millisecond} {
			m.beat(now, now.Add(after))
			now = now.Add(after)
		}
		<-time.After(time.Until(now))
		if r := m.Read(); r.Late != (700+300+25)*time.Millisecond/4 || r.Jump != 0 {
			t.Errorf("got %+v", r)
		}
		<-time.After(cpuWindow)
		if r := m.Read(); r.Late != 0 {
			t.Errorf("later: %+v", r)
		}
	})
}

// The wall clock jumped when it went further than the monotonic one.
func TestJump(t *testing.T) {
	t.Parallel()
	m := &Meter{}
	now := time.Now()
	m.beat(now, now.Add(beat))
	if r := m.Read(); r.Jump != 0 {
		t.Errorf("without one: %+v", r)
	}
	// Without monotonic readings the times are all that is compared: none can be seen.
	wall := now.Round(0)
	m.beat(wall, wall.Add(time.Hour))
	if r := m.Read(); r.Jump != 0 {
		t.Errorf("an hour without a look: %+v", r)
	}
	m.jump, m.jumpAt = -3*time.Second, time.Now()
	if r := m.Read(); r.Jump != -3*time.Second {
		t.Errorf("got %+v", r)
	}
	m.jumpAt = time.Now().Add(-jumpStays)
	if r := m.Read(); r.Jump != 0 {
		t.Errorf("later: %+v", r)
	}
}

// An offset is told for a while after the last answer, and a server that wants
// to be left alone is.
func TestClockIsAskedSparingly(t *testing.T) {
	t.Parallel()
	var answer atomic.Pointer[error]
	answer.Store(new(error))
	var asked atomic.Int64
	m := &Meter{ClockServer: "clock", ask: func(string) (time.Duration, error) {
		asked.Add(1)
		return 40 * time.Millisecond, *answer.Load()
	}, readCounters: func() (counters, bool) { return counters{}, false }}
	measure(t, m, func() {
		pass(10 * time.Minute)
		if r := m.Read(); !r.ClockKnown || r.ClockOffset != 40*time.Millisecond || asked.Load() != 10 {
			t.Errorf("asked %d times: %+v", asked.Load(), r)
		}
		silent := errors.New("no answer")
		answer.Store(&silent)
		pass(6 * time.Minute)
		if r := m.Read(); r.ClockKnown || asked.Load() < 14 || asked.Load() > 16 {
			t.Errorf("a silent server, asked %d times: %+v", asked.Load(), r)
		}
		var leave error = kissError{"RATE"}
		answer.Store(&leave)
		asked.Store(0)
		pass(time.Hour)
		if n := asked.Load(); n < 4 || n > 6 {
			t.Errorf("asked %d times in an hour after a kiss of death", n)
		}
	})
}

// The machine's own counters, where they can be read.
func TestMachine(t *testing.T) {
	t.Parallel()
	before, ok := readCounters()
	if !ok {
		if os.Getenv("CI") == "true" {
			t.Fatal("the machine's counters cannot be read: run this on Linux")
		}
		t.Skip("only Linux has them")
	}
	for range 50 {
		after, ok := readCounters()
		if !ok || after.all < before.all || after.busy > after.all || after.again > after.sent {
			t.Fatalf("before %+v, after %+v", before, after)
		}
	}
}
