package origin

import (
	"context"
	"log/slog"
	"time"

	"github.com/bluenviron/gohlslib/v2/pkg/codecs"
)

// broadcast is one push, from the origin that takes it to a muxer at every
// origin of the platform. Its methods belong to the goroutine of
// its connection.
type broadcast struct {
	id       string // playback id
	label    string // for logs: never a stream key
	platform *platform
	ingest   *Origin
	from     *publisher // its connection

	clock   timeline
	started time.Time
	tracks  tracks
	outputs map[*Origin]*output
	relayAt time.Duration // when sound that is alone looks for muxers that are missing
}

// aloneAfter is for how long a broadcast has sound and no pictures until it is taken for
// one of sound alone; and from then on as a keyframe is.
const aloneAfter = time.Second

// takeVideo takes a VIDEODATA body; b keeps what it needs of body.
func (b *broadcast) takeVideo(timestamp uint32, body []byte) error {
	tag, err := parseVideo(body)
	if err != nil {
		return err
	}
	if tag.config != nil {
		b.configureVideo(tag.config)
		return nil
	}
	if len(tag.data) == 0 || b.tracks.video == nil {
		return nil
	}
	dts := b.clock.at(timestamp)
	au, keyframe, err := b.tracks.video.accessUnit(tag.data)
	if err != nil || len(au) == 0 {
		return err
	}
	if keyframe {
		b.relay()
	}
	for o, out := range b.outputs {
		f := frame{output: out, tracks: b.tracks, keyframe: keyframe, pts: dts + tag.composition, au: au}
		if o.playback.change(&f) {
			b.note(o, out.writeVideo(f.pts, b.started.Add(dts), f.au))
		}
	}
	return nil
}

// takeAudio takes an AUDIODATA body; b keeps what it needs of body.
func (b *broadcast) takeAudio(timestamp uint32, body []byte) error {
	tag, err := parseAudio(body)
	if err != nil {
		return err
	}
	if tag.config != nil {
		b.configureAudio(tag.config)
		return nil
	}
	if len(tag.data) == 0 || b.tracks.audio == nil {
		return nil
	}
	pts := b.clock.at(timestamp)
	if b.relayAt == 0 {
		b.relayAt = pts + aloneAfter
	}
	if b.tracks.video == nil && pts >= b.relayAt {
		b.relay()
		b.relayAt = pts + aloneAfter
	}
	for o, out := range b.outputs {
		f := frame{output: out, tracks: b.tracks, audio: true, pts: pts, au: [][]byte{tag.data}}
		if out.audio != nil && o.playback.change(&f) {
			b.note(o, out.writeAudio(f.pts, b.started.Add(pts), f.au[0]))
		}
	}
	return nil
}

// configureVideo takes a new configuration; one that differs starts new muxers
// at the next keyframe, since a muxer's tracks are fixed.
func (b *broadcast) configureVideo(v *videoConfig) {
	if v.equal(b.tracks.video) {
		return
	}
	b.tracks.video = v
	b.dropOutputs()
}

func (b *broadcast) configureAudio(a *codecs.MPEG4Audio) {
	if b.tracks.audio != nil && *a == *b.tracks.audio {
		return
	}
	b.tracks.audio = a
	b.dropOutputs()
}

// relay makes, at a keyframe or a second of sound alone, the muxers that are missing: all of them at the
// start, later those of an origin that came back.
func (b *broadcast) relay() {
	for _, o := range b.platform.origins {
		if out := b.outputs[o]; out != nil && !out.isClosed() {
			continue
		}
		delete(b.outputs, o)
		out, err := o.playback.open(b.id, b.tracks)
		if err != nil {
			o.log.Debug("no output for a broadcast", "broadcast", b.label, "error", err)
			continue
		}
		b.outputs[o] = out
	}
}

// note drops an output that its origin closed; any other error concerns one
// frame, and shows at the viewer as it would on any platform.
func (b *broadcast) note(o *Origin, err error) {
	switch {
	case err == nil:
	case err == errOutputClosed: //nolint:errorlint // returned as it is
		delete(b.outputs, o)
	case o.log.Enabled(context.Background(), slog.LevelDebug):
		o.log.Debug("a frame was not taken", "broadcast", b.label, "error", err)
	}
}

// end frees everything that the broadcast holds. Its name is free last, so that
// the next of that name finds no output in its place.
func (b *broadcast) end() {
	b.dropOutputs()
	b.platform.unpublish(b)
}

func (b *broadcast) dropOutputs() {
	for o, out := range b.outputs {
		o.playback.discard(b.id, out)
	}
	clear(b.outputs)
}
