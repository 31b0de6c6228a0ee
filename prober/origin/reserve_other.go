//go:build !unix

package origin

import "net"

// reserve is not known here; to listen again is retried.
func reserve(*net.TCPAddr) (release func()) { return func() {} }
