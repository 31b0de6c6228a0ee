//go:build !unix

package rtmp

import "syscall"

// attempt is one write that does not wait: here there is none, and everything is
// flushed.
type attempt struct{ try func(fd uintptr) }

func (*attempt) write(syscall.RawConn, []byte) (int, error) { return 0, nil }

func (*attempt) once(uintptr) {}
