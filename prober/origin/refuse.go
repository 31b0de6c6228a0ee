package origin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/yutopp/go-rtmp/message"
)

// Why the ingest itself refuses.
var (
	errSecondPublish = errors.New("the connection publishes already")
	errRejected      = errors.New("the connect command is rejected")
)

const (
	refusalChunkStream = 5 // used by nothing else that is sent
	codeBadName        = "NetStream.Publish.BadName"
	codeDenied         = "NetStream.Publish.Denied"
	codeUnauthorized   = "NetStream.Publish.Unauthorized"
	codeRejected       = "NetConnection.Connect.Rejected"
)

// refusal is what an ingest says to a command that it does not obey.
type refusal struct {
	code        string
	description string
	redirect    string // of a connect: the URL to use instead
	swallow     bool   // of a publish: the connection stays, and its media goes nowhere
}

func (r *refusal) Error() string { return r.description }

// refuse answers a publish with an onStatus error as its last word. go-rtmp
// knows one code only (NetStream.Publish.Failed), so this is written past it,
// between two of its chunks.
func (p *publisher) refuse(streamID uint32, reason error) error {
	var says *refusal
	switch {
	case errors.As(reason, &says):
	case errors.Is(reason, errNameInUse):
		says = &refusal{code: codeBadName, description: reason.Error()}
	default:
		says = &refusal{code: codeDenied, description: reason.Error()}
	}
	return p.refuseWith(streamID, says)
}

func (p *publisher) refuseWith(streamID uint32, says *refusal) error {
	b, err := command(streamID, "onStatus", 0, says.info())
	if err != nil {
		return err
	}
	return p.lastWord(b)
}

// rejectConnect answers a connect with an error as its last word.
func (p *publisher) rejectConnect(says *refusal) error {
	b, err := command(0, "_error", 1, says.info())
	if err != nil {
		return err
	}
	return p.lastWord(b)
}

// info is the information object of a refusal. A redirect stands in "ex", as
// Flash Media Server and those after it have it.
func (r *refusal) info() map[string]any {
	info := map[string]any{"level": "error", "code": r.code, "description": r.description}
	if r.redirect != "" {
		info["ex"] = map[string]any{"code": 302, "redirect": r.redirect}
	}
	return info
}

// command encodes a command message without a command object, in chunks of the
// default size (RTMP 1.0, 7.1.1 and 5.3.1).
func command(streamID uint32, name string, transaction int, info map[string]any) ([]byte, error) {
	var body bytes.Buffer
	encoder := message.NewAMFEncoder(&body, message.EncodingTypeAMF0)
	for _, v := range []any{name, transaction, nil, info} {
		if err := encoder.Encode(v); err != nil {
			return nil, fmt.Errorf("encode %s: %w", name, err)
		}
	}
	b := []byte{refusalChunkStream, 0, 0, 0}
	b = appendUint24(b, uint32(body.Len())) //nolint:gosec // a few hundred bytes
	b = append(b, byte(message.TypeIDCommandMessageAMF0))
	b = binary.LittleEndian.AppendUint32(b, streamID)
	b = append(b, body.Next(defaultChunkSize)...)
	for body.Len() > 0 {
		b = append(b, 3<<6|refusalChunkStream)
		b = append(b, body.Next(defaultChunkSize)...)
	}
	return b, nil
}

// control encodes a protocol control message (RTMP 1.0, 5.4).
func control(typeID byte, body ...byte) []byte {
	b := []byte{controlStream, 0, 0, 0}
	b = appendUint24(b, uint32(len(body))) //nolint:gosec // a few bytes
	return append(append(b, typeID, 0, 0, 0, 0), body...)
}
