package main

import (
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
	"streamcanary/prober/rtmp"
	"streamcanary/prober/signal"
)

// A broadcast connects, is away for a minute, and connects again: its timestamps
// begin with zero again, or tell that minute. Its markers go on either way.
func TestTimestampsOverConnections(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		way         prober.Timestamps
		least, most time.Duration // of the second connection's first tag
	}{
		{"", 0, 0},
		{prober.TimestampsRestart, 0, 0},
		{prober.TimestampsRunOn, 70 * time.Second, 70 * time.Second},
	} {
		made, err := newFeed(agent.Picture{Run: "run-1", Label: "test", RTMP: prober.RTMP{Timestamps: test.way}}, rtmp.NewPacer(), signal.NewCodes())
		if err != nil {
			t.Fatal(err)
		}
		f := made.(*feed)
		clock := time.Date(2026, 4, 8, 12, 0, 0, 0, time.UTC)
		first, last := connection(f, clock, 10*time.Second)
		if first != 0 || last < 9900*time.Millisecond {
			t.Errorf("%q: the first connection's timestamps are %s to %s", test.way, first, last)
		}
		again, end := connection(f, clock.Add(70*time.Second), 10*time.Second)
		if again < test.least || again > test.most || end-again < 9900*time.Millisecond {
			t.Errorf("%q: the second connection's timestamps are %s to %s, want them to begin at %s", test.way, again, end, test.least)
		}
	}
}

// Timestamps never fall, not even for a broadcast that was ahead of its time.
func TestRunOnNeverFalls(t *testing.T) {
	t.Parallel()
	made, err := newFeed(agent.Picture{Run: "run-1", RTMP: prober.RTMP{Timestamps: prober.TimestampsRunOn}}, rtmp.NewPacer(), signal.NewCodes())
	if err != nil {
		t.Fatal(err)
	}
	f := made.(*feed)
	clock := time.Date(2026, 4, 8, 12, 0, 0, 0, time.UTC)
	_, last := connection(f, clock, 10*time.Second)
	if again, _ := connection(f, clock.Add(time.Second), time.Second); again <= last {
		t.Errorf("the second connection begins with %s, the first had reached %s", again, last)
	}
}

func TestFeedNeedsGoodAuthorities(t *testing.T) {
	t.Parallel()
	if _, err := newFeed(agent.Picture{Run: "run-1", RTMP: prober.RTMP{CA: "no certificate"}}, rtmp.NewPacer(), signal.NewCodes()); err == nil {
		t.Error("no error for a CA without a certificate")
	}
}

// connection gives the first and the last timestamp of one that is up for a while.
func connection(f *feed, clock time.Time, length time.Duration) (first, last time.Duration) {
	source := &connectionSource{Source: f.source, runOn: f.runOn}
	tag := source.Next(clock)
	first, last = tag.DTS, tag.DTS
	for last-first < length-100*time.Millisecond {
		last = source.Next(clock.Add(last - first)).DTS
	}
	return first, last
}

// A target's broadcast is what is pushed: of its size, of sound alone or of pictures
// alone, and in each case it begins at once.
func TestFeedIsAsConfigured(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, 4, 8, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		signal        prober.Signal
		width, height int
		audio, video  bool
	}{
		{prober.Signal{}, 640, 360, true, true},
		{prober.Signal{Width: 1280, Height: 720, FPS: 25, NoAudio: true}, 1280, 720, false, true},
		{prober.Signal{NoVideo: true}, 0, 0, true, false},
	} {
		made, err := newFeed(agent.Picture{Run: "run-1", Signal: test.signal}, rtmp.NewPacer(), signal.NewCodes())
		if err != nil {
			t.Fatal(err)
		}
		source := &connectionSource{Source: made.(*feed).source}
		if m := source.Metadata(); m.Width != test.width || m.Height != test.height || m.AudioBitrate > 0 != test.audio {
			t.Errorf("%+v: metadata %+v", test.signal, m)
		}
		audio, video := false, false
		for i := range 100 {
			tag := source.Next(clock)
			audio, video = audio || tag.Audio, video || !tag.Audio
			if i == 0 && (tag.DTS != 0 || tag.Audio == test.video) {
				t.Errorf("%+v: begins with %+v", test.signal, tag)
			}
		}
		if audio != test.audio || video != test.video {
			t.Errorf("%+v: sound %v, pictures %v", test.signal, audio, video)
		}
	}
}
