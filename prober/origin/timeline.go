package origin

import "time"

// maxJump is the largest step of a publisher's timestamps that is taken for
// time that passed; a larger one, either way, is a new start of its clock.
const maxJump = 10 * time.Second

// timeline turns RTMP's 32 bit millisecond timestamps, which wrap after 49.7
// days and start anywhere, into time since the first frame.
type timeline struct {
	begun bool
	last  uint32
	now   time.Duration
}

func (t *timeline) at(timestamp uint32) time.Duration {
	if !t.begun {
		t.begun, t.last = true, timestamp
		return t.now
	}
	step := time.Duration(int32(timestamp-t.last)) * time.Millisecond //nolint:gosec // the wrap is meant: the shorter way round
	t.last = timestamp
	if step.Abs() <= maxJump {
		t.now += step
	}
	return t.now
}
