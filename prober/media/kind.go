package media

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// describe names bytes that are no media, without quoting them: an error page may
// hold a token. It says too whether they are ciphertext, as it seems.
func describe(b []byte) (what string, encrypted bool) {
	if len(b) == 0 {
		return "empty", false
	}
	head := bytes.TrimLeft(bytes.TrimPrefix(b[:min(len(b), 1024)], []byte("\xef\xbb\xbf")), " \t\r\n")
	for _, k := range []struct {
		name     string
		prefixes []string
	}{
		{"an HTML page", []string{"<!doctype html", "<html", "<head", "<body", "<center"}},
		{"XML", []string{"<?xml", "<error"}},
		{"a playlist", []string{"#extm3u"}},
		{"the beginning of packed audio, cut short", []string{"ID3"}},
		{"compressed data (gzip) that nobody unpacked", []string{"\x1f\x8b"}},
		{"FLV", []string{"flv\x01"}},
		{"WebM or Matroska", []string{"\x1a\x45\xdf\xa3"}},
	} {
		for _, p := range k.prefixes {
			if begins(head, p) {
				return k.name, false
			}
		}
	}
	if isRandom(b) {
		return "neither MPEG-TS (no sync bytes) nor fMP4 (no box that begins a segment): still encrypted as a whole (AES-128), or random bytes", true
	}
	return describeRest(b, head), false
}

// isRandom tells whether bytes can be AES-128 in CBC mode (RFC 8216bis 5.2): whole
// blocks, and each value about as often as any other, by the chi-squared test.
func isRandom(b []byte) bool {
	const block, least, most = 16, 1024, 16384
	if len(b)%block != 0 || len(b) < least {
		return false
	}
	b = b[:min(len(b), most)]
	var seen [256]int
	for _, c := range b {
		seen[c]++
	}
	mean, sum := float64(len(b))/256, 0.
	for _, n := range seen {
		sum += (float64(n) - mean) * (float64(n) - mean) / mean
	}
	return sum < 400 // of random bytes one in 10^7 has more
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
