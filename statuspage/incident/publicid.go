package incident

import (
	"crypto/sha256"
	"encoding/binary"
)

// PublicID is the id under which something is known in public: 12 characters
// [a-z0-9], as Statuspage's clients expect them. It is hashed from the
// installation and the permanent id in the configuration, so it survives
// restarts and renamed titles, and tells nothing of either.
func PublicID(installation, kind, id string) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	h := sha256.New()
	for _, part := range []string{installation, kind, id} {
		// A length before each part keeps ("a", "bc") apart from ("ab", "c").
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	v := binary.BigEndian.Uint64(h.Sum(nil)) // 36^12 < 2^64
	var b [12]byte
	for i := range b {
		b[i] = digits[v%36]
		v /= 36
	}
	return string(b[:])
}
