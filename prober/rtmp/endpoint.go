package rtmp

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"streamcanary/prober"
)

const wantURL = "want rtmp://host[:port]/app/key or rtmps://host[:port]/app/key"

// defaultPort is the scheme's, "" for a scheme that is not RTMP's.
func defaultPort(scheme string) string {
	switch scheme {
	case "rtmp":
		return "1935"
	case "rtmps":
		return "443"
	}
	return ""
}

// endpoint is an ingest URL, taken apart.
type endpoint struct {
	secure     bool // TLS
	host, port string
	app        string
	key        prober.Secret // stream key with its query
	tcURL      string
	user       string
	password   prober.Secret
	redirected bool       // its address is a server's words
	dialled    netip.Addr // of a connection; the zero value is none
}

// parseEndpoint reads rtmp[s]://[user:password@]host[:port]/app/key. Its errors
// never quote the URL, which has the key in it.
func parseEndpoint(raw string) (endpoint, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return endpoint{}, errors.New("the ingest's URL cannot be parsed: " + wantURL)
	}
	port := defaultPort(u.Scheme)
	if port == "" {
		return endpoint{}, errors.New("the ingest's URL has the scheme " + strconv.Quote(prober.Clip(u.Scheme, 20)) + ": " + wantURL)
	}
	e := endpoint{secure: u.Scheme == "rtmps", host: u.Hostname(), port: u.Port()}
	if e.port == "" {
		e.port = port
	}
	if n, err := strconv.Atoi(e.port); err != nil || n < 1 || n > 65535 || e.host == "" {
		return endpoint{}, errors.New("the ingest's URL has no host, or no port from 1 to 65535: " + wantURL)
	}
	if u.User != nil {
		password, _ := u.User.Password()
		e.user, e.password = u.User.Username(), prober.Secret(password)
	}
	// As it is written: a key goes to the server without being escaped anew.
	_, rest, _ := strings.Cut(raw, "://")
	_, path, _ := strings.Cut(rest, "/")
	name, _, _ := strings.Cut(path, "?")
	slash := strings.LastIndexByte(name, '/')
	if slash <= 0 || slash == len(name)-1 {
		return endpoint{}, errors.New("the ingest's URL has no app or no stream key: " + wantURL)
	}
	e.app, e.key = path[:slash], prober.Secret(path[slash+1:])
	e.tcURL = u.Scheme + "://" + u.Host + "/" + e.app
	return e, nil
}

func (e endpoint) address() string { return net.JoinHostPort(e.host, e.port) }

// String names the endpoint for a person, without the key, user and password.
func (e endpoint) String() string {
	scheme := "rtmp://"
	if e.secure {
		scheme = "rtmps://"
	}
	if e.redirected {
		return scheme + e.scrub(e.address()+"/"+e.app, prober.MaxDetail)
	}
	return scheme + e.address() + "/" + e.app
}

// named is String with the address behind the name, where a connection stood.
func (e endpoint) named() string {
	if !e.dialled.IsValid() || e.dialled.String() == e.host {
		return e.String()
	}
	return e.String() + " at " + e.dialled.String()
}

// elsewhere is the endpoint that a server's redirect names: another host, port,
// app; the key and the credentials stay.
func (e endpoint) elsewhere(target string) (endpoint, *ending) {
	refuse := func(why string) (endpoint, *ending) {
		return endpoint{}, &ending{reason: prober.ReasonConnectRejected, what: "the server redirects " + why}
	}
	u, err := url.Parse(target)
	if err != nil || u.Hostname() == "" || defaultPort(u.Scheme) == "" {
		return refuse("to what is no RTMP URL: " + e.quoted(target))
	}
	if e.secure && u.Scheme != "rtmps" {
		return refuse("from rtmps to rtmp, where the stream key would be readable: not followed")
	}
	app := strings.Trim(u.EscapedPath(), "/")
	if app == "" {
		app = e.app
	}
	to, err := parseEndpoint(u.Scheme + "://" + u.Host + "/" + app + "/" + e.key.Reveal())
	if err != nil {
		return refuse("to an address that cannot be used: " + err.Error())
	}
	to.user, to.password, to.redirected = e.user, e.password, true
	return to, nil
}

// scrub takes out of what a server said the stream key, the values of its query,
// the user and the password. It keeps at most limit bytes, all of them printable.
func (e endpoint) scrub(s string, limit int) string {
	name, query, _ := strings.Cut(e.key.Reveal(), "?")
	return prober.HideClip(s, limit, e.key, prober.Secret(name), prober.Secret(query), e.password, prober.Secret(e.user))
}
