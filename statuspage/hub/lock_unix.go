//go:build unix

package hub

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockData keeps a second hub away from a data folder: the NATS server does not
// look, and two of them destroy the journal. The kernel lets go of the lock when
// the process ends, however it ends.
func lockData(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("data folder %s: another hub uses it; end that one, or configure another folder", dir)
		}
		return nil, fmt.Errorf("data folder %s: lock: %w", dir, err)
	}
	return func() { _ = f.Close() }, nil
}
