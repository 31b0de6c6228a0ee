//go:build !linux

package rtmp

import (
	"net"
	"syscall"
	"time"
)

// setUserTimeout has no like here: the write deadline alone sees a stopped server.
func setUserTimeout(*net.TCPConn, time.Duration) error { return nil }

// sendQueue is not measured here.
func sendQueue(syscall.RawConn) int64 { return 0 }
