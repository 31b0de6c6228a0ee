package media

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/signal"
)

// muxed has ffmpeg pack 5 s of our broadcast into segments of 1 s.
func muxed(t *testing.T, args ...string) made {
	t.Helper()
	return muxedAs(t, nil, args...)
}

// muxedAs changes the broadcast's frames: number of the picture or the frame of
// sound, and its FLV tag; nil leaves it out.
func muxedAs(t *testing.T, change func(n int, f signal.Frame) *signal.Frame, args ...string) made {
	t.Helper()
	needTool(t, "ffmpeg")
	src, err := signal.New(signal.Config{Run: testRun, Label: "Frankfurt"})
	if err != nil {
		t.Fatal(err)
	}
	flv := []byte("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00")
	for _, f := range src.Headers() {
		flv = appendTag(flv, f)
	}
	var pictures, sounds int
	for {
		f := src.Next(testClock().Add(time.Duration(pictures) * time.Second / 30))
		if f.DTS >= 5*time.Second {
			break
		}
		n := &pictures
		if f.Audio {
			n = &sounds
		}
		left := &f
		if change != nil {
			left = change(*n, f)
		}
		if left != nil {
			flv = appendTag(flv, *left)
		}
		*n++
	}
	m := made{dir: t.TempDir()}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	all := append(append([]string{"-v", "error", "-i", "pipe:0", "-c", "copy"}, args...), "-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "out.m3u8")
	cmd := exec.CommandContext(ctx, "ffmpeg", all...)
	cmd.Dir, cmd.Stdin = m.dir, bytes.NewReader(flv)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	m.readPlaylist(t)
	if len(m.segments) < 4 {
		t.Fatalf("ffmpeg %s: %d segments\n%s", strings.Join(args, " "), len(m.segments), m.read(t, "out.m3u8"))
	}
	return m
}

// without leaves pictures, or frames of sound, out.
func without(audio bool, from, to int) func(int, signal.Frame) *signal.Frame {
	return func(n int, f signal.Frame) *signal.Frame {
		if f.Audio == audio && n >= from && n < to {
			return nil
		}
		return &f
	}
}

// later shifts the sound.
func later(d time.Duration) func(int, signal.Frame) *signal.Frame {
	return func(_ int, f signal.Frame) *signal.Frame {
		if f.Audio {
			f.DTS += d
		}
		return &f
	}
}

// piece is a segment as it was delivered.
type piece struct {
	bytes  []byte
	init   []byte
	expect Expected
}

func (m *made) piece(t *testing.T, i int) piece {
	t.Helper()
	return piece{bytes: m.read(t, m.segments[i]), init: m.init, expect: Expected{Where: fmt.Sprint(i), Duration: m.duration[i], Independent: true, Tag: prober.RunTag(testRun)}}
}

func (p piece) with(change func(e *Expected)) piece {
	change(&p.expect)
	return p
}

// ofPID are the indices of a PID's packets.
func ofPID(ts []byte, pid int) []int {
	var found []int
	for i := range len(ts) / packetSize {
		if p := ts[i*packetSize:]; int(p[1]&0x1f)<<8|int(p[2]) == pid {
			found = append(found, i)
		}
	}
	return found
}

// dropPackets takes packets out.
func dropPackets(ts []byte, indices ...int) []byte {
	var left []byte
	for i := range len(ts) / packetSize {
		if !slices.Contains(indices, i) {
			left = append(left, ts[i*packetSize:(i+1)*packetSize]...)
		}
	}
	return left
}

// damagedTable is a table's packet, sent again, with a wrong bit.
func damagedTable(ts []byte, pid int) []byte {
	at := ofPID(ts, pid)[0] * packetSize
	p := flip(ts[at:at+packetSize], 20, 1)
	p[3] = p[3]&0xf0 | (p[3]+1)&0xf
	return p
}

func flip(b []byte, at int, bits byte) []byte {
	b = slices.Clone(b)
	b[at] ^= bits
	return b
}

// TestBrokenSegments breaks segments of our broadcast in one way each. What is
// found is that, and nothing else.
func TestBrokenSegments(t *testing.T) {
	t.Parallel()
	const videoPID, pmtPID = 0x100, 0x1000
	ts, mp4 := muxed(t), muxed(t, "-hls_segment_type", "fmp4")
	jumped, late := muxed(t, "-output_ts_offset", "20"), muxed(t, "-output_ts_offset", "0.8")
	silent, blind := muxed(t, "-an"), muxed(t, "-vn")
	small := muxed(t, "-c:v", "libx264", "-preset", "ultrafast", "-vf", "scale=320:176", "-g", "30", "-udu_sei", "1", "-bf", "0")
	two, ten, tenFMP4 := muxedAs(t, without(false, 70, 72)), muxedAs(t, without(false, 70, 80)), muxedAs(t, without(false, 70, 80), "-hls_segment_type", "fmp4")
	hole, shifted, shiftedFMP4 := muxedAs(t, without(true, 110, 125)), muxedAs(t, later(500*time.Millisecond)), muxedAs(t, later(500*time.Millisecond), "-hls_segment_type", "fmp4")
	second := ts.piece(t, 1).bytes
	change := func(b []byte) piece {
		p := ts.piece(t, 1)
		p.bytes = b
		return p
	}
	for _, c := range []struct {
		name string
		of   []piece
		want []string // of each segment: place, reason and severity
	}{
		{"whole, TS", []piece{ts.piece(t, 0), ts.piece(t, 1), ts.piece(t, 2), ts.piece(t, 3)}, nil},
		{"whole, fMP4", []piece{mp4.piece(t, 0), mp4.piece(t, 1), mp4.piece(t, 2), mp4.piece(t, 3)}, nil},
		{"whole, sampled", []piece{ts.piece(t, 0), ts.piece(t, 3).with(func(e *Expected) { e.First = true })}, nil},
		{"a segment is missing", []piece{ts.piece(t, 0), ts.piece(t, 2)}, []string{"2 frames_missing degraded", "2 frames_missing degraded"}},
		{"cut to a third, at a packet", []piece{ts.piece(t, 0), change(second[:len(second)/packetSize/3*packetSize])}, []string{"1 duration_mismatch degraded"}},
		{"a lost sync byte", []piece{change(flip(second, 100*packetSize, 0x10))}, []string{"1 continuity_error degraded"}},
		{"three packets dropped", []piece{change(dropPackets(second, ofPID(second, videoPID)[5:8]...))}, []string{"1 continuity_error degraded"}},
		{"a packet marked as damaged", []piece{change(flip(second, ofPID(second, videoPID)[5]*packetSize+1, 0x80))}, []string{"1 continuity_error degraded"}},
		{"a packet sent twice", []piece{change(slices.Insert(slices.Clone(second), 51*packetSize, second[50*packetSize:51*packetSize]...))}, nil},
		{"a packet sent three times", []piece{change(slices.Insert(slices.Clone(second), 51*packetSize, bytes.Repeat(second[50*packetSize:51*packetSize], 2)...))}, []string{"1 continuity_error degraded"}},
		{"some bytes lost", []piece{change(slices.Delete(slices.Clone(second), 60*packetSize+100, 60*packetSize+150))}, []string{"1 continuity_error degraded"}},
		{"scrambled packets", []piece{change(flip(second, ofPID(second, videoPID)[5]*packetSize+3, 0xc0))}, []string{"1 media_encrypted fail"}},
		{"a program map with a flipped bit", []piece{change(append(slices.Clone(second), damagedTable(second, pmtPID)...))}, []string{"1 media_malformed degraded"}},
		{"timestamps jump", []piece{ts.piece(t, 1), jumped.piece(t, 2)}, []string{"2 timestamp_jump fail", "2 timestamp_jump fail"}},
		{"timestamps jump behind a discontinuity", []piece{ts.piece(t, 1), jumped.piece(t, 2).with(func(e *Expected) { e.Discontinuity = true })}, nil},
		{"timestamps leave a hole", []piece{ts.piece(t, 1), late.piece(t, 2)}, []string{"2 timestamp_gap degraded", "2 timestamp_gap degraded"}},
		{"timestamps overlap", []piece{late.piece(t, 1), ts.piece(t, 2)}, []string{"2 timestamp_overlap degraded", "2 timestamp_overlap degraded"}},
		{"sound goes away", []piece{ts.piece(t, 1), silent.piece(t, 2)}, []string{"2 audio_missing fail"}},
		{"pictures go away", []piece{ts.piece(t, 1), blind.piece(t, 2).with(func(e *Expected) { e.Tag = prober.Tag{} })}, []string{"2 video_missing fail"}},
		{"sound was never there", []piece{silent.piece(t, 1).with(func(e *Expected) { e.Audio = true })}, []string{"1 audio_missing fail"}},
		{"sound alone, as it should be", []piece{blind.piece(t, 1).with(func(e *Expected) { e.Tag = prober.Tag{} }), blind.piece(t, 2).with(func(e *Expected) { e.Tag = prober.Tag{} })}, nil},
		{"two frames dropped", []piece{two.piece(t, 1), two.piece(t, 2)}, []string{"2 frames_missing note"}},
		{"ten frames dropped", []piece{ten.piece(t, 1), ten.piece(t, 2)}, []string{"2 frames_missing degraded"}},
		{"ten frames dropped, fMP4", []piece{tenFMP4.piece(t, 1), tenFMP4.piece(t, 2)}, []string{"2 frames_missing degraded"}},
		{"fifteen frames of sound dropped", []piece{hole.piece(t, 1), hole.piece(t, 2)}, []string{"2 frames_missing degraded"}},
		{"sound half a second late", []piece{shifted.piece(t, 1)}, []string{"1 av_offset degraded"}},
		{"sound half a second late, fMP4", []piece{shiftedFMP4.piece(t, 1)}, []string{"1 av_offset degraded"}},
		{"the same segment again", []piece{ts.piece(t, 1), ts.piece(t, 1)}, []string{"1 frames_repeated degraded", "1 frames_repeated degraded", "1 timestamp_overlap degraded", "1 timestamp_overlap degraded"}},
		{"EXTINF too long", []piece{ts.piece(t, 1).with(func(e *Expected) { e.Duration = 3 * time.Second })}, []string{"1 duration_mismatch degraded"}},
		{"EXTINF slightly off", []piece{ts.piece(t, 1).with(func(e *Expected) { e.Duration = 1250 * time.Millisecond })}, []string{"1 duration_mismatch note"}},
		{"another size", []piece{ts.piece(t, 1), small.piece(t, 2).with(func(e *Expected) { e.Duration = 0 })}, []string{"2 encoding_changed degraded"}},
		{"another container", []piece{ts.piece(t, 1), mp4.piece(t, 2)}, []string{"2 encoding_changed degraded"}},
		{"another broadcast", []piece{ts.piece(t, 1).with(func(e *Expected) { e.Tag = prober.RunTag("run-2") })}, []string{"1 not_ours fail"}},
		{"an old recording", []piece{ts.piece(t, 1).with(func(e *Expected) { e.Oldest = testClock().Add(time.Hour) })}, []string{"1 marker_stale fail"}},
		{"fMP4 with another track's initialization section", []piece{func() piece {
			p := mp4.piece(t, 1)
			p.init = bytes.Replace(p.init, []byte("avc1"), []byte("encv"), 1)
			return p
		}()}, []string{"1 media_encrypted fail"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var checker Checker
			var got, said []string
			for _, p := range c.of {
				s, err := Inspect(p.bytes, p.init)
				if err != nil || s.Note != "" {
					t.Fatalf("%s: %v %s", p.expect.Where, err, s.Note)
				}
				for _, f := range checker.Check(s, p.expect) {
					got = append(got, fmt.Sprintf("%s %s %s", f.Where, f.Reason, f.Severity))
					said = append(said, fmt.Sprintf("%s: %s %s", f.Reason, f.Section, f.Detail))
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q\nwant %q\n%s", got, c.want, strings.Join(said, "\n"))
			}
		})
	}
}
