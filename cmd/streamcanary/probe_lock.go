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
	"syscall"

	"golang.org/x/sys/unix"
)

var errInUse = errors.New("another process of ours on this machine uses it")

// lockKey keeps two runs of one user on this machine off one stream key. The
// file's name tells nothing of the key.
func lockKey(ingest string) (unlock func(), err error) {
	sum := sha256.Sum256([]byte(ingest))
	return lock("key-" + hex.EncodeToString(sum[:8]))
}

// lockPort keeps two demos of one user on this machine off one port.
func lockPort(port int) (unlock func(), err error) {
	return lock("port-" + strconv.Itoa(port))
}

// lock holds a name until it is unlocked or the process ends, however it ends.
// It returns errInUse if another process holds it.
func lock(name string) (unlock func(), err error) {
	folder, err := lockFolder(os.UserCacheDir, os.TempDir())
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	return lockFile(filepath.Join(folder, name+".lock"))
}

func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errInUse
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = f.Close() }, nil
}

// lockFolder is a folder of the user's own: below the cache, or, where there is
// none or it cannot be written to, below temp. In a folder that everybody writes
// to, anybody could hold our locks, or lay links where we open files.
func lockFolder(cache func() (string, error), temp string) (string, error) {
	if base, err := cache(); err == nil {
		folder := filepath.Join(base, "streamcanary")
		if os.MkdirAll(folder, 0o700) == nil && ownFolder(folder) == nil {
			return folder, nil
		}
	}
	folder := filepath.Join(temp, "streamcanary-"+strconv.Itoa(os.Geteuid()))
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return folder, ownFolder(folder)
}

// ownFolder is nil for a folder, not a link to one, that nobody but this user
// writes to.
func ownFolder(folder string) error {
	info, err := os.Lstat(folder)
	if err != nil {
		return err
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !known || int(owner.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is not a folder that this user alone writes to; remove it", folder)
	}
	if err := unix.Access(folder, unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("%s: %w", folder, err)
	}
	return nil
}
