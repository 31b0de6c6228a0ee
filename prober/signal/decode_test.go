package signal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"streamcanary/prober"
)

func TestFFmpegDecodesWhatWeMake(t *testing.T) {
	t.Parallel()
	for _, cfg := range configs() {
		cfg = cfg.withDefaults()
		t.Run(sizeName(cfg), func(t *testing.T) {
			t.Parallel()
			length := max(time.Second, cfg.Keyframe)
			file := flv(broadcast(t, cfg, length))
			pictures := decoded(t, file, cfg.Width, cfg.Height)
			if want := int(length.Seconds()) * cfg.FPS; len(pictures) != want {
				t.Errorf("%d pictures, want %d", len(pictures), want)
			}
			for i, p := range pictures {
				if b, err := prober.ReadBarcode(p); err != nil || int(b.Seq) != i || !b.Matches(prober.RunTag(cfg.Run)) {
					t.Fatalf("picture %d: barcode reads %+v, %v", i, b, err)
				}
			}
			probed(t, cfg, file, length.Seconds())
		})
	}
}

// probed compares what ffprobe says of a file with the configuration.
func probed(t *testing.T, cfg Config, file []byte, seconds float64) {
	t.Helper()
	out := run(t, file, "ffprobe", "-v", "error", "-of", "json", "-i", "pipe:0",
		"-show_entries", "stream=codec_name,profile,width,height,r_frame_rate,has_b_frames,color_space,sample_rate,channels:packet=codec_type,dts_time,pts_time,duration_time,flags")
	type stream struct {
		Codec      string `json:"codec_name"`
		Profile    string
		Width      int
		Height     int
		FrameRate  string `json:"r_frame_rate"`
		B          int    `json:"has_b_frames"`
		Space      string `json:"color_space"`
		SampleRate string `json:"sample_rate"`
		Channels   int
	}
	var got struct {
		Streams []stream
		Packets []struct {
			Type  string `json:"codec_type"`
			PTS   string `json:"pts_time"`
			DTS   string `json:"dts_time"`
			Flags string
		}
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	want := []stream{
		{Codec: "h264", Profile: "Constrained Baseline", Width: cfg.Width, Height: cfg.Height, FrameRate: fmt.Sprintf("%d/1", cfg.FPS), Space: "bt709"},
		{Codec: "aac", Profile: "LC", FrameRate: "0/0", SampleRate: "48000", Channels: 2},
	}
	if len(got.Streams) != 2 || got.Streams[0] != want[0] || got.Streams[1] != want[1] {
		t.Errorf("streams\n got %+v\nwant %+v", got.Streams, want)
	}
	ends, keys := map[string]float64{}, 0
	for _, p := range got.Packets {
		if p.PTS != p.DTS {
			t.Errorf("PTS %s, DTS %s", p.PTS, p.DTS)
		}
		at, err := strconv.ParseFloat(p.PTS, 64)
		if err != nil {
			t.Fatal(err)
		}
		ends[p.Type] = at
		if p.Type == "video" && p.Flags[0] == 'K' {
			keys++
		}
	}
	if want := int(time.Duration(seconds*float64(time.Second)) / cfg.Keyframe); keys != want {
		t.Errorf("%d keyframes, want %d", keys, want)
	}
	for kind, perSecond := range map[string]float64{"video": float64(cfg.FPS), "audio": 46.875} {
		if end := ends[kind] + 1/perSecond; end < seconds-.03 || end > seconds+.03 {
			t.Errorf("%s ends at %.3f s, want %v", kind, end, seconds)
		}
	}
}

func TestBarcodeSurvivesATranscoder(t *testing.T) {
	t.Parallel()
	file := flv(broadcast(t, Config{Run: "r", Label: "Frankfurt"}, 2*time.Second))
	small := run(t, file, "ffmpeg", strict("-vf", "scale=320:176", "-an", "-c:v", "libx264", "-crf", "36", "-f", "mpegts", "pipe:1")...)
	pictures := decoded(t, small, 320, 176)
	if len(pictures) != 60 {
		t.Errorf("%d pictures, want 60", len(pictures))
	}
	for i, p := range pictures {
		if b, err := prober.ReadBarcode(p); err != nil || int(b.Seq) != i || !b.Matches(prober.RunTag("r")) {
			t.Fatalf("picture %d: barcode reads %+v, %v", i, b, err)
		}
	}
}

// TestDecoderShowsExactlyWhatIsModelled draws noise, which uses every table of
// CAVLC, and compares each sample that ffmpeg decodes with what the coder
// believes a decoder shows. A wrong code or a wrong prediction cannot hide.
func TestDecoderShowsExactlyWhatIsModelled(t *testing.T) {
	t.Parallel()
	cfg := Config{Width: 640, Height: 368, Keyframe: 100 * time.Millisecond, Bitrate: 40_000_000}.withDefaults()
	level, err := levelFor(Config{Width: 640, Height: 368, FPS: 60, Bitrate: 10_000_000})
	if err != nil {
		t.Fatal(err)
	}
	v, err := newVideo(cfg)
	if err != nil {
		t.Fatal(err)
	}
	luma, chroma := make([]byte, 640*368), [2][]byte{make([]byte, 320*184), make([]byte, 320*184)}
	v.coder.decoded = func(mbX, mbY int, l [16]uint8, c [2][4]uint8) {
		for i := range 256 {
			luma[(mbY*16+i/16)*640+mbX*16+i%16] = l[i/64*4+i%16/4]
		}
		for i := range 64 {
			for p := range c {
				chroma[p][(mbY*8+i/8)*320+mbX*8+i%8] = c[p][i/32*2+i%8/4]
			}
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	var want []byte
	file := []Frame{{Body: append([]byte{avcKeyframe, 0, 0, 0, 0}, avcConfig(sps(cfg, level), pps())...)}}
	for i := range uint64(9) {
		noise(random, v.picture.canvas)
		for n := range v.still { // a keyframe shows the noise where nothing moves, too
			if i%uint64(v.gop) != 0 {
				break
			}
			v.still[n] = v.intraSlice(nil, 0, v.picture.moving(), uint32(n)+1)
		}
		body, key := v.next([]byte{avcInter, 1, 0, 0, 0}, started())
		if key {
			body[0] = avcKeyframe
		}
		file = append(file, Frame{DTS: timestamp(i, 30), Body: body})
		want = append(append(append(want, luma...), chroma[0]...), chroma[1]...)
	}
	got := run(t, flv(file), "ffmpeg", strict("-vsync", "passthrough", "-pix_fmt", "yuv420p", "-f", "rawvideo", "pipe:1")...)
	if len(got) != len(want) {
		t.Fatalf("%d bytes decoded, want %d", len(got), len(want))
	}
	if !bytes.Equal(got, want) {
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("picture %d, sample %d is %d, want %d", i/(640*368*3/2), i%(640*368*3/2), got[i], want[i])
			}
		}
	}
}

// noise draws over a canvas: per macroblock flat, nearly flat or wild.
func noise(random *rand.Rand, c *canvas) {
	for mb := range c.mbWidth * c.mbHeight {
		spread := []int{0, 2, 6, 30, 120, 255}[random.IntN(6)]
		base := random.IntN(256 - spread)
		x, y := mb%c.mbWidth, mb/c.mbWidth
		for i := range 16 {
			c.fill(4*x+i%4, 4*y+i/4, 4*x+i%4+1, 4*y+i/4+1, uint8(base+random.IntN(spread+1)))
		}
		for p := range c.chroma {
			for i := range 4 {
				c.chroma[p][(2*y+i/2)*c.mbWidth*2+2*x+i%2] = uint8(base + random.IntN(spread+1))
			}
		}
		if random.IntN(3) > 0 {
			c.touch(mb)
		}
	}
}
