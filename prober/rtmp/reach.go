package rtmp

import (
	"bufio"
	"context"
	"net"
	"net/netip"
	"slices"
	"time"

	"streamcanary/prober"
)

const (
	// maxConnects bounds the connections to one address: one redirect, and the three
	// connects of Adobe's authentication before and after it.
	maxConnects = 6
	// With every_address, what bounds the addresses that are looked at, of a host, and
	// the time after the first failure in which another one is still tried.
	maxAddresses = 16
	othersBound  = 5 * time.Second
)

// route is the way to a broadcast, as far as it is known.
type route struct {
	cfg    Config
	at     endpoint
	from   string       // what has redirected us to at; "": nothing
	all    []netip.Addr // at's addresses; nil: not resolved yet
	left   []netip.Addr // those that have not failed
	before *route       // as it was at the address that redirected us; nil: none did
	query  string       // what connect answers a server that asks for credentials
	missed []missed
	since  time.Time // of the first of missed
	watch  stopwatch
}

// missed is how an address failed.
type missed struct {
	over  *ending
	stage prober.Stage
	at    endpoint
}

// missed puts an ending into a stage; nil if there is none.
func (e *ending) missed(stage prober.Stage, at endpoint) *missed {
	if e == nil {
		return nil
	}
	if at.dialled.IsValid() {
		e.dialled = at.dialled
	}
	return &missed{e, stage, at}
}

// try goes from resolve to publish once.
func (r *route) try(ctx context.Context) (*Broadcast, *missed, error) {
	b, miss, err := r.reach(ctx)
	if miss != nil || err != nil {
		return nil, miss, err
	}
	r.watch.begin(prober.StagePublish)
	over, err := b.publish(ctx)
	if over == nil && err == nil {
		return b, nil, nil
	}
	b.abandon()
	return nil, over.missed(prober.StagePublish, b.at), err
}

// reach passes the stages resolve and connect: it follows one redirect, and
// answers a server that asks for user and password.
func (r *route) reach(ctx context.Context) (*Broadcast, *missed, error) {
	for range maxConnects {
		if r.all == nil {
			r.watch.begin(prober.StageResolve)
			addrs, over := resolve(ctx, r.cfg, r.at)
			if over != nil {
				return nil, over.missed(prober.StageResolve, r.at), nil
			}
			r.all, r.left = addrs, addrs
		}
		r.watch.begin(prober.StageConnect)
		b, over, err := open(ctx, r.cfg, r.at, r.left, r.query)
		if over == nil || err != nil {
			return b, nil, err
		}
		if over = r.follow(over); over != nil {
			return nil, over.missed(prober.StageConnect, r.at), nil
		}
	}
	over := &ending{reason: prober.ReasonConnectRejected, what: "the server asks for one connection after the other"}
	return nil, over.missed(prober.StageConnect, r.at), nil
}

// follow does what a server's refusal asks for; what it gives is one that asks for
// nothing that can be done.
func (r *route) follow(over *ending) *ending {
	refused := over
	switch {
	case over.redirect != "" && r.from == "":
		var to endpoint
		if to, refused = r.at.elsewhere(over.redirect); refused == nil {
			before := *r
			before.left = without(r.left, over.dialled)
			r.at, r.from, r.query, r.all, r.before = to, r.at.String(), "", nil, &before
		}
	case over.redirect != "":
		over.what = "redirects once more, which is not followed: " + over.what
	case over.challenge != "":
		var next string
		if next, refused = r.at.answerTo(over.challenge, r.query); refused == nil {
			r.query = next
		}
	}
	if refused != nil {
		refused.dialled = over.dialled
	}
	return refused
}

