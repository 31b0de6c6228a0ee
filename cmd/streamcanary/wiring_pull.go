package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
	"streamcanary/prober/hls"
	"streamcanary/prober/proof"
)

// puller makes followers that share connections, memory, and one look at a time.
type puller struct {
	log     *slog.Logger
	buffers *hls.Buffers
	looker  *proof.Looker

	mu         sync.Mutex
	transports map[reach]*hls.Transport
}

// reach is what a transport differs by.
type reach struct{ version, authorities string }

// newPuller makes one; ffmpeg is a path, or "" for PATH.
func newPuller(log *slog.Logger, ffmpeg string) *puller {
	return &puller{log: cmp.Or(log, slog.New(slog.DiscardHandler)), buffers: hls.NewBuffers(), looker: proof.New(proof.Config{FFmpeg: ffmpeg}), transports: map[reach]*hls.Transport{}}
}

func (p *puller) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.transports {
		_ = t.Close()
	}
}

// follower follows a run, or with none somebody else's stream, as a playback wants it.
func (p *puller) follower(at prober.Playback, url, run string, pushed prober.Signal) agent.Follower {
	cfg, err := p.config(at.Pull, url, run, pushed)
	if err != nil {
		return brokenForAgent{err}
	}
	return newFollowerForAgent(cfg, newPullSecrets(at.Pull, url))
}

// validator follows somebody else's stream once and in full, whether it has an end
// or not unless it has to be live, and takes what fails in one rendition for a failure.
func (p *puller) validator(how prober.Pulling, url string, live bool) agent.Follower {
	cfg, err := p.validation(how, url, live)
	if err != nil {
		return brokenForAgent{err}
	}
	return newFollowerForAgent(cfg, newPullSecrets(how, url))
}

func (p *puller) validation(how prober.Pulling, url string, live bool) (hls.Config, error) {
	cfg, err := p.config(how, url, "", prober.Signal{})
	cfg.Live, cfg.Thorough, cfg.FailAlone, cfg.TopInterval = live, true, true, validationTop
	return cfg, err
}

// config is how a run, or a stream, is followed.
func (p *puller) config(how prober.Pulling, url, run string, pushed prober.Signal) (hls.Config, error) {
	transport, err := p.transport(how)
	if err != nil {
		return hls.Config{}, err
	}
	cfg := hls.Config{
		URL: url, Run: run, Live: true, Transport: transport, Buffers: p.buffers, Headers: revealed(how.Headers),
		Rules:      hls.Rules{Severity: how.Severity, RFC8216: how.RFC8216, Expect: how.Expect},
		Transcoded: how.Transcoded, FailAlone: how.FailAlone, Sample: how.Sample, SampleBy: how.SampleBy, DeltaUpdates: how.Delta,
		SegmentBytes: how.SegmentBytes, SkipRemoved: how.SkipRemoved,
		LowLatency: how.LowLatency, MaxLatency: how.MaxLatency, MaxRebuffering: how.MaxRebuffering,
	}
	cfg.Video, cfg.Audio = run != "" && !pushed.NoVideo, run != "" && !pushed.NoAudio
	for _, r := range how.Ladder {
		cfg.Ladder = append(cfg.Ladder, hls.Rung(r))
	}
	if p.looker.Installed() == nil {
		cfg.Look = p.looker.Look
	}
	return cfg, nil
}

// replay plays what has an end.
func (p *puller) replay(ctx context.Context, r agent.Replay) (agent.Replayed, error) {
	transport, err := p.transport(r.Pull)
	if err != nil {
		return agent.Replayed{}, err
	}
	found, err := hls.Replay(ctx, replayConfig(r, transport))
	return agent.Replayed{
		Failure: newPullSecrets(r.Pull, r.URL).failure(found.Failure, nil), Denied: found.Denied, Unfinished: found.Unfinished,
		Absent:   found.Status == http.StatusNotFound || found.Status == http.StatusGone,
		Duration: found.Duration, Missing: found.Missing, Proof: found.Proof, Bytes: found.Bytes,
	}, err
}

