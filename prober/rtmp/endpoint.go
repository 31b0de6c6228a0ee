package rtmp

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"

	"streamcanary/prober"
)

const defaultPort = "1935"

// endpoint is an ingest URL, taken apart.
type endpoint struct {
	host, port string
	app        string
	key        prober.Secret // stream key with its query
	tcURL      string
}

// parseEndpoint reads rtmp://host[:port]/app/key. Its errors never quote the
// URL, which has the key in it.
func parseEndpoint(raw string) (endpoint, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return endpoint{}, errors.New("the ingest's URL cannot be parsed: want rtmp://host[:port]/app/key")
	}
	if u.Scheme != "rtmp" {
		return endpoint{}, errors.New("the ingest's URL has the scheme " + strconv.Quote(prober.Clip(u.Scheme, 20)) + ": want rtmp://host[:port]/app/key")
	}
	if u.User != nil {
		return endpoint{}, errors.New("the ingest's URL has a user in it: want rtmp://host[:port]/app/key")
	}
	e := endpoint{host: u.Hostname(), port: u.Port()}
	if e.port == "" {
		e.port = defaultPort
	}
	if n, err := strconv.Atoi(e.port); err != nil || n < 1 || n > 65535 || e.host == "" {
		return endpoint{}, errors.New("the ingest's URL has no host, or no port from 1 to 65535: want rtmp://host[:port]/app/key")
	}
	// As it is written: a key goes to the server without being escaped anew.
	_, rest, _ := strings.Cut(raw, "://")
	_, path, _ := strings.Cut(rest, "/")
	name, _, _ := strings.Cut(path, "?")
	slash := strings.LastIndexByte(name, '/')
	if slash <= 0 || slash == len(name)-1 {
		return endpoint{}, errors.New("the ingest's URL has no app or no stream key: want rtmp://host[:port]/app/key")
	}
	e.app, e.key = path[:slash], prober.Secret(path[slash+1:])
	e.tcURL = "rtmp://" + u.Host + "/" + e.app
	return e, nil
}

func (e endpoint) address() string { return net.JoinHostPort(e.host, e.port) }

// String names the endpoint for a person, without the key.
func (e endpoint) String() string { return "rtmp://" + e.address() + "/" + e.app }

// scrub takes the stream key out of what a server said.
func (e endpoint) scrub(s string) string {
	key := e.key.Reveal()
	forms := []string{key}
	if name, query, ok := strings.Cut(key, "?"); ok {
		forms = append(forms, query, name)
	}
	for _, form := range forms {
		s = replaceFold(s, form)
		if plain, err := url.QueryUnescape(form); err == nil && plain != form {
			s = replaceFold(s, plain)
		}
	}
	return s
}

// replaceFold conceals every occurrence of the secret, in whatever case a server
// repeats it.
func replaceFold(s, secret string) string {
	if secret == "" {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if end := i + len(secret); end <= len(s) && strings.EqualFold(s[i:end], secret) {
			b.WriteString(prober.Secret(secret).String())
			i = end
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}
