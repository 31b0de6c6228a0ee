package main

import (
	"io"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
)

// A validation is sampled once a second for its charts, and what is no terminal has no
// live view.
func TestPlaybackSampled(t *testing.T) {
	t.Parallel()
	o := probeOptions{playback: "http://h/x.m3u8"}
	at := time.Date(2026, 4, 8, 12, 0, 0, 0, time.UTC)
	v := newValidation(o, at)
	show := showPlayback(t.Context(), io.Discard, o)
	inner := &scriptedFollower{}
	f := show.follow(inner)
	for i := range 9 { // two looks a second
		inner.next = []agent.Observation{{Bytes: 62_500, PlayingSince: at, Viewing: prober.Viewing{Watched: time.Second, Buffer: 3 * time.Second}}}
		now := at.Add(time.Duration(i) * 500 * time.Millisecond)
		f.Observe(now)
		show.turn(now, v)
	}
	samples := v.rec.Snapshot().Samples
	if len(samples) != 5 || samples[4].Received != 1_000_000 || samples[4].Sent != -1 || samples[0].Received != -1 {
		t.Errorf("sampled %+v, want five of 1 Mbit/s from the second on, and nothing sent", samples)
	}
	if err := show.close(); err != nil || show.live != nil {
		t.Errorf("a live view on no terminal: %v", err)
	}
}
