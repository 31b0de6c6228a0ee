package rtmp

import (
	"encoding/binary"

	"github.com/yutopp/go-rtmp/message"
)

// Our chunk streams.
const (
	controlChunks = 2 // fixed by RTMP 1.0, 5.4
	commandChunks = 3
	audioChunks   = 4
	videoChunks   = 6
)

// The kinds of message that a publisher deals with (RTMP 1.0, 5.4, 7.1).
const (
	kindSetChunkSize = byte(message.TypeIDSetChunkSize)
	kindAbort        = byte(message.TypeIDAbortMessage)
	kindAck          = byte(message.TypeIDAck)
	kindUserControl  = byte(message.TypeIDUserCtrl)
	kindAckWindow    = byte(message.TypeIDWinAckSize)
	kindBandwidth    = byte(message.TypeIDSetPeerBandwidth)
	kindAudio        = byte(message.TypeIDAudioMessage)
	kindVideo        = byte(message.TypeIDVideoMessage)
	kindData         = byte(message.TypeIDDataMessageAMF0)
	kindCommand      = byte(message.TypeIDCommandMessageAMF0)
	kindCommandAMF3  = byte(message.TypeIDCommandMessageAMF3)
)

// noTimestamp in a chunk's header says that the timestamp, or its delta, follows
// in four bytes (RTMP 1.0, 5.3.1.3).
const noTimestamp = 0xffffff

// framer writes messages as chunks (RTMP 1.0, 5.3.1). Media go in deltas once
// their chunk stream has begun, so that a timestamp beyond 4.66 h needs its
// extended field in the first message of a connection alone, and one that wraps
// after 49.7 days is a delta like any other.
type framer struct {
	size  int // of a chunk's payload
	lanes [videoChunks + 1]lane
}

// lane is one chunk stream, as its last message left it.
type lane struct {
	begun     bool
	stream    uint32
	timestamp uint32
}

// append adds a message to dst.
func (f *framer) append(dst []byte, chunks int, kind byte, stream, timestamp uint32, body []byte) []byte {
	dst, extended := f.header(dst, chunks, kind, stream, timestamp, len(body))
	for len(body) > f.size {
		dst = append(dst, body[:f.size]...)
		body = body[f.size:]
		dst = append(dst, 3<<6|byte(chunks)) //nolint:gosec // 2 to 6
		if extended != nil {
			// Every chunk of the message repeats it.
			dst = binary.BigEndian.AppendUint32(dst, *extended)
		}
	}
	return append(dst, body...)
}

// header adds the header of a message's first chunk. It gives the extended
// timestamp that the other ones have to repeat, nil for none.
func (f *framer) header(dst []byte, chunks int, kind byte, stream, timestamp uint32, length int) ([]byte, *uint32) {
	l := &f.lanes[chunks]
	value, format := timestamp, byte(0)
	if media := chunks == audioChunks || chunks == videoChunks; media && l.begun && l.stream == stream {
		if delta := timestamp - l.timestamp; delta < 1<<31 { // it did not fall
			value, format = delta, 1
		}
	}
	*l = lane{begun: true, stream: stream, timestamp: timestamp}

	short := min(value, noTimestamp)
	dst = append(dst, format<<6|byte(chunks), //nolint:gosec // 2 to 6
		byte(short>>16), byte(short>>8), byte(short), //nolint:gosec // taken apart
		byte(length>>16), byte(length>>8), byte(length), kind) //nolint:gosec // taken apart
	if format == 0 {
		dst = binary.LittleEndian.AppendUint32(dst, stream)
	}
	if short != noTimestamp {
		return dst, nil
	}
	return binary.BigEndian.AppendUint32(dst, value), &value
}
