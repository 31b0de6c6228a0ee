//go:build unix

package origin

import "syscall"

// ethernetSegments makes a listener ask for segments as a network has them. With
// those of loopback, of 64 KB, an ingest that reads slowly takes nothing for
// seconds and then much at once, which no real one does. Where it cannot be set,
// it stays so.
func ethernetSegments(_, _ string, c syscall.RawConn) error {
	const size = 1400
	return c.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, size)
	})
}
