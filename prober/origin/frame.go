package origin

import "time"

// frame is a picture or a piece of sound on its way into a muxer.
type frame struct {
	output   *output
	tracks   tracks // of its broadcast
	audio    bool
	keyframe bool
	pts      time.Duration // since the broadcast's start
	au       [][]byte      // NAL units, or one AAC access unit; not to be written into
}

// frameFault changes a frame, or says that it is lost. It is called by the
// goroutines of all broadcasts.
type frameFault func(*frame) (kept bool)

// change lets the latest fault have a frame.
func (p *playback) change(f *frame) (kept bool) {
	if latest := p.frames.top(); latest != nil {
		return (*latest)(f)
	}
	return true
}
