package rtmp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	gortmp "github.com/yutopp/go-rtmp"
	"github.com/yutopp/go-rtmp/message"
)

// chunk is one chunk of format 0 with its message's length.
func chunk(stream byte, length int, typeID byte, payload ...byte) []byte {
	return append([]byte{stream, 0, 0, 0, byte(length >> 16), byte(length >> 8), byte(length), typeID, 0, 0, 0, 0}, payload...)
}

func TestGuard(t *testing.T) {
	t.Parallel()
	many := []byte{}
	for i := range byte(maxChunkStreams + 1) {
		many = append(many, chunk(3+i, 1, 3, 0)...)
	}
	tests := map[string]struct {
		in    []byte
		wrong string
	}{
		"a message":               {chunk(3, 4, 3, 1, 2, 3, 4), ""},
		"one in two chunks":       {append(chunk(3, 130, 20, make([]byte, 128)...), 0xc3, 1, 2), ""},
		"two of them, interwoven": {append(append(chunk(3, 130, 20, make([]byte, 128)...), chunk(2, 4, 3, 1, 2, 3, 4)...), 0xc3, 1, 2), ""},
		"long chunk stream ids":   {append([]byte{0, 200, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 9}, 1, 1, 1, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 9), ""},
		"an extended timestamp":   {[]byte{3, 0xff, 0xff, 0xff, 0, 0, 1, 3, 0, 0, 0, 0, 1, 0, 0, 0, 9}, ""},
		"the same length again":   {append(chunk(3, 2, 3, 1, 2), 0xc3, 1, 2), ""},
		"too long":                {chunk(3, maxMessage+1, 20), "a message of 65537 bytes"},
		"empty":                   {chunk(3, 0, 20), "no length"},
		"no length yet":           {[]byte{0xc3}, "no length"},
		"one inside another":      {append(chunk(3, 130, 20, make([]byte, 128)...), chunk(3, 1, 20, 1)...), "inside another"},
		"too many chunk streams":  {many, "more than 16 chunk streams"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, r := range []io.Reader{bytes.NewReader(test.in), iotest.OneByteReader(bytes.NewReader(test.in))} {
				got, err := io.ReadAll(newGuard(r, func() uint32 { return inChunkSize }))
				var bad protocolError
				switch {
				case test.wrong == "" && (err != nil || !bytes.Equal(got, test.in)):
					t.Errorf("passed %x, %v, want all of %x", got, err, test.in)
				case test.wrong != "" && (!errors.As(err, &bad) || !strings.Contains(err.Error(), test.wrong)):
					t.Errorf("error %v, want %q", err, test.wrong)
				}
			}
		})
	}
}

func TestGuardStopsAFlood(t *testing.T) {
	t.Parallel()
	one := chunk(2, 4, 3, 1, 2, 3, 4)
	endless := bytes.Repeat(one, 2*floodBurst/len(one))
	n, err := io.Copy(io.Discard, newGuard(bytes.NewReader(endless), func() uint32 { return inChunkSize }))
	if err == nil || !strings.Contains(err.Error(), "flood") || n > floodBurst+floodRate {
		t.Errorf("%d bytes passed, %v", n, err)
	}
}

func TestDecodeAMF(t *testing.T) {
	t.Parallel()
	deep := bytes.Repeat([]byte{3, 0, 1, 'a'}, 100)
	tests := map[string]struct {
		in    []byte
		want  int // values
		wrong error
	}{
		"nothing":                         {nil, 0, nil},
		"null and undefined":              {[]byte{5, 6}, 2, nil},
		"a date":                          {append([]byte{0x0b}, make([]byte, 10)...), 1, nil},
		"a strict array":                  {[]byte{0x0a, 0, 0, 0, 2, 5, 1, 1}, 1, nil},
		"a strict array of 4 294 967 295": {[]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 5, 5}, 0, errAMFShort},
		"an ECMA array":                   {[]byte{8, 0xff, 0xff, 0xff, 0xff, 0, 1, 'a', 5, 0, 0, 9}, 1, nil},
		"a long string":                   {[]byte{0x0c, 0, 0, 0, 1, 'a'}, 1, nil},
		"a long string of 4 GB":           {[]byte{0x0c, 0xff, 0xff, 0xff, 0xff, 'a'}, 0, errAMFShort},
		"too deep":                        {deep, 0, errAMFBounds},
		"too many":                        {bytes.Repeat([]byte{5}, maxAMFValues+1), maxAMFValues, errAMFBounds},
		"another type":                    {[]byte{5, 0x11}, 1, errAMFUnsupported},
		"half a number":                   {[]byte{5, 0, 1, 2}, 1, errAMFShort},
		"an object without end":           {[]byte{3, 0, 1, 'a', 5}, 0, errAMFShort},
	}
	for name, test := range tests {
		got, err := decodeAMF(test.in)
		if !errors.Is(err, test.wrong) || len(got) != test.want {
			t.Errorf("%s: %d values %v, %v; want %d, %v", name, len(got), got, err, test.want, test.wrong)
		}
	}
}

