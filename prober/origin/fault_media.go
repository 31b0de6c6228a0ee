package origin

import (
	"errors"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

var errTSOnly = errors.New("only MPEG-TS segments are changed on their way out")

// changeSegments changes MPEG-TS segments on their way out. What cannot be
// changed goes out as it is.
func (o *Origin) changeSegments(change func(name string, segment []byte) ([]byte, error)) (heal func() error, err error) {
	if o.config.Container != MPEGTS {
		return nil, errTSOnly
	}
	return overrideGood(&o.playback.segments, func(w http.ResponseWriter, r *http.Request, answer *recorded) {
		if changed, err := change(path.Base(r.URL.Path), answer.body); err == nil {
			answer.body = changed
		}
		answer.send(w)
	}), nil
}

func beginVideoMissing(o *Origin) (heal func() error, err error) {
	return o.changeSegments(func(_ string, segment []byte) ([]byte, error) { return withoutTrack(segment, streamTypeH264) })
}

func beginAudioMissing(o *Origin) (heal func() error, err error) {
	return o.changeSegments(func(_ string, segment []byte) ([]byte, error) { return withoutTrack(segment, streamTypeAAC) })
}

func beginContinuityErrors(o *Origin) (heal func() error, err error) {
	return o.changeSegments(func(_ string, segment []byte) ([]byte, error) { return loseVideoPacket(segment) })
}

func beginNoKeyframes(o *Origin) (heal func() error, err error) {
	return o.changeSegments(func(_ string, segment []byte) ([]byte, error) { return segment, demoteKeyframe(segment) })
}

// beginTimestampJump puts the timestamps of every segment that is new 20 s
// ahead, without a discontinuity.
func beginTimestampJump(o *Origin) (heal func() error, err error) {
	const ticks = 20 * clockRate
	before := make(map[string]bool)
	for id, out := range o.playback.all() {
		kept := &frozen{files: make(map[string]*recorded)}
		kept.capture(out, "/hls/"+id+"/index.m3u8")
		for file := range kept.files {
			before[path.Base(file)] = true
		}
	}
	return o.changeSegments(func(name string, segment []byte) ([]byte, error) {
		if before[name] {
			return segment, nil
		}
		return segment, shiftTimes(segment, ticks)
	})
}

// changeFrames changes what goes into the muxers.
func (o *Origin) changeFrames(change frameFault) (heal func() error, err error) {
	return healBy(o.playback.frames.add(change)), nil
}

// beginAVOffset plays the sound half a second late.
func beginAVOffset(o *Origin) (heal func() error, err error) {
	return o.changeFrames(func(f *frame) bool {
		if f.audio {
			f.pts += 500 * time.Millisecond
		}
		return true
	})
}

// lateness is how much later late media is played.
const lateness = 5 * time.Second

// beginLateMedia holds each frame back until it is late, as a transcoder does whose
// queue has grown. Its broadcaster's frames wait in the kernel meanwhile.
func beginLateMedia(o *Origin) (heal func() error, err error) {
	over := make(chan struct{})
	var mu sync.Mutex
	zero := make(map[*output]time.Time) // when the frame with the time 0 is due
	remove, err := o.changeFrames(func(f *frame) bool {
		mu.Lock()
		begin, known := zero[f.output]
		if !known {
			begin = time.Now().Add(lateness - f.pts)
			zero[f.output] = begin
		}
		mu.Unlock()
		timer := time.NewTimer(time.Until(begin.Add(f.pts)))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-over:
		}
		return true
	})
	return func() error {
		close(over)
		return remove()
	}, err
}

// beginDroppedFrames loses each fifth picture that is no keyframe.
func beginDroppedFrames(o *Origin) (heal func() error, err error) {
	var mu sync.Mutex
	seen := make(map[*output]int)
	return o.changeFrames(func(f *frame) bool {
		if f.audio || f.keyframe {
			return true
		}
		mu.Lock()
		defer mu.Unlock()
		seen[f.output]++
		return seen[f.output]%5 != 0
	})
}

// beginSilence puts silence in the place of the sound.
func beginSilence(o *Origin) (heal func() error, err error) {
	mono, stereo := []byte{0x01, 0x18, 0x20, 0x07}, []byte{0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c}
	return o.changeFrames(func(f *frame) bool {
		if f.audio {
			f.au = [][]byte{stereo}
			if f.tracks.audio.Config.ChannelConfig == 1 {
				f.au = [][]byte{mono}
			}
		}
		return true
	})
}

// beginBlack and beginFrozenPicture do what a transcoder does that has lost its
// input: the markers in the pictures go, too.
func beginBlack(o *Origin) (heal func() error, err error) {
	return o.changeFrames(newPainter((*painter).black).change)
}

func beginFrozenPicture(o *Origin) (heal func() error, err error) {
	return o.changeFrames(newPainter((*painter).frozen).change)
}

// beginOldRecording plays what was just listed again and again, in the place of
// every segment that is new.
func beginOldRecording(o *Origin) (heal func() error, err error) {
	kept := &frozen{files: make(map[string]*recorded)}
	for id, out := range o.playback.all() {
		kept.capture(out, "/hls/"+id+"/index.m3u8")
	}
	loops := make(map[string][]*recorded) // by folder
	for file, answer := range kept.files {
		if !isPlaylist(file) && !strings.HasSuffix(file, "_init.mp4") {
			folder := path.Dir(file)
			loops[folder] = append(loops[folder], answer)
		}
	}
	var turn firsts
	return overrideGood(&o.playback.segments, func(w http.ResponseWriter, r *http.Request, answer *recorded) {
		loop := loops[path.Dir(r.URL.Path)]
		if kept.files[r.URL.Path] == nil && len(loop) > 0 && !strings.HasSuffix(r.URL.Path, "_init.mp4") {
			answer = loop[turn.count(r.URL.Path)%len(loop)]
		}
		answer.send(w)
	}), nil
}
