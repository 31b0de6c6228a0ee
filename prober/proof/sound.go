package proof

import (
	"encoding/binary"

	"streamcanary/prober"
)

const (
	soundRate    = 8000 // samples a second
	soundSeconds = 2
	silentBelow  = 33 // of 32768: -60 dBFS
)

// sumSound fills in what samples of 16 bits sound like.
func sumSound(look *prober.Look, raw []byte) {
	look.HasAudio, look.Silent = len(raw) >= 2, true
	for ; len(raw) >= 2; raw = raw[2:] {
		if v := int(int16(binary.LittleEndian.Uint16(raw))); v >= silentBelow || v <= -silentBelow { //nolint:gosec // the sign is meant
			look.Silent = false
		}
	}
	look.Silent = look.Silent && look.HasAudio
}
