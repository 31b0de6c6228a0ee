package rtmp

import "time"

// Tag is one FLV audio or video tag, without the tag header.
type Tag struct {
	Audio bool
	DTS   time.Duration // since the start of the broadcast, never falling by kind
	Body  []byte        // FLV AUDIODATA or VIDEODATA (FLV 10.1, E.4.2.1, E.4.3.1)
}

// Source makes the broadcast. Send calls it from one goroutine and does not keep
// a body after it asks for the next tag.
type Source interface {
	// Metadata describes the broadcast for onMetaData.
	Metadata() Metadata
	// Headers are the AVC and AAC sequence headers, which go first.
	Headers() []Tag
	// Next is the next tag, endless and in DTS order. The clock is the time at
	// which the tag is sent.
	Next(clock time.Time) Tag
}

// Metadata is what onMetaData says. A field of zero is left out.
type Metadata struct {
	Width, Height   int     // pixels
	FPS             float64 // frames per second
	VideoBitrate    int     // bits per second
	AudioBitrate    int     // bits per second
	AudioSampleRate int     // Hz
	AudioChannels   int
	VideoCodec      int    // FLV CodecID; 7 is AVC
	AudioCodec      int    // FLV SoundFormat; 10 is AAC
	Encoder         string // names the software
}

// object is the metadata as the properties of onMetaData (FLV 10.1, E.5).
func (m Metadata) object() map[string]any {
	o := map[string]any{}
	put := func(name string, v float64) {
		if v != 0 {
			o[name] = v
		}
	}
	put("width", float64(m.Width))
	put("height", float64(m.Height))
	put("framerate", m.FPS)
	put("videodatarate", float64(m.VideoBitrate)/1000)
	put("audiodatarate", float64(m.AudioBitrate)/1000)
	put("audiosamplerate", float64(m.AudioSampleRate))
	put("videocodecid", float64(m.VideoCodec))
	put("audiocodecid", float64(m.AudioCodec))
	if m.AudioChannels != 0 {
		o["stereo"] = m.AudioChannels == 2
	}
	if m.Encoder != "" {
		o["encoder"] = m.Encoder
	}
	return o
}
