package signal

import (
	"time"

	"streamcanary/prober"
)

// video codes the pictures of one broadcast.
type video struct {
	picture  *picture
	coder    coder
	tag      prober.Tag
	gop      int       // frames from keyframe to keyframe
	still    [2][]byte // the slice that never changes, by idr_pic_id - 1, with its length
	bits     bitWriter
	seq      uint64
	idr      uint32 // idr_pic_id of the last keyframe
	frameNum uint32
}

func newVideo(cfg Config) (*video, error) {
	tag := prober.RunTag(cfg.Run)
	p, err := newPicture(cfg.Width, cfg.Height, cfg.Label, tag)
	if err != nil {
		return nil, err
	}
	v := &video{
		picture: p,
		coder:   coder{canvas: p.canvas, book: newCodebook(), codes: cfg.Codes, edges: make([]edge, p.mbWidth)},
		tag:     tag,
		gop:     max(1, int(cfg.Keyframe*time.Duration(cfg.FPS)/time.Second)),
	}
	for i := range v.still {
		v.still[i] = v.intraSlice(nil, 0, p.moving(), uint32(i)+1)
	}
	return v, nil
}

// next appends the access unit of the next frame: marker, slices.
func (v *video) next(dst []byte, clock time.Time) (b []byte, keyframe bool) {
	keyframe = v.seq%uint64(v.gop) == 0 //nolint:gosec // at least 1
	dst = v.marker(dst, clock)
	v.picture.update(v.seq, clock)
	v.seq++
	if !keyframe {
		v.frameNum++
		return v.changes(dst), false
	}
	v.frameNum = 0
	v.idr = 3 - max(v.idr, 1) // 2, 1, 2, ...
	dst = append(dst, v.still[v.idr-1]...)
	dst = v.intraSlice(dst, v.picture.moving(), v.picture.mbHeight, v.idr)
	clear(v.picture.dirty)
	return dst, true
}

// marker appends an SEI message user_data_unregistered (D.1.6): the marker's
// first 16 bytes are its UUID. Nothing in it needs emulation prevention.
func (v *video) marker(dst []byte, clock time.Time) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0, nalSEI, 5, prober.MarkerSize)
	dst = prober.Marker{Tag: v.tag, Seq: v.seq, Clock: clock}.Append(dst)
	dst = append(dst, 0x80)
	putLength(dst[at:])
	return dst
}

// intraSlice appends the rows [from, to) of macroblocks as a slice of an IDR picture.
func (v *video) intraSlice(dst []byte, from, to int, idr uint32) []byte {
	v.bits.reset()
	v.coder.begin()
	idrHeader(&v.bits, from*v.picture.mbWidth, idr)
	for y := from; y < to; y++ {
		for x := range v.picture.mbWidth {
			v.coder.macroblock(&v.bits, x, y, 0)
		}
	}
	v.bits.trailing()
	return appendNAL(dst, nalIDR, v.bits.buf)
}

// changes appends a P slice: what was drawn on is coded anew, all else skipped.
func (v *video) changes(dst []byte) []byte {
	v.bits.reset()
	v.coder.begin()
	pHeader(&v.bits, v.frameNum)
	width, top := v.picture.mbWidth, v.picture.moving()
	coded := 0 // macroblocks up to here are in the slice; those above top never change
	for from := top * width; ; from = coded {
		at := v.picture.takeDirty(from)
		if at < 0 {
			break
		}
		v.bits.ue(uint32(at - coded)) //nolint:gosec // mb_skip_run, bounded by the level
		v.coder.macroblock(&v.bits, at%width, at/width, 5)
		coded = at + 1
	}
	if rest := width*v.picture.mbHeight - coded; rest > 0 {
		v.bits.ue(uint32(rest)) //nolint:gosec // bounded by the level
	}
	v.bits.trailing()
	return appendNAL(dst, nalSlice, v.bits.buf)
}
