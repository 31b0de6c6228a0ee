package hls

import (
	"errors"

	"streamcanary/prober"
)

// inspectMedia is the default Inspector.
func inspectMedia(segment, _ []byte) ([]prober.Marker, error) {
	isTS := len(segment) > 0 && segment[0] == 0x47
	isMP4 := len(segment) >= 8 && (string(segment[4:8]) == "styp" || string(segment[4:8]) == "moof" || string(segment[4:8]) == "ftyp" || string(segment[4:8]) == "sidx")
	if !isTS && !isMP4 {
		return nil, errors.New("not media: neither MPEG-TS nor fMP4")
	}
	return prober.FindMarkers(segment, 0), nil
}
