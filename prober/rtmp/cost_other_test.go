//go:build !linux

package rtmp

// pushAsChild is for a benchmark that Linux alone has.
func pushAsChild() bool { return false }
