package alert

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// RequireToken lets through to next whoever shows the token as a bearer token
// (RFC 6750, section 2.1), and answers 401 to everybody else; to everybody where
// token is "". The token is taken from the header alone: an address with a token
// in it ends up in logs and histories.
func RequireToken(token Secret, next http.Handler) http.Handler {
	// Hashes of equal length are compared, so that the time taken tells nothing.
	want := sha256.Sum256([]byte(token.Reveal()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, shown, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(strings.TrimSpace(shown)))
		same := subtle.ConstantTimeCompare(got[:], want[:]) == 1
		if token == "" || !same || !strings.EqualFold(scheme, "bearer") {
			w.Header().Set("WWW-Authenticate", `Bearer realm="on-call"`)
			http.Error(w, "send the on-call token: Authorization: Bearer TOKEN", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
