package main

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
	"streamcanary/prober/rtmp"
	"streamcanary/prober/signal"
)

// feed is one broadcast's signal, pushed over one connection after another.
type feed struct {
	source *signal.Source
	push   rtmp.Config // all but the URL
	runOn  *runningOn  // nil: each connection's timestamps begin with zero
}

// newFeed makes a feed. pacer and codes are shared by all of the process.
func newFeed(p agent.Picture, pacer *rtmp.Pacer, codes *signal.Codes) (agent.Feed, error) {
	like := p.Signal
	c := signal.Config{Run: p.Run, Label: p.Label, Width: like.Width, Height: like.Height, FPS: like.FPS, Keyframe: like.Keyframe,
		Bitrate: like.Bitrate, NoVideo: like.NoVideo, NoAudio: like.NoAudio, Codes: codes}
	if p.Small {
		c.Width, c.Height, c.FPS, c.Bitrate = 320, 180, 10, 150_000
	}
	source, err := signal.New(c)
	if err != nil {
		return nil, err
	}
	f := &feed{source: source, push: rtmp.Config{
		User: p.RTMP.User, Password: p.RTMP.Password, Enhanced: p.RTMP.Enhanced, EveryAddress: p.RTMP.EveryAddress,
		CloseTimeout: time.Second, Pacer: pacer,
	}}
	if p.RTMP.CA != "" {
		f.push.CAs = x509.NewCertPool()
		if !f.push.CAs.AppendCertsFromPEM([]byte(p.RTMP.CA)) {
			return nil, errors.New("the ingest's ca_file holds no certificate in PEM")
		}
	}
	if p.RTMP.Timestamps == prober.TimestampsRunOn {
		f.runOn = &runningOn{}
	}
	return f, nil
}

func (f *feed) Publish(ctx context.Context, url prober.Secret) (agent.Broadcast, *prober.Failure, error) {
	cfg := f.push
	cfg.URL = url.Reveal()
	b, failure, err := rtmp.Publish(ctx, cfg)
	if b == nil || failure != nil || err != nil {
		return nil, failure, err
	}
	return &broadcast{Broadcast: b, feed: f}, nil, nil
}

// broadcast is one connection of a feed.
type broadcast struct {
	*rtmp.Broadcast
	feed *feed
}

func (b *broadcast) Send(ctx context.Context) *prober.Failure {
	return b.Broadcast.Send(ctx, &connectionSource{Source: b.feed.source, runOn: b.feed.runOn})
}

func (b *broadcast) Sent() agent.Sent {
	s := b.Stats()
	return agent.Sent{Stages: s.Stages, Bytes: s.BytesSent, Stall: s.SendStall, SendQueue: s.SendQueue, Findings: s.Findings}
}

// connectionSource is a signal as one connection carries it: it begins with a
// keyframe, or where there are no pictures with any sound. Its timestamps begin with zero, as an encoder's do that connects
// again, or run on. The markers go on in any case.
type connectionSource struct {
	*signal.Source
	runOn *runningOn
	begun bool
	shift time.Duration // from the signal's timestamps to the connection's
}

// runningOn keeps a broadcast's timestamps over its connections: they are the time
// since it first began, its interruptions included.
type runningOn struct {
	began time.Time
	last  time.Duration // timestamp
}

// shift is for a connection whose first tag has the signal's timestamp dts.
func (r *runningOn) shift(clock time.Time, dts time.Duration) time.Duration {
	if r.began.IsZero() {
		r.began = clock
		return -dts
	}
	// Time never goes back, whatever was sent ahead.
	return max(clock.Sub(r.began), r.last+time.Millisecond) - dts
}

func (c *connectionSource) Metadata() rtmp.Metadata {
	m := c.Source.Metadata()
	return rtmp.Metadata{Width: m.Width, Height: m.Height, FPS: float64(m.FPS), VideoBitrate: m.VideoBitrate,
		AudioBitrate: m.AudioBitrate, AudioSampleRate: m.AudioSampleRate, AudioChannels: m.AudioChannels,
		VideoCodec: m.VideoCodec, AudioCodec: m.AudioCodec, Encoder: "streamcanary"}
}

func (c *connectionSource) Headers() []rtmp.Tag {
	var tags []rtmp.Tag
	for _, h := range c.Source.Headers() {
		tags = append(tags, rtmp.Tag{Audio: h.Audio, Body: h.Body})
	}
	return tags
}

func (c *connectionSource) Next(clock time.Time) rtmp.Tag {
	f := c.Source.Next(clock)
	for !c.begun && !f.Keyframe {
		f = c.Source.Next(clock)
	}
	if !c.begun {
		c.begun, c.shift = true, -f.DTS
		if c.runOn != nil {
			c.shift = c.runOn.shift(clock, f.DTS)
		}
	}
	dts := f.DTS + c.shift
	if c.runOn != nil {
		c.runOn.last = max(c.runOn.last, dts)
	}
	return rtmp.Tag{Audio: f.Audio, DTS: dts, Body: f.Body}
}
