//go:build !linux

package rtmp

import (
	"net"
	"time"
)

// setUserTimeout has no like here: the write deadline alone sees a stopped server.
func setUserTimeout(*net.TCPConn, time.Duration) error { return nil }
