//go:build unix && !linux

package rtmp

import (
	"errors"
	"syscall"
)

// attempt is one write that does not wait. It keeps what a closure would
// allocate for each.
type attempt struct {
	p   []byte
	n   int
	err error
	try func(fd uintptr) // once, as a value
}

// write writes what the socket takes at once; 0 and nil is nothing.
func (a *attempt) write(raw syscall.RawConn, p []byte) (int, error) {
	a.p, a.n, a.err = p, 0, nil
	err := raw.Control(a.try)
	a.p = nil
	return a.n, errors.Join(err, a.err)
}

func (a *attempt) once(fd uintptr) {
	for {
		n, err := syscall.Write(int(fd), a.p)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		a.n = max(n, 0)
		if err != nil && !errors.Is(err, syscall.EAGAIN) {
			a.err = err
		}
		return
	}
}
