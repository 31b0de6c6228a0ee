//go:build unix

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

var errKeyInUse = errors.New("the key is in use")

// lockKey keeps two runs on this machine off one stream key. The lock ends with
// the process, however it ends. The file's name tells nothing of the key.
func lockKey(ingest string) (unlock func(), err error) {
	sum := sha256.Sum256([]byte(ingest))
	path := filepath.Join(os.TempDir(), "streamcanary-key-"+hex.EncodeToString(sum[:8]))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the lock of a stream key: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errKeyInUse
		}
		return nil, fmt.Errorf("the lock of a stream key: %w", err)
	}
	return func() { _ = f.Close() }, nil
}
