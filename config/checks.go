package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"streamcanary/prober"
)

// ids maps an id to the key path that has it first.
type ids map[string]string

func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// need wants text at path; what says what it is.
func (c *checker) need(path, text, what string) bool {
	if strings.TrimSpace(text) == "" {
		c.addf(path, "is missing; want %s", what)
		return false
	}
	return true
}

// id wants a well-formed id at path. Ids become parts of subjects, of element
// paths and of stream names, and stay: what is shown can be renamed, an id not.
func (c *checker) id(path, id, what string) bool {
	return c.need(path, id, what) && c.optionalID(path, id)
}

func (c *checker) optionalID(path, id string) bool {
	if id != "" && !regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`).MatchString(id) {
		c.addf(path, "%q is not an id; want up to 63 of a-z, 0-9, - and _, beginning with a letter or digit", shorten(id))
		return false
	}
	return true
}

// uniqueID checks the id of the list entry at path against those before it.
func (c *checker) uniqueID(path, id string, seen ids) {
	at := path + ".id"
	if !c.id(at, id, "an id that no other entry of the list has") {
		return
	}
	if first, twice := seen[id]; twice {
		c.addf(at, "%q is already the id in line %d; give this one an id of its own", id, c.line(first))
		return
	}
	seen[id] = at
}

// reference wants id to be one of known. Where nothing is known, it says nothing:
// that is a mistake of its own.
func (c *checker) reference(path, id, what string, known []string) bool {
	if slices.Contains(known, id) {
		return true
	}
	if len(known) == 0 { // reported where they should be
		return false
	}
	if !c.need(path, id, "one of "+strings.Join(known, ", ")) {
		return false
	}
	c.addf(path, "there is no %s %q; %s", what, shorten(id), suggest(id, known))
	return false
}

// listen wants an address to listen on.
func (c *checker) listen(path, address string) {
	const want = "want HOST:PORT, such as 127.0.0.1:8080, or :8080 for every interface"
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		c.addf(path, "%q is not an address to listen on; %s", shorten(address), want)
		return
	}
	c.port(path, port, 0)
}

func (c *checker) port(path, port string, least int) bool {
	n, err := strconv.Atoi(port)
	if err != nil || n < least || n > 65535 {
		c.addf(path, "port %q does not exist; want a number from %d to 65535", shorten(port), least)
		return false
	}
	return true
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return true // reported elsewhere
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// address wants an absolute URL with one of the schemes. Its errors never show
// more of it than scheme and host, since the rest may hold a key.
func (c *checker) address(path, text, want string, schemes ...string) *url.URL {
	if !c.need(path, text, want) {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		c.addf(path, "is not a URL: %s; want %s", urlTrouble(err), want)
	case !slices.Contains(schemes, u.Scheme):
		c.addf(path, "is not an address that begins with %s://; want %s", strings.Join(schemes, ":// or "), want)
	case u.Hostname() == "":
		c.addf(path, "names no host; want %s", want)
	case u.User != nil && slices.Contains(schemes, "rtmp"):
		c.addf(path, "has a user or password in it, which would be logged; leave it out, and write rtmp: {user, password} in the target")
	case u.User != nil:
		c.addf(path, "has a user or password in it, which would be logged; leave it out")
	case u.Port() != "" && !c.port(path, u.Port(), 1):
	case strings.HasSuffix(u.Host, ":"):
		c.addf(path, "ends its host in a colon without a port; want %s", want)
	default:
		return u
	}
	return nil
}

// streamAddress wants an address with {stream} in its path or query, and no other
// variable.
func (c *checker) streamAddress(path, text, want string, schemes ...string) *url.URL {
	u := c.address(path, text, want, schemes...)
	if u == nil {
		return nil
	}
	if !strings.Contains(text, prober.StreamVariable) {
		c.addf(path, "does not hold %s, the name that each run has for itself, since agents push at the same time; want %s", prober.StreamVariable, want)
		return nil
	}
	if rest := strings.ReplaceAll(text, prober.StreamVariable, ""); strings.ContainsAny(rest, "{}") {
		c.addf(path, "has braces that are not %s; %[2]s is the only variable", prober.StreamVariable, prober.StreamVariable)
		return nil
	}
	return u
}

// pageURL wants the page's public address, and gives it without trailing slash.
func (c *checker) pageURL(path, text string) string {
	u := c.address(path, text, "the page's public address, such as https://status.example.com", "https", "http")
	switch {
	case u == nil:
	case u.RawQuery != "" || u.Fragment != "":
		c.addf(path, "has a query or fragment; want only scheme and host, such as https://status.example.com")
	case strings.Trim(u.Path, "/") != "":
		c.addf(path, "has a path, but the page's own links begin at the root of its host; want only scheme and host, such as https://status.example.com")
	}
	return strings.TrimRight(text, "/")
}

func (c *checker) secretURL(path string, text prober.Secret) {
	if text == "" {
		return // reported already
	}
	u, err := url.Parse(text.Reveal())
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		c.addf(path, "is not a web address; want https://HOST/PATH")
	}
}

// urlTrouble says what is wrong with a URL without repeating it.
func urlTrouble(err error) string {
	for e := err; e != nil; {
		u, ok := e.(*url.Error) //nolint:errorlint // only the outermost repeats the address
		if !ok {
			break
		}
		e = u.Err
		err = e
	}
	text := err.Error()
	if at := strings.IndexByte(text, '"'); at > 0 {
		text = strings.TrimRight(text[:at], " :")
	}
	return text
}

// shorten bounds what an error repeats of a value.
func shorten(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
