package prober

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of what is concealed, in bytes.
const (
	// shortSecret is the length below which a secret, or a part of one, is concealed
	// only where it stands as a word alone: elsewhere it is a part of other words.
	shortSecret = 4
	// leastSecret is the length below which nothing is concealed: one letter or digit
	// stands everywhere, and without it no error can be read.
	leastSecret = 2
	// leastBeginning is the length from which the beginning of a part is concealed as
	// the part itself is: the rest may have been cut off, by us or by the server.
	leastBeginning = 8
	// maxSaid is how much is looked at of a server's words, besides what is kept of them.
	maxSaid = 4 << 10
)

// Hide conceals secrets in a text of a server's, in whatever case it repeats them: as
// they are or as URLs, JSON, HTML or quotes escape them (not one inside another, nor in
// octal), and each of their parts, which are the values of a query, the words of a header
// and what HTTP's Basic scheme encodes.
// Of a part, eight bytes of its beginning are enough, and four before the "..." that
// Clip ends in: a text may be cut before it comes here. What is shorter than four bytes
// is concealed as a word alone, and a single byte never. It takes time in proportion to
// the text, and conceals the rest of one that asks for more.
func Hide(text string, secrets ...Secret) string {
	if text == "" {
		return ""
	}
	m := newMatcher(text, formsOf(secrets))
	var b strings.Builder
	end := 0 // of what is concealed so far: secrets may overlap
	for i := range len(text) {
		n := m.longest(i)
		if m.steps < 0 {
			n = len(text) - i
		}
		switch {
		case n > 0 && i >= end:
			b.WriteString(concealed)
		case i >= end:
			b.WriteByte(text[i])
		}
		if end = max(end, i+n); end == len(text) {
			break
		}
	}
	return b.String()
}

// HideClip is Hide in a text of a server's of any length, of which at most limit bytes
// are kept, as Clip keeps them. It looks at no more than it may need: what is concealed
// becomes shorter.
func HideClip(text string, limit int, secrets ...Secret) string {
	if most := maxSaid + utf8.UTFMax*limit; len(text) > most {
		for !utf8.RuneStart(text[most]) && most > maxSaid {
			most--
		}
		text = text[:most] + "..."
	}
	return Clip(Hide(text, secrets...), limit)
}

// HeaderSecrets are the values of headers that a server must not be quoted with. What
// every client sends (RFC 9110) is none, of a Referer only what URLSecrets gives is, and
// no value of less than four bytes is: these are words that stand in any error. Of a
// longer value Hide conceals words of two and three bytes, too, where they stand alone.
func HeaderSecrets(headers []Header) []Secret {
	common := []string{"Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Cache-Control", "Connection", "Content-Type", "DNT", "Host", "Origin", "Pragma", "Range", "TE", "User-Agent"}
	var secrets []Secret
	for _, h := range headers {
		plain := slices.ContainsFunc(common, func(name string) bool { return strings.EqualFold(name, h.Name) })
		switch {
		case strings.EqualFold(h.Name, "Referer"):
			secrets = append(secrets, URLSecrets(h.Value.Reveal())...)
		case !plain && len(h.Value.Reveal()) >= shortSecret:
			secrets = append(secrets, h.Value)
		}
	}
	return secrets
}

// URLSecrets are what a URL has besides host and path, and a server must not be quoted
// with: user and password, also as the header that clients make of them (RFC 7617), and
// the query's values, or the names of those that have none. None is shorter than four
// bytes, though words inside of one may be, and no value stands in the host or in the
// last part of the path as well, which are shown wherever the URL is.
func URLSecrets(address string) []Secret {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	var secrets []Secret
	add := func(s string) {
		if len(s) >= shortSecret {
			secrets = append(secrets, Secret(s))
		}
	}
	if u.User != nil {
		password, _ := u.User.Password()
		basic := base64.StdEncoding.EncodeToString([]byte(u.User.Username() + ":" + password))
		add(u.User.Username())
		add(password)
		add("Basic " + basic)
		add(strings.TrimRight(basic, "="))
	}
	shown := strings.ToLower(u.Host + " " + u.Path[strings.LastIndexByte(u.Path, '/')+1:])
	for _, pair := range strings.FieldsFunc(u.RawQuery, func(r rune) bool { return r == '&' || r == ';' }) {
		name, value, _ := strings.Cut(pair, "=")
		if strings.Trim(value, "=") == "" {
			value = name
		}
		if !strings.Contains(shown, strings.ToLower(value)) {
			add(value)
		}
	}
	return secrets
}

