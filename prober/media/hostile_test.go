package media

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
	"time"
)

// boxOf makes a box.
func boxOf(kind string, inner ...[]byte) []byte {
	b := append(make([]byte, 4), kind...)
	b = append(b, bytes.Join(inner, nil)...)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

// nested is a box within a box of its kind, and so on, of about size bytes.
func nested(kind string, size int) []byte {
	const header = 8
	b := make([]byte, 0, size)
	for left := size / header * header; left >= header; left -= header {
		b = binary.BigEndian.AppendUint32(b, uint32(left))
		b = append(b, kind...)
	}
	return b
}

// hostile makes segments, and initialization sections, of one kind each and about size
// bytes.
func hostile(tb testing.TB, size int) map[string][2][]byte {
	tb.Helper()
	fill := func(one []byte) []byte { return bytes.Repeat(one, size/len(one)) }
	ts, mp4, init := testdata(tb, "segment.ts"), testdata(tb, "segment.m4s"), testdata(tb, "init.mp4")
	within := func(inner []byte) []byte { return boxOf("moov", boxOf("trak", inner)) }
	long := size - 200 // with what is around it no longer than an initialization section may be
	fillInit := func(one []byte) []byte { return bytes.Repeat(one, long/len(one)) }
	tfhd := boxOf("tfhd", []byte{0, 0, 0, 0, 0, 0, 0, 1})
	trun := boxOf("trun", []byte{0, 0, 0, 0, 0, 0, 0, 1})
	packets := func(change func(i int, p []byte)) []byte {
		b := append(bytes.Clone(ts[:188*3]), make([]byte, size/188*188)...)
		for i := 3; i < len(b)/188; i++ {
			p := b[i*188 : (i+1)*188]
			copy(p, ts[188*3:188*4])
			change(i, p)
		}
		return b
	}
	return map[string][2][]byte{
		"moof":             {fill(boxOf("moof")), init},
		"moof with traf":   {fill(boxOf("moof", boxOf("traf", tfhd, trun))), init},
		"moof, malformed":  {fill(boxOf("moof", []byte("xxxxxxxx"))), init},
		"moof and mdat":    {fill(append(boxOf("moof"), boxOf("mdat")...)), init},
		"one moof of traf": {append(boxOf("moof", fill(boxOf("traf"))), boxOf("mdat")...), init},
		"one traf of trun": {append(boxOf("moof", boxOf("traf", tfhd, fill(trun))), boxOf("mdat")...), init},
		"free":             {fill(boxOf("free")), nil},
		"moov":             {fill(boxOf("moov")), nil},
		"nested edts":      {mp4, within(nested("edts", long))},
		"nested stbl":      {mp4, within(nested("stbl", long))},
		"nested moov":      {mp4, nested("moov", long)},
		"trak":             {mp4, boxOf("moov", fillInit(boxOf("trak")))},
		"sample entries":   {mp4, within(boxOf("stsd", make([]byte, 8), fillInit(boxOf("none"))))},
		"edits":            {mp4, within(boxOf("elst", []byte{0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, fillInit([]byte{0xff})))},
		"packets":          {packets(func(int, []byte) {}), nil},
		"packets of all PIDs": {packets(func(i int, p []byte) {
			p[1], p[2] = p[1]&0xe0|byte(i>>8)&0x1f, byte(i)
		}), nil},
		"packets that are no packets": {packets(func(i int, p []byte) {
			if i%3 == 0 {
				p[0] = 0
			}
		}), nil},
		"one long packet": {packets(func(i int, p []byte) {
			if i > 3 {
				p[1] &^= 0x40
			}
		}), nil},
		"sync bytes":         {fill([]byte{syncByte}), nil},
		"frames of sound":    {fill([]byte{0xff, 0xf1, 0x00, 0x00, 0x00, 0xff, 0x00, 0x00}), nil},
		"no frames of sound": {append([]byte("ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x00"), fill([]byte{0xff})...), nil},
		"no frames of AC-3":  {append([]byte("ID3\x04\x00\x00\x00\x00\x00\x00\x0b\x77\x00\x00\x1e\x40\x43\xe1"), fill([]byte("\x0b\x77"))...), nil},
		"ID3":                {append(fill([]byte("ID3\x04\x00\x00\x00\x00\x00\x00")), 0xff, 0xf1, 0, 0, 0, 0xff, 0, 0), nil},
		"cues":               {[]byte("WEBVTT\n" + strings.Repeat("00:01.000-->00:02.000\n", size/22)), nil},
		"timestamp maps":     {[]byte("WEBVTT\n" + strings.Repeat("X-TIMESTAMP-MAP=LOCAL:00:01.000\n", size/32)), nil},
		"markers":            {append(boxOf("mdat", fill(marker(7).Append(nil))), boxOf("moof")...), nil},
		"no markers":         {append(boxOf("mdat", fill([]byte("\xc5\x9ascanry"))), boxOf("moof")...), nil},
	}
}

// No segment takes memory many times its length, and no initialization section does:
// what hostile ones hold is not kept before it is known to be bounded.
func TestInspectMemory(t *testing.T) { // not in parallel: it counts what all allocate
	const size = 1 << 20
	for name, c := range hostile(t, size) {
		const most, stacks = 24 * size, size
		if allocated, stack := memoryOf(c[0], c[1]); allocated > most || stack > stacks {
			t.Errorf("%s: %d KB took %d KB, and %d KB of stack; want at most %d and %d", name, size>>10, allocated>>10, stack>>10, most>>10, stacks>>10)
		}
	}
}

// Sixteen times the bytes take about sixteen times as long, and not 256 times.
func TestHostile(t *testing.T) {
	t.Parallel()
	const size, times = 1 << 20, 16
	const quick, slack, tries = 100 * time.Millisecond, 5, 3 // the machine has other things to do
	took := func(c [2][]byte) time.Duration {
		start := time.Now()
		_, _ = Inspect(c[0], c[1])
		return time.Since(start)
	}
	small, large := hostile(t, size/times), hostile(t, size)
	for name := range large {
		var once, much time.Duration
		slow := true
		for try := 0; try < tries && slow; try++ {
			once, much = took(small[name]), took(large[name])
			slow = much > quick && much > slack*times*once
		}
		if slow {
			t.Errorf("%s: %d KB take %s, and %d KB %s", name, size/times>>10, once, size>>10, much)
		}
	}
}

// memoryOf is what is allocated to look into a segment, and by how much the stack grows.
func memoryOf(segment, init []byte) (allocated, stack int64) {
	done := make(chan struct{})
	go func() { // a stack of its own
		defer close(done)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, err := Inspect(segment, init)
		runtime.ReadMemStats(&after)
		runtime.KeepAlive([]any{s, err})
		allocated, stack = int64(after.TotalAlloc-before.TotalAlloc), int64(after.StackInuse)-int64(before.StackInuse)
	}()
	<-done
	return allocated, stack
}
