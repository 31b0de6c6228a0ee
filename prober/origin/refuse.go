package origin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/yutopp/go-rtmp/message"
)

// Why the ingest itself refuses a publish.
var (
	errDenied        = errors.New("new broadcasts are not taken at present")
	errSecondPublish = errors.New("the connection publishes already")
)

const (
	refusalChunkStream = 5 // used by nothing else that is sent
	codeDenied         = message.NetStreamOnStatusCode("NetStream.Publish.Denied")
)

// refuse answers a publish with an onStatus error as its last word. go-rtmp
// knows one code only (NetStream.Publish.Failed), so this is written past it,
// between two of its chunks.
func (p *publisher) refuse(streamID uint32, reason error) error {
	code := codeDenied
	if errors.Is(reason, errNameInUse) {
		code = message.NetStreamOnStatusCodePublishBadName
	}
	b, err := onStatusError(streamID, code, reason.Error())
	if err != nil {
		return err
	}
	return p.lastWord(b)
}

// onStatusError encodes the command message in chunks of the default size
// (RTMP 1.0, 7.2.2 and 5.3.1).
func onStatusError(streamID uint32, code message.NetStreamOnStatusCode, description string) ([]byte, error) {
	var body, whole bytes.Buffer
	encoder := message.NewAMFEncoder(&body, message.EncodingTypeAMF0)
	status := &message.NetStreamOnStatus{InfoObject: message.NetStreamOnStatusInfoObject{
		Level: message.NetStreamOnStatusLevelError, Code: code, Description: description,
	}}
	if err := message.EncodeBodyAnyValues(encoder, status); err != nil {
		return nil, fmt.Errorf("encode onStatus: %w", err)
	}
	command := &message.CommandMessage{CommandName: "onStatus", Encoding: message.EncodingTypeAMF0, Body: &body}
	if err := message.NewEncoder(&whole).Encode(command); err != nil {
		return nil, fmt.Errorf("encode onStatus: %w", err)
	}
	b := []byte{refusalChunkStream, 0, 0, 0}
	b = appendUint24(b, uint32(whole.Len())) //nolint:gosec // a few hundred bytes
	b = append(b, byte(message.TypeIDCommandMessageAMF0))
	b = binary.LittleEndian.AppendUint32(b, streamID)
	b = append(b, whole.Next(defaultChunkSize)...)
	for whole.Len() > 0 {
		b = append(b, 3<<6|refusalChunkStream)
		b = append(b, whole.Next(defaultChunkSize)...)
	}
	return b, nil
}
