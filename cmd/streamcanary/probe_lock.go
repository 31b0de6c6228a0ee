//go:build unix

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

var errInUse = errors.New("another process of ours on this machine uses it")

// lockKey keeps two runs on this machine off one stream key. The file's name
// tells nothing of the key.
func lockKey(ingest string) (unlock func(), err error) {
	sum := sha256.Sum256([]byte(ingest))
	return lock("key-" + hex.EncodeToString(sum[:8]))
}

// lockPort keeps two demos on this machine off one port.
func lockPort(port int) (unlock func(), err error) {
	return lock("port-" + strconv.Itoa(port))
}

// lock holds a name on this machine until it is unlocked or the process ends,
// however it ends. It returns errInUse if another holds it.
func lock(name string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(os.TempDir(), "streamcanary-"+name), os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrPermission) {
		return nil, errInUse // by another user
	}
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errInUse
		}
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return func() { _ = f.Close() }, nil
}
