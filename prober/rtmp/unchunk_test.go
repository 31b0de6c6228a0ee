package rtmp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/yutopp/go-rtmp/message"

	"streamcanary/prober"
)

// chunk is one chunk of format 0 with its message's length.
func chunk(stream byte, length int, typeID byte, payload ...byte) []byte {
	return append([]byte{stream, 0, 0, 0, byte(length >> 16), byte(length >> 8), byte(length), typeID, 0, 0, 0, 0}, payload...)
}

func TestUnchunk(t *testing.T) {
	t.Parallel()
	many := []byte{}
	for i := range byte(maxChunkStreams + 1) {
		many = append(many, chunk(3+i, 1, 3, 0)...)
	}
	late := []byte{3, 0xff, 0xff, 0xff, 0, 0, 130, 3, 0, 0, 0, 0, 1, 0, 0, 0} // at 2^24 ms
	late = append(append(late, make([]byte, 128)...), 0xc3, 1, 0, 0, 0, 8, 9)
	tests := map[string]struct {
		in    []byte
		want  string // lengths and timestamps
		wrong string
	}{
		"a message":               {chunk(3, 4, 3, 1, 2, 3, 4), "4@0", ""},
		"one in two chunks":       {append(chunk(3, 130, 20, make([]byte, 128)...), 0xc3, 1, 2), "130@0", ""},
		"two of them, interwoven": {append(append(chunk(3, 130, 20, make([]byte, 128)...), chunk(2, 4, 3, 1, 2, 3, 4)...), 0xc3, 1, 2), "4@0 130@0", ""},
		"long chunk stream ids":   {append([]byte{0, 200, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 9}, 1, 1, 1, 0, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0, 9), "1@0 1@0", ""},
		"an extended timestamp":   {late, "130@16777216", ""},
		"the same length again":   {append(chunk(3, 2, 3, 1, 2), 0xc3, 1, 2), "2@0 2@0", ""},
		"deltas":                  {append(chunk(3, 2, 3, 1, 2), 0x43, 0, 0, 9, 0, 0, 1, 3, 7, 0x83, 0, 1, 0, 7, 0xc3, 7), "2@0 1@9 1@265 1@521", ""},
		"aborted":                 {append(append(chunk(3, 130, 20, make([]byte, 128)...), chunk(2, 4, 2, 0, 0, 0, 3)...), chunk(3, 1, 20, 1)...), "4@0 1@0", ""},
		"too long":                {chunk(3, maxMessage+1, 20), "", "a message of 65537 bytes"},
		"empty":                   {chunk(3, 0, 20), "", "no length"},
		"no length yet":           {[]byte{0xc3}, "", "no length"},
		"one inside another":      {append(chunk(3, 130, 20, make([]byte, 128)...), chunk(3, 1, 20, 1)...), "", "inside another"},
		"too many chunk streams":  {many, strings.TrimSpace(strings.Repeat("1@0 ", maxChunkStreams)), "more than 16 chunk streams"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, r := range []io.Reader{bytes.NewReader(test.in), iotest.OneByteReader(bytes.NewReader(test.in))} {
				u := newUnchunker(bufio.NewReader(r))
				var got []string
				var err error
				for err == nil {
					var m incoming
					if m, err = u.next(); err == nil {
						got = append(got, fmt.Sprintf("%d@%d", len(m.body), m.timestamp))
						if message.TypeID(m.kind) == message.TypeIDAbortMessage {
							u.abort(binary.BigEndian.Uint32(m.body))
						}
					}
				}
				var bad protocolError
				switch {
				case strings.Join(got, " ") != test.want:
					t.Errorf("messages %q, want %q; %v", got, test.want, err)
				case test.wrong == "" && !errors.Is(err, io.EOF):
					t.Errorf("ended with %v", err)
				case test.wrong != "" && (!errors.As(err, &bad) || !strings.Contains(err.Error(), test.wrong)):
					t.Errorf("error %v, want %q", err, test.wrong)
				}
			}
		})
	}
}

func TestUnchunkStopsAFlood(t *testing.T) {
	t.Parallel()
	one := chunk(2, 4, 3, 1, 2, 3, 4)
	u := newUnchunker(bufio.NewReader(bytes.NewReader(bytes.Repeat(one, 2*floodBurst/len(one)))))
	var err error
	for err == nil {
		_, err = u.next()
	}
	if !strings.Contains(err.Error(), "flood") || u.total > floodBurst+floodRate {
		t.Errorf("%d bytes passed, %v", u.total, err)
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
	for _, test := range []struct{ code, description, want string }{
		{"NetStream.Publish.BadName", "", "publish_name_in_use"},
		{"netstream.publish.badname", "Already publishing", "publish_name_in_use"},
		{"NetStream.Publish.BadName", "Stream key is invalid", "publish_bad_key"},
		{"NetStream.Publish.BadName", "publishing is not allowed here", "publish_denied"},
		{"NetStream.Publish.Denied", "", "publish_denied"},
		{"NetStream.Publish.Denied", "stream is already publishing", "publish_name_in_use"},
		{"NetStream.Publish.Denied", "unknown stream key", "publish_bad_key"},
		{"NetStream.Publish.Unauthorized", "", "publish_denied"},
		{"NetStream.Publish.Failed", "", "publish_rejected"},
		{"NetStream.Publish.Failed", "permission denied", "publish_denied"},
		{"NetStream.Publish.Rejected", "the token has expired", "publish_bad_key"},
		{"NetStream.Publish.InvalidStreamKey", "", "publish_bad_key"},
		{"NetStream.Failed", "", "publish_rejected"},
		{"", "", "publish_rejected"},
		{"", "out of disk", "publish_rejected"},
		{"NetConnection.Connect.Rejected", "stream key not found", "connect_rejected"},
		{"NetConnection.Connect.InvalidApp", "", "connect_rejected"},
		{"NetConnection.Connect.Closed", "", "connection_closed"},
	} {
		if got := reasonOf(test.code, test.description); string(got) != test.want {
			t.Errorf("%q, %q: %s, want %s", test.code, test.description, got, test.want)
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
// unchunker and AMF0: nothing may panic, hang or exceed the bounds,
// and no detail may have the key in it.
func FuzzServerBytes(f *testing.F) {
	status, err := encodeAMF("onStatus", 0, nil, map[string]any{
		"level": "error", "code": "NetStream.Publish.BadName", "description": "no " + testKey,
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(chunk(5, len(status), 20, status...))
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
			replies: make(chan reply, maxPending), control: make(chan outgoing, maxPending),
			reader: make(chan struct{}), broken: make(chan struct{}),
		}
		b.live, b.end = context.WithCancelCause(t.Context())
		b.broke(syscall.EPIPE) // nobody writes: an end of file need not wait
		b.heard.begin()
		b.read(newUnchunker(bufio.NewReader(bytes.NewReader(in))))

		for _, f := range b.Stats().Findings {
			if f.Count < 1 || len(f.Detail) > prober.MaxDetail || strings.Contains(f.Detail, testKey) {
				t.Errorf("finding %+v", f)
			}
		}
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
