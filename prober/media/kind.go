package media

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// describe names bytes that are neither MPEG-TS nor fMP4, without quoting them:
// an error page may hold a token.
func describe(b []byte) string {
	if len(b) == 0 {
		return "empty"
	}
	head := bytes.TrimLeft(bytes.TrimPrefix(b[:min(len(b), 1024)], []byte("\xef\xbb\xbf")), " \t\r\n")
	for _, k := range []struct {
		name     string
		prefixes []string
	}{
		{"an HTML page", []string{"<!doctype html", "<html", "<head", "<body", "<center"}},
		{"XML", []string{"<?xml", "<error"}},
		{"a playlist", []string{"#extm3u"}},
		{"WebVTT subtitles", []string{"webvtt"}},
		{"packed audio, without pictures", []string{"id3", "\xff\xf1", "\xff\xf9"}},
		{"compressed data (gzip) that nobody unpacked", []string{"\x1f\x8b"}},
		{"FLV", []string{"flv\x01"}},
		{"WebM or Matroska", []string{"\x1a\x45\xdf\xa3"}},
	} {
		for _, p := range k.prefixes {
			if begins(head, p) {
				return k.name
			}
		}
	}
	return describeRest(b, head)
}

// begins tells whether bytes begin with a prefix, in whatever case if it is text.
func begins(b []byte, prefix string) bool {
	if len(b) < len(prefix) {
		return false
	}
	b = b[:len(prefix)]
	return string(b) == prefix || utf8.ValidString(prefix) && bytes.EqualFold(b, []byte(prefix))
}

// describeRest names bytes without a known beginning.
func describeRest(b, head []byte) string {
	switch {
	case len(bytes.Trim(b, "\x00")) == 0:
		return fmt.Sprintf("%d zero bytes", len(b))
	case len(head) > 0 && (head[0] == '{' || head[0] == '[') && isText(head):
		return "JSON"
	case len(head) > 0 && head[0] == '<' && isText(head):
		return "HTML or XML"
	case isText(head):
		return "plain text"
	case len(b) < packetSize && b[0] == syncByte:
		return fmt.Sprintf("MPEG-TS cut short: %d bytes are less than one packet", len(b))
	}
	return "neither MPEG-TS (no sync bytes) nor fMP4 (no box that begins a segment): garbage, or encrypted"
}

// isText tells whether bytes, perhaps cut within a character, are text.
func isText(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 && len(b) >= utf8.UTFMax || r < ' ' && r != '\t' && r != '\r' && r != '\n' {
			return false
		}
		b = b[n:]
	}
	return true
}
