package rtmp

import (
	"bufio"
	"context"
	"net"
	"net/netip"

	"streamcanary/prober"
)

// maxConnects bounds the connections of one Publish: one redirect, and the three
// connects of Adobe's authentication before and after it.
const maxConnects = 6

// reach passes the stages resolve and connect: it follows one redirect, and
// answers a server that asks for user and password.
func reach(ctx context.Context, cfg Config, at endpoint, watch *stopwatch) (*Broadcast, *prober.Failure, error) {
	query, from := "", ""
	for range maxConnects {
		watch.begin(prober.StageResolve)
		addrs, over := resolve(ctx, cfg, at)
		if over != nil {
			return nil, over.failure(prober.StageResolve, at), nil
		}
		watch.begin(prober.StageConnect)
		b, over, err := open(ctx, cfg, at, addrs, query)
		if err != nil {
			return nil, nil, err
		}
		if over == nil {
			b.arrived(ctx, addrs, from)
			return b, nil, nil
		}
		switch {
		case over.redirect != "" && from == "":
			to, refused := at.elsewhere(over.redirect)
			if refused == nil {
				at, from, query = to, at.String(), ""
				continue
			}
			over = refused
		case over.redirect != "":
			over.what = "redirects once more, which is not followed: " + over.what
		case over.challenge != "":
			next, refused := at.answerTo(over.challenge, query)
			if refused == nil {
				query = next
				continue
			}
			over = refused
		}
		return nil, over.failure(prober.StageConnect, at), nil
	}
	over := &ending{reason: prober.ReasonConnectRejected, what: "the server asks for one connection after the other"}
	return nil, over.failure(prober.StageConnect, at), nil
}

// open does the connect stage once, on a connection of its own.
func open(ctx context.Context, cfg Config, at endpoint, addrs []netip.Addr, query string) (*Broadcast, *ending, error) {
	conn, over, err := dial(ctx, cfg, at, addrs)
	if over != nil || err != nil {
		return nil, over, err
	}
	l := &link{conn: conn, out: newSender(conn, cfg.StallTimeout)}
	if over := l.prepare(ctx, cfg, at); over != nil {
		return nil, over, ignoreClosed(conn.Close())
	}
	b := newBroadcast(cfg, at, l)
	over, err = b.connect(ctx, query)
	if over != nil || err != nil {
		b.abandon()
		return nil, over, err
	}
	return b, nil, nil
}

// prepare does all that RTMP needs before the first message.
func (l *link) prepare(ctx context.Context, cfg Config, at endpoint) *ending {
	if err := tune(l.conn, cfg.StallTimeout); err != nil {
		return networkEnding(err) // only a connection that is gone refuses its options
	}
	wire := net.Conn(through{l.conn, l.out})
	l.r = bufio.NewReaderSize(l.conn, readBuffer)
	if at.secure {
		if over := secured(ctx, cfg, at, l); over != nil {
			return over
		}
		wire = l.secure
	}
	return shake(ctx, cfg, wire, l.r)
}

// arrived notes on the broadcast how it was reached, and begins to look at the
// addresses that it did not need.
func (b *Broadcast) arrived(ctx context.Context, addrs []netip.Addr, from string) {
	if from != "" {
		b.heard.add(prober.Finding{Section: "NetConnection.Connect.Rejected, ex.code 302", Severity: prober.SeverityNote,
			Stage: prober.StageConnect, Reason: prober.ReasonRedirected, Where: from,
			Detail: "the server redirects to " + b.at.String() + ", which was followed once"})
	}
	if !b.cfg.EveryAddress {
		return
	}
	for _, addr := range addrs {
		if addr.Unmap() != b.remote().Unmap() {
			b.aside.Go(func() { b.lookAt(ctx, addr) })
		}
	}
}

func (b *Broadcast) remote() netip.Addr {
	tcp, _ := b.conn.RemoteAddr().(*net.TCPAddr)
	if tcp == nil {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr()
}

// lookAt connects to one more address of the ingest, up to the point where a
// broadcast could begin, and leaves. What fails there is a finding: the broadcast
// itself runs at another address.
func (b *Broadcast) lookAt(ctx context.Context, addr netip.Addr) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(b.live, stop)()
	other, over, err := open(ctx, b.cfg, b.at, []netip.Addr{addr}, "")
	if other != nil {
		other.abandon()
	}
	where := "address " + net.JoinHostPort(addr.String(), b.at.port)
	switch {
	case err != nil || b.live.Err() != nil:
	case over != nil && over.challenge == "" && over.redirect == "":
		b.heard.add(prober.Finding{Section: "every_address", Severity: prober.SeverityDegraded, Stage: prober.StageConnect,
			Reason: over.reasonAt(prober.StageConnect), Where: where,
			Detail: where + " of " + b.at.String() + " fails, while another one works: " + over.what})
	}
}
