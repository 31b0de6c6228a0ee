package origin

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestVideoTags(t *testing.T) {
	t.Parallel()
	tag, err := parseVideo(videoHeader())
	if err != nil || tag.config == nil || !bytes.Equal(tag.config.sps, testSPS) || !bytes.Equal(tag.config.pps, testPPS) {
		t.Fatalf("header: %+v, %v", tag, err)
	}
	tag, err = parseVideo([]byte{0x27, 1, 0xff, 0xff, 0xf6, 1})
	if err != nil || tag.composition != -10*time.Millisecond || len(tag.data) != 1 {
		t.Errorf("negative composition time: %+v, %v", tag, err)
	}
	if tag, err = parseVideo([]byte{0x17, 2, 0, 0, 0}); err != nil || tag.config != nil || tag.data != nil {
		t.Errorf("end of sequence: %+v, %v", tag, err)
	}
	for name, b := range map[string][]byte{
		"empty": nil, "H.263": {0x22, 0, 0, 0, 0}, "enhanced RTMP": {0x90, 'h', 'v', 'c', '1'},
		"no configuration": {0x17, 0, 0, 0, 0}, "cut SPS": videoHeader()[:20], "no PPS": videoHeader()[:13+len(testSPS)],
		"no SPS": {0x17, 0, 0, 0, 0, 1, 66, 0, 13, 0xff, 0xe0, 1, 0, 1, 0x68},
	} {
		if tag, err := parseVideo(b); err == nil {
			t.Errorf("%s: %+v, no error", name, tag)
		}
	}
}

func TestAccessUnits(t *testing.T) {
	t.Parallel()
	v := &videoConfig{sps: testSPS, pps: testPPS, lengthSize: 2}
	for _, of := range []struct {
		name, data, want string
		keyframe         bool
		wantErr          string
	}{
		{"IDR without parameter sets", "\x00\x02\x65a", "67 68 65", true, ""},
		{"IDR with its own", "\x00\x02\x67a\x00\x02\x68a\x00\x02\x65a", "67 68 65", true, ""},
		{"marker and picture", "\x00\x02\x06a\x00\x02\x41a", "06 41", false, ""},
		{"delimiter and nothing", "\x00\x02\x09\xf0\x00\x00\x00\x02\x41a", "41", false, ""},
		{"cut in a length", "\x00", "", false, "cut short"},
		{"cut in a unit", "\x00\x09\x41a", "", false, "9 bytes in an access unit that has 2 left"},
		{"too many", strings.Repeat("\x00\x01\x41", maxNALUs+1), "", false, "more than"},
	} {
		au, keyframe, err := v.accessUnit([]byte(of.data))
		if of.wantErr != "" {
			if err == nil || !strings.Contains(err.Error(), of.wantErr) {
				t.Errorf("%s: %v, want %s", of.name, err, of.wantErr)
			}
			continue
		}
		var types []string
		for _, nalu := range au {
			types = append(types, string("0123456789abcdef"[nalu[0]>>4])+string("0123456789abcdef"[nalu[0]&15]))
		}
		if got := strings.Join(types, " "); err != nil || got != of.want || keyframe != of.keyframe {
			t.Errorf("%s: %s, keyframe %t, %v; want %s", of.name, got, keyframe, err, of.want)
		}
	}
}

func TestAudioTags(t *testing.T) {
	t.Parallel()
	tag, err := parseAudio(audioHeader())
	if err != nil || tag.config == nil || tag.config.Config.SampleRate != 44100 {
		t.Errorf("header: %+v, %v", tag, err)
	}
	if tag, err = parseAudio([]byte{0xaf, 1, 7}); err != nil || !bytes.Equal(tag.data, []byte{7}) {
		t.Errorf("frame: %+v, %v", tag, err)
	}
	for name, b := range map[string][]byte{"empty": nil, "MP3": {0x2f, 1, 2}, "no configuration": {0xaf, 0}} {
		if tag, err := parseAudio(b); err == nil {
			t.Errorf("%s: %+v, no error", name, tag)
		}
	}
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	var clock timeline
	for i, of := range []struct {
		timestamp uint32
		want      time.Duration
	}{
		{1<<32 - 50, 0},
		{1<<32 - 10, 40 * time.Millisecond},
		{30, 80 * time.Millisecond}, // the wrap
		{20, 70 * time.Millisecond},
		{30 + 9000, 9080 * time.Millisecond},
		{50, 100 * time.Millisecond},      // 9 s back is time too
		{1 << 30, 100 * time.Millisecond}, // a new clock
		{1<<30 + 40, 140 * time.Millisecond},
		{7, 140 * time.Millisecond}, // and another
		{47, 180 * time.Millisecond},
	} {
		if got := clock.at(of.timestamp); got != of.want {
			t.Errorf("step %d: %s, want %s", i, got, of.want)
		}
	}
}

// FuzzTags wants no panic, and access units without an empty NAL unit, which
// the muxer cannot take.
func FuzzTags(f *testing.F) {
	f.Add(videoHeader())
	f.Add(audioHeader())
	f.Add(videoFrame("run", 0, 10))
	f.Add([]byte{0x17, 1, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = parseAudio(b)
		tag, err := parseVideo(b)
		if err != nil {
			return
		}
		v := tag.config
		if v == nil {
			v = &videoConfig{sps: testSPS, pps: testPPS, lengthSize: 4}
		}
		au, _, _ := v.accessUnit(tag.data)
		for _, nalu := range au {
			if len(nalu) == 0 {
				t.Fatal("empty NAL unit")
			}
		}
	})
}
