package origin

import (
	"context"
	"net/http"
	"testing"
	"time"
)

// A restart of the media server leaves the API up; the API's own fault does not.
func TestAPIAtAnAddressOfItsOwn(t *testing.T) {
	t.Parallel()
	o, err := New(Config{Region: "test", RTMPAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	a, err := o.ServeAPI(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	status := func() int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL()+"/stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	tests := []struct {
		fault string
		want  int
	}{{"restart", http.StatusOK}, {"api-500", http.StatusInternalServerError}}
	for _, tt := range tests { // one after the other: they break the same origin
		ctx, heal := context.WithCancel(t.Context())
		over := make(chan error, 1)
		go func() { over <- o.Inject(ctx, Fault{Name: tt.fault, For: time.Minute}) }()
		deadline := time.Now().Add(10 * time.Second)
		for status() != tt.want && time.Now().Before(deadline) {
			continue
		}
		if got := status(); got != tt.want {
			t.Errorf("during %s: %d, want %d", tt.fault, got, tt.want)
		}
		heal()
		<-over
		if got := status(); got != http.StatusOK {
			t.Errorf("after %s: %d", tt.fault, got)
		}
	}
}
