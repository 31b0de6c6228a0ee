package rtmp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"

	"streamcanary/prober"
)

// others are the addresses beside the one that a broadcast is published at. One
// without a route speaks against the server only where another of its family could be
// reached for: this machine may be without IPv6, or without IPv4.
type others struct {
	b *Broadcast

	mu      sync.Mutex
	routed  map[string]bool // families of which an address could be reached for
	waiting []missed        // those without a route whose families are not, so far
	told    map[string]bool // a failure at an address
}

// look is an address of an endpoint, to be looked at.
type look struct {
	at   endpoint
	addr netip.Addr
}

func family(a netip.Addr) string {
	if a.Unmap().Is4() {
		return "IPv4"
	}
	return "IPv6"
}

func (b *Broadcast) others() *others {
	return &others{b: b, routed: map[string]bool{family(b.at.dialled): true}, told: map[string]bool{}}
}

// lookAt looks at all of them at once, and ends when nothing more is to be learnt.
func (o *others) lookAt(ctx context.Context, looks []look) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(o.b.live, stop)()
	var busy sync.WaitGroup
	for _, l := range looks {
		busy.Go(func() { o.lookAtOne(ctx, l) })
	}
	busy.Wait()
	if o.b.live.Err() == nil {
		o.settle()
	}
}

// lookAtOne connects to one more address, up to the point where a broadcast could
// begin, and leaves. What fails there is a finding: the broadcast itself runs at
// another address. One that redirects, or asks for credentials, works.
func (o *others) lookAtOne(ctx context.Context, l look) {
	other, over, err := open(ctx, o.b.cfg, l.at, []netip.Addr{l.addr}, "")
	if other != nil {
		other.abandon()
	}
	if err != nil || o.b.live.Err() != nil {
		return
	}
	if over == nil || over.challenge != "" || over.redirect != "" {
		o.reached(l.addr)
		return
	}
	if over.dialled.IsValid() || over.reason != prober.ReasonUnreachable { // TCP stood, or the network had nothing against it
		o.reached(l.addr)
	}
	over.dialled = l.addr
	o.failed(missed{over, prober.StageConnect, l.at})
}

// reached knows that this machine has a route for an address's family, and tells of
// those that have waited for that.
func (o *others) reached(addr netip.Addr) {
	o.mu.Lock()
	o.routed[family(addr)] = true
	waiting := o.waiting
	o.waiting = nil
	o.mu.Unlock()
	for _, m := range waiting {
		o.failed(m)
	}
}

// failed takes an address that does not work, or every one of an endpoint.
func (o *others) failed(m missed) {
	o.mu.Lock()
	waits := m.over.unrouted != nil && !slices.ContainsFunc(m.over.unrouted, func(a netip.Addr) bool { return o.routed[family(a)] })
	if waits {
		o.waiting = append(o.waiting, m)
	}
	o.mu.Unlock()
	if !waits && m.over.fault == nil { // what this machine cannot try is no word on that address
		o.tell(m)
	}
}

// tell notes that an address does not work, though its family has a route.
func (o *others) tell(m missed) {
	where := "address " + net.JoinHostPort(m.over.dialled.String(), m.at.port)
	if !m.over.dialled.IsValid() {
		where = "every address"
	}
	f := prober.Finding{Section: "every_address", Severity: prober.SeverityDegraded, Stage: m.stage,
		Reason: m.over.reasonAt(m.stage), Where: where,
		Detail: where + " of " + m.at.String() + " fails, while another one works: " + m.over.what}
	key := fmt.Sprint(f.Reason, " ", where, " of ", m.at.host)
	o.mu.Lock()
	again := o.told[key]
	o.told[key] = true
	o.mu.Unlock()
	if !again {
		o.b.heard.add(f)
	}
}

// settle notes what this machine could reach no address for: one note for each family
// of an endpoint, since that is this machine's fault as likely as the server's.
func (o *others) settle() {
	o.mu.Lock()
	defer o.mu.Unlock()
	var names []string
	addrs := map[string][]netip.Addr{}
	why := map[string]missed{}
	for _, m := range o.waiting {
		for _, a := range m.over.unrouted {
			name := family(a) + " address of " + m.at.String()
			if addrs[name] == nil {
				names = append(names, name)
				why[name] = m
			}
			if !slices.Contains(addrs[name], a) {
				addrs[name] = append(addrs[name], a)
			}
		}
	}
	for _, name := range names {
		m := why[name]
		o.b.heard.add(prober.Finding{Section: "every_address", Severity: prober.SeverityNote, Stage: m.stage,
			Reason: m.over.reasonAt(m.stage), Where: "every " + name,
			Detail: fmt.Sprintf("no %s works from here, while one of %s does (%s): %s", name, family(o.b.at.dialled), named(addrs[name]), m.over.what)})
	}
}
