package main

import (
	"context"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
)

// scriptedFollower gives one observation after the other.
type scriptedFollower struct {
	agent.Follower
	next []agent.Observation
}

func (f *scriptedFollower) Observe(time.Time) agent.Observation {
	o := f.next[0]
	f.next = f.next[1:]
	return o
}

// What the meter looked at is not lost for the agent.
func TestMeterTakesNothing(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 4, 8, 12, 0, 0, 0, time.UTC)
	fail := &prober.Failure{Outcome: prober.Fail, Stage: prober.StageManifest, Reason: prober.ReasonPlaylistStale}
	finding := prober.Finding{Rule: "stale", Severity: prober.SeverityFail, Count: 1}
	see := func(n int, failure *prober.Failure) agent.Observation {
		return agent.Observation{Failure: failure, PlayingSince: at, Segments: n, Bytes: int64(1000 * n), Skipped: 1, Missed: 1,
			Findings: []prober.Finding{finding}, Viewing: prober.Viewing{Watched: time.Second, Latency: time.Duration(n) * time.Second},
			Renditions: []prober.Rendition{{Name: "720p", Downloaded: n}}}
	}
	m := newProbeMeter(true)
	inner := &scriptedFollower{next: []agent.Observation{see(1, nil), see(2, fail), see(3, nil), see(4, nil)}}
	f := &toldFollower{Follower: inner, meter: m}
	m.begin(f)
	m.sample(at)
	now, sample := m.sample(at.Add(time.Second))
	if now.Got != 3000 || now.GotRate != 16_000 || sample.Received != 16_000 || now.Condition != fail || now.Viewing.Watched != 2*time.Second {
		t.Errorf("the meter knows %+v, %+v", now, sample)
	}
	got := f.Observe(at.Add(2 * time.Second))
	if got.Segments != 6 || got.Bytes != 6000 || got.Skipped != 3 || got.Missed != 3 || got.Recovered != 1 || got.Failure != nil ||
		len(got.Findings) != 1 || got.Findings[0].Count != 3 || got.Viewing.Watched != 3*time.Second || got.Viewing.Latency != 3*time.Second ||
		len(got.Renditions) != 1 || got.Renditions[0].Downloaded != 6 {
		t.Errorf("the agent sees %+v", got)
	}
	if got := f.Observe(at.Add(3 * time.Second)); got.Segments != 4 || got.Recovered != 0 {
		t.Errorf("and then %+v, want what is new alone", got)
	}
	m.end(f)
	if now, sample := m.sample(at.Add(4 * time.Second)); now.Pulling || now.Got != 10_000 || sample.Buffer >= 0 {
		t.Errorf("after the end the meter knows %+v, %+v", now, sample)
	}
}

// Where the agent looks often, the meter only listens.
func TestMeterListens(t *testing.T) {
	t.Parallel()
	m := newProbeMeter(false)
	f := &toldFollower{Follower: &scriptedFollower{next: []agent.Observation{{Bytes: 7}}}, meter: m}
	m.begin(f)
	m.sample(time.Now()) // would take the only observation
	if got := f.Observe(time.Now()); got.Bytes != 7 {
		t.Errorf("the agent sees %+v", got)
	}
	if now, _ := m.sample(time.Now()); now.Got != 7 {
		t.Errorf("the meter knows %+v", now)
	}
}

// scriptedBroadcast has sent what it is set to.
type scriptedBroadcast struct {
	agent.Broadcast
	sent agent.Sent
}

func (b *scriptedBroadcast) Sent() agent.Sent          { return b.sent }
func (*scriptedBroadcast) Close(context.Context) error { return nil }

type scriptedFeed struct{ b *scriptedBroadcast }

func (f scriptedFeed) Publish(context.Context, prober.Secret) (agent.Broadcast, *prober.Failure, error) {
	return f.b, nil, nil
}

// Bytes are counted over connections, and rates are of the time between two samples.
func TestMeterCountsConnections(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 4, 8, 12, 0, 0, 0, time.UTC)
	m := newProbeMeter(true)
	inner := &scriptedBroadcast{sent: agent.Sent{Stages: []prober.StageTime{{Stage: prober.StageConnect, Duration: time.Millisecond}}}}
	told := 0
	feed, err := m.feed(func(agent.Picture) (agent.Feed, error) { return scriptedFeed{inner}, nil }, func(s []prober.StageTime) { told += len(s) })(agent.Picture{})
	if err != nil {
		t.Fatal(err)
	}
	publish := func() agent.Broadcast {
		b, _, err := feed.Publish(context.Background(), "")
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if now, s := m.sample(at); now.Pushing || now.SentRate != -1 || s.Sent != -1 {
		t.Errorf("before the first: %+v", now)
	}
	first := publish()
	inner.sent.Bytes = 50_000
	if now, s := m.sample(at.Add(2 * time.Second)); !now.Pushing || now.Sent != 50_000 || now.SentRate != 200_000 || s.Sent != 200_000 {
		t.Errorf("while it sends: %+v", now)
	}
	inner.sent.Bytes = 60_000
	if err := first.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if now, _ := m.sample(at.Add(3 * time.Second)); now.Pushing || now.Sent != 60_000 || now.SentRate != 80_000 {
		t.Errorf("after its end: %+v", now)
	}
	if now, _ := m.sample(at.Add(4 * time.Second)); now.SentRate != -1 {
		t.Errorf("while there is none: %+v", now)
	}
	inner.sent.Bytes = 1000
	publish()
	if now, _ := m.sample(at.Add(5 * time.Second)); now.Sent != 61_000 || now.SentRate != 8000 || told != 2 {
		t.Errorf("with the second: %+v, told %d", now, told)
	}
}
