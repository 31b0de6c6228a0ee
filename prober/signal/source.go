package signal

import (
	"errors"
	"fmt"
	"time"

	"streamcanary/prober"
)

// Config says what a broadcast looks like. What is zero is as prober.Signal has it.
type Config struct {
	Run      string        // id of the run; its tag is in every marker
	Label    string        // shown to people: usually the region. Accents are dropped; what is still not ASCII shows as an empty frame.
	Width    int           // samples, even, at least 288
	Height   int           // samples, even, at least 176
	FPS      int           // frames per second, 1 to 120
	Keyframe time.Duration // from keyframe to keyframe, 0.1 to 10 s
	Bitrate  int           // bits per second of all tag bodies, sound included
	NoVideo  bool          // sound alone: what is said of pictures counts for nothing
	NoAudio  bool          // pictures alone
	Codes    *Codes        // shared by the sources of a process to save work; nil: one of its own
}

func (c Config) withDefaults() Config {
	full := prober.Signal{Width: c.Width, Height: c.Height, FPS: c.FPS, Keyframe: c.Keyframe, Bitrate: c.Bitrate, NoVideo: c.NoVideo}.WithDefaults()
	c.Width, c.Height, c.FPS, c.Keyframe, c.Bitrate = full.Width, full.Height, full.FPS, full.Keyframe, full.Bitrate
	if c.Codes == nil {
		c.Codes = NewCodes()
	}
	return c
}

func (c Config) check() error {
	switch {
	case c.NoVideo && c.NoAudio:
		return errors.New("signal: neither pictures nor sound; want at least one of them")
	case c.NoVideo:
		return nil
	case c.FPS < 1 || c.FPS > 120:
		return fmt.Errorf("signal: %d frames per second: has to be 1 to 120", c.FPS)
	case c.Keyframe < 100*time.Millisecond || c.Keyframe > 10*time.Second:
		return fmt.Errorf("signal: keyframe interval %v: has to be 0.1 to 10 s", c.Keyframe)
	}
	return nil
}

// Metadata is what FLV's onMetaData tells of a broadcast.
type Metadata struct {
	Width, Height   int
	FPS             int
	VideoBitrate    int // bits per second
	AudioBitrate    int // bits per second
	AudioSampleRate int // per second
	AudioChannels   int
	VideoCodec      int // FLV CodecID: 7, AVC
	AudioCodec      int // FLV SoundFormat: 10, AAC
}

// Frame is one FLV tag. Body is an AUDIODATA or VIDEODATA tag body (Video File
// Format Specification 10.1, E.4.2 and E.4.3); it must not be changed, and is
// valid until the next call of Next.
type Frame struct {
	Audio    bool
	Keyframe bool          // decoding can start from it: a picture, or where there are none any sound
	Header   bool          // a sequence header
	DTS      time.Duration // since the broadcast's start; composition time is always 0
	Body     []byte
}

// Source makes one broadcast, endlessly. It is not safe for concurrent use.
type Source struct {
	cfg     Config
	headers []Frame
	audio   *audio // nil: pictures alone
	video   *video // nil: sound alone
	body    []byte
	owed    int // what the rate still allows for, by owedPerByte
}

// New makes a source. Its errors name the setting that cannot be met.
func New(cfg Config) (*Source, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Source{cfg: cfg}
	if err := s.addVideo(); err != nil {
		return nil, err
	}
	if err := s.addAudio(); err != nil {
		return nil, err
	}
	need, err := s.need()
	if err != nil {
		return nil, err
	}
	switch most := maxAudioFrame * 8 * sampleRate / samplesPerFrame; {
	case need > cfg.Bitrate && cfg.NoVideo:
		return nil, fmt.Errorf("signal: sound needs %d bit/s, more than the %d asked for", need, cfg.Bitrate)
	case need > cfg.Bitrate:
		return nil, fmt.Errorf("signal: %dx%d at %d fps with a keyframe every %v needs %d bit/s, more than the %d asked for", cfg.Width, cfg.Height, cfg.FPS, cfg.Keyframe, need, cfg.Bitrate)
	case cfg.NoVideo && cfg.Bitrate > most:
		return nil, fmt.Errorf("signal: sound alone at %d bit/s: AAC in stereo allows at most %d", cfg.Bitrate, most)
	}
	return s, nil
}

func (s *Source) addVideo() error {
	if s.cfg.NoVideo {
		return nil
	}
	level, err := levelFor(s.cfg)
	if err != nil {
		return err
	}
	if s.video, err = newVideo(s.cfg); err != nil {
		return err
	}
	s.headers = append(s.headers, Frame{Header: true, Body: append([]byte{avcKeyframe, 0, 0, 0, 0}, avcConfig(sps(s.cfg, level), pps())...)})
	return nil
}

func (s *Source) addAudio() error {
	if s.cfg.NoAudio {
		return nil
	}
	bodies, err := audioBodies(tone)
	if err != nil {
		return err
	}
	s.audio = &audio{bodies: bodies, tag: prober.RunTag(s.cfg.Run)}
	s.headers = append(s.headers, Frame{Header: true, Audio: true, Body: append([]byte{aacTag, 0}, aacConfig()...)})
	return nil
}

// soundRate is 0 without sound.
func (s *Source) soundRate() int {
	if s.audio == nil {
		return 0
	}
	return s.audio.rate()
}

// need measures the bits a second of sound and pictures without filler, over
// one keyframe interval, and adds a tenth for moments when many digits change.
func (s *Source) need() (int, error) {
	pictures := 0
	if s.video != nil {
		trial, err := newVideo(s.cfg)
		if err != nil {
			return 0, err
		}
		clock, size := time.Unix(0, 0), 0
		for i := range trial.gop {
			body, _ := trial.next(s.body[:0], clock.Add(timestamp(uint64(i), uint64(s.cfg.FPS)))) //nolint:gosec // not negative
			size += videoHeader + len(body)
			s.body = body
		}
		pictures = size * 8 * s.cfg.FPS / trial.gop
	}
	return (s.soundRate() + pictures*11/10 + 999) / 1000 * 1000, nil
}

// Metadata describes the broadcast. What there is none of is zero.
func (s *Source) Metadata() Metadata {
	var m Metadata
	if s.audio != nil {
		m.AudioBitrate, m.AudioCodec, m.AudioSampleRate, m.AudioChannels = s.audio.rate(), 10, sampleRate, channels
	}
	if s.video == nil {
		m.AudioBitrate = s.cfg.Bitrate
		return m
	}
	m.Width, m.Height, m.FPS = s.cfg.Width, s.cfg.Height, s.cfg.FPS
	m.VideoBitrate, m.VideoCodec = s.cfg.Bitrate-m.AudioBitrate, 7
	return m
}

// Headers gives the AVC and the AAC sequence header, of what there is, which go
// before all frames. They stay valid.
func (s *Source) Headers() []Frame { return s.headers }
