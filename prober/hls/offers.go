package hls

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxOffers   = 64
	maxOfferAge = 24 * time.Hour
	brokenFor   = time.Minute // before HTTP/3 is tried again where it failed
)

// offers are the hosts that offer HTTP/3 (Alt-Svc, RFC 7838), by host and port.
// The zero value is ready.
type offers struct {
	mu    sync.Mutex
	known map[string]offer
}

type offer struct {
	addr  string // host:port
	until time.Time
	from  time.Time // not before: it was found broken
}

// of says where a host's HTTP/3 is.
func (o *offers) of(host string, now time.Time) (addr string, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f, ok := o.known[withPort(host)]
	if !ok || now.After(f.until) || now.Before(f.from) {
		return "", false
	}
	return f.addr, true
}

// broken leaves a host's offer alone for a while.
func (o *offers) broken(host string, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if f, ok := o.known[withPort(host)]; ok {
		f.from = now.Add(brokenFor)
		o.known[withPort(host)] = f
	}
}

// read takes the Alt-Svc fields of an answer.
func (o *offers) read(host string, fields []string, now time.Time) {
	for _, field := range fields {
		f, found, cleared := parseAltSvc(host, field, now)
		switch {
		case cleared:
			o.mu.Lock()
			delete(o.known, withPort(host))
			o.mu.Unlock()
		case found:
			o.keep(withPort(host), f, now)
			return
		}
	}
}

func (o *offers) keep(host string, f offer, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known == nil {
		o.known = map[string]offer{}
	}
	for h, old := range o.known {
		if now.After(old.until) {
			delete(o.known, h)
		}
	}
	old, had := o.known[host]
	if !had && len(o.known) >= maxOffers {
		return
	}
	f.from = old.from
	o.known[host] = f
}

// parseAltSvc reads one field (RFC 7838 3): its first alternative that is HTTP/3.
func parseAltSvc(host, field string, now time.Time) (f offer, found, cleared bool) {
	if strings.TrimSpace(field) == "clear" {
		return offer{}, false, true
	}
	for alternative := range strings.SplitSeq(field, ",") {
		service, parameters, _ := strings.Cut(alternative, ";")
		protocol, authority, _ := strings.Cut(strings.TrimSpace(service), "=")
		if protocol != "h3" {
			continue
		}
		elsewhere, port, err := net.SplitHostPort(strings.Trim(authority, `"`))
		if err != nil || port == "" {
			continue
		}
		if elsewhere == "" {
			elsewhere = (&url.URL{Host: host}).Hostname()
		}
		return offer{addr: net.JoinHostPort(elsewhere, port), until: now.Add(maxAge(parameters))}, true, false
	}
	return offer{}, false, false
}

// maxAge reads ma; without it an offer is fresh for a day.
func maxAge(parameters string) time.Duration {
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if name != "ma" {
			continue
		}
		if seconds, err := strconv.ParseInt(strings.Trim(value, `"`), 10, 64); err == nil && seconds >= 0 {
			return min(time.Duration(min(seconds, 1<<20))*time.Second, maxOfferAge)
		}
	}
	return maxOfferAge
}

// withPort gives a host of https its port.
func withPort(host string) string {
	u := url.URL{Host: host}
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "443")
	}
	return host
}
