package rtmp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"streamcanary/prober"
)

// sendBuffer is the socket's send buffer in bytes: small, so that a server that
// stops reading is soon felt (about a second of a 500 kbit/s broadcast).
const sendBuffer = 64 << 10

// resolve finds the endpoint's addresses.
func resolve(ctx context.Context, cfg Config, at endpoint) ([]netip.Addr, *ending) {
	if ip, err := netip.ParseAddr(at.host); err == nil {
		return []netip.Addr{ip}, nil
	}
	step, cancel := context.WithTimeout(ctx, cfg.ResolveTimeout)
	defer cancel()
	addrs, err := cfg.Lookup(step, at.host)
	if err == nil && len(addrs) > 0 {
		return addrs, nil
	}
	var dns *net.DNSError
	switch {
	case ctx.Err() != nil:
		return nil, runOver(ctx, prober.ReasonNameNotResolved, "no answer for "+at.host)
	case step.Err() != nil, errors.As(err, &dns) && dns.IsTimeout:
		return nil, &ending{reason: prober.ReasonNameNotResolved, what: fmt.Sprintf("no answer for %s within %s", at.host, cfg.ResolveTimeout)}
	case errors.As(err, &dns):
		return nil, &ending{reason: prober.ReasonNameNotResolved, what: at.host + ": " + prober.Clip(dns.Err, 120)}
	case err != nil:
		return nil, &ending{reason: prober.ReasonNameNotResolved, what: at.host + ": " + plain(err)}
	}
	return nil, &ending{reason: prober.ReasonNameNotResolved, what: at.host + " has no address"}
}

// dial connects to the first address that answers. The time is shared among
// them, so that a dead first one leaves some for the second.
func dial(ctx context.Context, cfg Config, at endpoint, addrs []netip.Addr) (*net.TCPConn, *ending, error) {
	step, cancel := context.WithTimeout(ctx, cfg.DialTimeout)
	defer cancel()
	deadline, _ := step.Deadline()
	failed := make([]untaken, 0, len(addrs))
	for i, addr := range addrs {
		share := time.Until(deadline) / time.Duration(len(addrs)-i)
		d := net.Dialer{Timeout: max(share, time.Millisecond), KeepAlive: -1}
		conn, err := cfg.dialTCP(step, d, net.JoinHostPort(addr.String(), at.port))
		if err == nil {
			tcp, ok := conn.(*net.TCPConn)
			if !ok {
				return nil, nil, errors.Join(fmt.Errorf("dialled tcp and got a %T", conn), conn.Close())
			}
			return tcp, nil, nil
		}
		failed = append(failed, untaken{addr.Unmap(), err})
	}
	if ctx.Err() != nil {
		return nil, runOver(ctx, prober.ReasonConnectTimeout, "no answer to TCP's SYN"), nil
	}
	return nil, nobody(cfg, failed), nil
}

func dialEnding(cfg Config, err error) *ending {
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return &ending{reason: prober.ReasonConnectionRefused, what: "the TCP connection was refused"}
	case errors.Is(err, syscall.ECONNRESET):
		return &ending{reason: prober.ReasonConnectionReset, what: "the TCP connection was reset"}
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return &ending{reason: prober.ReasonConnectTimeout, what: fmt.Sprintf("no answer to TCP's SYN within %s", cfg.DialTimeout)}
	}
	return &ending{reason: prober.ReasonUnreachable, what: "cannot be reached: " + plain(err)}
}

// localFault is err if it says that this machine is out of something, be it of an
// address of that family to connect from.
func localFault(err error) error {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.EACCES, syscall.EPERM, syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT} {
		if errors.Is(err, errno) {
			return fmt.Errorf("open a TCP connection: %w", errno)
		}
	}
	return nil
}

// tune makes a stopped or vanished server visible soon.
func tune(conn *net.TCPConn, stall time.Duration) error {
	if err := conn.SetWriteBuffer(sendBuffer); err != nil {
		return fmt.Errorf("set the send buffer: %w", err)
	}
	if err := setUserTimeout(conn, stall); err != nil {
		return fmt.Errorf("set TCP_USER_TIMEOUT: %w", err)
	}
	return nil
}
