package rtmp

import (
	"crypto/md5" //nolint:gosec // Adobe's scheme has it
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"

	"streamcanary/prober"
)

// Adobe's authentication of publishers, as Flash Media Server began it and
// MediaMTX, ffmpeg and encoders speak it: three connects, each on a connection of
// its own. The first is refused with "code=403 need auth; authmod=adobe", the
// second, which names the user, with a salt and a challenge, and the third answers
// that. The password itself never travels.
const (
	adobeWanted    = "authmod=adobe"
	adobeNeedsUser = "code=403 need auth"
	adobeChallenge = "?reason=needauth"
	adobeRefused   = "?reason=authfailed"
)

// challenge is the description of a connect's refusal that is about credentials;
// "" if r is about something else.
func (r reply) challenge() string {
	_, _, description := r.info()
	for _, words := range []string{adobeNeedsUser, adobeChallenge, adobeRefused} {
		if strings.Contains(description, words) {
			return description
		}
	}
	return ""
}

// answerTo gives the query that connect's app and tcUrl have to have next, or why
// there is none.
func (e endpoint) answerTo(challenge, before string) (query string, over *ending) {
	rejected := func(why string) (string, *ending) {
		return "", &ending{reason: prober.ReasonConnectRejected, what: why}
	}
	switch {
	case e.user == "":
		return rejected("the server asks for a user and password, and none is configured")
	case !strings.Contains(challenge, adobeWanted):
		return rejected("the server asks for a way to authenticate that is not spoken here: " + e.quoted(challenge))
	case strings.Contains(challenge, adobeNeedsUser) && before == "":
		return "?" + adobeWanted + "&user=" + e.user, nil
	}
	_, rest, ok := strings.Cut(challenge, "?")
	said, err := url.ParseQuery(rest)
	if !ok || err != nil || said.Get("salt") == "" || strings.Contains(before, "&response=") {
		return rejected("the server refused the user and password")
	}
	var nonce [4]byte
	_, _ = rand.Read(nonce[:]) // it never fails
	mine := hex.EncodeToString(nonce[:])
	// A plus is no space here: both are base64, and are not escaped.
	opaque, theirs := plain64(said.Get("opaque")), plain64(said.Get("challenge"))
	against := theirs
	if opaque != "" {
		against = opaque
	}
	response := digest64(digest64(e.user+plain64(said.Get("salt"))+e.password.Reveal()) + against + mine)
	query = "?" + adobeWanted + "&user=" + e.user + "&challenge=" + mine + "&response=" + response
	if opaque != "" {
		query += "&opaque=" + opaque
	}
	return query, nil
}

func plain64(s string) string { return strings.ReplaceAll(s, " ", "+") }

func digest64(s string) string {
	sum := md5.Sum([]byte(s)) //nolint:gosec // Adobe's scheme has it
	return base64.StdEncoding.EncodeToString(sum[:])
}
