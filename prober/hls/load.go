package hls

import (
	"context"
	"net/url"
	"strings"
	"time"

	"streamcanary/prober"
)

// load brings the media playlist that is followed, and chooses it first where
// that is not done.
func (f *Follower) load(ctx context.Context) (*Playlist, *prober.Failure) {
	if f.media != nil {
		p, at, fail := f.get(ctx, f.media)
		if fail != nil {
			return nil, fail
		}
		if p.Multivariant {
			f.media = nil
			return nil, manifest(prober.ReasonNotAPlaylist, "%s: a multivariant playlist where a media playlist was before", place(at))
		}
		f.base = at
		return p, nil
	}
	p, at, fail := f.get(ctx, f.top)
	if fail != nil {
		return nil, fail
	}
	if !p.Multivariant {
		f.media, f.base = f.top, at
		return p, nil
	}
	return f.choose(ctx, p, at)
}

// choose takes the first variant whose media playlist can be had. When none can,
// the failure is the variants' own if it is the same for all that were tried: a
// server that hangs on each must not hold a poll for long.
func (f *Follower) choose(ctx context.Context, multi *Playlist, base *url.URL) (*Playlist, *prober.Failure) {
	if len(multi.Variants) == 0 {
		return nil, manifest(prober.ReasonNoRenditionPlayable, "%s: a multivariant playlist without variants", place(base))
	}
	var common *prober.Failure
	deadline := time.Now().Add(f.cfg.PlaylistTimeout)
	for _, v := range videoFirst(multi.Variants) {
		p, fail := f.variant(ctx, v, base)
		if fail == nil {
			return p, nil
		}
		switch {
		case common == nil:
			common = fail
		case common.Stage != fail.Stage || common.Reason != fail.Reason:
			common = manifest(prober.ReasonNoRenditionPlayable, "%s: none of %d variants can be played, the last: %s", place(base), len(multi.Variants), fail.Detail)
		}
		if ctx.Err() != nil || !time.Now().Before(deadline) {
			break
		}
	}
	return nil, common
}

func (f *Follower) variant(ctx context.Context, v Variant, base *url.URL) (*Playlist, *prober.Failure) {
	u, fail := resolveURL(base, v.URI)
	if fail != nil {
		return nil, fail
	}
	p, at, fail := f.get(ctx, u)
	if fail != nil {
		return nil, fail
	}
	if p.Multivariant {
		return nil, manifest(prober.ReasonNoRenditionPlayable, "%s: a multivariant playlist inside another", place(at))
	}
	f.media, f.base = u, at
	return p, nil
}

// videoFirst puts variants whose CODECS name only audio last.
func videoFirst(variants []Variant) []Variant {
	var video, audio []Variant
	for _, v := range variants {
		if audioOnly(v) {
			audio = append(audio, v)
		} else {
			video = append(video, v)
		}
	}
	return append(video, audio...)
}

func audioOnly(v Variant) bool {
	if v.Codecs == "" || v.Resolution != "" {
		return false
	}
	for codec := range strings.SplitSeq(v.Codecs, ",") {
		kind, _, _ := strings.Cut(strings.TrimSpace(codec), ".")
		switch kind {
		case "mp4a", "ac-3", "ec-3", "ac-4", "opus", "Opus", "fLaC", "alac":
		default:
			return false
		}
	}
	return true
}

// get fetches and parses one playlist.
func (f *Follower) get(ctx context.Context, u *url.URL) (*Playlist, *url.URL, *prober.Failure) {
	r, fail := f.fetch.get(ctx, request{
		url: u, stage: prober.StageManifest, limit: f.cfg.PlaylistBytes, timeout: f.cfg.PlaylistTimeout,
	}, f.playlist)
	if fail != nil {
		return nil, nil, fail
	}
	f.playlist = reuse(r.body)
	f.count(r)
	f.state.update(func(o *Observation) { o.ManifestTime = r.timing.Total })
	p, fail := Parse(r.body)
	if fail != nil {
		return nil, nil, at(place(r.url), fail)
	}
	return p, r.url, nil
}

// count adds one answer to the figures.
func (f *Follower) count(r response) {
	f.state.update(func(o *Observation) {
		o.BytesReceived += int64(len(r.body))
		if r.timing.Connect > 0 {
			o.Resolve, o.Connect, o.TLS = r.timing.Resolve, r.timing.Connect, r.timing.TLS
		}
	})
}

// maxKept is the largest buffer that is kept between downloads: one huge answer
// must not stay in memory for as long as a broadcast is followed.
const maxKept = 2 << 20

func reuse(b []byte) []byte {
	if cap(b) > maxKept {
		return nil
	}
	return b[:0]
}
