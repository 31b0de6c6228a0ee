package rtmp

import (
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"streamcanary/prober"
)

// A listener whose backlog is full drops a SYN, as a firewall or a dead host does.
func TestConnectTimeout(t *testing.T) {
	t.Parallel()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	for full := false; !full; {
		conn, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if full = err != nil; !full {
			t.Cleanup(func() { _ = conn.Close() })
		}
	}
	cfg := testConfig("rtmp://" + address + "/live/" + testKey)
	cfg.DialTimeout = 200 * time.Millisecond
	b, failure, err := Publish(t.Context(), cfg)
	if b != nil || err != nil {
		t.Fatalf("Publish gave %v, %v", b, err)
	}
	wantFailure(t, failure, prober.StageConnect, prober.ReasonConnectTimeout)
}
