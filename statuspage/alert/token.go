package alert

import (
	"context"
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
	return RequireTokens(token, nil, next)
}

// RequireTokens is RequireToken for a token that is shared, and for people who
// have one of their own, by name: Who tells next whose was shown.
func RequireTokens(shared Secret, people map[string]Secret, next http.Handler) http.Handler {
	type holder struct {
		name string
		want [sha256.Size]byte
	}
	// Hashes of equal length are compared, so that the time taken tells nothing.
	var holders []holder
	if shared != "" {
		holders = append(holders, holder{"", sha256.Sum256([]byte(shared.Reveal()))})
	}
	for name, token := range people {
		if token != "" {
			holders = append(holders, holder{name, sha256.Sum256([]byte(token.Reveal()))})
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, shown, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(strings.TrimSpace(shown)))
		known, who := false, ""
		for _, h := range holders {
			if subtle.ConstantTimeCompare(got[:], h.want[:]) == 1 {
				known, who = true, h.name
			}
		}
		if !known || !strings.EqualFold(scheme, "bearer") {
			w.Header().Set("WWW-Authenticate", `Bearer realm="on-call"`)
			http.Error(w, "send the on-call token: Authorization: Bearer TOKEN", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), whoKey{}, who)))
	})
}

type whoKey struct{}

// Who is the name of the person whose token was shown; "" is the shared one's.
func Who(ctx context.Context) string {
	who, _ := ctx.Value(whoKey{}).(string)
	return who
}
