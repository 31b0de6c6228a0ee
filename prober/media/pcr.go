package media

import "time"

// clockReference follows the program clock reference (2.4.3.5), in 1/27000000 s.
type clockReference struct {
	known bool
	last  int64
}

const (
	pcrSecond = 27_000_000
	pcrWrap   = (1 << 33) * 300
	pcrJump   = 10 * pcrSecond // a step that is no interval any more
)

// take reads an adaptation field.
func (c *clockReference) take(adaptation []byte, broken bool, stats *TransportStats) {
	if len(adaptation) < 7 || adaptation[0]&0x10 == 0 { // PCR_flag
		return
	}
	b := adaptation[1:]
	v := (int64(b[0])<<25|int64(b[1])<<17|int64(b[2])<<9|int64(b[3])<<1|int64(b[4])>>7)*300 + int64(b[4]&1)<<8 + int64(b[5])
	if stats.PCRs == 0 {
		stats.FirstPCR = time.Duration(v/300) * time.Second / 90000
	}
	stats.PCRs++
	if c.known && !broken {
		step := (v - c.last + pcrWrap) % pcrWrap
		if step > pcrJump {
			stats.PCRJumps++
		} else if d := time.Duration(step) * time.Microsecond / 27; d > stats.PCRInterval {
			stats.PCRInterval = d
		}
	}
	c.known, c.last = true, v
}
