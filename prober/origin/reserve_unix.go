//go:build unix

package origin

import (
	"net"
	"syscall"
)

// reserve holds a port without listening on it: connections are refused, and
// the kernel gives it to nobody as the local port of an outgoing connection.
// Where that fails the port is simply not held; to listen again is retried.
func reserve(a *net.TCPAddr) (release func()) {
	nothing := func() {}
	family, address := syscall.AF_INET, syscall.Sockaddr(nil)
	if ip := a.IP.To4(); ip != nil {
		address = &syscall.SockaddrInet4{Port: a.Port, Addr: [4]byte(ip)}
	} else {
		family, address = syscall.AF_INET6, &syscall.SockaddrInet6{Port: a.Port, Addr: [16]byte(a.IP.To16())}
	}
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nothing
	}
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err == nil {
		_ = syscall.Bind(fd, address)
	}
	return func() { _ = syscall.Close(fd) }
}
