package origin

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/yutopp/go-rtmp"
)

// life is what a restart ends: listeners and servers.
type life struct {
	rtmpListener, httpListener *listener
	refusing                   int // refuse-connect faults that are on
	rtmp                       *rtmp.Server
	http                       *http.Server
	serving                    sync.WaitGroup
}

func bind(ctx context.Context, rtmpAddr, httpAddr string, patience time.Duration) (*life, error) {
	r, err := listen(ctx, rtmpAddr, newConns(), patience)
	if err != nil {
		return nil, err
	}
	h, err := listen(ctx, httpAddr, newConns(), patience)
	if err != nil {
		_ = r.Close()
		return nil, err
	}
	return &life{rtmpListener: r, httpListener: h}, nil
}

// begin serves a new life; o.mu is held.
func (o *Origin) begin(l *life) {
	l.rtmp = o.ingest.server()
	l.http = &http.Server{
		Handler:           o.routes(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          httpLogger(o.log),
	}
	o.playback.start()
	l.serving.Go(func() { _ = l.rtmp.Serve(l.rtmpListener) }) // ends with the listener
	l.serving.Go(func() { _ = l.http.Serve(l.httpListener) })
	o.life = l
}

func (o *Origin) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hls/{stream}/{file}", o.playback.serve)
	mux.HandleFunc("OPTIONS /hls/{stream}/{file}", preflight)
	mux.Handle("/api/", o.api.routes())
	return mux
}

// end ends a life as kill -9 would: listeners and connections at once, then
// every muxer. It returns when all broadcasts taken here have ended.
func (o *Origin) end(l *life) {
	_ = l.rtmp.Close()
	_ = l.httpListener.Close()
	_ = l.rtmpListener.Close()
	l.serving.Wait() // nothing is accepted from here on
	l.rtmpListener.conns.reset()
	l.httpListener.conns.reset()
	_ = l.http.Close()
	o.playback.stop()
	l.rtmpListener.conns.busy.Wait()
}