func TestOnStatusReasons(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"NetStream.Publish.BadName":        "publish_name_in_use",
		"netstream.publish.badname":        "publish_name_in_use",
		"NetStream.Publish.Denied":         "publish_denied",
		"NetStream.Publish.Unauthorized":   "publish_denied",
		"NetStream.Publish.Failed":         "publish_rejected",
		"NetStream.Failed":                 "publish_rejected",
		"":                                 "publish_rejected",
		"NetConnection.Connect.Rejected":   "connect_rejected",
		"NetConnection.Connect.InvalidApp": "connect_rejected",
		"NetConnection.Connect.Closed":     "connection_closed",
	} {
		if got := reasonOf(code); string(got) != want {
			t.Errorf("%q: %s, want %s", code, got, want)
		}
	}
}

func TestAcker(t *testing.T) {
	t.Parallel()
	tests := []struct {
		window int64
		totals []int64
		due    []bool
	}{
		{0, []int64{10_000, 20_000}, []bool{false, false}},
		{-1, []int64{10_000}, []bool{false}},
		{1, []int64{100, 1024, 1025, 2048}, []bool{false, true, false, true}},
		{10_000, []int64{4_999, 5_000, 9_999, 10_000}, []bool{false, true, false, true}},
	}
	for _, test := range tests {
		a := acker{window: test.window}
		for i, total := range test.totals {
			if got := a.due(total); got != test.due[i] {
				t.Errorf("window %d, %d bytes: due %t, want %t", test.window, total, got, test.due[i])
			}
		}
	}
}

// FuzzServerBytes is what comes back from a server after the handshake, through
// guard, chunk streamer and AMF0: nothing may panic, hang or exceed the bounds,
// and no detail may have the key in it.
func FuzzServerBytes(f *testing.F) {
	status, err := encodeAMF("onStatus", 0, nil, map[string]any{
		"level": "error", "code": "NetStream.Publish.BadName", "description": "no " + testKey,
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(chunk(5, status.Len(), 20, status.Bytes()...))
	f.Add(append(chunk(2, 4, 1, 0, 0, 16, 0), chunk(2, 6, 4, 0, 6, 0, 0, 0, 1)...))
	f.Add(append(chunk(2, 4, 5, 0, 0, 0, 1), chunk(2, 5, 6, 0, 0, 0, 1, 2)...))
	f.Add(append(chunk(3, 130, 20, make([]byte, 128)...), 0xc3, 1, 2))
	f.Add(chunk(3, 0, 20))
	at, err := parseEndpoint("rtmp://h/live/" + testKey)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		b := &Broadcast{
			cfg: Config{}.withDefaults(), at: at, out: newSender(nil, 0),
			replies: make(chan reply, maxPending), control: make(chan message.Message, maxPending),
			reader: make(chan struct{}),
		}
		b.live, b.end = context.WithCancelCause(t.Context())
		g := newGuard(bufio.NewReader(bytes.NewReader(in)), func() uint32 { return b.chunks.PeerState().ChunkSize() })
		b.chunks = gortmp.NewChunkStreamer(g, io.Discard, chunkConfig())
		if err := b.chunks.PeerState().SetChunkSize(inChunkSize); err != nil {
			t.Fatal(err)
		}
		if err := b.chunks.Close(); err != nil { // nothing is written here
			t.Fatal(err)
		}
		<-b.chunks.Done()
		b.read(g)

		var over *ending
		if !errors.As(context.Cause(b.live), &over) {
			t.Fatalf("the reader ended with %v", context.Cause(b.live))
		}
		wantDetail(t, over.failure("ingest", at))
		for len(b.replies) > 0 {
			r := <-b.replies
			wantDetail(t, at.refused(r).failure("publish", at))
		}
	})
}
