package rtmp

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"streamcanary/prober"
)

// maxNamed bounds the addresses that a detail names of those that fail alike.
const maxNamed = 4

// untaken is why an address did not take TCP.
type untaken struct {
	addr netip.Addr // not IPv4 in IPv6
	err  error
}

// over is what it means. What this machine could not even try says nothing of the
// server.
func (u untaken) over(cfg Config) *ending {
	if err := localFault(u.err); err != nil {
		return &ending{reason: prober.ReasonUnreachable, what: "cannot be tried from here: " + plain(err),
			fault: err, familial: u.familial(), unrouted: []netip.Addr{u.addr}}
	}
	over := dialEnding(cfg, u.err)
	if errors.Is(u.err, syscall.EHOSTUNREACH) || errors.Is(u.err, syscall.ENETUNREACH) {
		over.unrouted = []netip.Addr{u.addr}
	}
	return over
}

// familial says whether an address may fail because this machine is without IPv6. Where
// it is out of files or memory it is not, nor where an IPv4 address to connect from is
// missing: then all of its ports are taken.
func (u untaken) familial() bool {
	out := slices.ContainsFunc([]syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM},
		func(errno syscall.Errno) bool { return errors.Is(u.err, errno) })
	return !out && !u.addr.Is4()
}

// nobody is what it means that no address has taken TCP. An address that could be
// reached for decides: this machine may be without the others' whole family. It is a
// fault of this machine where it could try none of them, or none of those that it may
// have a way to.
func nobody(cfg Config, failed []untaken) *ending {
	all := make([]*ending, 0, len(failed))
	verdict := 0
	for i, f := range failed {
		all = append(all, f.over(cfg))
		if rank(all[i]) > rank(all[verdict]) {
			verdict = i
		}
	}
	over := *all[verdict]
	if len(failed) > 1 {
		over.what = fmt.Sprintf("tried all of its %d addresses: %s", len(failed), each(failed, all, over.what))
	}
	over.unrouted = nil
	for _, one := range all {
		over.unrouted = append(over.unrouted, one.unrouted...)
	}
	if len(over.unrouted) < len(all) { // there was a way to one of them
		over.unrouted = nil
	}
	return &over
}

// rank orders endings by how much they say of the server. That there is no way to one
// address says less than that another could not be tried, unless what was missing is of
// that one's family alone.
func rank(over *ending) int {
	switch {
	case over.fault != nil && over.familial:
		return 0
	case over.fault != nil:
		return 2
	case over.reason == prober.ReasonUnreachable && !over.dialled.IsValid():
		return 1
	}
	return 3
}

// each says how every address failed, those that fail alike together, and first what
// came of the one that decides.
func each(failed []untaken, all []*ending, first string) string {
	kinds := []string{first}
	at := map[string][]netip.Addr{}
	for i, f := range failed {
		what := all[i].what
		if at[what] == nil && what != first {
			kinds = append(kinds, what)
		}
		at[what] = append(at[what], f.addr)
	}
	for i, what := range kinds {
		kinds[i] = what + " at " + named(at[what])
	}
	return strings.Join(kinds, "; ")
}

// named lists addresses, within bounds.
func named(addrs []netip.Addr) string {
	var names []string
	for _, a := range addrs[:min(len(addrs), maxNamed)] {
		names = append(names, a.String())
	}
	list := strings.Join(names, ", ")
	if left := len(addrs) - maxNamed; left > 0 {
		list += fmt.Sprintf(" and %d more", left)
	}
	return list
}
