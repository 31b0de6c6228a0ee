package hls

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"streamcanary/prober"
)

// Bounds on keys.
const (
	keyBytes    = 16 // of AES-128
	maxKeyBytes = 1 << 10
	maxKeysKept = 8 // a broadcast has one at a time, and a few for its renditions
)

// methodAES128 encrypts whole segments (4.4.4.4); the others only samples.
const methodAES128 = "AES-128"

// keyring keeps the keys that were fetched. The zero value is ready.
type keyring struct{ keys map[string][]byte }

func (k *keyring) forget(uri string) { delete(k.keys, uri) }

func (k *keyring) keep(uri string, key []byte) {
	if k.keys == nil || len(k.keys) >= maxKeysKept {
		k.keys = map[string][]byte{}
	}
	k.keys[uri] = key
}

// keyOf picks the key that encrypts whole segments.
func keyOf(s Segment) (Key, bool) {
	i := slices.IndexFunc(s.Keys, func(k Key) bool {
		return k.Method == methodAES128 && (k.KeyFormat == "" || k.KeyFormat == "identity")
	})
	if i < 0 {
		return Key{}, false
	}
	return s.Keys[i], true
}

// decrypt makes clear what is encrypted as a whole, in place. Segments with
// encrypted samples stay as they are.
func (r *rendition) decrypt(ctx context.Context, s Segment, body []byte) ([]byte, *prober.Failure) {
	if s.Encryption != methodAES128 {
		return body, nil
	}
	listed, ok := keyOf(s)
	if !ok {
		return nil, failf(prober.StageSegment, prober.ReasonKeyUnavailable, "no EXT-X-KEY of segment %d gives its key by itself (KEYFORMAT identity)", s.Sequence)
	}
	key, fail := r.key(ctx, listed)
	if fail != nil {
		return nil, fail
	}
	return unseal(listed, key, s.Sequence, body, fmt.Sprintf("segment %d", s.Sequence))
}

// unseal decrypts what a key of a playlist encrypts as a whole, in place.
func unseal(listed Key, key []byte, sequence uint64, body []byte, what string) ([]byte, *prober.Failure) {
	iv, fail := initialVector(listed, sequence)
	if fail != nil {
		return nil, fail
	}
	plain, ok := decryptCBC(key, iv, body)
	if !ok {
		return nil, failf(prober.StageMedia, prober.ReasonMediaEncrypted, "%s (%d bytes) cannot be decrypted with its key", what, len(body))
	}
	return plain, nil
}

// clearInit makes an initialization section clear, in place, with a key that fetch
// brings. Its EXT-X-KEY needs an IV (4.4.4.5). Where that is missing, which is told,
// nobody can say that it is encrypted but its bytes.
func clearInit(in Init, sequence uint64, body []byte, fetch func(Key) ([]byte, *prober.Failure)) ([]byte, *prober.Failure) {
	if in.Key.Method != methodAES128 || in.Key.IV == "" && beginsWithBox(body) {
		return body, nil
	}
	if in.Key.KeyFormat != "" && in.Key.KeyFormat != "identity" {
		return nil, failf(prober.StageSegment, prober.ReasonKeyUnavailable, "no EXT-X-KEY of the initialization section gives its key by itself (KEYFORMAT identity)")
	}
	key, fail := fetch(in.Key)
	if fail != nil {
		return nil, fail
	}
	plain, fail := unseal(in.Key, key, sequence, body, "the initialization section")
	if fail == nil && !beginsWithBox(plain) && !bytes.HasPrefix(plain, []byte{syncByte}) { // with a wrong IV only the first block is spoilt
		return nil, failf(prober.StageMedia, prober.ReasonMediaEncrypted, "the initialization section (%d bytes) is no media once it is decrypted with its key and IV", len(plain))
	}
	return plain, fail
}

const syncByte = 0x47 // of MPEG-TS, whose section is its tables

// beginsWithBox says whether bytes are a file of ISO/IEC 14496-12, by the type of
// their first box.
func beginsWithBox(body []byte) bool {
	return len(body) >= 8 && slices.Contains([]string{"ftyp", "styp", "moov"}, string(body[4:8]))
}

// rekey forgets the keys that a segment could not be read with: a server may give
// others under the same URIs. It says whether the segment is worth a second try,
// since the key was an old one.
func (r *rendition) rekey(s Segment, kept bool) bool {
	all := []Key{s.Init.Key}
	if listed, ok := keyOf(s); ok {
		all = append(all, listed)
	}
	for _, k := range all {
		if u, fail := resolveURL(r.base, k.URI); k.Method == methodAES128 && fail == nil {
			r.ring.forget(u.String())
		}
	}
	return kept
}

// hasKey says whether the key of a segment has been fetched already.
func (r *rendition) hasKey(s Segment) bool {
	listed, ok := keyOf(s)
	if !ok || s.Encryption != methodAES128 {
		listed = s.Init.Key
	}
	if listed.Method != methodAES128 {
		return false
	}
	u, fail := resolveURL(r.base, listed.URI)
	return fail == nil && r.ring.keys[u.String()] != nil
}

// key fetches a key once.
func (r *rendition) key(ctx context.Context, k Key) ([]byte, *prober.Failure) {
	u, fail := resolveURL(r.base, k.URI)
	if fail != nil {
		return nil, fail
	}
	if key, ok := r.ring.keys[u.String()]; ok {
		return key, nil
	}
	got, fail := r.f.fetch.get(ctx, request{url: u, stage: prober.StageSegment, limit: maxKeyBytes, timeout: r.f.cfg.PlaylistTimeout})
	r.state.count(got)
	if fail != nil {
		if fail.Outcome == prober.Fail && fail.Stage == prober.StageSegment {
			fail.Reason = prober.ReasonKeyUnavailable
		}
		fail.Detail = prober.Clip("key "+fail.Detail, prober.MaxDetail)
		return nil, fail
	}
	defer got.release()
	if len(got.body) != keyBytes {
		return nil, failf(prober.StageSegment, prober.ReasonKeyUnavailable, "key %s: %d bytes, and a key of AES-128 has %d", place(got.url), len(got.body), keyBytes)
	}
	key := bytes.Clone(got.body)
	r.ring.keep(u.String(), key)
	return key, nil
}

// initialVector is the key's IV, or the media sequence number (5.2).
func initialVector(k Key, sequence uint64) ([]byte, *prober.Failure) {
	iv := make([]byte, aes.BlockSize)
	if k.IV == "" {
		binary.BigEndian.PutUint64(iv[8:], sequence)
		return iv, nil
	}
	digits := strings.TrimPrefix(strings.TrimPrefix(k.IV, "0x"), "0X")
	if missing := 2*aes.BlockSize - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	given, err := hex.DecodeString(digits)
	if err != nil || len(given) != aes.BlockSize {
		return nil, against("4.4.4.4", prober.ReasonPlaylistMalformed, "the IV of EXT-X-KEY is not a number of 128 bits")
	}
	return given, nil
}

// decryptCBC decrypts body in place and takes its padding off (PKCS #7).
func decryptCBC(key, iv, body []byte) ([]byte, bool) {
	block, err := aes.NewCipher(key)
	if err != nil || len(body) == 0 || len(body)%aes.BlockSize != 0 {
		return nil, false
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(body, body)
	padding := int(body[len(body)-1])
	if padding == 0 || padding > aes.BlockSize {
		return nil, false
	}
	for _, b := range body[len(body)-padding:] {
		if int(b) != padding {
			return nil, false
		}
	}
	return body[:len(body)-padding], true
}
