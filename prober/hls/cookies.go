package hls

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"sync"
)

// Bounds on what servers may have kept (RFC 6265 6.1 asks for more of browsers).
const (
	maxCookies     = 64
	maxCookieBytes = 4 << 10
)

// cookies is a follower's jar: what its servers set, bounded, and nobody else's.
type cookies struct {
	mu   sync.Mutex
	jar  *cookiejar.Jar
	kept map[string]bool // host and name
}

func newCookies() *cookies {
	c := &cookies{kept: map[string]bool{}}
	c.jar, _ = cookiejar.New(nil) // it fails at nothing
	return c
}

// SetCookies keeps what there is room for.
func (c *cookies) SetCookies(u *url.URL, set []*http.Cookie) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fit := make([]*http.Cookie, 0, len(set))
	for _, cookie := range set {
		key := u.Host + " " + cookie.Path + " " + cookie.Name
		if len(cookie.Raw) > maxCookieBytes || !c.kept[key] && len(c.kept) >= maxCookies {
			continue
		}
		c.kept[key] = true
		fit = append(fit, cookie)
	}
	c.jar.SetCookies(u, fit)
}

// Cookies gives what belongs to a URL.
func (c *cookies) Cookies(u *url.URL) []*http.Cookie { return c.jar.Cookies(u) }