// another says whether there is one more address to be tried, after one has failed
// behind TCP: where every address is looked at, it is not the first one's to decide
// alone.
func (r *route) another(ctx context.Context, miss *missed) bool {
	if r.missed == nil {
		r.since = time.Now()
	}
	r.missed = append(r.missed, *miss)
	dialled := miss.over.dialled
	if !r.cfg.EveryAddress || ctx.Err() != nil || len(r.missed) >= maxAddresses || time.Since(r.since) > othersBound {
		return false
	}
	if r.left = without(r.left, dialled); !dialled.IsValid() {
		r.left = nil // none of them has answered, or none is known
	}
	if len(r.left) == 0 && r.before != nil { // what the redirect led to is no better than the rest
		r.at, r.from, r.all, r.left, r.before = r.before.at, "", r.before.all, r.before.left, nil
	}
	r.query = ""
	r.watch.again()
	return len(r.left) > 0
}

func without(addrs []netip.Addr, gone netip.Addr) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool { return a.Unmap() == gone })
}

// failure is that of the first address that failed and was not without a route, with
// what became of the others. It is an error where this machine could try none.
func (r *route) failure() (*prober.Failure, error) {
	decides := 0
	for i, m := range r.missed {
		if rank(m.over) > rank(r.missed[decides].over) {
			decides = i
		}
	}
	first := r.missed[decides]
	if first.over.fault != nil {
		return nil, first.over.fault
	}
	what := *first.over
	for i, m := range r.missed {
		if i == decides {
			continue
		}
		where := "the rest"
		switch {
		case m.over.dialled.IsValid():
			where = m.over.dialled.String()
		case m.at.named() != first.at.named():
			where = m.at.String()
		}
		what.what += "; at " + where + ": " + m.over.what
	}
	return what.failure(first.stage, first.at), nil
}

// open does the connect stage once, on a connection of its own.
func open(ctx context.Context, cfg Config, at endpoint, addrs []netip.Addr, query string) (*Broadcast, *ending, error) {
	conn, over, err := dial(ctx, cfg, at, addrs)
	if over != nil || err != nil {
		return nil, over, err
	}
	at.dialled = remote(conn)
	b, over, err := speak(ctx, cfg, at, conn, query)
	if over != nil {
		over.dialled = at.dialled
	}
	return b, over, err
}

// speak is open's part on a connection that stands.
func speak(ctx context.Context, cfg Config, at endpoint, conn *net.TCPConn, query string) (*Broadcast, *ending, error) {
	l := &link{conn: conn, out: newSender(conn, cfg.StallTimeout)}
	if over := l.prepare(ctx, cfg, at); over != nil {
		return nil, over, ignoreClosed(conn.Close())
	}
	b := newBroadcast(cfg, at, l)
	over, err := b.connect(ctx, query)
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
func (r *route) arrived(ctx context.Context, b *Broadcast) {
	if r.from != "" {
		b.heard.add(prober.Finding{Section: "NetConnection.Connect.Rejected, ex.code 302", Severity: prober.SeverityNote,
			Stage: prober.StageConnect, Reason: prober.ReasonRedirected, Where: r.from,
			Detail: "the server redirects to " + b.at.String() + ", which was followed once"})
	}
	if !r.cfg.EveryAddress {
		return
	}
	o := b.others()
	known := []netip.Addr{b.at.dialled}
	for _, m := range r.missed {
		if m.over.dialled.IsValid() {
			o.reached(m.over.dialled)
		}
		o.failed(m)
		if m.at.host == b.at.host && m.at.port == b.at.port {
			known = append(known, m.over.dialled)
		}
	}
	looks := unknown(b.at, r.all, known)
	if r.before != nil { // the ingest's own, beside the one that redirects
		looks = append(looks, unknown(r.before.at, r.before.left, nil)...)
	}
	b.aside.Go(func() { o.lookAt(ctx, looks) })
}

// unknown are the addresses of an endpoint that are still to be looked at.
func unknown(at endpoint, addrs, known []netip.Addr) []look {
	var looks []look
	for _, addr := range addrs[:min(len(addrs), maxAddresses)] {
		if !slices.Contains(known, addr.Unmap()) {
			looks = append(looks, look{at, addr.Unmap()})
		}
	}
	return looks
}

func remote(conn *net.TCPConn) netip.Addr {
	tcp, _ := conn.RemoteAddr().(*net.TCPAddr)
	if tcp == nil {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap()
}
