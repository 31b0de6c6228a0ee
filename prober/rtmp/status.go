package rtmp

import (
	"slices"
	"strings"

	"streamcanary/prober"
)

// refusal reports whether an onStatus is an error: by its level, or by a code
// that is one whatever the level says.
func (r reply) refusal() bool {
	code, level, _ := r.info()
	if strings.EqualFold(level, "error") {
		return true
	}
	code = strings.ToLower(code)
	for _, end := range []string{".badname", ".denied", ".rejected", ".failed", ".unauthorized", ".closed", ".invalidapp"} {
		if strings.HasSuffix(code, end) {
			return true
		}
	}
	return false
}

// refused is what an error means that a server said: as onStatus, or as the
// _error of a command.
func (e endpoint) refused(r reply) *ending {
	code, _, description := r.info()
	what := "the server said onStatus"
	if r.command != "onStatus" { // a word of the server's, which may be any
		what = "the server answered " + e.scrub(r.command, 40)
	}
	if code != "" {
		what += " " + e.quoted(code)
	}
	if description != "" {
		what += ", " + e.quoted(description)
	}
	return &ending{reason: reasonOf(code, description), what: what, redirect: r.redirect(), challenge: r.challenge()}
}

// redirect is where a rejected connect sends us: code 302 and a URL in the member
// "ex" of its information, as Flash Media Server began it.
func (r reply) redirect() string {
	for _, v := range r.values {
		o, _ := v.(map[string]any)
		ex, _ := o["ex"].(map[string]any)
		if code, _ := ex["code"].(float64); code == 302 {
			to, _ := ex["redirect"].(string)
			return to
		}
	}
	return ""
}

// reasonOf sorts the codes that servers use. Their spelling varies, so the last
// part decides; and since several say one code for whatever is wrong, the
// description does before it, where it is plain.
func reasonOf(code, description string) prober.Reason {
	code = strings.ToLower(code)
	last := code[strings.LastIndexByte(code, '.')+1:]
	if strings.HasPrefix(code, "netconnection.") {
		if last == "closed" {
			return prober.ReasonConnectionClosed
		}
		return prober.ReasonConnectRejected
	}
	if reason := described(strings.ToLower(description)); reason != "" {
		return reason
	}
	switch last {
	case "badname", "alreadypublishing", "alreadyexists", "duplicate":
		return prober.ReasonPublishNameInUse
	case "denied", "unauthorized", "forbidden", "authfailed", "notallowed":
		return prober.ReasonPublishDenied
	case "badkey", "invalidkey", "invalidstreamkey":
		return prober.ReasonPublishBadKey
	}
	return prober.ReasonPublishRejected
}

// described is the reason that a description, in lower case, plainly says.
func described(text string) prober.Reason {
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
	}
	switch {
	case says("already", "in use", "is busy", "duplicate"):
		return prober.ReasonPublishNameInUse
	case says("key", "token", "stream name", "streamname") && says("invalid", "bad ", "wrong", "unknown", "incorrect", "not found", "expired", "not exist"):
		return prober.ReasonPublishBadKey
	case says("denied", "not allowed", "unauthorized", "not authorized", "forbidden", "permission", "authentication failed"):
		return prober.ReasonPublishDenied
	}
	return ""
}
