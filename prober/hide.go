package prober

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// shortSecret is the length in bytes below which a part of a secret is concealed
// only where it stands as a word alone: elsewhere it is a part of other words.
const shortSecret = 4

// Hide conceals secrets in a text of a server's, in whatever case it repeats them:
// as they are, escaped or not, and each of their parts, which are the values of a
// query, the words of a header and what HTTP's Basic scheme encodes.
func Hide(text string, secrets ...Secret) string {
	whole, parts := formsOf(secrets)
	if len(whole)+len(parts) == 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		n := max(longest(text, i, whole, 1), longest(text, i, parts, shortSecret))
		if n == 0 {
			b.WriteByte(text[i])
			i++
			continue
		}
		b.WriteString(concealed)
		i += n
	}
	return b.String()
}

// HeaderSecrets are the values of headers that a server must not be quoted with. What
// every client sends (RFC 9110) is none, and no secret is shorter than four bytes: both
// are words that stand in any error.
func HeaderSecrets(headers []Header) []Secret {
	common := []string{"Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Cache-Control", "Connection", "Content-Type", "DNT", "Host", "Origin", "Pragma", "Range", "TE", "User-Agent"}
	var secrets []Secret
	for _, h := range headers {
		plain := slices.ContainsFunc(common, func(name string) bool { return strings.EqualFold(name, h.Name) })
		if !plain && len(h.Value.Reveal()) >= shortSecret {
			secrets = append(secrets, h.Value)
		}
	}
	return secrets
}

// longest is the length of the longest form that the text has at a place, 0 for
// none. One that is shorter than alone has to be a word.
func longest(text string, at int, forms []string, alone int) int {
	best := 0
	for _, form := range forms {
		end := at + len(form)
		if len(form) <= best || end > len(text) || !strings.EqualFold(text[at:end], form) {
			continue
		}
		if len(form) >= alone || !inWord(text, at-1) && !inWord(text, end) {
			best = len(form)
		}
	}
	return best
}

func inWord(text string, at int) bool {
	return at >= 0 && at < len(text) && (text[at] >= '0' && text[at] <= '9' || text[at]|0x20 >= 'a' && text[at]|0x20 <= 'z' || text[at] >= 0x80)
}

// formsOf are the forms of secrets: those of the whole, and those of its parts.
func formsOf(secrets []Secret) (whole, parts []string) {
	for _, s := range secrets {
		whole = append(whole, escapings(s.Reveal())...)
		for _, part := range partsOf(s.Reveal()) {
			parts = append(parts, escapings(part)...)
		}
	}
	empty := func(form string) bool { return form == "" }
	tiny := func(form string) bool { return len(form) < 2 }
	return slices.DeleteFunc(whole, empty), slices.DeleteFunc(parts, tiny)
}

// escapings are a text as it is, and as URLs and JSON have it.
func escapings(s string) []string {
	forms := []string{s, url.QueryEscape(s), url.PathEscape(s)}
	if quoted, err := json.Marshal(s); err == nil {
		forms = append(forms, string(quoted[1:len(quoted)-1]))
	}
	if plain, err := url.QueryUnescape(s); err == nil {
		forms = append(forms, plain)
	}
	if plain, err := url.PathUnescape(s); err == nil {
		forms = append(forms, plain)
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// scheme reports whether a word only names how a header authorizes (RFC 9110 11.1).
func scheme(word string) bool {
	return slices.ContainsFunc([]string{"basic", "bearer", "digest", "token", "apikey"}, func(s string) bool { return strings.EqualFold(s, word) })
}

// partsOf are a secret's words, of "name=value" the value. The names of a query
// are no secrets, and without them an error cannot be read.
func partsOf(s string) []string {
	words := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t,;?&\"'", r) })
	var parts []string
	for i, word := range words {
		if i == 0 && len(words) > 1 && scheme(word) {
			parts = append(parts, basic(words[1])...)
			continue
		}
		if _, value, ok := strings.Cut(word, "="); ok && strings.Trim(value, "=") != "" {
			word = value
		}
		parts = append(parts, word)
	}
	return parts
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
