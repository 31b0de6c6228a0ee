//go:build linux

package hls

import (
	"context"
	"sync"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/media"
	platform "streamcanary/prober/origin"
)

// TestFollowParts follows a low-latency broadcast, all real: where it is asked for each
// part is looked into, and a viewer is as far behind as PART-HOLD-BACK says.
func TestFollowParts(t *testing.T) {
	t.Parallel()
	url := broadcastTo(t, platform.LowLatency)
	type seen struct {
		frames  map[uint64]int // by number: how often it was looked at
		viewing prober.Viewing
		part    time.Duration
		found   []prober.Finding
	}
	follow := func(low bool) (s seen) {
		s.frames = map[uint64]int{}
		var mu sync.Mutex
		f := NewFollower(Config{URL: url, Run: pullRun, Video: true, Audio: true, LowLatency: low, Inspect: func(segment, init []byte) (media.Summary, error) {
			v, err := media.Inspect(segment, init)
			mu.Lock()
			defer mu.Unlock()
			for _, m := range v.Markers {
				s.frames[m.Seq]++
			}
			return v, err
		}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- f.Run(ctx) }()
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		var end <-chan time.Time
		for running := true; running; {
			select {
			case now := <-ticker.C:
				o := f.Observe(now)
				if o.Playing && end == nil {
					end = time.After(6 * time.Second)
				}
				if o.Viewing.Latency != 0 {
					s.viewing = o.Viewing
				}
				s.part = o.PartLatency
				s.found = merge(s.found, o.Findings)
			case <-end:
				running = false
			case <-time.After(patience):
				running = false
				t.Error("it does not play")
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		return s
	}
	for _, low := range []bool{false, true} {
		s := follow(low)
		twice := 0
		for _, n := range s.frames {
			if n > 1 {
				twice++
			}
		}
		for _, f := range s.found {
			if f.Severity != prober.SeverityNote {
				t.Errorf("%+v", f)
			}
		}
		switch each := twice > len(s.frames)/2; {
		case low && (!each || s.viewing.Latency > 1500*time.Millisecond):
			t.Errorf("parts: %d of %d frames were looked at twice; a viewer is %s behind", twice, len(s.frames), s.viewing.Latency)
		case !low && (each || s.viewing.Latency < 3*time.Second):
			t.Errorf("segments: %d of %d frames were looked at twice; a viewer is %s behind", twice, len(s.frames), s.viewing.Latency)
		}
		if s.part <= 0 || s.part > time.Second {
			t.Errorf("the latency of parts is %s", s.part)
		}
		t.Logf("asked for %v: %d of %d frames twice, a viewer %+v, a part %s, %+v", low, twice, len(s.frames), s.viewing, s.part, s.found)
	}
	<-time.After(time.Second) // so that parts that are hinted, and asked for, are answered
}
