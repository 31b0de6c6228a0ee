package alert

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Without a token there is nobody to let through.
func TestRequireTokenWithoutOne(t *testing.T) {
	t.Parallel()
	h := RequireToken("", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("somebody came through") }))
	for _, header := range []string{"", "Bearer", "Bearer ", "bearer  "} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/alerts", http.NoBody)
		r.Header.Set("Authorization", header)
		h.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%q: %d", header, w.Code)
		}
	}
}