// formsOf are the forms of secrets: those of the whole, and those of its parts.
func formsOf(secrets []Secret) []form {
	var forms []form
	add := func(s string, part bool) {
		if len(s) >= leastSecret {
			forms = append(forms, form{s, part})
		}
	}
	for _, s := range secrets {
		for _, whole := range unescaped(s.Reveal()) {
			add(whole, false)
		}
		for _, part := range partsOf(s.Reveal()) {
			for _, plain := range unescaped(part) {
				if !strings.Contains(plain, "://") {
					add(plain, true)
				}
				for _, piece := range piecesOf(plain) {
					add(piece, true)
				}
			}
		}
	}
	return needed(forms)
}

// needed are forms without those that another is as good as: the same, or a part that
// begins with it, whose beginning is enough.
func needed(forms []form) []form {
	slices.SortFunc(forms, func(a, b form) int {
		if a.part != b.part && a.text == b.text {
			if a.part {
				return 1
			}
			return -1
		}
		return strings.Compare(a.text, b.text)
	})
	least := forms[:0]
	for i, f := range forms {
		if next := i + 1; next < len(forms) && (f == forms[next] || len(f.text) >= leastBeginning && forms[next].part && strings.HasPrefix(forms[next].text, f.text)) {
			continue
		}
		least = append(least, f)
	}
	return least
}

// unescaped are a text as it is, and what it is where a URL has it.
func unescaped(s string) []string {
	all := []string{s}
	if plain, err := url.QueryUnescape(s); err == nil {
		all = append(all, plain)
	}
	if plain, err := url.PathUnescape(s); err == nil {
		all = append(all, plain)
	}
	return all
}

// token68 reports whether a token follows the name of a scheme, and not parameters as
// Digest has them, whose names are no secrets (RFC 9110 11.2).
func token68(word string) bool { return scheme(word) && !strings.EqualFold(word, "digest") }

// parameter reports whether what stands before a "=" reads as a parameter's name, which
// some services have behind any scheme.
func parameter(name string) bool {
	return name != "" && strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz_-") == ""
}

// scheme reports whether a word only names how a header authorizes (RFC 9110 11.1).
func scheme(word string) bool {
	return slices.ContainsFunc([]string{"basic", "bearer", "digest", "token", "apikey"}, func(s string) bool { return strings.EqualFold(s, word) })
}

// partsOf are a secret's words, of "name=value" the value, and behind a scheme's name
// the whole, too, unless the name reads as a parameter's: a token may have such a sign
// inside. The names of a query are no secrets, and without them an error cannot be read.
func partsOf(s string) []string {
	words := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t,;?&\"'", r) })
	var parts []string
	for i, word := range words {
		if i == 0 && len(words) > 1 && scheme(word) {
			if strings.EqualFold(word, "basic") {
				parts = append(parts, basic(words[1])...)
			}
			continue
		}
		if name, value, ok := strings.Cut(word, "="); ok && strings.Trim(value, "=") != "" {
			if i == 1 && token68(words[0]) && !parameter(name) {
				parts = append(parts, word)
			}
			word = value
		}
		parts = append(parts, word)
	}
	return parts
}

// piecesOf are the ends of a part that begin where a URL or a playlist's line may be
// taken apart, and be shown from there on. The host of a URL is none.
func piecesOf(part string) []string {
	if _, rest, ok := strings.Cut(part, "://"); ok {
		_, part, _ = strings.Cut(rest, "/")
		part = "/" + part
	}
	var pieces []string
	for i := range len(part) - leastBeginning {
		if strings.IndexByte("/?#=:", part[i]) >= 0 {
			pieces = append(pieces, part[i+1:])
		}
	}
	return pieces
}

// basic is what the Basic scheme encodes: user and password (RFC 7617).
func basic(word string) []string {
	plain, err := base64.StdEncoding.DecodeString(word)
	user, password, ok := strings.Cut(string(plain), ":")
	if err != nil || !ok {
		return nil
	}
	return []string{user, password}
}