// replayConfig has all of how a playback is pulled that is not the transport's.
func replayConfig(r agent.Replay, transport http.RoundTripper) hls.ReplayConfig {
	return hls.ReplayConfig{
		URL: r.URL, Run: r.Run, Sample: r.Sample, Transport: transport, Headers: revealed(r.Pull.Headers), SegmentBytes: r.Pull.SegmentBytes,
		Rules: hls.Rules{Severity: r.Pull.Severity, RFC8216: r.Pull.RFC8216},
	}
}

// revealed are the headers that go on the wire.
func revealed(headers []prober.Header) http.Header {
	all := http.Header{}
	for _, h := range headers {
		all.Add(h.Name, h.Value.Reveal())
	}
	return all
}

// checkRules says which severities are set for what is no rule: only package hls
// knows all of them.
func checkRules(targets []prober.Target) error {
	for _, t := range targets {
		for _, p := range t.Playbacks {
			if err := checkPull(p.Pull); err != nil {
				return fmt.Errorf("target %s: pull.severity: %w", t.ID, err)
			}
		}
	}
	return nil
}

func checkPull(p prober.Pulling) error { return hls.Rules{Severity: p.Severity}.Check() }

// transport is shared by all that reach servers in the same way.
func (p *puller) transport(how prober.Pulling) (*hls.Transport, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := reach{how.HTTP, how.CA}
	if t, ok := p.transports[key]; ok {
		return t, nil
	}
	cfg := hls.TransportConfig{Version: hls.Version(how.HTTP)}
	if how.CA != "" {
		cfg.RootCAs = x509.NewCertPool()
		cfg.RootCAs.AppendCertsFromPEM([]byte(how.CA))
	}
	t, err := hls.NewVersionedTransport(cfg)
	if err == nil {
		p.transports[key] = t
	}
	return t, err
}

// brokenForAgent is a follower that cannot work.
type brokenForAgent struct{ err error }

func (b brokenForAgent) Run(context.Context) error         { return b.err }
func (brokenForAgent) Observe(time.Time) agent.Observation { return agent.Observation{} }
func (brokenForAgent) First() <-chan struct{}              { return nil }

// followerForAgent is a follower in the agent's words.
type followerForAgent struct {
	*hls.Follower
	secrets pullSecrets

	mu     sync.Mutex
	called map[string]string // what renditions were called at last, by name
}

func newFollowerForAgent(cfg hls.Config, secrets pullSecrets) *followerForAgent {
	return &followerForAgent{Follower: hls.NewFollower(cfg), secrets: secrets}
}

// Observe may be called by several at once, and does one after the other: a round may
// look while a follower is handed on.
func (f *followerForAgent) Observe(now time.Time) agent.Observation {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.Follower.Observe(now)
	if !f.secrets.none() {
		f.called = f.secrets.calls(o.Renditions, f.called)
	}
	return agent.Observation{
		Failure: f.secrets.failure(o.Failure, f.called), Marker: o.LastMarker, PlayingSince: o.PlayingSince,
		LatencyFirst: o.LatencyFirst, LatencyLast: o.LatencyLast, Target: o.TargetDuration, Ended: o.Ended, Segments: o.Segments, Bytes: o.BytesReceived,
		Stages: o.Stages(), LatencyBy: o.LatencyBy, Proof: o.Proof, Findings: f.secrets.findings(o.Findings, f.called), Viewing: o.Viewing, HTTP: o.HTTP,
		PartLatency: o.PartLatency, Skipped: o.Skipped, Missed: o.Missed, Recovered: o.Recovered, Renditions: f.secrets.renditions(o.Renditions, f.called), Unrenewed: f.secrets.unrenewed(o.Unrenewed, f.called),
	}
}
