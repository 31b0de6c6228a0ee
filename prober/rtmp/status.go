package rtmp

import (
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
	what := "the server said " + r.command
	if r.command != "onStatus" {
		what = "the server answered " + r.command
	}
	if code != "" {
		what += " " + e.quoted(code)
	}
	if description != "" {
		what += ", " + e.quoted(description)
	}
	return &ending{reasonOf(code), what}
}

// reasonOf sorts the codes that servers use. Their spelling varies, so the last
// part decides.
func reasonOf(code string) prober.Reason {
	code = strings.ToLower(code)
	last := code[strings.LastIndexByte(code, '.')+1:]
	if strings.HasPrefix(code, "netconnection.") {
		if last == "closed" {
			return prober.ReasonConnectionClosed
		}
		return prober.ReasonConnectRejected
	}
	switch last {
	case "badname", "alreadypublishing", "alreadyexists", "duplicate":
		return prober.ReasonPublishNameInUse
	case "denied", "unauthorized", "forbidden", "authfailed", "notallowed":
		return prober.ReasonPublishDenied
	}
	return prober.ReasonPublishRejected
}
