package origin

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// API is the streams API at an address of its own, as platforms run it beside
// their media servers: what restarts those leaves it up.
type API struct {
	address string
	server  *http.Server
	serving sync.WaitGroup
}

// ServeAPI serves an origin's streams API at addr, host:port, until Close. The
// faults of the origin's API are its, too.
func (o *Origin) ServeAPI(ctx context.Context, addr string) (*API, error) {
	l, err := listen(ctx, net.ListenConfig{}, addr, newConns(), 0)
	if err != nil {
		return nil, fmt.Errorf("streams API: %w", err)
	}
	at, err := tcpAddr(l)
	if err != nil {
		return nil, err
	}
	a := &API{address: reachable(at), server: &http.Server{
		Handler: o.api.routes(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 15 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10, ErrorLog: httpLogger(o.log),
	}}
	a.serving.Go(func() { _ = a.server.Serve(l) }) // ends with the listener
	return a, nil
}

// URL is the base of the API.
func (a *API) URL() string { return "http://" + a.address + "/api" }

// Close ends it at once.
func (a *API) Close() {
	_ = a.server.Close()
	a.serving.Wait()
}
