package rtmp

import (
	"errors"
	"syscall"
	"unsafe"
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

// once needs no help from Go's scheduler, since the socket does not block. Telling
// it of each write, as syscall.Write does, wakes its monitor thread: with a single
// broadcast that was half of all CPU time.
func (a *attempt) once(fd uintptr) {
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(&a.p[0])), uintptr(len(a.p))) //nolint:gosec // a.p is held, and not empty
		if errno == syscall.EINTR {
			continue
		}
		if errno == 0 {
			a.n = int(n)
			return
		}
		if errno != syscall.EAGAIN {
			a.err = errno
		}
		return
	}
}
